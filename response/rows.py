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

from stream import plain, spreadsheet
from stream.ids import ASK_ID, id_fault, reserved
from stream.shape import shape

MOST_BYTES = 128 * 1024 * 1024
"""Bytes of a file: a million people are as many. It is read as a whole."""
MOST_COLUMNS = 1_000
MOST_LINE = 256 * 1024
"""Characters of a row, with all that is in its quotes."""
MOST_WRONG = 10_000
"""Lines of a file that may be wrong: beyond it it is another file, and nothing of it is taken."""
MOST_LETTERS = 4_000
"""Characters of a cell that is looked at: no name, number or note is as long."""
ENCODINGS = ("utf-8-sig", "cp949")
"""As spreadsheets in Korea write them."""


class PeopleFileError(Exception):
    """A file that cannot be used at all: one line, what and what to do."""


class FieldError(ValueError):
    """A value that cannot be used: what is expected instead, Korean · English."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One value of one line. ``shown``: what the value looks like."""

    line: int
    column: str
    shown: str
    remedy: str

    def __str__(self) -> str:
        value = f" {self.shown!r}" if self.shown else ""
        return f"{self.line}: {self.column}{value}: {self.remedy}"


@dataclass(frozen=True, slots=True)
class Field:
    """A column. ``read`` gives the value of a text that is not empty; ``empty``: of one that is."""

    name: str
    names: tuple[str, ...]
    read: Callable[[str], Any]
    empty: Any = None
    required: bool = False


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
    lines = _Lines(path, _text(path))
    reader, wrong = csv.reader(lines), 0
    try:
        header = next(reader, None)
        columns = _columns(path, header, fields)
        for cells in reader:
            lines.begun = 0
            if any(cell.strip() for cell in cells):
                found = _line(reader.line_num, cells, columns)
                wrong += isinstance(found, list)
                if wrong > MOST_WRONG and isinstance(found, list):
                    what = f"잘못된 행이 너무 많습니다 · over {MOST_WRONG:,} lines are wrong"
                    raise PeopleFileError(f"{path}: {what}: {found[0]}")
                yield found
    except csv.Error as e:
        raise PeopleFileError(f"{path}:{reader.line_num}: CSV가 아닙니다 · not CSV ({e}): save it as CSV") from e


class _Lines:
    """Lines of a text. A row of them that does not end raises PeopleFileError; ``begun``: characters of it so far."""

    def __init__(self, path: Path, text: str) -> None:
        self.begun = 0
        self._path = path
        self._text = io.StringIO(text, newline="")

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(MOST_LINE + 1)
        self.begun += len(line)
        if self.begun > MOST_LINE:
            remedy = f"따옴표를 확인하십시오 · a row of over {MOST_LINE:,} characters: look for a quote left open"
            raise PeopleFileError(f"{self._path}: 행이 끝나지 않습니다 · a row does not end: {remedy}")
        if not line:
            raise StopIteration
        return line


