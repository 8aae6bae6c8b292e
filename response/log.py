"""The log of cases in the database: reading a case, writing a decision down. Always within somebody's transaction."""

import json
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects import postgresql

from response import tables
from response.case import Case, fold
from response.climb import LOOK_AGAIN_MINUTES
from response.draft import Draft, Send
from response.events import Entry, NotTold, decode, encode
from response.records import NotSent

c, e, o = tables.cases.c, tables.case_events.c, tables.outbox.c


class NoCaseError(Exception):
    """There is no such case: one line."""

    def __init__(self, case_id: int) -> None:
        super().__init__(f"{case_id}번 사례가 없습니다 · there is no case {case_id}: see `anbu cases list`")


def load(conn: Connection, case_id: int) -> Case:
    """Where a case stands, from its log."""
    return fold(case_id, entries(conn, case_id))


def entries(conn: Connection, case_id: int) -> list[Entry]:
    """A case's log, in order."""
    rows = conn.execute(select(e.seq, e.at, e.by, e.what, e.account).where(e.case_id == case_id).order_by(e.seq))
    return [Entry(row.seq, row.at, row.by, decode(row.what), row.account) for row in rows]


def lock(conn: Connection, case_id: int) -> tuple[str, str]:
    """Hold a case until the transaction ends; its household and dong. Raises NoCaseError."""
    row = conn.execute(select(c.household_id, c.dong).where(c.case_id == case_id).with_for_update()).one_or_none()
    if row is None:
        raise NoCaseError(case_id)
    return row.household_id, row.dong


def append(conn: Connection, draft: Draft, due: datetime | None) -> None:
    """Write a decision down: events, what is cancelled, what is to be sent, the case's row. ``due``: its next step."""
    case, now = draft.case, draft.now
    if draft.entries:
        rows = [
            {
                "case_id": case.case_id, "seq": n.seq, "at": n.at, "by": n.by, "what": encode(n.what),
                "account": n.account,
            }
            for n in draft.entries
        ]
        conn.execute(insert(tables.case_events), rows)
    if draft.cancelled:
        conn.execute(
            update(tables.outbox).where(o.key.in_(draft.cancelled), o.state.in_(("waiting", "refused")))
            .values(state="cancelled", reason=NotSent.cancelled, done_at=now)
        )  # fmt: skip
    if draft.restored:
        conn.execute(
            update(tables.outbox).where(o.key.in_(draft.restored), o.state == "cancelled")
            .values(state="waiting", reason=None, done_at=None)
        )  # fmt: skip
    for send in draft.sends:
        enqueue(conn, send, case.case_id, case.drill, now)
    for entry in draft.entries:
        if isinstance(entry.what, NotTold):
            send = Send(f"c{case.case_id}-{entry.seq}", "message", {}, entry.what.person_id, entry.what.role)
            not_sent(conn, send, case.case_id, case.drill, entry.what.reason, now)
    _schedule(conn, case, due, now)


def _schedule(conn: Connection, case: Case, due: datetime | None, now: datetime) -> None:
    if due is not None and due <= now:
        due = now + timedelta(minutes=LOOK_AGAIN_MINUTES)
    closed_at = func.coalesce(c.closed_at, now) if case.closed is not None else None
    conn.execute(
        update(tables.cases).where(c.case_id == case.case_id)
        .values(level=case.level, phase=case.phase, next_step_at=due, untold=case.untold, closed_at=closed_at)
    )  # fmt: skip


def enqueue(conn: Connection, send: Send, case_id: int | None, drill: bool, now: datetime) -> None:
    """A row for a sender."""
    conn.execute(insert(tables.outbox).values(_row(send, case_id, drill, now)))


def enqueue_once(conn: Connection, send: Send, drill: bool, now: datetime) -> None:
    """A row of no case, for a sender. One that is there already (the key) is left as it is."""
    row = _row(send, None, drill, now)
    conn.execute(postgresql.insert(tables.outbox).values(row).on_conflict_do_nothing(index_elements=["key"]))


def not_sent(
    conn: Connection, send: Send, case_id: int | None, drill: bool, reason: NotSent, now: datetime
) -> None:
    """A row that says that, and why, nothing is sent."""
    row = _row(send, case_id, drill, now)
    row |= {"state": "not_sent", "result": "not_sent", "reason": reason, "done_at": now}
    conn.execute(postgresql.insert(tables.outbox).values(row).on_conflict_do_nothing(index_elements=["key"]))


def _row(send: Send, case_id: int | None, drill: bool, now: datetime) -> dict[str, Any]:
    return {
        "key": send.key, "kind": send.kind, "case_id": case_id, "person_id": send.person_id, "role": send.role,
        "drill": drill, "urgency": send.urgency, "what": json.loads(msgspec.json.encode(send.what)),
        "created_at": now, "not_before": now + timedelta(seconds=send.hold_s),
    }  # fmt: skip

