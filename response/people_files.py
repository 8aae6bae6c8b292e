"""The registry as a file: what a CSV says of people goes in line by line, and comes out as it went in."""

import dataclasses
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from msgspec.structs import asdict, replace
from sqlalchemy import Connection, any_, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from response import numbers, tables, withdrawals
from response.access import Sight, Viewer, viewing_all
from response.records import Person
from response.registry import opened
from response.renumber import ONE_FORM
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
    read_household,
    read_id,
    read_rows,
    read_text,
)
from response.vault import Vault, place
from stream import plain, spreadsheet
from stream.shape import shape

p = tables.people.c
_CHUNK = 500
MOST_CHANNELS = 16
ROLE_WORDS = {
    "resident": "resident", "guardian": "guardian", "officer": "officer", "deputy": "deputy", "centre": "centre",
    "operator": "operator", "대상자": "resident", "보호자": "guardian", "담당자": "officer", "대리자": "deputy",
    "관제센터": "centre", "운영자": "operator", "center": "centre",
}  # fmt: skip


def _phone(text: str, region: str = numbers.REGION) -> str:
    try:
        return numbers.normal(text, region)
    except ValueError as e:
        raise FieldError(str(e)) from None


def _email(text: str) -> str:
    if not re.fullmatch(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+", text):
        raise FieldError("전자우편 주소가 아닙니다 · not an e-mail address")
    return read_text(plain.EMAIL)(text)


def _channels(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(re.split(r"[\s;|/]+", text.lower())))
    if len(names) > MOST_CHANNELS or not all(re.fullmatch(r"[a-z_]{1,32}", name) for name in names):
        raise FieldError("채널 이름을 ;로 나누어 · names of channels with ; between, as sms;email")
    return names


FIELDS = (
    Field("person_id", ("번호", "식별번호"), read_id, required=True),
    Field("role", ("역할", "구분"), one_of(ROLE_WORDS), required=True),
    Field("dong", ("동", "읍면동"), read_dong, ""),
    Field("household_id", ("가구", "가구번호"), read_household),
    Field("name", ("이름", "성명"), read_text(plain.NAME), ""),
    Field("phone", ("전화", "전화번호", "연락처"), _phone, ""),
    Field("email", ("전자우편", "이메일"), _email, ""),
    Field("address", ("주소",), read_text(plain.ADDRESS), ""),
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
    """What became of a file's lines. ``shared``: people of one number, a resident among them and one of the file."""

    new: int = 0
    changed: int = 0
    same: int = 0
    faults: list[Fault] = field(default_factory=list)
    shared: list[list[str]] = field(default_factory=list)


def import_people(
    conn: Connection, vault: Vault, path: Path, viewer: Viewer, at: datetime, region: str = numbers.REGION
) -> Imported:
    """Take in a file. The lines that are good go in, in this transaction, and into the access log where they changed
    something; the others are in ``faults``. A column that the file does not have keeps its value. ``region``: country
    of numbers without a country code.

    Raises:
        PeopleFileError, OSError: the file cannot be used at all.
        VaultError: what is there cannot be opened.
    """
    done, seen, chunk = Imported(), dict[str, int](), list[Line]()
    reason = f"import {plain.plain(path.name, plain.NAME)}"
    of_region = tuple(
        dataclasses.replace(f, read=partial(_phone, region=region)) if f.name == "phone" else f for f in FIELDS
    )
    for line in read_rows(path, of_region):
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
            _take(conn, vault, chunk, viewer, reason, at, done)
            chunk = []
    _take(conn, vault, chunk, viewer, reason, at, done)
    done.faults.sort(key=lambda fault: fault.line)
    done.shared = _shared(conn, set(seen))
    return done


def _shared(conn: Connection, of_file: set[str]) -> list[list[str]]:
    """People of one number: what is pressed in a call-back from it says nothing of the resident among them."""
    ids, roles = func.array_agg(aggregate_order_by(p.person_id, p.person_id)), func.array_agg(p.role)
    query = select(ids).where(p.phone_index.is_not(None)).group_by(p.phone_index)
    query = query.having(func.count() > 1, literal("resident") == any_(roles))
    return sorted(list(found) for found in conn.scalars(query) if of_file.intersection(found))


def _take(
    conn: Connection, vault: Vault, lines: list[Line], viewer: Viewer, reason: str, at: datetime, done: Imported
) -> None:
    ids = [line.values["person_id"] for line in lines]
    rows = conn.execute(select(tables.people).where(p.person_id.in_(ids)).with_for_update()).all()
    known = {row.person_id: opened(row, vault) for row in rows}
    touched = []
    left = withdrawals.refused(conn, [home for line in lines if (home := line.values.get("household_id"))])
    for line in lines:
        before = known.get(line.values["person_id"])
        after = replace(before, **line.values) if before else _person(line.values)
        fault = _whole(line.number, after) or _with_consent(line.number, after, left)
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


def _with_consent(number: int, one: Person, left: set[str]) -> Fault | None:
    """Nobody of a household that has withdrawn comes back by a file of before."""
    if one.household_id not in left:
        return None
    remedy = (
        "동의를 철회한 댁입니다: 동의를 새로 받아 가구 기록을 먼저 보내십시오 · consent was withdrawn: first send the "
        "household's record with a consent of afterwards (a later `since`), or `anbu withdrawal undo`"
    )
    return Fault(number, "household_id", one.household_id, remedy)


def _whole(number: int, one: Person) -> Fault | None:
    """What a person of this role must have."""
    if one.role in ("resident", "guardian") and not one.household_id:
        return Fault(number, "household_id", "", f"가구가 필요합니다 · a {one.role} needs a household: fill it in")
    if one.role == "resident" and one.phone and not numbers.of_a_person(one.phone):
        remedy = "본인의 번호가 아닙니다 · a service number (1588-0000, 080) is no resident's: give their own"
        return Fault(number, "phone", shape(numbers.shown(one.phone)), remedy)
    if one.role not in ("centre", "operator") and not one.dong:
        return Fault(number, "dong", "", "동이 필요합니다 · only centre and operator are of every dong: fill it in")
    return None


def _row(vault: Vault, one: Person, at: datetime) -> dict[str, Any]:
    values: dict[str, Any] = asdict(one) | {"channels": list(one.channels), "updated_at": at}
    for column in SEALED:
        value = values[column]
        values[column] = vault.seal(value, place("people", column, one.person_id)) if value else None
    values["phone_index"] = vault.index(one.phone) if one.phone else None
    values["phone_form"] = ONE_FORM
    return values


def _write(conn: Connection, rows: list[dict[str, Any]]) -> None:
    query = insert(tables.people)
    conn.execute(query.on_conflict_do_update(index_elements=["person_id"], set_=dict(query.excluded)), rows)


def export_people(sight: Sight, vault: Vault, path: Path, viewer: Viewer, why: str, at: datetime) -> int:
    """Write everybody to a file that ``import_people`` takes, readable by its owner alone; how many. Each is in the
    access log before the file is written.

    Raises:
        ReasonNeededError: no reason.
        VaultError, OSError: not to be opened, not to be written (an existing file is never written over).
    """
    with sight.service.begin() as conn:
        ids = conn.scalars(select(p.person_id)).all()
    rows = sight.people(viewer, [(person_id, "export") for person_id in ids], why, at)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w", encoding="utf-8-sig", newline="") as file:
        write(file, (opened(row, vault) for row in rows))
    return len(rows)


def write(file: TextIO, people: Iterable[Person]) -> None:
    """People as `import_people` takes them, into a file opened with ``newline=""``."""
    writer = spreadsheet.Writer(file)
    writer.row(headers())
    for person in people:
        writer.row(cells(person))


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
        elif column.name == "phone" and value:
            yield numbers.shown(value)  # a spreadsheet would take +82... for a sum
        else:
            yield value or ""
