"""Consent is withdrawn: what is personal goes, the log of cases keeps pseudonymous events only."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from response import tables
from response.records import NotSent
from stream.records import Household

p, h, c = tables.people.c, tables.households.c, tables.cases.c


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was removed: people, comments of cases, messages and calls that waited, links."""

    people: int
    comments: int
    waiting: int
    links: int


def forget(conn: Connection, household_id: str, at: datetime) -> Forgotten:
    """Remove residents and guardians of a household with all their data, and people's words in its cases; what waits to
    be said is not said. Twice is harmless. The access log stays: it says who looked, and the law keeps it.

    Stops nothing upstream: the household's record on the topic must say ``withdrawn`` too.
    """
    cases = select(c.case_id).where(c.household_id == household_id)
    conn.execute(cases.order_by(c.case_id).with_for_update())  # cases first, as everywhere: two locks in one order
    left = update(tables.households).where(h.household_id == household_id)
    if not conn.execute(left.values(withdrawn_at=func.coalesce(h.withdrawn_at, at))).rowcount:
        record = msgspec.to_builtins(Household(household_id, at, withdrawn=at))
        conn.execute(
            insert(tables.households)
            .values(household_id=household_id, dong="", area="", record=record, withdrawn_at=at)
            .on_conflict_do_update(index_elements=["household_id"], set_={"withdrawn_at": at})
        )
    people = conn.execute(
        delete(tables.people).where(p.household_id == household_id, p.role.in_(("resident", "guardian")))
    ).rowcount
    o, of = tables.outbox.c, tables.outbox.c.case_id.in_(cases)
    waiting = conn.execute(
        update(tables.outbox).where(of, o.kind != "record", o.state == "waiting")
        .values(state="cancelled", reason=NotSent.withdrawn, done_at=at)
    ).rowcount  # fmt: skip
    # What was said may hold a masked name; that it was said stays.
    conn.execute(
        update(tables.outbox).where(of, o.kind == "message", o.state.not_in(("waiting", "leased")))
        .values(what=o.what.op("-")("values"))
    )  # fmt: skip
    links = conn.execute(delete(tables.links).where(tables.links.c.case_id.in_(cases))).rowcount
    comments = conn.execute(select(func.anbu_forget(household_id))).scalar_one()
    return Forgotten(people, comments, waiting, links)
