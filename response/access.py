"""Who looks at whose data: written down before anything is read, and nobody is read whom it does not name."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import Connection, Engine, Row, delete, func, insert, or_, select

from response import tables
from response.database import VIEWS_AT_ONCE, Logins, engine
from response.database import viewer as viewer_engine
from response.records import Person
from response.registry import opened
from response.vault import Vault
from stream import plain

a, p, c = tables.access_log.c, tables.people.c, tables.cases.c
TICKET_BYTES = 32
LEAST_DAYS = 731
"""The law's two years, a leap day included; the database refuses to delete what is younger."""


class ReasonNeededError(Exception):
    """Somebody's data may be seen only for a reason: one line, what and what to do."""


class Viewer(Struct, frozen=True):
    """Who looks: a person's id, or of a command the account as the system knows it (``kim (uid 1001)``). ``source``:
    from where (an address, a terminal). ``dongs``: which they may see; ``("*",)``: all."""

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
    """Write one entry into the access log, within somebody's transaction: for what shows no person of the registry.

    Raises:
        ReasonNeededError: for an empty reason.
    """
    _log(conn, Viewer(viewer, source, ()), [(subject, action)], reason, at, case_id)


def viewing_all(
    conn: Connection, viewer: Viewer, subjects: list[str], action: str, reason: str, at: datetime,
    case_id: int | None = None,
) -> None:  # fmt: skip
    """The same for many at once: an entry each. Raises ReasonNeededError."""
    _log(conn, viewer, [(subject, action) for subject in subjects], reason, at, case_id)


def _log(
    conn: Connection, viewer: Viewer, looks: Sequence[tuple[str, str]], reason: str, at: datetime, case_id: int | None,
    ticket: str | None = None,
) -> None:  # fmt: skip
    reason = reason.strip()
    if not reason:
        raise ReasonNeededError(
            "사유가 필요합니다 · personal data are shown for a reason only, and it is recorded: say it with --why"
        )
    if (wrong := plain.fault(reason, plain.WHY)) is not None:
        raise ReasonNeededError(f"사유를 다시 적어 주십시오: {wrong[0]} · the reason {wrong[1]}")
    entry = {
        "at": at, "viewer": plain.plain(viewer.name, plain.WHY), "source": plain.plain(viewer.source, plain.WHY),
        "case_id": case_id, "reason": reason, "dongs": list(viewer.dongs),
        "ticket": None if ticket is None else hashlib.sha256(ticket.encode()).digest(),
    }  # fmt: skip
    if looks:
        rows = [{**entry, "subject": plain.plain(subject, plain.NAME), "action": action} for subject, action in looks]
        conn.execute(insert(tables.access_log), rows)


@dataclass(frozen=True, slots=True)
class Sight:
    """The one way to look at people. The service writes down who looks at whom, and that stands before anything is
    read; then the viewer, a login that can do nothing else, reads those people, by the number of these entries.

    Both have connections of their own: a transaction that waits for a view holds none that the view waits for.
    """

    service: Engine
    viewer: Engine

    def people(
        self, viewer: Viewer, looks: Sequence[tuple[str, str]], why: str, at: datetime, case_id: int | None = None
    ) -> list[Row[Any]]:
        """Rows of people as they are stored, by role, dong and id. ``looks``: (person_id, action). ``case_id``: for a
        case, whose home ``viewer`` then sees whatever its dong.

        Raises:
            ReasonNeededError: no reason.
        """
        ticket = secrets.token_urlsafe(TICKET_BYTES)
        with self.service.begin() as conn:
            _log(conn, viewer, looks, why, at, case_id, ticket)
        if not looks:
            return []
        with self.viewer.begin() as conn:
            conn.execute(select(func.set_config("anbu.ticket", ticket, True)))
            return list(conn.execute(select(tables.people).order_by(p.role, p.dong, p.person_id)))

    def close(self) -> None:
        """End the connections."""
        self.service.dispose()
        self.viewer.dispose()


def sight(logins: Logins) -> Sight:
    """The way that these logins have. Raises SchemaError for a wrong address."""
    return Sight(engine(logins.service, pool_size=VIEWS_AT_ONCE), viewer_engine(logins.viewer))


def view_person(
    sight: Sight, vault: Vault, viewer: Viewer, person_id: str, why: str, at: datetime
) -> Person | None:
    """One person as ``viewer`` may see them; None where there is none in the viewer's dongs (which is recorded too).

    An open case of the person's household is a reason by itself; without one ``why`` must say it.

    Raises:
        ReasonNeededError: no reason.
        VaultError: not to be opened.
    """
    with sight.service.begin() as conn:
        known = conn.execute(select(p.dong, p.household_id).where(p.person_id == person_id)).one_or_none()
        may = known is not None and ("*" in viewer.dongs or known.dong in set(viewer.dongs) - {""})
        case_id = None if known is None or not may or known.household_id is None else _open_case(
            conn, known.household_id
        )  # fmt: skip
        reason = why.strip() or (f"open case {case_id}" if case_id is not None else "")
        if not may:
            _log(conn, viewer, [(person_id, "show_refused")], reason, at, None)
            return None
    rows = sight.people(viewer, [(person_id, "show")], reason, at, case_id)
    return opened(rows[0], vault) if rows else None


def _open_case(conn: Connection, household_id: str) -> int | None:
    query = select(c.case_id).where(c.household_id == household_id, c.closed_at.is_(None)).order_by(c.case_id).limit(1)
    return conn.execute(query).scalar_one_or_none()


def months_views(conn: Connection, month: date, tz: ZoneInfo, viewer: str | None = None) -> list[Seen]:
    """The monthly review: who looked how often, the most first. ``month``: any day of it; hours are those of ``tz``.
    Times are the database's own, here and below: whoever writes an entry does not say when."""
    local = func.timezone(tz.key, a.written_at)
    odd = (func.extract("isodow", local) > 5) | func.extract("hour", local).not_in(range(8, 19))
    times = func.count()
    query = (
        select(a.viewer, a.action, times, func.count(a.subject.distinct()), times.filter(odd))
        .where(*_within(month, tz, viewer)).group_by(a.viewer, a.action).order_by(times.desc(), a.viewer, a.action)
    )  # fmt: skip
    return [Seen(*row) for row in conn.execute(query)]


def months_entries(conn: Connection, month: date, tz: ZoneInfo, viewer: str | None = None) -> list[Row[Any]]:
    """The entries themselves, oldest first."""
    query = select(tables.access_log).where(*_within(month, tz, viewer)).order_by(a.written_at, a.entry_id)
    return list(conn.execute(query).all())


def _within(month: date, tz: ZoneInfo, viewer: str | None) -> list[Any]:
    first = datetime(month.year, month.month, 1, tzinfo=tz)
    after = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=tz)
    whose = or_(a.viewer == viewer, a.viewer.startswith(f"{viewer} (", autoescape=True))  # an account by its name
    return [a.written_at >= first, a.written_at < after, *([whose] if viewer else [])]


def sweep(conn: Connection, days: float, at: datetime) -> int:
    """Remove entries that were written ``days`` (at least two years) before ``at``; how many."""
    before = at - timedelta(days=max(days, LEAST_DAYS))
    return conn.execute(delete(tables.access_log).where(a.written_at < before)).rowcount
