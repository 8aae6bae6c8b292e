"""Households as the topic has them, and the outcomes of cases that go back to it: detection learns from them."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from response import registry, tables
from response.desk import Desk
from response.forget import forget
from stream.enrolment import MAX_OUTCOMES
from stream.outcomes import false_alerts
from stream.records import Household, Outcome

o = tables.outbox.c
KEPT_DAYS = 60
"""Outcomes older than this are told no more: the stream's strips and baselines have forgotten that time."""


def take(desk: Desk, conn: Connection, household: Household, now: datetime) -> None:
    """A household's record from the topic. Withdrawn: its cases end and what is personal goes, at once.

    A record of somebody else may lack outcomes that we had told already: they are told again.
    """
    row = {
        "household_id": household.household_id, "dong": household.dong, "area": household.area,
        "record": msgspec.to_builtins(household), "withdrawn_at": household.withdrawn,
    }  # fmt: skip
    changes = {name: row[name] for name in ("dong", "area", "record", "withdrawn_at")}
    conn.execute(
        insert(tables.households).values(row).on_conflict_do_update(index_elements=["household_id"], set_=changes)
    )
    if household.withdrawn is not None:
        withdraw(desk, conn, household.household_id, now)
    elif missing := [key for key, told in _told(conn, household.household_id, now) if not _has(household, told)]:
        conn.execute(
            update(tables.outbox).where(o.key.in_(missing), o.state == "done").values(state="waiting", done_at=None)
        )


def withdraw(desk: Desk, conn: Connection, household_id: str, now: datetime) -> None:
    """Consent has ended: open cases end first, so that their owners are told to stop; then people are forgotten."""
    desk.withdraw(conn, household_id, now)
    forget(conn, household_id, now)


def with_outcomes(conn: Connection, household_id: str, now: datetime) -> Household | None:
    """The household's record with all that its cases turned out to be lately; None where it was never seen."""
    household = registry.household(conn, household_id)
    if household is None:
        return None
    ours = [told for _, told in _told(conn, household_id, now) if not _has(household, told)]
    outcomes = sorted([*household.outcomes, *ours], key=lambda outcome: outcome.at)[-MAX_OUTCOMES:]
    return msgspec.structs.replace(household, outcomes=tuple(outcomes))


def in_vain(conn: Connection, household_id: str, since: datetime | None = None) -> int:
    """How many alerts of this home were in vain, as far as its record tells."""
    household = registry.household(conn, household_id)
    return 0 if household is None else false_alerts(household, since)


def _told(conn: Connection, household_id: str, now: datetime) -> list[tuple[str, Outcome]]:
    """Our outcomes of the last weeks, sent or to be sent, with their outbox keys."""
    rows = conn.execute(
        select(o.key, o.what).where(
            o.kind == "record", o.what["household_id"].astext == household_id,
            o.created_at >= now - timedelta(days=KEPT_DAYS),
        )
    )  # fmt: skip
    return [(row.key, msgspec.convert(row.what["outcome"], Outcome)) for row in rows]


def _has(household: Household, told: Outcome) -> bool:
    return any(has.code == told.code and has.at == told.at for has in household.outcomes)
