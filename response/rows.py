"""Rows of a file by hand: columns by Korean or English headers, faults by line and column, with what to do."""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

ENCODINGS = ("utf-8-sig", "cp949")
"""As spreadsheets in Korea write them."""


class PeopleFileError(Exception):
    """A file that cannot be used at all: one line, what and what to do."""


class FieldError(ValueError):
    """A value that cannot be used: what is expected instead, Korean · English."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One value of one line. ``shown``: the value, masked where it is personal."""

    line: int
    column: str
    shown: str
    remedy: str

    def __str__(self) -> str:
        value = f" {self.shown!r}" if self.shown else ""
        return f"{self.line}: {self.column}{value}: {self.remedy}"


@dataclass(frozen=True, slots=True)
class Field:
    """A column. ``read`` gives the value of a text that is not empty; ``empty``: of one that is; ``personal``: never
    shown whole."""

    name: str
    names: tuple[str, ...]
    read: Callable[[str], Any]
    empty: Any = None
    required: bool = False
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line that could be read. ``values``: by column, of those the file has."""

    number: int
    values: dict[str, Any]


def read_rows(path: Path, fields: tuple[Field, ...]) -> Iterator[Line | list[Fault]]:
    """Line by line what a file says, or what is wrong with it. Empty lines are passed over.

    Raises:
        PeopleFileError: not CSV text, no header, a column that is missing, unknown or there twice.
        OSError: not readable.
    """
    reader = csv.reader(io.StringIO(_text(path), newline=""))
    try:
        header = next(reader, None)
        columns = _columns(path, header, fields)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _line(reader.line_num, cells, columns)
    except csv.Error as e:
        raise PeopleFileError(f"{path}:{reader.line_num}: CSV가 아닙니다 · not CSV ({e}): save it as CSV") from e


def _text(path: Path) -> str:
    raw = path.read_bytes()
    if b"\0" in raw:
        raise PeopleFileError(f"{path}: CSV가 아닙니다 · not CSV (it has zero bytes): save it as CSV (UTF-8)")
    for encoding in ENCODINGS:
        try:
            return unicodedata.normalize("NFC", raw.decode(encoding))  # some write 가 as two letters
        except UnicodeDecodeError:
            continue
    raise PeopleFileError(f"{path}: 글자를 읽을 수 없습니다 · neither UTF-8 nor CP949: save it as CSV (UTF-8)")


def _columns(path: Path, header: list[str] | None, fields: tuple[Field, ...]) -> list[Field]:
    by_name = {_plain(name): field for field in fields for name in (field.name, *field.names)}
    found: list[Field] = []
    for name in header or ():
        field = by_name.get(_plain(name))
        known = ", ".join(f"{f.name} ({f.names[0]})" for f in fields)
        if field is None:
            raise PeopleFileError(f"{path}:1: 모르는 열입니다 · unknown column {name!r}: remove it; known: {known}")
        if field in found:
            raise PeopleFileError(f"{path}:1: 열이 두 번 있습니다 · the column {field.name} is there twice: keep one")
        found.append(field)
    missing = [field for field in fields if field.required and field not in found]
    if missing:
        raise PeopleFileError(f"{path}:1: 열이 없습니다 · a column is missing: {', '.join(f.name for f in missing)}")
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


def _line(number: int, cells: list[str], columns: list[Field]) -> Line | list[Fault]:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        return [Fault(number, "-", "", f"칸이 많습니다 · {len(cells)} cells, {len(columns)} columns: quote commas")]
    values: dict[str, Any] = {}
    faults = []
    for field, cell in zip(columns, [*cells, *[""] * (len(columns) - len(cells))], strict=False):
        text = cell.strip()
        try:
            if not text and field.required:
                raise FieldError("비어 있습니다 · empty: fill it in")
            values[field.name] = field.read(text) if text else field.empty
        except FieldError as e:
            faults.append(Fault(number, field.name, masked(text) if field.personal else text[:40], str(e)))
    return faults or Line(number, values)


def masked(text: str) -> str:
    """The first character, and that there are more."""
    return text[:1] + "***" if text else ""


def one_of(words: Mapping[str, str]) -> Callable[[str], str]:
    """Reads one of some words: what may be written -> what it means."""

    def read(text: str) -> str:
        found = words.get(text.lower())
        if found is None:
            raise FieldError(f"이 중 하나여야 합니다 · use one of {', '.join(words)}")
        return found

    return read


YES_NO = {
    "yes": True, "no": False, "true": True, "false": False, "y": True, "n": False, "1": True, "0": False,
    "예": True, "아니오": False, "아니요": False, "동의": True, "거부": False, "o": True, "x": False,
}  # fmt: skip


def read_bool(text: str) -> bool:
    """Yes or no."""
    if text.lower() not in YES_NO:
        raise FieldError("예 또는 아니오 · use yes or no")
    return YES_NO[text.lower()]


def read_date(text: str) -> date:
    """A day, 2026-03-04 (or with dots, as in 2026. 3. 4.)."""
    parts = re.fullmatch(r"(\d{4})\s*[-./]\s*(\d{1,2})\s*[-./]\s*(\d{1,2})\.?", text)
    try:
        return date(*map(int, parts.groups())) if parts else date.fromisoformat(text)
    except ValueError:
        raise FieldError("날짜는 2026-03-04처럼 · write days as 2026-03-04") from None


def read_time(text: str) -> time:
    """A time of day, 09:00; 24:00 is midnight."""
    parts = re.fullmatch(r"(\d{1,2}):(\d{2})(?::00)?", text)
    try:
        return time(int(parts[1]) % 24 if int(parts[1]) <= 24 else 99, int(parts[2])) if parts else time(99)
    except ValueError:
        raise FieldError("시각은 09:00처럼 · write times as 09:00") from None


def read_id(text: str) -> str:
    """An id: letters, digits, dots, dashes."""
    if not re.fullmatch(r"[\w.:-]{1,64}", text):
        raise FieldError("글자·숫자·-·. 64자까지 · letters, digits, - and . only, at most 64")
    return text


def read_dong(text: str) -> str:
    """A dong, as in the households' records. The comma and * mean something elsewhere."""
    if len(text) > 64 or re.search(r"[,*]", text) or not text.isprintable():
        raise FieldError("쉼표와 * 없이 64자까지 · at most 64 characters, no comma and no *")
    return text
