"""Records of households: what holds, in which order, and what is refused."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
import pyarrow as pa
import pytest

from stream import frames
from stream.intake import HEADERS_JSON, Intake, Message, Taken
from stream.kafka import partition_of
from stream.records import HOUSEHOLDS, METER, Absence, Feeds, Household, Outcome, OutcomeCode, Reason
from tests.stream.streaming import AWAY, HERE, NOW, SINCE, TWO, T, intake, new_partition, readings

AHEAD, FAR = (datetime.fromtimestamp(NOW, UTC) + timedelta(days=days) for days in (1, 60_000))
ONE_FEED = Feeds("meter", None)


LATER = datetime.fromtimestamp(NOW + 1, UTC)


def put_households(made: Intake, *records: Household | bytes | tuple[bytes, None]) -> Counter[Reason]:
    """Give records (or bytes, or a key without a value) in one batch. Returns dead letters by reason."""
    return Counter(d.reason for d in put(made, *records).dead)


def put(made: Intake, *records: Household | bytes | tuple[bytes, None]) -> Taken:
    """The same, with all that came of them."""
    for record in records:
        offset = made.next[HOUSEHOLDS] + made.waiting(HOUSEHOLDS)
        if isinstance(record, tuple):
            made.put(Message(HOUSEHOLDS, offset, None, record[0], [], NOW))
        else:
            value = record if isinstance(record, bytes) else msgspec.json.encode(record)
            made.put(Message(HOUSEHOLDS, offset, value, None, HEADERS_JSON, NOW))
    return made.take(100, NOW)


def enrolled(made: Intake, household: str) -> bool:
    """Whether a household is known."""
    return int(made.partition.members.locate(pa.array([household]))[0]) >= 0


def test_a_deletion_in_the_same_batch_comes_after_the_enrolment() -> None:
    """Enrolled and deleted at once: nobody is left, in the order in which it was said."""
    made = intake()
    new = next(f"n{i}" for i in range(100) if partition_of(f"n{i}", 2) == 0)
    put_households(made, Household(new, SINCE), (new.encode(), None))
    assert not enrolled(made, new)
    put_households(made, (new.encode(), None), Household(new, LATER))
    assert enrolled(made, new)


def test_an_old_record_undoes_no_withdrawal() -> None:
    """It is put aside with a sentence, and the withdrawal is said again: the last record of the topic is what a fresh
    worker sees. Before, one line of an old file brought the person back."""
    made = intake()
    put_households(made, Household(HERE[0], SINCE, withdrawn=SINCE))
    for old in (Household(HERE[0], SINCE), Household(HERE[0], datetime(2020, 1, 1, tzinfo=UTC))):
        taken = put(made, old)
        (letter,) = taken.dead
        assert letter.reason is Reason.withdrawn
        assert "a later `since`" in letter.detail
        assert HERE[0] not in letter.detail + letter.sample
        (again,) = taken.said_again
        assert (again.household_id, again.withdrawn) == (HERE[0], SINCE)
        assert not enrolled(made, HERE[0])
        assert put(made, again).dead == []
    assert put_households(made, Household(HERE[0], LATER)) == {}
    assert enrolled(made, HERE[0])
    assert put_households(made, Household(HERE[0], SINCE, withdrawn=SINCE)) == {}  # the topic read anew
    assert enrolled(made, HERE[0])


def test_the_order_within_a_batch_is_that_of_the_topic() -> None:
    """Withdrawn, an old record, consent anew, an old record: the second is refused, the last is a change."""
    made = intake()
    old = Household(HERE[0], SINCE)
    found = put_households(made, Household(HERE[0], SINCE, withdrawn=SINCE), old, Household(HERE[0], LATER), old)
    assert found == {Reason.withdrawn: 1}
    assert enrolled(made, HERE[0])


def test_a_withdrawal_of_the_future_is_put_aside() -> None:
    """The household is watched on until it has come."""
    made = intake()
    ahead = Household(HERE[0], SINCE, withdrawn=datetime.fromtimestamp(NOW + 86_400, UTC))
    assert put_households(made, ahead) == {Reason.future: 1}
    assert enrolled(made, HERE[0])


@pytest.mark.parametrize("how", ["withdrawn", "deleted"])
def test_what_was_kept_is_deleted_a_grace_period_after_it_was_heard(how: str) -> None:
    """And not while a record that undoes it may wait behind it."""
    made = intake()
    value, headers = frames.encode(readings(HERE[:1], [T]), "meter")
    made.put(Message(METER, 0, value, None, headers, NOW))
    made.take(10, NOW)
    put_households(made, Household(HERE[0], SINCE, withdrawn=SINCE) if how == "withdrawn" else (HERE[0].encode(), None))
    assert made.take(10, NOW + 24 * 3600 - 1).forgotten == 0
    made.enrolments_until = made.next[HOUSEHOLDS] + 1
    assert made.take(10, NOW + 24 * 3600).forgotten == 0
    made.enrolments_until = 0
    made.put(Message(METER, 1, value, None, headers, NOW))
    taken = made.take(10, NOW + 24 * 3600)
    assert (taken.forgotten, taken.counts) == (1, {(METER, Reason.not_enrolled): 1})


FAR = datetime(1, 1, 1)
UNFIT = {
    "an area that cannot be printed": (Household(HERE[0], SINCE, area="east\x1fdrill"), Reason.wrong_type),
    "a dong in two lines": (Household(HERE[0], SINCE, dong="1\n2"), Reason.wrong_type),
    "no zone": (Household(HERE[0], FAR), Reason.bad_time),
    "no such time": (Household(HERE[0], datetime(1, 1, 1, tzinfo=UTC)), Reason.bad_time),
    "absence without a zone": (Household(HERE[0], SINCE, absences=(Absence(FAR, SINCE),)), Reason.bad_time),
    "too many absences": (Household(HERE[0], SINCE, absences=(Absence(SINCE, SINCE),) * 101), Reason.wrong_type),
    "a long area": (Household(HERE[0], SINCE, area="x" * 65), Reason.wrong_type),
    "a long dong": (Household(HERE[0], SINCE, dong="x" * 65), Reason.wrong_type),
    "no feed's name": (Household(HERE[0], SINCE, feeds=Feeds("a b", None)), Reason.wrong_type),
    "found tomorrow": (Household(HERE[0], SINCE, outcomes=(Outcome(AHEAD, OutcomeCode.refused),)), Reason.future),
    "away for ever": (Household(HERE[0], SINCE, absences=(Absence(SINCE, FAR),)), Reason.bad_time),
    "no record": (b'{"household_id": 3}', Reason.wrong_type),
    "cut off": (b'{"household_id": "h', Reason.truncated),
    "not UTF-8": (b'{"household_id": "\xff\xfe"}', Reason.truncated),
    "no text at all": (b"", Reason.truncated),
}


@pytest.mark.parametrize("case", UNFIT)
def test_a_record_that_cannot_be_stored_is_a_dead_letter(case: str) -> None:
    """It is told with its reason, changes nothing, and the records beside it count."""
    record, reason = UNFIT[case]
    made = intake()
    before = made.partition.members.blocks[0].who.copy()
    new = next(f"n{i}" for i in range(100) if partition_of(f"n{i}", 2) == 0)
    assert put_households(made, record, Household(new, SINCE)) == {reason: 1}
    assert enrolled(made, new)
    assert (made.partition.members.blocks[0].who[: len(HERE)] == before[: len(HERE)]).all()


def test_a_record_of_another_partition_is_handed_on() -> None:
    """Enrolments and deletions alike go to whoever passes them on, and are counted."""
    made = intake()
    record = Household(AWAY[0], SINCE)
    made.put(Message(HOUSEHOLDS, len(HERE), msgspec.json.encode(record), None, HEADERS_JSON, NOW))
    made.put(Message(HOUSEHOLDS, len(HERE) + 1, None, AWAY[1].encode(), [], NOW))
    taken = made.take(10, NOW)
    assert taken.moved_households == [(AWAY[0], record), (AWAY[1], None)]
    assert taken.counts == {(HOUSEHOLDS, Reason.wrong_partition): 2}
    assert not enrolled(made, AWAY[0])


def test_feeds_beyond_what_a_partition_can_know_are_refused() -> None:
    """The 256th feed is a dead letter; homes of known feeds are enrolled as before."""
    made = intake()
    names = [n for n in (f"n{i}" for i in range(1000)) if partition_of(n, 2) == 0]
    found = put_households(made, *(Household(n, SINCE, feeds=Feeds(f"m-{n}", None)) for n in names[:300]))
    assert found == {Reason.wrong_type: 300 - 254}
    put_households(made, Household(names[301], SINCE, feeds=ONE_FEED))
    assert enrolled(made, names[301])


def test_readings_wait_for_enrolments_that_were_there_first() -> None:
    """A worker that starts on both finds the homes before their readings: none is dropped as a stranger's."""
    made = Intake(new_partition(0, TWO), TWO, {})
    made.enrolments_until = len(HERE)
    value, headers = frames.encode(readings(HERE[:1], [T]), "meter")
    made.put(Message(METER, 0, value, None, headers, NOW))
    assert made.take(10, NOW).rows[METER] == 0
    for offset, home in enumerate(HERE):
        record = msgspec.json.encode(Household(home, SINCE, feeds=ONE_FEED))
        made.put(Message(HOUSEHOLDS, offset, record, None, HEADERS_JSON, NOW))
    taken = made.take(10, NOW)
    assert (taken.rows[METER], +taken.counts) == (1, {})
