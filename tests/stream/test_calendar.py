"""Local days and hours."""

from datetime import UTC, datetime

import pytest

from models.slots import SLOTS_PER_DAY
from stream.calendar import Calendar, slot_at, slot_from


@pytest.mark.parametrize(
    "tz", ["Asia/Seoul", "Asia/Kolkata", "Asia/Kathmandu", "Europe/London", "America/St_Johns", "UTC"]
)
def test_days_begin_at_local_midnight_by_standard_time_and_follow_each_other(tz: str) -> None:
    """In January a day's first slot is 00:00 on the wall; days are 96 slots, all the year round."""
    calendar = Calendar(tz)
    january = calendar.day_start(slot_at(datetime(2026, 1, 15, 12, tzinfo=UTC)))
    assert calendar.time(january).strftime("%H:%M") == "00:00"
    for day in range(400):
        first = january + day * SLOTS_PER_DAY
        assert {calendar.day_start(first), calendar.day_start(first + 95)} == {first}


def test_two_hour_blocks_follow_the_clock_on_the_wall() -> None:
    """Summer time moves a block by an hour, because habits do."""
    london = Calendar("Europe/London")
    assert london.block(slot_at(datetime(2026, 1, 15, 7, tzinfo=UTC))) == 3
    assert london.block(slot_at(datetime(2026, 7, 15, 7, tzinfo=UTC))) == 4
    first = slot_at(datetime(2026, 7, 14, 23, tzinfo=UTC))
    assert london.blocks(first, 96).tolist() == [i // 8 for i in range(96)]
    assert london.hours(first, 24).tolist() == [i // 2 for i in range(24)]


@pytest.mark.parametrize(("tz", "quarter"), [("Asia/Seoul", 3), ("Asia/Kolkata", 1), ("Asia/Kathmandu", 0)])
def test_hours_end_by_local_time(tz: str, quarter: int) -> None:
    """Also where local time is off by half an hour or three quarters."""
    first = slot_at(datetime(2026, 1, 15, tzinfo=UTC))
    assert [i for i in range(4) if Calendar(tz).ends_hour(first + i)] == [quarter]


def test_the_slot_of_a_moment_and_the_next_that_begins() -> None:
    """A moment lies in a slot; what holds from a moment holds from the next slot on."""
    moment = datetime(2026, 1, 1, 0, 7, tzinfo=UTC)
    assert slot_from(moment) == slot_at(moment) + 1
    assert slot_from(datetime(2026, 1, 1, tzinfo=UTC)) == slot_at(datetime(2026, 1, 1, tzinfo=UTC))