def _text(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        remedy = f"나누어 주십시오 · over {MOST_BYTES >> 20} MiB: split it"
        raise PeopleFileError(f"{path}: 파일이 너무 큽니다 · the file is too large: {remedy}")
    if b"\0" in raw:
        raise PeopleFileError(f"{path}: CSV가 아닙니다 · not CSV (it has zero bytes): save it as CSV (UTF-8)")
    for encoding in ENCODINGS:
        try:
            return unicodedata.normalize("NFC", raw.decode(encoding))  # some write 가 as two letters
        except UnicodeDecodeError:
            continue
    raise PeopleFileError(f"{path}: 글자를 읽을 수 없습니다 · neither UTF-8 nor CP949: save it as CSV (UTF-8)")


def _columns(path: Path, header: list[str] | None, fields: tuple[Field, ...]) -> list[Field]:
    if header and len(header) > MOST_COLUMNS:
        remedy = f"필요한 열만 · over {MOST_COLUMNS:,} columns: keep those that are known"
        raise PeopleFileError(f"{path}:1: 열이 너무 많습니다 · too many columns: {remedy}")
    by_name = {_plain(name): field for field in fields for name in (field.name, *field.names)}
    found: list[Field] = []
    if header and sum(_plain(name) in by_name for name in header) * 2 < len(header):  # a person's line, as it seems
        first = ", ".join(field.name for field in fields if field.required)
        raise PeopleFileError(
            f"{path}:1: 첫 줄이 열 이름이 아닙니다 · line 1 is no header: begin with one that has {first}"
        )
    for name in header or ():
        field = by_name.get(_plain(name))
        known = ", ".join(f"{f.name} ({f.names[0]})" for f in fields)
        if field is None:
            what = f"모르는 열입니다 · unknown column {name[:40]!r}"
            raise PeopleFileError(f"{path}:1: {what}: remove it; known: {known}")
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
        text = spreadsheet.read(cell.strip())
        try:
            if not text and field.required:
                raise FieldError("비어 있습니다 · empty: fill it in")
            if len(text) > MOST_LETTERS:
                raise FieldError(f"너무 깁니다 · {len(text):,} characters: at most {MOST_LETTERS:,}")
            values[field.name] = field.read(text) if text else field.empty
        except FieldError as e:
            faults.append(Fault(number, field.name, shape(text), str(e)))
    return faults or Line(number, values)


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


YEARS = range(2000, 2100)


def read_date(text: str) -> date:
    """A day, 2026-03-04 (or with dots, as in 2026. 3. 4.)."""
    parts = re.fullmatch(r"(\d{4})\s*[-./]\s*(\d{1,2})\s*[-./]\s*(\d{1,2})\.?", text)
    try:
        day = date(*map(int, parts.groups())) if parts else date.fromisoformat(text)
    except ValueError:
        raise FieldError("날짜는 2026-03-04처럼 · write days as 2026-03-04") from None
    if day.year not in YEARS:
        raise FieldError("연도를 확인하십시오 · look at the year: 2000 to 2099")
    return day


def read_time(text: str) -> time:
    """A time of day, 09:00; 24:00 is midnight."""
    parts = re.fullmatch(r"(\d{1,2}):(\d{2})(?::00)?", text)
    try:
        return time(int(parts[1]) % 24 if int(parts[1]) <= 24 else 99, int(parts[2])) if parts else time(99)
    except ValueError:
        raise FieldError("시각은 09:00처럼 · write times as 09:00") from None


def read_id(text: str) -> str:
    """An id: letters (Latin or Hangul), digits, dots, dashes; full-width ones as the others. What only looks like them
    (Cyrillic, a letter with an accent) would be another id that nobody can tell from it."""
    text = unicodedata.normalize("NFKC", text)
    if not re.fullmatch(r"[0-9A-Za-z가-힣_.:-]{1,64}", text):
        raise FieldError("영문·한글·숫자·-·. 64자까지 · letters A-Z or Hangul, digits, - and . only, at most 64")
    return _nobodys(text)


def read_household(text: str) -> str:
    """A household's id, as the readings have it."""
    if id_fault(text) is not None:
        raise FieldError("영문·숫자·. _ : - 64자까지, 전각 문자 없이 · " + ASK_ID.removeprefix("send "))
    return _nobodys(text)


def _nobodys(text: str) -> str:
    """The log says with such ids that it was nobody."""
    if reserved(text):
        raise FieldError("시스템이 쓰는 이름입니다, 다른 번호로 · kept for the system itself: give another id")
    return text


def read_dong(text: str) -> str:
    """A dong, as in the households' records. The comma and * mean something elsewhere."""
    if re.search(r"[,*]", text):
        raise FieldError("쉼표와 * 없이 · no comma and no *")
    if (wrong := plain.name_fault(text)) is not None:
        raise FieldError(" · ".join(wrong))
    return text


def read_text(most: int) -> Callable[[str], str]:
    """Reads what people write freely: one line of letters that are seen, at most so many."""

    def read(text: str) -> str:
        wrong = plain.fault(text, most)
        if wrong is not None:
            raise FieldError(" · ".join(wrong))
        return text

    return read
