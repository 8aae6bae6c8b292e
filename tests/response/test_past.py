"""What is of the past, when what stands of it is acted on, and how one sees that the stream is catching up. Pure."""

from datetime import UTC, datetime, timedelta

from response.past import Pace, Past

NOW = datetime(2026, 3, 4, 1, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PAST = Past()


def test_an_alert_is_of_the_past_when_its_time_is_over_two_hours_behind() -> None:
    """Two hours are what a feed may be late; a clock that is wrong the other way makes nothing old."""
    assert not PAST.is_past(NOW - 2 * HOUR, NOW)
    assert PAST.is_past(NOW - 2 * HOUR - MINUTE, NOW)
    assert not PAST.is_past(NOW + 9 * HOUR, NOW)


def test_what_stands_is_acted_on_minutes_after_the_last_word() -> None:
    """Five minutes after the household's last alert, or after the stream's last leap."""
    assert PAST.act_at(NOW, NOW + MINUTE, None) == NOW + 6 * MINUTE
    assert PAST.act_at(NOW, NOW + MINUTE, NOW + 3 * MINUTE) == NOW + 8 * MINUTE


def test_a_stream_that_leaps_for_ever_puts_nothing_off_for_ever() -> None:
    """Within the hour it is acted on, whatever else comes."""
    assert PAST.act_at(NOW, NOW + 59 * MINUTE, NOW + 300 * MINUTE) == NOW + 60 * MINUTE


def told(*behind_h: float, minutes_apart: float = 1) -> list[datetime | None]:
    """When the stream leapt last, after each of some alerts so many hours behind the clock."""
    pace, leapt = Pace(), []
    for n, hours in enumerate(behind_h):
        now = NOW + n * minutes_apart * MINUTE
        pace = pace.heard(now - timedelta(hours=hours), now, PAST)
        leapt.append(pace.leapt)
    return leapt


def test_a_replay_comes_on_in_leaps() -> None:
    """A day of history in some minutes: each alert is hours nearer; small steps add up."""
    assert told(24, 18, 17.5, 16.9) == [None, NOW + MINUTE, NOW + MINUTE, NOW + 3 * MINUTE]


def test_a_feed_that_is_always_late_does_not_leap() -> None:
    """Three hours behind by its nature, an hour's batch at a time: it keeps its distance, and its alerts do not wait
    for one another."""
    assert told(3.9, 3.2, 3.9, 3.0, 3.95, 3.1) == [None] * 6


def test_the_present_is_no_leap() -> None:
    """It has caught up: nothing waits any longer for that."""
    assert told(24, 0.5, 0.2) == [None] * 3
