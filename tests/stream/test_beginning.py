"""The clock of a partition begins with its feeds' first data, and frames ahead of it wait for their time."""

import numpy as np
import pyarrow as pa
import pytest

from stream import frames
from stream.columns import PhoneColumns
from stream.intake import Intake, Message
from stream.records import METER, PHONE
from tests.stream.streaming import HERE, NOW, T, empty_phone, intake, readings

DAY = 86_400


def phone_says(made: Intake, until: int) -> None:
    """Put a heartbeat of the phone feed."""
    value, headers = frames.encode(empty_phone(), "phone", until)
    offset = made.next.get(PHONE, 0) + made.waiting(PHONE)
    made.put(Message(PHONE, offset, value, None, headers, NOW))


def test_frames_ahead_of_the_clock_wait_and_lose_nothing() -> None:
    """Three days of one feed before the other moves: held back, then written as the clock comes."""
    made = intake("phone")
    phone_says(made, T)
    for day in range(3):
        start = [T + day * DAY + 900 * i for i in range(96)]
        value, headers = frames.encode(readings(HERE[:1] * 96, start), "meter", T + (day + 1) * DAY)
        made.put(Message(METER, day, value, None, headers, NOW))
    rows, judged = 0, 0
    for _ in range(4):
        rows += made.take(10, NOW).rows[METER]
        judged += made.partition.advance(NOW).judged
    assert len(made) > 0
    assert made.next[METER] < 3
    phone_says(made, T + 3 * DAY)
    told = False
    for _ in range(4):
        taken = made.take(10, NOW)
        told |= taken.rest and taken.anything
        rows += taken.rows[METER]
        judged += made.partition.advance(NOW).judged
    assert told, "a frame that was held and is written now must be stored"
    assert (made.next[METER], len(made), rows) == (3, 0, 288)
    assert judged >= 3 * 96 * len(HERE)
    assert int((made.partition.members.blocks[0].strips.meter > 0).sum()) == 288


def calls(made: Intake, at: int, until: int | None = None) -> None:
    """Put a frame of one call."""
    events = PhoneColumns(pa.array(HERE[:1]), np.array([at]), np.zeros(1, np.uint8), np.ones(1, np.float32))
    value, headers = frames.encode(events, "phone", until)
    made.put(Message(PHONE, made.next.get(PHONE, 0), value, None, headers, NOW))


def test_phone_events_and_readings_share_a_clock() -> None:
    """A slot is judged when both feeds have passed it: the slower one sets the pace."""
    made = intake("phone")
    value, headers = frames.encode(readings(HERE[:1], [T]), "meter", T + 4 * 3600)
    made.put(Message(METER, 0, value, None, headers, NOW))
    calls(made, T + 60, T + 3600)
    made.take(10, NOW)
    made.partition.advance(NOW)
    assert made.partition.marks.clock == (T + 3600) // 900
    calls(made, T + 3700, T + 3 * 3600)
    made.take(10, NOW)
    made.partition.advance(NOW)
    assert made.partition.marks.clock == (T + 3 * 3600) // 900


@pytest.mark.parametrize("first", ["meter", "phone"])
def test_the_clock_begins_with_the_earliest_data_whichever_topic_is_read_first(first: str) -> None:
    """The feed that is read first waits for the other: what came before its own first row is not lost."""
    made = intake("phone")
    value, headers = frames.encode(readings(HERE[:1], [T + DAY]), "meter", T + 2 * DAY)
    reading = Message(METER, 0, value, None, headers, NOW)
    if first == "meter":
        made.put(reading)
    else:
        calls(made, T + 3 * DAY)
    assert not made.take(10, NOW).anything
    if first == "meter":
        calls(made, T + 3 * DAY)
    else:
        made.put(reading)
    taken = made.take(10, NOW)
    assert made.partition.marks.begun == (T + DAY - 3600) // 900
    assert +taken.counts == {}


def test_a_feed_that_does_not_come_is_not_waited_for_for_ever() -> None:
    """After half a minute of wall clock the feed that is there begins alone."""
    made = intake("phone")
    value, headers = frames.encode(readings(HERE[:1], [T + DAY]), "meter")
    made.put(Message(METER, 0, value, None, headers, NOW))
    assert not made.take(10, NOW).anything
    assert not made.take(10, NOW + 29).anything
    assert made.take(10, NOW + 30).rows[METER] == 1
    assert made.partition.marks.begun == (T + DAY - 3600) // 900
