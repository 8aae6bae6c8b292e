"""A feed that stops is told once, by wall clock; that it is back is told once."""

import pytest

from stream.feedwatch import FeedWatch
from stream.records import Alert
from stream.settings import FeedSettings, Settings

T = 1_767_225_600.0


@pytest.fixture
def watch() -> FeedWatch:
    """Of the feeds `meter` (stalls after 30 s) and others (300 s)."""
    return FeedWatch(Settings(feeds={"meter": FeedSettings(stall_seconds=30)}))


def told(alerts: list[Alert]) -> list[tuple[str, str]]:
    """Events and the feed each speaks of."""
    return [(a.event, str(a.reasons[0].values["feed"])) for a in alerts]


def test_a_feed_stalls_after_its_own_time(watch: FeedWatch) -> None:
    """Not a moment before, whatever other feeds do, and only once."""
    watch.heard({"meter": T, "phone": T}, T)
    assert told(watch.check(T + 29.9)) == []
    assert told(watch.check(T + 30)) == [("raised", "meter")]
    assert told(watch.check(T + 299)) == []
    assert told(watch.check(T + 300)) == [("raised", "phone")]


def test_partitions_of_one_feed_are_one_feed(watch: FeedWatch) -> None:
    """The last frame in any partition counts: quiet partitions are no alert, and all of them quiet is one."""
    watch.heard({"meter": T}, T)
    watch.heard({"meter": T - 500}, T)
    assert told(watch.check(T + 20)) == []
    watch.heard({"meter": T - 500}, T + 20)
    assert told(watch.check(T + 31)) == [("raised", "meter")]


def test_back_is_told_once_with_the_id_of_the_stall(watch: FeedWatch) -> None:
    """The first frame after a stall clears it; the next stall is another alert."""
    watch.heard({"meter": T}, T)
    [raised] = watch.check(T + 40)
    watch.heard({"meter": T}, T + 50)
    assert watch.check(T + 50) == []
    watch.heard({"meter": T + 60}, T + 61)
    [cleared] = watch.check(T + 61)
    assert (cleared.event, cleared.alert_id) == ("cleared", raised.alert_id)
    assert watch.check(T + 62) == []
    [again] = watch.check(T + 95)
    assert again.alert_id != raised.alert_id


def test_a_feed_that_never_sent_counts_from_when_it_was_expected(watch: FeedWatch) -> None:
    """Homes are enrolled with a feed that does not come: operators learn it."""
    watch.heard({"meter": 0.0}, T)
    watch.heard({"meter": 0.0}, T + 20)
    assert told(watch.check(T + 29)) == []
    assert told(watch.check(T + 30)) == [("raised", "meter")]


def test_it_is_for_operators_and_about_no_household(watch: FeedWatch) -> None:
    """It says which feed, since when, and for how long, in both languages."""
    watch.heard({"meter": T}, T)
    [alert] = watch.check(T + 90)
    assert (alert.kind, alert.to, alert.household_id, alert.strip) == ("feed_stalled", "operator", "", None)
    assert alert.onset.timestamp() == T
    assert alert.at.timestamp() == T + 90
    assert alert.text_en.startswith("Feed meter has sent nothing for 1.5 min")
    assert "meter 자료가 1.5분째" in alert.text_ko
