"""Rosters as a file, and leave."""

import re
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from response import tables
from response.access import Viewer, viewing_all
from response.circle import STAFF
from response.people_files import ROLE_WORDS, Imported
from response.rows import (
    Fault,
    Field,
    FieldError,
    Line,
    PeopleFileError,
    one_of,
    read_date,
    read_dong,
    read_id,
    read_rows,
    read_time,
)
from stream.plain import NAME, plain

p, d = tables.people.c, tables.duties.c
MOST_LEAVE = timedelta(days=3 * 366)
_KEY = ("dong", "role", "person_id", "days", "from_time", "first_day")
_KOREAN, _ENGLISH = "월화수목금토일", ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ALL = ("매일", "daily", "every", "everyday")
_HOLIDAY = ("공휴일", "holiday", "holidays")


def read_days(text: str) -> str:
    """Days of the week as eight of 0 and 1, the last for public holidays: ``월-금``, ``Sat-Sun holidays``, ``월수금``,
    ``daily`` (holidays too), or the digits themselves (seven: a holiday is a day like others)."""
    if re.fullmatch(r"[01]{7,8}", text):
        return text
    found = [0] * 8
    for token in re.split(r"[\s,;+]+", text.lower()):
        if token in _ALL:
            found = [1] * 8
        elif token in _HOLIDAY:
            found[7] = 1
        else:
            for day in _named(token):
                found[day] = 1
    return "".join(map(str, found))


def _named(token: str) -> list[int]:
    begin, dash, end = re.sub(r"[~–]", "-", token).partition("-")
    if dash:
        first, last = _day(begin), _day(end)
        return [(first + n) % 7 for n in range((last - first) % 7 + 1)]
    if all(letter in _KOREAN for letter in token):
        return [_KOREAN.index(letter) for letter in token]
    return [_day(token)]


def _day(word: str) -> int:
    bare = word.removesuffix("요일")
    if len(bare) == 1 and bare in _KOREAN:
        return _KOREAN.index(bare)
    if word[:3] in _ENGLISH:
        return _ENGLISH.index(word[:3])
    raise FieldError("요일은 월-금, 매일, 토-일 공휴일처럼 · write days as Mon-Fri, daily, Sat-Sun holidays")


def _rank(text: str) -> int:
    if not re.fullmatch(r"\d{1,4}", text):
        raise FieldError("0부터의 수 · a whole number from 0; lower is asked first")
    return int(text)


FIELDS = (
    Field("dong", ("동", "읍면동"), read_dong, ""),
    Field("role", ("역할",), one_of({w: r for w, r in ROLE_WORDS.items() if r in STAFF}), required=True),
    Field("person_id", ("번호", "식별번호"), read_id, required=True),
    Field("days", ("요일",), read_days, required=True),
    Field("from_time", ("시작", "from"), read_time, required=True),
    Field("until_time", ("끝", "until"), read_time, required=True),
    Field("first_day", ("첫날",), read_date),
    Field("last_day", ("마지막날",), read_date),
    Field("rank", ("순서",), _rank, 0),
)


def import_duties(
    conn: Connection, path: Path, viewer: Viewer, at: datetime, *, replace_all: bool = False
) -> Imported:
    """Take in rosters; the log of access has who did it, for each person whose duties changed. ``replace_all``: rows of
    the dongs and roles the file names that are not in it are removed, unless a line is at fault.

    Raises:
        PeopleFileError, OSError: the file cannot be used at all.
    """
    done, lines = Imported(), list[Line]()
    for line in read_rows(path, FIELDS):
        if isinstance(line, list):
            done.faults += line
        else:
            lines.append(line)
    staff = set(conn.scalars(select(p.person_id).where(p.role.in_(STAFF))))
    kept: set[int] = set()
    touched: set[str] = set()
    for line in lines:
        values = {"dong": "", "first_day": None, "last_day": None, "rank": 0} | line.values
        if values["person_id"] not in staff:
            remedy = "등록된 담당자가 아닙니다 · not registered as staff: import that person first"
            done.faults.append(Fault(line.number, "person_id", values["person_id"], remedy))
            continue
        before = done.same
        kept.add(_put(conn, values, done))
        if done.same == before:
            touched.add(values["person_id"])
    if replace_all and not done.faults and lines:
        named = {(li.values.get("dong", ""), li.values["role"]) for li in lines}
        touched |= _remove_others(conn, named, kept, done)
    viewing_all(conn, viewer, sorted(touched), "duties", f"duties {plain(path.name, NAME)}", at)
    done.faults.sort(key=lambda fault: fault.line)
    return done


def _put(conn: Connection, values: dict[str, object], done: Imported) -> int:
    same_key = [d[name].is_not_distinct_from(values[name]) for name in _KEY]
    row = conn.execute(select(tables.duties).where(*same_key)).one_or_none()
    if row is None:
        done.new += 1
        made = insert(tables.duties).values(values).returning(d.duty_id)
        return int(conn.execute(made).scalar_one())
    rest = {name: value for name, value in values.items() if name not in _KEY}
    if all(getattr(row, name) == value for name, value in rest.items()):
        done.same += 1
    else:
        done.changed += 1
        conn.execute(tables.duties.update().where(d.duty_id == row.duty_id).values(rest))
    return int(row.duty_id)


def _remove_others(conn: Connection, named: set[tuple[str, str]], kept: set[int], done: Imported) -> set[str]:
    """Whose duties went."""
    whose: set[str] = set()
    for dong, role in named:
        gone = tables.duties.delete().where(d.dong == dong, d.role == role, d.duty_id.not_in(kept))
        rows = list(conn.scalars(gone.returning(d.person_id)))
        done.changed += len(rows)
        whose.update(rows)
    return whose


def add_leave(conn: Connection, person_id: str, from_at: datetime, until_at: datetime) -> bool:
    """Register leave in [from_at, until_at); False where it was there already.

    Raises:
        PeopleFileError: no such person, it ends before it begins, or years later.
    """
    if until_at <= from_at:
        raise PeopleFileError("휴가가 시작 전에 끝납니다 · the leave ends before it begins: see --from and --until")
    if until_at > from_at + MOST_LEAVE:
        raise PeopleFileError(
            f"휴가는 길어도 3년입니다: {until_at:%Y-%m-%d}까지가 맞습니까 · a leave is three years at most: see --until"
        )
    if conn.execute(select(p.person_id).where(p.person_id == person_id)).one_or_none() is None:
        raise PeopleFileError(f"없는 사람입니다 · nobody is registered as {person_id}: see `anbu people export`")
    values = {"person_id": person_id, "from_at": from_at, "until_at": until_at}
    query = insert(tables.leaves).values(values)
    put = query.on_conflict_do_update(
        index_elements=["person_id", "from_at"], set_={"until_at": until_at},
        where=tables.leaves.c.until_at != until_at,
    )  # fmt: skip
    return conn.execute(put.returning(tables.leaves.c.person_id)).one_or_none() is not None


def end_leave(conn: Connection, person_id: str, at: datetime) -> int:
    """Back again: leave that holds now ends at ``at``, leave to come is removed; how many."""
    v = tables.leaves
    gone = conn.execute(v.delete().where(v.c.person_id == person_id, v.c.from_at >= at)).rowcount
    now = v.update().where(v.c.person_id == person_id, v.c.from_at < at, v.c.until_at > at).values(until_at=at)
    return gone + conn.execute(now).rowcount
