"""Who looks at whose data: written down, in the same transaction, before anything is shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import Connection, Row, delete, func, insert, select, text

from response import tables
from response.database import VIEWER
from response.records import Person
from response.registry import opened
from response.vault import Vault

a, p, c = tables.access_log.c, tables.people.c, tables.cases.c
LEAST_DAYS = 731
"""The law's two years, a leap day included; the database refuses to delete what is younger."""


class ReasonNeededError(Exception):
    """Somebody's data may be seen only for a reason: one line, what and what to do."""


class Viewer(Struct, frozen=True):
    """Who looks. ``source``: from where (an address, a terminal). ``dongs``: which they may see; ``("*",)``: all."""

    name: str
    source: str
    dongs: tuple[str, ...]


class Seen(Struct, frozen=True):
    """A month of one viewer: how often each action was done, on how many people or households, and how often at night
    or on a weekend."""

    viewer: str
    action: str
    times: int
    subjects: int
    odd_hours: int


def viewing(
    conn: Connection,
    viewer: str,
    source: str,
    subject: str,
    action: str,
    reason: str,
    case_id: int | None,
    at: datetime,
) -> None:
    """Write one entry into the access log. Call it in the transaction that reads, before anything is shown.

    Raises:
        ReasonNeededError: for an empty reason.
    """
    _log(conn, viewer, source, [subject], action, reason, case_id, at)


def viewing_all(conn: Connection, viewer: Viewer, subjects: list[str], action: str, reason: str, at: datetime) -> None:
    """The same for many at once: an entry each. Raises ReasonNeededError."""
    _log(conn, viewer.name, viewer.source, subjects, action, reason, None, at)


def _log(
    conn: Connection, viewer: str, source: str, subjects: list[str], action: str, reason: str, case_id: int | None,
    at: datetime,
) -> None:  # fmt: skip
    if not reason.strip():
        raise ReasonNeededError(
            "사유가 필요합니다 · personal data are shown for a reason only, and it is recorded: say it with --why"
        )
    entry = {
        "at": at, "viewer": viewer, "source": source, "action": action, "case_id": case_id, "reason": reason.strip(),
    }  # fmt: skip
    if subjects:
        conn.execute(insert(tables.access_log), [{**entry, "subject": subject} for subject in subjects])


@contextmanager
def sight(conn: Connection, dongs: tuple[str, ...]) -> Iterator[None]:
    """Within it the connection sees the rows of these dongs alone (row-level security), and writes nothing."""
    before = conn.scalar(text("SELECT current_user"))
    conn.execute(text("SELECT set_config('anbu.dongs', :dongs, true)"), {"dongs": ",".join(dongs)})
    conn.execute(text(f"SET LOCAL ROLE {VIEWER}"))
    yield
    # Not after an error: the transaction is over then, and with it all that was LOCAL.
    conn.execute(text(f'SET LOCAL ROLE "{before}"'))
    conn.execute(text("SELECT set_config('anbu.dongs', '', true)"))


def view_person(
    conn: Connection, vault: Vault, viewer: Viewer, person_id: str, why: str, at: datetime
) -> Person | None:
    """One person as ``viewer`` may see them; None where there is none in the viewer's dongs (which is recorded too).

    An open case of the person's household is a reason by itself; without one ``why`` must say it.

    Raises:
        ReasonNeededError: no reason.
        VaultError: not to be opened.
    """
    with sight(conn, viewer.dongs):
        row = conn.execute(select(tables.people).where(p.person_id == person_id)).one_or_none()
        case_id = None if row is None or row.household_id is None else _open_case(conn, row.household_id)
    reason = why.strip() or (f"open case {case_id}" if case_id is not None else "")
    action = "show" if row is not None else "show_refused"
    viewing(conn, viewer.name, viewer.source, person_id, action, reason, case_id, at)
    return None if row is None else opened(row, vault)


def _open_case(conn: Connection, household_id: str) -> int | None:
    query = select(c.case_id).where(c.household_id == household_id, c.closed_at.is_(None)).order_by(c.case_id).limit(1)
    return conn.execute(query).scalar_one_or_none()


def months_views(conn: Connection, month: date, tz: ZoneInfo, viewer: str | None = None) -> list[Seen]:
    """The monthly review: who looked how often, the most first. ``month``: any day of it; hours are those of ``tz``."""
    local = func.timezone(tz.key, a.at)
    odd = (func.extract("isodow", local) > 5) | func.extract("hour", local).not_in(range(8, 19))
    times = func.count()
    query = (
        select(a.viewer, a.action, times, func.count(a.subject.distinct()), times.filter(odd))
        .where(*_within(month, tz, viewer)).group_by(a.viewer, a.action).order_by(times.desc(), a.viewer, a.action)
    )  # fmt: skip
    return [Seen(*row) for row in conn.execute(query)]


def months_entries(conn: Connection, month: date, tz: ZoneInfo, viewer: str | None = None) -> list[Row[Any]]:
    """The entries themselves, oldest first."""
    query = select(tables.access_log).where(*_within(month, tz, viewer)).order_by(a.at, a.entry_id)
    return list(conn.execute(query).all())


def _within(month: date, tz: ZoneInfo, viewer: str | None) -> list[Any]:
    first = datetime(month.year, month.month, 1, tzinfo=tz)
    after = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=tz)
    return [a.at >= first, a.at < after, *([a.viewer == viewer] if viewer else [])]


def sweep(conn: Connection, days: float, at: datetime) -> int:
    """Remove entries that are older than ``days`` (at least two years) at ``at``; how many."""
    before = at - timedelta(days=max(days, LEAST_DAYS))
    return conn.execute(delete(tables.access_log).where(a.at < before)).rowcount
