"""The outbox from a sender's side: take rows under a lease, and see to those whose sender died.

A row is leased in a transaction of its own right before its effect. So a lease that ran out may have had it: a call is
then an attempt whose end is unknown, a message may have arrived; neither is made again. A record is: it says the same.
"""

from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import Connection, Engine, func, select, update

from response import tables
from response.desk import Desk
from response.records import CallOutcome, CallResult, Delivery, DeliveryResult, NotSent

o = tables.outbox.c
Kind = Literal["call", "message", "record"]
_ONE_LEASER = 8_150_001  # key of the advisory lock: two leasers must not take two calls of one person


class Job(Struct, frozen=True):
    """A leased row."""

    key: str
    kind: Kind
    case_id: int | None
    person_id: str | None
    role: str | None
    drill: bool
    what: dict[str, Any]
    created_at: datetime
    tries: int = 1


def lease(
    engine: Engine, kind: Kind, drill: bool, worker: str, now: datetime, lease_s: float, limit: int
) -> list[Job]:
    """Take up to ``limit`` waiting rows, the most urgent and then the oldest first. Never two calls of one person."""
    query = (
        select(tables.outbox)
        .where(o.kind == kind, o.state == "waiting", o.drill == drill, o.not_before <= now)
        .order_by(o.urgency.desc(), o.not_before, o.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if kind == "call":
        other = tables.outbox.alias()
        ringing = (
            select(other.c.key)
            .where(other.c.kind == "call", other.c.state == "leased", other.c.person_id == o.person_id)
            .exists()
        )
        query = query.where(~ringing)
    with engine.begin() as conn:
        if kind == "call":
            conn.execute(select(func.pg_advisory_xact_lock(_ONE_LEASER)))
        rows = conn.execute(query).all()
        persons: set[str] = set()
        jobs = []
        for row in rows:
            if kind == "call" and row.person_id in persons:
                continue
            persons.add(row.person_id)
            jobs.append(
                Job(row.key, row.kind, row.case_id, row.person_id, row.role, row.drill, row.what, row.created_at,
                    row.tries + 1)
            )
        if jobs:
            conn.execute(
                update(tables.outbox).where(o.key.in_([job.key for job in jobs]))
                .values(state="leased", leased_by=worker, lease_until=now + timedelta(seconds=lease_s),
                        tries=o.tries + 1)
            )  # fmt: skip
    return jobs


def release(engine: Engine, key: str, not_before: datetime) -> None:
    """Give a leased row back, to be taken again from ``not_before`` on: only where the effect surely did not happen."""
    with engine.begin() as conn:
        conn.execute(
            update(tables.outbox).where(o.key == key, o.state == "leased")
            .values(state="waiting", not_before=not_before, lease_until=None)
        )  # fmt: skip


def recorded(conn: Connection, key: str, now: datetime) -> None:
    """A record is on its topic."""
    conn.execute(
        update(tables.outbox).where(o.key == key).values(state="done", result="sent", done_at=now, lease_until=None)
    )


def expired(desk: Desk, now: datetime, limit: int = 100) -> int:
    """See to rows whose lease ran out: their sender has died. How many."""
    with desk.engine.begin() as conn:
        conn.execute(
            update(tables.outbox).where(o.kind == "record", o.state == "leased", o.lease_until < now)
            .values(state="waiting", lease_until=None)
        )  # fmt: skip
        rows = conn.execute(
            select(o.key, o.kind).where(o.state == "leased", o.lease_until < now, o.kind != "record").limit(limit)
        ).all()
    for row in rows:
        if row.kind == "call":
            desk.call_done(row.key, CallResult(CallOutcome.unknown, detail="its sender died meanwhile"), now)
        else:
            desk.message_done(row.key, Delivery(DeliveryResult.unknown, detail="its sender died meanwhile"), now)
    return len(rows)


def outdated(desk: Desk, now: datetime, hours: float, limit: int = 100) -> int:
    """Messages that have waited for ``hours``: they are not sent any more, and that is said. How many."""
    with desk.engine.begin() as conn:
        query = select(o.key).where(
            o.kind == "message", o.state == "waiting", o.created_at < now - timedelta(hours=hours)
        )
        keys = conn.scalars(query.limit(limit).with_for_update(skip_locked=True)).all()
        if keys:
            conn.execute(
                update(tables.outbox).where(o.key.in_(keys)).values(state="leased", leased_by="clock", lease_until=now)
            )
    for key in keys:
        desk.message_done(key, Delivery(DeliveryResult.not_sent, "", NotSent.too_old), now)
    return len(keys)


def age(conn: Connection, now: datetime) -> dict[str, float]:
    """Seconds that the oldest waiting row of each kind has waited beyond its time."""
    rows = conn.execute(
        select(o.kind, func.min(o.not_before).label("first")).where(o.state == "waiting", o.not_before <= now)
        .group_by(o.kind)
    )  # fmt: skip
    return {row.kind: (now - row.first).total_seconds() for row in rows}
