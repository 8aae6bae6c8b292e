"""Households as the topic has them, and the outcomes of cases that go back to it: detection learns from them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from response import registry, tables, withdrawals
from response.apart import apart
from response.desk import Desk
from response.forget import forget, stop
from stream import consent
from stream.consent import Word
from stream.enrolment import MAX_OUTCOMES, fault_of, outcome_fault
from stream.outcomes import false_alerts
from stream.records import Household, Outcome

o, w = tables.outbox.c, tables.withdrawals.c
KEPT_DAYS = 60
"""Outcomes older than this are told no more: the stream's strips and baselines have forgotten that time."""


class OldRecordError(Exception):
    """A record of before its household's consent was withdrawn: one line."""


def take(desk: Desk, conn: Connection, household: Household, now: datetime) -> None:
    """A household's record from the topic. Withdrawn: its cases end and what is personal is set aside, at once; deleted
    is it later (`forget_due`). A record with consent of afterwards undoes that until then.

    A record of somebody else may lack outcomes that we had told already, or hold those that we had taken back: they
    are told again. So is what could not be told because of the record before.

    Raises:
        ValueError: the stream refuses it too, for the reason given.
        OldRecordError: it is of before a withdrawal.
    """
    if (fault := fault_of(household, now.timestamp()) or consent.fault_of(household, now)) is not None:
        raise ValueError(fault[1])
    last = withdrawals.last(conn, household.household_id)
    word = consent.word(household, last, now)
    if word is Word.old:
        assert last is not None
        raise OldRecordError(consent.old_line(last.at))
    if household.withdrawn is not None:
        if word is Word.ends:
            _withdraw(desk, conn, household, now)
        return
    if word is Word.anew and last is not None:
        if last.deleted_at is None and last.delete_at <= now:
            forget(conn, household.household_id, now)
        withdrawals.undone(conn, household.household_id, now)
    row = {
        "household_id": household.household_id, "dong": household.dong, "area": household.area,
        "record": msgspec.to_builtins(household), "withdrawn_at": None,
    }  # fmt: skip
    changes = {name: row[name] for name in ("dong", "area", "record", "withdrawn_at")}
    conn.execute(
        insert(tables.households).values(row).on_conflict_do_update(index_elements=["household_id"], set_=changes)
    )
    told, revoked = _told(_rows(conn, household.household_id, now), now)
    again = [key for key, outcome in told.items() if not _has(household.outcomes, outcome)]
    again += [key for key, outcome in revoked.items() if _has(household.outcomes, outcome)]
    if again:
        over = o.key.in_(again) & o.state.in_(("done", "refused"))
        conn.execute(update(tables.outbox).where(over).values(state="waiting", done_at=None))


def deleted(desk: Desk, conn: Connection, household_id: str, at: datetime, now: datetime) -> None:
    """A household's record was deleted from the topic, ``at`` by the broker's clock: consent has ended."""
    take(desk, conn, consent.deleted(household_id, min(at, now)), now)


def _withdraw(desk: Desk, conn: Connection, record: Household, now: datetime) -> None:
    """Consent has ended: open cases end first, so that their owners are told to stop; all else that waits does not go
    out; then nobody of the household is in the registry any more."""
    before = registry.household(conn, record.household_id)
    at = consent.ended_at(record, now, before.since if before is not None else None)
    desk.withdraw(conn, record.household_id, now)
    stop(conn, record.household_id, now)
    left = {"household_id": record.household_id, "withdrawn_at": at}
    new = insert(tables.households).values(dong="", area="", record=msgspec.to_builtins(record), **left)
    conn.execute(new.on_conflict_do_update(index_elements=["household_id"], set_=left))
    drill = before.drill if before is not None else record.drill
    known = before is not None or bool(registry.around(conn, record.household_id))
    withdrawals.begin(conn, record.household_id, at, consent.said(record), now, desk.grace, drill, known)
    if desk.grace <= timedelta(0) or not known:
        forget(conn, record.household_id, now)


