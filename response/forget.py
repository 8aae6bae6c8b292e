"""Consent is withdrawn: at once nothing more is said; later what is personal goes, and the log of cases keeps
pseudonymous events only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from response import known, tables, withdrawals
from response.records import NotSent
from stream.records import Household

p, h, c, o = tables.people.c, tables.households.c, tables.cases.c, tables.outbox.c
TO_THE_OWNER = "withdrawn"
"""The message that consent has ended: the only one that goes out, and it says nothing of the person."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was removed: people, comments of cases, messages and calls that waited, links."""

    people: int
    comments: int
    waiting: int
    links: int


def stop(conn: Connection, household_id: str, at: datetime) -> int:
    """What waits to be said of a household is not said, nor its outcomes told; how many. Whoever has its case is told
    that consent has ended."""
    _lock(conn, household_id)
    speaks = o.what["template"].astext.is_distinct_from(TO_THE_OWNER)
    of_home = (o.kind == "record") & (o.what["household_id"].astext == household_id)
    return conn.execute(
        update(tables.outbox)
        .where((_of(household_id) & (o.kind != "record")) | of_home, o.state.in_(("waiting", "refused")), speaks)
        .values(state="cancelled", reason=NotSent.withdrawn, done_at=at)
    ).rowcount


def forget(conn: Connection, household_id: str, at: datetime) -> Forgotten:
    """Remove residents and guardians of a household with all their data, and people's words in its cases; what waits to
    be said is not said. Twice is harmless. The access log stays: it says who looked, and the law keeps it.

    Stops nothing upstream: the household's record on the topic must say ``withdrawn`` too.
    """
    _lock(conn, household_id)
    waiting = stop(conn, household_id, at)
    if withdrawals.stands(conn, household_id) is None:  # by command, not by the topic
        withdrawals.begin(conn, household_id, at, at, at, timedelta(0))
    gone = msgspec.to_builtins(Household(household_id, at, withdrawn=at))
    values = {"dong": "", "area": "", "record": gone}
    kept = {"household_id": household_id, "withdrawn_at": at, **values}
    changes = {**values, "withdrawn_at": func.coalesce(h.withdrawn_at, at)}
    new = insert(tables.households).values(kept)
    conn.execute(new.on_conflict_do_update(index_elements=["household_id"], set_=changes))
    people = withdrawals.delete(conn, household_id, at)
    people += conn.execute(
        delete(tables.people).where(p.household_id == household_id, p.role.in_(("resident", "guardian")))
    ).rowcount
    empty(conn, household_id)
    known.forget(conn, household_id)
    links = conn.execute(delete(tables.links).where(tables.links.c.case_id.in_(_cases(household_id)))).rowcount
    comments = conn.execute(select(func.anbu_forget(household_id))).scalar_one()
    return Forgotten(people, comments, waiting, links)


def empty(conn: Connection, household_id: str) -> None:
    """What was said of a household may hold what is personal; that it was said stays."""
    conn.execute(
        update(tables.outbox)
        .where(_of(household_id), o.kind == "message", o.state.not_in(("waiting", "leased")), o.what.has_key("values"))
        .values(what=o.what.op("-")("values"))
    )


def _lock(conn: Connection, household_id: str) -> None:
    """Cases first, as everywhere: two locks in one order."""
    conn.execute(_cases(household_id).order_by(c.case_id).with_for_update())


def _cases(household_id: str) -> Select[tuple[int]]:
    return select(c.case_id).where(c.household_id == household_id)


def _of(household_id: str) -> ColumnElement[bool]:
    return o.case_id.in_(_cases(household_id))
