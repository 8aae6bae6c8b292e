"""What a record says of consent, beside what is known of an earlier withdrawal: by times, never by the order alone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest

from stream import consent
from stream.consent import Word
from stream.records import Household, Reason

SINCE = datetime(2025, 3, 1, tzinfo=UTC)
LEFT = datetime(2026, 3, 4, 10, tzinfo=UTC)
NOW = LEFT + timedelta(hours=2)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Last:
    """A withdrawal that is known."""

    at: datetime = LEFT
    anew: bool = False
    said: datetime = LEFT


def record(since: datetime = SINCE, withdrawn: datetime | None = None) -> Household:
    """A household's record."""
    return Household("h1", since, withdrawn=withdrawn)


WORDS = {
    "a record of somebody who never left": (record(), None, Word.holds),
    "a first withdrawal": (record(withdrawn=LEFT), None, Word.ends),
    "a withdrawal of long ago": (record(withdrawn=SINCE - timedelta(days=9999)), None, Word.ends),
    "a withdrawal without a zone": (record(withdrawn=LEFT.replace(tzinfo=None)), None, Word.ends),
    "the same withdrawal again": (record(withdrawn=LEFT), Last(), Word.repeats),
    "another withdrawal, later": (record(withdrawn=NOW), Last(), Word.repeats),
    "the record of before": (record(), Last(), Word.old),
    "consent of the very moment": (record(LEFT), Last(), Word.old),
    "consent of afterwards": (record(LEFT + HOUR), Last(), Word.anew),
    "the record of before, once consent was given anew": (record(), Last(anew=True), Word.holds),
    "the withdrawal of before, once consent was given anew": (record(withdrawn=LEFT), Last(anew=True), Word.repeats),
    "another withdrawal, dated before the one that was undone": (
        record(withdrawn=LEFT - HOUR), Last(anew=True), Word.ends,
    ),
    "a withdrawal of the new consent": (record(LEFT + HOUR, LEFT + 2 * HOUR), Last(anew=True), Word.ends),
}


@pytest.mark.parametrize("case", WORDS)
def test_what_a_record_says(case: str) -> None:
    """Times decide: an old file, a topic read again from its beginning and a repetition bring nobody back."""
    said, last, word = WORDS[case]
    assert consent.word(said, last, NOW) is word


FAR = datetime(2199, 1, 1, tzinfo=UTC)
ENDS = {
    "when it says": (record(withdrawn=LEFT), None, LEFT),
    "not before it began": (record(withdrawn=SINCE - 9000 * HOUR), None, SINCE),
    "nor before it is known to have begun": (record(SINCE, SINCE), LEFT - HOUR, LEFT - HOUR),
    "a begin far ahead locks nobody out": (record(FAR, LEFT), None, NOW),
    "a clock that is ahead": (record(withdrawn=NOW + HOUR / 2), None, NOW),
    "the first year": (record(*[datetime(1, 1, 1, tzinfo=timezone(9 * HOUR))] * 2), None, consent.EPOCH),
}


@pytest.mark.parametrize("case", ENDS)
def test_when_consent_ended(case: str) -> None:
    """No record can keep consent from being given anew now, nor let an old one do so."""
    said, known, at = ENDS[case]
    assert consent.ended_at(said, NOW, known) == at


def test_a_withdrawal_of_the_future_is_refused_in_a_sentence() -> None:
    """It has not come: an hour of a clock that is ahead is let pass."""
    fault = consent.fault_of(record(withdrawn=NOW + timedelta(days=30)), NOW)
    assert fault is not None
    assert fault[0] is Reason.future
    assert "2026-04-03T12:00:00+00:00, which has not come" in fault[1]
    assert consent.fault_of(record(withdrawn=NOW + HOUR), NOW) is None
    assert consent.fault_of(record(), NOW) is None
