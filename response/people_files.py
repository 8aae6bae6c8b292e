"""The registry as a file: what a CSV says of people goes in line by line, and comes out as it went in."""

import csv
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

from msgspec.structs import asdict, replace
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from response import tables
from response.access import Viewer, viewing_all
from response.records import Person
from response.registry import opened
from response.rotate import SEALED
from response.rows import (
    Fault,
    Field,
    FieldError,
    Line,
    one_of,
    read_bool,
    read_date,
    read_dong,
    read_id,
    read_rows,
)
from response.vault import Vault, digits, place

p = tables.people.c
_CHUNK = 500
ROLE_WORDS = {
    "resident": "resident", "guardian": "guardian", "officer": "officer", "deputy": "deputy", "centre": "centre",
    "operator": "operator", "대상자": "resident", "보호자": "guardian", "담당자": "officer", "대리자": "deputy",
    "관제센터": "centre", "운영자": "operator", "center": "centre",
}  # fmt: skip


def _phone(text: str) -> str:
    if not re.fullmatch(r"\+?[\d\s().-]+", text) or not 8 <= len(digits(text)) <= 15:
        raise FieldError("전화번호는 010-0000-0000처럼 · write numbers as 010-0000-0000")
    return text


def _email(text: str) -> str:
    if not re.fullmatch(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+", text):
        raise FieldError("전자우편 주소가 아닙니다 · not an e-mail address")
    return text


def _channels(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(re.split(r"[\s;|/]+", text.lower())))
    if not all(re.fullmatch(r"[a-z_]{1,32}", name) for name in names):
        raise FieldError("채널 이름을 ;로 나누어 · names of channels with ; between, as sms;email")
    return names


FIELDS = (
    Field("person_id", ("번호", "식별번호"), read_id, required=True),
    Field("role", ("역할", "구분"), one_of(ROLE_WORDS), required=True),
    Field("dong", ("동", "읍면동"), read_dong, ""),
    Field("household_id", ("가구", "가구번호"), read_id),
    Field("name", ("이름", "성명"), str, "", personal=True),
    Field("phone", ("전화", "전화번호", "연락처"), _phone, "", personal=True),
    Field("email", ("전자우편", "이메일"), _email, "", personal=True),
    Field("address", ("주소",), str, "", personal=True),
    Field("address_at", ("주소확인일",), read_date),
    Field("language", ("언어",), one_of({"ko": "ko", "en": "en", "한국어": "ko", "영어": "en"}), "ko"),
    Field("channels", ("채널", "수단"), _channels, ("sms",)),
    Field("consent_guardian", ("보호자통보동의",), read_bool, False),
    Field("consent_entry", ("출입동의",), read_bool, False),
    Field("calls", ("전화가능",), read_bool, True),
    Field("drill", ("훈련",), read_bool, False),
)


@dataclass(slots=True)
class Imported:
    """What became of a file's lines."""

    new: int = 0
    changed: int = 0
    same: int = 0
    faults: list[Fault] = field(default_factory=list)


def import_people(conn: Connection, vault: Vault, path: Path, viewer: Viewer, at: datetime) -> Imported:
    """Take in a file. The lines that are good go in, in this transaction, and into the access log where they changed
    something; the others are in ``faults``. A column that the file does not have keeps its value.

    Raises:
        PeopleFileError, OSError: the file cannot be used at all.
        VaultError: what is there cannot be opened.
    """
    done, seen, chunk = Imported(), dict[str, int](), list[Line]()
    for line in read_rows(path, FIELDS):
        if isinstance(line, list):
            done.faults += line
            continue
        person_id = line.values["person_id"]
        if person_id in seen:
            remedy = f"{seen[person_id]}행에 이미 있습니다 · already in line {seen[person_id]}: keep one of them"
            done.faults.append(Fault(line.number, "person_id", person_id, remedy))
            continue
        seen[person_id] = line.number
        chunk.append(line)
        if len(chunk) == _CHUNK:
            _take(conn, vault, chunk, viewer, f"import {path.name}", at, done)
            chunk = []
    _take(conn, vault, chunk, viewer, f"import {path.name}", at, done)
    done.faults.sort(key=lambda fault: fault.line)
    return done


def _take(
    conn: Connection, vault: Vault, lines: list[Line], viewer: Viewer, reason: str, at: datetime, done: Imported
) -> None:
    ids = [line.values["person_id"] for line in lines]
    rows = conn.execute(select(tables.people).where(p.person_id.in_(ids)).with_for_update()).all()
    known = {row.person_id: opened(row, vault) for row in rows}
    touched = []
    for line in lines:
        before = known.get(line.values["person_id"])
        after = replace(before, **line.values) if before else _person(line.values)
        fault = _whole(line.number, after)
        if fault is not None:
            done.faults.append(fault)
        elif after == before:
            done.same += 1
        else:
            touched.append(after)
            done.new, done.changed = done.new + (before is None), done.changed + (before is not None)
    if touched:
        _write(conn, [_row(vault, one, at) for one in touched])
        viewing_all(conn, viewer, [one.person_id for one in touched], "import", reason, at)


def _person(values: dict[str, Any]) -> Person:
    return Person(**values)


def _whole(number: int, one: Person) -> Fault | None:
    """What a person of this role must have."""
    if one.role in ("resident", "guardian") and not one.household_id:
        return Fault(number, "household_id", "", f"가구가 필요합니다 · a {one.role} needs a household: fill it in")
    if one.role not in ("centre", "operator") and not one.dong:
        return Fault(number, "dong", "", "동이 필요합니다 · only centre and operator are of every dong: fill it in")
    return None


def _row(vault: Vault, one: Person, at: datetime) -> dict[str, Any]:
    values: dict[str, Any] = asdict(one) | {"channels": list(one.channels), "updated_at": at}
    for column in SEALED:
        value = values[column]
        values[column] = vault.seal(value, place("people", column, one.person_id)) if value else None
    values["phone_index"] = vault.index(one.phone) if one.phone else None
    return values


def _write(conn: Connection, rows: list[dict[str, Any]]) -> None:
    query = insert(tables.people)
    conn.execute(query.on_conflict_do_update(index_elements=["person_id"], set_=dict(query.excluded)), rows)


def export_people(conn: Connection, vault: Vault, path: Path, viewer: Viewer, why: str, at: datetime) -> int:
    """Write everybody to a file that ``import_people`` takes, readable by its owner alone; how many. Each is in the
    access log before the file is written.

    Raises:
        ReasonNeededError: no reason.
        VaultError, OSError: not to be opened, not to be written (an existing file is never written over).
    """
    rows = conn.execute(select(tables.people).order_by(p.role, p.dong, p.person_id)).all()
    viewing_all(conn, viewer, [row.person_id for row in rows], "export", why, at)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w", encoding="utf-8-sig", newline="") as file:
        write(file, (opened(row, vault) for row in rows))
    return len(rows)


def write(file: TextIO, people: Iterable[Person]) -> None:
    """People as `import_people` takes them, into a file opened with ``newline=""``."""
    writer = csv.writer(file)
    writer.writerow(headers())
    writer.writerows(cells(person) for person in people)


def headers() -> list[str]:
    """Names of the columns, as a file has them."""
    return [column.name for column in FIELDS]


def cells(one: Person) -> Iterable[str]:
    """A person as a line of a file."""
    for column in FIELDS:
        value = getattr(one, column.name)
        if isinstance(value, bool):
            yield "yes" if value else "no"
        elif isinstance(value, tuple):
            yield ";".join(value)
        elif isinstance(value, date):
            yield value.isoformat()
        else:
            yield value or ""
