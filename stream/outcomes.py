"""What the closing of a case says of a household's time: a proof of life, an absence, a signal not to be used."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from stream.calendar import slot_at, slot_from
from stream.records import Household, Outcome, OutcomeCode
from stream.watch import FREE, Span, Terms

_C = OutcomeCode
PROOFS = frozenset({_C.safe_answered, _C.safe_visited, _C.refused, _C.needs_service})
"""Somebody was met or heard."""
AWAY = frozenset({_C.away_registered, _C.away_unregistered, _C.hospital, _C.emergency_119})
"""Somebody knows where the resident is. Who could not be reached (``unreachable``) may lie at home."""
GONE = frozenset({_C.moved, _C.deceased})
MUST_END = frozenset({_C.away_registered, _C.away_unregistered, _C.hospital, _C.phone_problem, _C.data_problem})
"""They explain a time, so they must say until when: nothing may switch the watch off for ever."""
MOST_DAYS = {
    _C.away_registered: 90, _C.away_unregistered: 90, _C.hospital: 180, _C.phone_problem: 30, _C.data_problem: 30,
    _C.emergency_119: 30, _C.unreachable: 3,
}  # fmt: skip
"""For so many days at most an outcome explains what is silent: one that holds longer is found, and said, again."""
MOST_DAYS_ELSE = 90
FALSE = frozenset(
    {_C.safe_answered, _C.safe_visited, _C.away_registered, _C.away_unregistered, _C.phone_problem, _C.data_problem}
)
"""The alert was in vain: the resident was well, away, or a signal was wrong."""


def most_days(code: OutcomeCode) -> int:
    """How many days after it was found an outcome may hold."""
    return MOST_DAYS.get(code, MOST_DAYS_ELSE)


def latest(code: OutcomeCode, at: datetime) -> datetime:
    """The latest end of an outcome that was found at ``at``: the last of its days in any time zone."""
    return at + timedelta(days=most_days(code) + 1)


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
