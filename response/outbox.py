"""The outbox from a sender's side: take rows under a lease, and see to those whose sender died.

A row is leased in a transaction of its own right before its effect. So a lease that ran out may have had it: a call is
then an attempt whose end is unknown, a message may have arrived; neither is made again. A record is: it says the same.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

import structlog
from msgspec import Struct
from sqlalchemy import Connection, Engine, func, select, update

from response import tables
from response.apart import apart
from response.desk import Desk
from response.forget import TO_THE_OWNER
from response.records import CallOutcome, CallResult, Delivery, DeliveryResult, NotSent

logger = structlog.get_logger()
o = tables.outbox.c
Kind = Literal["call", "message", "record"]
_DIED, _NOT_TAKEN = "its sender died meanwhile", "the end of a row of the outbox could not be written"
_AGAIN_S = 300.0
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
    """Take up to ``limit`` waiting rows, the most urgent and then the oldest first. Never two calls of one person, and
    never a message before that which has to be out before it (``after``)."""
    query = (
        select(tables.outbox)
        .where(o.kind == kind, o.state == "waiting", o.drill == drill, o.not_before <= now)
        .order_by(o.urgency.desc(), o.not_before, o.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    other = tables.outbox.alias()
    if kind == "message":
        before = select(other.c.key).where(
            other.c.key == o.what["after"].astext, other.c.state.in_(("waiting", "leased"))
        )  # fmt: skip
        query = query.where(~before.exists())
    if kind == "call":
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


def of_the_withdrawn(conn: Connection, keys: Iterable[str]) -> set[str]:
    """Those of some rows that speak of a household which has withdrawn its consent."""
    c, h = tables.cases.c, tables.households.c
    query = (
        select(o.key).join(tables.cases, c.case_id == o.case_id)
        .join(tables.households, h.household_id == c.household_id)
        .where(
            o.key.in_(list(keys)), h.withdrawn_at.is_not(None),
            o.what["template"].astext.is_distinct_from(TO_THE_OWNER),
        )
    )  # fmt: skip
    return set(conn.scalars(query))


def release(engine: Engine, key: str, not_before: datetime) -> None:
    """Give a leased row back, to be taken again from ``not_before`` on: only where the effect surely did not happen.
    Where consent has ended meanwhile it is not taken again, but for the note that says so."""
    mine = (o.key == key) & (o.state == "leased")
    with engine.begin() as conn:
        if key in of_the_withdrawn(conn, [key]):
            over = {"state": "cancelled", "reason": NotSent.withdrawn, "done_at": not_before}
            conn.execute(update(tables.outbox).where(mine).values(lease_until=None, **over))
        conn.execute(update(tables.outbox).where(mine).values(state="waiting", not_before=not_before, lease_until=None))


def recorded(conn: Connection, key: str, now: datetime) -> None:
    """A record is on its topic."""
    conn.execute(
        update(tables.outbox).where(o.key == key).values(state="done", result="sent", done_at=now, lease_until=None)
    )


def set_aside(conn: Connection, refused: Mapping[str, str], now: datetime) -> None:
    """Rows that can never be told, by key with why: they are not tried again, and nothing waits behind them."""
    for key, why in refused.items():
        logger.error("an outcome cannot be told to the stream and is set aside", key=key, detail=why)
        conn.execute(
            update(tables.outbox).where(o.key == key)
            .values(state="refused", result="refused", detail=why[:300], done_at=now, lease_until=None)
        )  # fmt: skip


def refused(conn: Connection, now: datetime) -> list[tuple[str, int | None, str]]:
    """What is set aside: key, case, why. For as long as the stream would still use it."""
    query = select(o.key, o.case_id, o.detail).where(o.state == "refused", o.created_at > now - timedelta(days=60))
    return [(row.key, row.case_id, row.detail or "") for row in conn.execute(query.order_by(o.created_at, o.key))]


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
            end = partial(desk.call_done, row.key, CallResult(CallOutcome.unknown, detail=_DIED), now)
        else:
            end = partial(desk.message_done, row.key, Delivery(DeliveryResult.unknown, detail=_DIED), now)
        if not apart(end, _NOT_TAKEN, key=row.key):
            _later(desk.engine, row.key, now)
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
        end = partial(desk.message_done, key, Delivery(DeliveryResult.not_sent, "", NotSent.too_old), now)
        if not apart(end, _NOT_TAKEN, key=key):
            _later(desk.engine, key, now)
    return len(keys)


def _later(engine: Engine, key: str, now: datetime) -> None:
    """A row whose end could not be written is looked at again, behind the others."""
    with engine.begin() as conn:
        later = now + timedelta(seconds=_AGAIN_S)
        conn.execute(update(tables.outbox).where(o.key == key, o.state == "leased").values(lease_until=later))


def age(conn: Connection, now: datetime) -> dict[str, float]:
    """Seconds that the oldest waiting row of each kind has waited beyond its time."""
    rows = conn.execute(
        select(o.kind, func.min(o.not_before).label("first")).where(o.state == "waiting", o.not_before <= now)
        .group_by(o.kind)
    )  # fmt: skip
    return {row.kind: (now - row.first).total_seconds() for row in rows}
