"""Who was not told, as the database has it: for the auditor and for the metrics. Drills are left out."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from response import tables
from response.circle import STAFF
from response.records import DeliveryResult, NotSent

c, o = tables.cases.c, tables.outbox.c
WITHIN = timedelta(hours=1)
"""So long a message to staff that did not go out is spoken of."""
NOT_OUT = tuple(str(result) for result in DeliveryResult if result is not DeliveryResult.sent)
FAULTS = tuple(str(reason) for reason in (NotSent.no_channel, NotSent.no_address, NotSent.too_old))
"""Reasons that are somebody's to mend. That nobody is on duty for a case has a rule of its own."""


def cases(conn: Connection) -> int:
    """Open cases whose ladder is at its end and reaches nobody there."""
    query = select(func.count()).where(c.closed_at.is_(None), c.untold, ~c.drill)
    return int(conn.execute(query).scalar_one())


def messages(conn: Connection, now: datetime) -> dict[tuple[str, str], int]:
    """How many messages to staff have not gone out lately, by (role, result)."""
    query = (
        select(o.role, o.result, func.count().label("n"))
        .where(
            o.kind == "message", o.role.in_(STAFF), ~o.drill, o.done_at > now - WITHIN, o.result.in_(NOT_OUT),
            o.reason.is_(None) | o.reason.in_(FAULTS) | (o.case_id.is_(None) & (o.reason == NotSent.nobody_on_duty)),
        )
        .group_by(o.role, o.result)
    )  # fmt: skip
    return {(row.role, row.result): row.n for row in conn.execute(query)}
