"""What stands in the database about cases, for whoever looks: lists, one case whole, what was sent and what was not.

No personal data: ids, roles, codes. Comments stay sealed.
"""

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, Select, or_, select

from response import tables
from response.case import Case, fold
from response.events import Entry, decode
from response.log import NoCaseError, entries
from response.names import Words
from response.sentences import rung
from stream.plain import DETAIL, plain
from stream.records import OutcomeCode

c, e, o = tables.cases.c, tables.case_events.c, tables.outbox.c
CLOSED_DAYS = 7
"""Closed cases are listed for so long, where nothing else is asked for."""
MOST = 500


class Listed(Struct, frozen=True):
    """One line of a list. ``next_step``: name of the rung, or ``deadline``; ``turn``: whose turn that is, in words;
    ``next_at``: when. None: closed. ``untold``: the end of the ladder reached nobody."""

    case_id: int
    household_id: str
    dong: str
    drill: bool
    level: str
    phase: str
    opened_at: datetime
    closed_at: datetime | None
    owner: str | None
    owner_until: datetime | None
    next_step: str | None
    next_at: datetime | None
    code: OutcomeCode | None
    turn: Words = ("", "")
    untold: bool = False

    def age(self, now: datetime) -> timedelta:
        """How long it has been, or was, open."""
        return (self.closed_at or now) - self.opened_at


class Sent(Struct, frozen=True):
    """One row of the outbox as the delivery log shows it. ``what``: ``call``, or the template of a message."""

    key: str
    case_id: int | None
    kind: str
    what: str
    means: str
    person_id: str | None
    role: str | None
    drill: bool
    created_at: datetime
    done_at: datetime | None
    state: str
    result: str | None
    reason: str | None
    channel: str
    detail: str
    tries: int


class Whole(Struct, frozen=True):
    """One case with its log and its delivery log."""

    listed: Listed
    case: Case
    log: list[Entry]
    sent: list[Sent]


def cases(
    conn: Connection, *, closed_since: datetime | None = None, dong: str | None = None, level: str | None = None,
    phase: str | None = None, most: int = MOST,
) -> list[Listed]:  # fmt: skip
    """Open cases, the serious and then the oldest first; with ``closed_since`` those closed since then behind them."""
    open_ = c.closed_at.is_(None)
    query = select(tables.cases).where(open_ if closed_since is None else or_(open_, c.closed_at >= closed_since))
    for column, value in ((c.dong, dong), (c.level, level), (c.phase, phase)):
        if value is not None:
            query = query.where(column == value)
    query = query.order_by(c.closed_at.desc().nulls_first(), (c.level == "serious").desc(), c.opened_at, c.case_id)
    rows = conn.execute(query.limit(most)).all()
    logs = _logs(conn, [row.case_id for row in rows])
    return [_listed(row, fold(row.case_id, logs.get(row.case_id, []))) for row in rows]


def dongs(conn: Connection) -> set[str]:
    """Every dong of a home or of a case."""
    h = tables.households.c
    return {*conn.scalars(select(c.dong).distinct()), *conn.scalars(select(h.dong).distinct())}


def whole(conn: Connection, case_id: int) -> Whole:
    """One case with all that is known of it. Raises log.NoCaseError."""
    row = conn.execute(select(tables.cases).where(c.case_id == case_id)).one_or_none()
    if row is None:
        raise NoCaseError(case_id)
    log = entries(conn, case_id)
    case = fold(case_id, log)
    return Whole(_listed(row, case), case, log, deliveries(conn, case_id=case_id))


def deliveries(
    conn: Connection, *, case_id: int | None = None, since: datetime | None = None, most: int | None = None
) -> list[Sent]:
    """Every call and message, sent and not sent, in the order they were planned; the last ``most`` of them."""
    query: Select[Any] = select(tables.outbox).where(o.kind != "record")
    if case_id is not None:
        query = query.where(o.case_id == case_id)
    if since is not None:
        query = query.where(o.created_at >= since)
    rows = conn.execute(query.order_by(o.created_at.desc(), o.key.desc()).limit(most)).all()
    return sorted((_sent(row) for row in rows), key=lambda sent: (sent.created_at, _number(sent.key)))


def _logs(conn: Connection, ids: list[int]) -> dict[int, list[Entry]]:
    query = select(e.case_id, e.seq, e.at, e.by, e.what, e.account).where(e.case_id.in_(ids)).order_by(e.case_id, e.seq)
    logs: dict[int, list[Entry]] = {}
    for row in conn.execute(query):
        logs.setdefault(row.case_id, []).append(Entry(row.seq, row.at, row.by, decode(row.what), row.account))
    return logs


def _listed(row: Row[Any], case: Case) -> Listed:
    return Listed(
        row.case_id, row.household_id, row.dong, row.drill, row.level, row.phase, row.opened_at, row.closed_at,
        case.owner, case.owner_until, _next(case), row.next_step_at, case.closed.code if case.closed else None,
        _turn(case), case.untold,
    )  # fmt: skip


def _turn(case: Case) -> Words:
    """Whose turn is next."""
    step = _next(case)
    return ("", "") if step is None else ("기한", "deadline") if step == "deadline" else rung(case, step)


def _next(case: Case) -> str | None:
    if case.closed is not None or not case.ladders:
        return None
    if case.owner is not None:
        return "deadline"
    steps = case.ladder.steps
    return steps[min(case.step + 1, len(steps) - 1)].name


def _sent(row: Row[Any]) -> Sent:
    what = "call" if row.kind == "call" else row.what.get("template", "")
    means = "call" if row.kind == "call" else row.what.get("means", "")
    return Sent(
        row.key, row.case_id, row.kind, what, means, row.person_id, row.role, row.drill, row.created_at, row.done_at,
        row.state, row.result, row.reason, row.channel or "", plain(row.detail or "", DETAIL), row.tries,
    )  # fmt: skip


def _number(key: str) -> tuple[int, str]:
    """Keys of one moment in the order of the log: ``c7-12`` after ``c7-9``."""
    number = key.rpartition("-")[2]
    return (int(number) if number.isdecimal() else 0), key
