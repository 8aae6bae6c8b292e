"""Watermarks and the clock that follows from them."""

from hypothesis import given
from hypothesis import strategies as st

from models.slots import SLOT_SECONDS
from stream.watermark import GRACE_SECONDS, Watermarks

WAIT = 8


def marks(**until: int | None) -> Watermarks:
    """Feeds in use and the slots they are complete to."""
    made = Watermarks(WAIT)
    for name in until:
        made.source(name, lateness_seconds=3600).wanted = True
    made.begun = made.clock = 100
    for name, slot in until.items():
        if slot is not None:
            made.heard(name, None, slot * SLOT_SECONDS, 0.0)
    return made


def test_a_watermark_is_what_the_feed_says_else_its_data_less_its_lateness() -> None:
    """`complete_until` counts where it is given; where not, the latest end less the usual lateness."""
    made = marks(meter=None)
    made.heard("meter", 200 * SLOT_SECONDS, None, 1.0)
    assert made.source("meter").until == 196
    made.heard("meter", 300 * SLOT_SECONDS, 250 * SLOT_SECONDS, 2.0)
    assert (made.source("meter").until, made.source("meter").last_arrival) == (250, 2.0)


@given(st.lists(st.integers(0, 400), max_size=20))
def test_neither_a_watermark_nor_the_clock_goes_back(said: list[int]) -> None:
    """Whatever a feed says later, what it was complete to stays complete."""
    made = marks(meter=100)
    for slot in said:
        before = made.source("meter").until, made.clock
        made.heard("meter", None, slot * SLOT_SECONDS, 0.0)
        made.clock = made.target(0.0)
        assert (made.source("meter").until or 0) >= (before[0] or 0)
        assert (made.clock or 0) >= (before[1] or 0)


def test_the_clock_is_the_earliest_of_the_feeds_that_keep_up() -> None:
    """A slot is judged when every feed in use is complete past it."""
    assert marks(meter=120, phone=115).target(0.0) == 115


def test_a_feed_that_lags_is_waited_for_a_while_and_then_not() -> None:
    """Behind by more than the wait, it holds the clock for the grace of wall-clock time only."""
    made = marks(meter=120, phone=105)
    assert made.target(1000.0) == 105
    assert made.target(1000.0 + GRACE_SECONDS - 1) == 105
    assert made.target(1000.0 + GRACE_SECONDS) == 120


def test_time_in_which_nobody_listened_is_no_grace() -> None:
    """Frozen, or with the broker away, for longer than the grace: what lagged before has all of it again."""
    made = marks(meter=120, phone=105)
    made.target(1000.0)
    made.absent()
    assert made.target(1077.0) == 105
    assert made.target(1077.0 + GRACE_SECONDS - 1) == 105
    assert made.target(1077.0 + GRACE_SECONDS) == 120


def test_a_feed_that_moves_is_waited_for_again() -> None:
    """One frame of a lagging feed is a new grace; caught up, it counts as before."""
    made = marks(meter=120, phone=105)
    made.target(1000.0)
    made.heard("phone", None, 106 * SLOT_SECONDS, 1010.0)
    assert made.target(1000.0 + GRACE_SECONDS) == 106
    made.heard("phone", None, 119 * SLOT_SECONDS, 1040.0)
    assert made.target(2000.0) == 119


def test_what_was_judged_without_a_feed_stays_judged_when_it_comes_back() -> None:
    """A feed that comes back behind the clock, but within the wait, does not turn it back."""
    made = marks(meter=120, phone=115)
    made.clock = 120
    assert made.target(0.0) == 120


def test_a_feed_that_stops_alone_stops_the_clock() -> None:
    """No wall clock moves it."""
    made = marks(meter=120)
    assert {made.target(float(wall)) for wall in range(0, 10**6, 10**4)} == {120}


def test_a_feed_nobody_here_is_watched_by_is_not_waited_for() -> None:
    """Only feeds in use count."""
    made = marks(meter=120, phone=90)
    made.source("phone").wanted = False
    assert made.target(0.0) == 120
