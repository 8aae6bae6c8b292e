"""What the closing of a case says of a household's time: a proof of life, an absence, a signal not to be used."""

from collections.abc import Iterable
from datetime import datetime

from stream.calendar import slot_at, slot_from
from stream.records import Household, Outcome, OutcomeCode
from stream.watch import FREE, Span, Terms

_C = OutcomeCode
PROOFS = frozenset({_C.safe_answered, _C.safe_visited, _C.refused, _C.needs_service})
"""Somebody was met or heard."""
AWAY = frozenset({_C.away_registered, _C.away_unregistered, _C.hospital, _C.emergency_119, _C.unreachable})
GONE = frozenset({_C.moved, _C.deceased})
MUST_END = frozenset({_C.away_registered, _C.away_unregistered, _C.hospital, _C.phone_problem, _C.data_problem})
"""They explain a time, so they must say until when: nothing may switch the watch off for ever."""
FALSE = frozenset(
    {_C.safe_answered, _C.safe_visited, _C.away_registered, _C.away_unregistered, _C.phone_problem, _C.data_problem}
)
"""The alert was in vain: the resident was well, away, or a signal was wrong."""


def false_alerts(household: Household, since: datetime | None = None) -> int:
    """How many alerts of this home were in vain, as far as its record tells; closed at ``since`` or later."""
    return sum(o.code in FALSE and (since is None or o.at >= since) for o in household.outcomes)


def terms_of(household: Household) -> Terms:
    """A household's terms in slots, from its absences, its risk group and its outcomes (in any order)."""
    outcomes = household.outcomes
    absences = tuple((slot_at(a.from_), slot_from(a.until)) for a in household.absences)
    gone = {(slot_at(_begin(o)), FREE) for o in outcomes if o.code in GONE}
    return Terms(
        absences=(*absences, *_spans(outcomes, AWAY), *sorted(gone)),
        risk_since=slot_from(household.risk_since) if household.risk_since else 0,
        proofs=tuple(sorted({slot_at(o.at) for o in outcomes if o.code in PROOFS})),
        phone_out=_spans(outcomes, {_C.phone_problem}),
        meter_out=_spans(outcomes, {_C.data_problem}),
    )


def _begin(outcome: Outcome) -> datetime:
    return outcome.at if outcome.from_ is None else outcome.from_


def _spans(outcomes: Iterable[Outcome], codes: Iterable[OutcomeCode]) -> tuple[Span, ...]:
    """The times that outcomes of these codes explain, where they have an end."""
    found = [(slot_at(_begin(o)), slot_from(o.until)) for o in outcomes if o.code in codes and o.until is not None]
    return tuple(sorted(set(found)))