def forget_due(desk: Desk, now: datetime, most: int = 100) -> int:
    """Delete for good what was set aside of households whose time to undo is over, each in a transaction of its own;
    how many."""
    with desk.engine.connect() as conn:
        ids = withdrawals.over(conn, now, most)
    return sum(apart(partial(_forget, desk, home, now), "consent withdrawn: not deleted", home=home) for home in ids)


def _forget(desk: Desk, household_id: str, now: datetime) -> None:
    with desk.engine.begin() as conn:
        known = conn.execute(select(w.household_id).where(w.household_id == household_id).with_for_update())
        if known.one_or_none() is not None and household_id in withdrawals.over(conn, now, 10_000):
            forget(conn, household_id, now)


class Telling(Struct, frozen=True):
    """What is to be told of a household: its record (None: nothing can be now), and what never can be: outbox key ->
    why, in one line."""

    household: Household | None
    refused: dict[str, str]


def with_outcomes(conn: Connection, household_id: str, now: datetime) -> Household | None:
    """The household's record with all that its cases turned out to be lately; None where it was never seen."""
    return telling(conn, household_id, now).household


def telling(conn: Connection, household_id: str, now: datetime) -> Telling:
    """The same, and which of our rows are left out, because the stream would refuse the whole record for them."""
    household = registry.household(conn, household_id)
    if household is None or withdrawals.stands(conn, household_id) is not None:
        return Telling(None, {})
    rows = _rows(conn, household_id, now)
    refused = {row.key: fault for row in rows if (fault := _fault(row.what, now)) is not None}
    own = fault_of(replace(household, outcomes=()), now.timestamp())
    if own is not None:
        return Telling(None, refused | {row.key: f"the household's own record: {own[1]}" for row in rows})
    told, revoked = _told(rows, now)
    stand = [o for o in household.outcomes if outcome_fault("outcome", o, now.timestamp()) is None]
    known = [outcome for outcome in stand if not _has(revoked.values(), outcome)]
    ours = [outcome for outcome in told.values() if not _has(known, outcome)]
    outcomes = sorted([*known, *ours], key=lambda outcome: outcome.at)[-MAX_OUTCOMES:]
    return Telling(replace(household, outcomes=tuple(outcomes)), refused)


def in_vain(conn: Connection, household_id: str, since: datetime | None = None) -> int:
    """How many alerts of this home were in vain, as far as its record tells."""
    household = registry.household(conn, household_id)
    return 0 if household is None else false_alerts(household, since)


def _rows(conn: Connection, household_id: str, now: datetime) -> Sequence[Any]:
    """What we told of a home in the last weeks, or are to tell, or cannot. One that may still be undone is none yet."""
    return conn.execute(
        select(o.key, o.what).where(
            o.kind == "record", o.what["household_id"].astext == household_id, o.state != "cancelled",
            o.created_at >= now - timedelta(days=KEPT_DAYS), o.not_before <= now,
        )
    ).all()  # fmt: skip


def _told(rows: Iterable[Any], now: datetime) -> tuple[dict[str, Outcome], dict[str, Outcome]]:
    """Outcomes by their outbox keys: those that stand, and those that were taken back because a case was reopened."""
    good = [row for row in rows if _fault(row.what, now) is None]
    told, revoked = (
        {row.key: msgspec.convert(row.what[name], Outcome) for row in good if name in row.what}
        for name in ("outcome", "revoked")
    )
    return {key: outcome for key, outcome in told.items() if not _has(revoked.values(), outcome)}, revoked


def _fault(what: dict[str, Any], now: datetime) -> str | None:
    """Why the stream would refuse the outcome in a row; that one was taken back is told whatever it was."""
    try:
        outcome = msgspec.convert(what["revoked"] if "revoked" in what else what["outcome"], Outcome)
    except (KeyError, msgspec.ValidationError) as e:
        return f"no outcome: {e}"[:300]
    fault = None if "revoked" in what else outcome_fault("outcome", outcome, now.timestamp())
    return None if fault is None else fault[1]


def _has(outcomes: Iterable[Outcome], told: Outcome) -> bool:
    return any(has.code == told.code and has.at == told.at for has in outcomes)
