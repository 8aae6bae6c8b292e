"""Records of households: what holds, in which order, and what is refused."""

from collections import Counter
from datetime import UTC, datetime

import msgspec
import pyarrow as pa
import pytest

from stream import frames
from stream.intake import HEADERS_JSON, Intake, Message
from stream.kafka import partition_of
from stream.records import HOUSEHOLDS, METER, Absence, Feeds, Household, Reason
from tests.stream.streaming import AWAY, HERE, NOW, SINCE, TWO, T, intake, new_partition, readings

ONE_FEED = Feeds("meter", None)


def put_households(made: Intake, *records: Household | bytes | tuple[bytes, None]) -> Counter[Reason]:
    """Give records (or bytes, or a key without a value) in one batch. Returns dead letters by reason."""
    for record in records:
        offset = made.next[HOUSEHOLDS] + made.waiting(HOUSEHOLDS)
        if isinstance(record, tuple):
            made.put(Message(HOUSEHOLDS, offset, None, record[0], [], NOW))
        else:
            value = record if isinstance(record, bytes) else msgspec.json.encode(record)
            made.put(Message(HOUSEHOLDS, offset, value, None, HEADERS_JSON, NOW))
    return Counter(d.reason for d in made.take(100, NOW).dead)


def enrolled(made: Intake, household: str) -> bool:
    """Whether a household is known."""
    return int(made.partition.members.locate(pa.array([household]))[0]) >= 0


def test_a_deletion_in_the_same_batch_comes_after_the_enrolment() -> None:
    """Enrolled and deleted at once: nobody is left, in the order in which it was said."""
    made = intake()
    new = next(f"n{i}" for i in range(100) if partition_of(f"n{i}", 2) == 0)
    put_households(made, Household(new, SINCE), (new.encode(), None))
    assert not enrolled(made, new)
    put_households(made, (new.encode(), None), Household(new, SINCE))
    assert enrolled(made, new)


def test_a_withdrawal_and_a_new_enrolment_in_one_batch() -> None:
    """The last word counts, whichever it is."""
    made = intake()
    gone = Household(HERE[0], SINCE, withdrawn=SINCE)
    put_households(made, gone)
    assert not enrolled(made, HERE[0])
    put_households(made, Household(HERE[0], SINCE), gone, Household(HERE[0], SINCE))
    assert enrolled(made, HERE[0])
    put_households(made, Household(HERE[0], SINCE), gone)
    assert not enrolled(made, HERE[0])


FAR = datetime(1, 1, 1)
UNFIT = {
    "no zone": (Household(HERE[0], FAR), Reason.bad_time),
    "no such time": (Household(HERE[0], datetime(1, 1, 1, tzinfo=UTC)), Reason.bad_time),
    "absence without a zone": (Household(HERE[0], SINCE, absences=(Absence(FAR, SINCE),)), Reason.bad_time),
    "too many absences": (Household(HERE[0], SINCE, absences=(Absence(SINCE, SINCE),) * 101), Reason.wrong_type),
    "a long area": (Household(HERE[0], SINCE, area="x" * 65), Reason.wrong_type),
    "a long dong": (Household(HERE[0], SINCE, dong="x" * 65), Reason.wrong_type),
    "no feed's name": (Household(HERE[0], SINCE, feeds=Feeds("a b", None)), Reason.wrong_type),
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
