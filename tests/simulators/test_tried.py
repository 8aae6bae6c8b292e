"""Other settings tried beside a run."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.levels import Thresholds
from simulators.backtest import backtest
from simulators.tally import Tally
from simulators.tried import Tried, days_of, home_weeks
from stream.rules import Rules
from stream.settings import LevelSettings, LimitSettings, Settings
from tests.lives import Lives, lives

STILL = lives(homes=12, days=24, stop=20.2, seed=4)
LONG = LimitSettings(normal_hours=48, elevated_hours=36, high_hours=24)


def cautions(
    life: Lives, caution_days: float, asked: tuple[float, ...], limits: LimitSettings
) -> tuple[int, list[int]]:
    """Cautions in the alerts of a run with this setting, and those counted beside it."""
    settings = Settings(limits=limits, levels=LevelSettings(attention_days=2, caution_days=caution_days))
    tried, tally = Tried(Rules.of(settings).thresholds, asked), Tally()
    for alert in backtest(life.meter, life.phone, life.households, settings, look=tried):
        tally(alert)
    return int(tally.total[1]), tried.counts().tolist()


@pytest.mark.slow
@pytest.mark.parametrize("days", [3.5, 7.0, 70.0])
def test_the_present_setting_counts_what_the_alerts_say(days: float) -> None:
    """Beside a run, the run's own setting comes to the run's own cautions."""
    found, counts = cautions(STILL, days, (700 / days,), LONG)
    assert found > 0
    assert counts == [found]


@pytest.mark.slow
def test_what_a_limit_calls_out_is_counted_at_every_setting() -> None:
    """Short limits: as many cautions as the alerts say, however little is asked for."""
    found, counts = cautions(STILL, 1e6, (1e-4, 1e-5), LimitSettings(normal_hours=7, elevated_hours=6, high_hours=5))
    assert found > 3
    assert counts == [found, found]


@pytest.mark.slow
def test_who_asks_for_less_gets_no_more() -> None:
    """Counts fall with what is asked for, and some do fall."""
    _, counts = cautions(STILL, 70, (300.0, 100.0, 10.0, 1.0), LONG)
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_nobody_there_counts_nothing() -> None:
    """No home, no block, no caution."""
    nothing = replace(STILL, households=[])
    assert cautions(nothing, 70, (10.0, 1.0), LONG) == (0, [0, 0])
    assert Tried(Thresholds()).counts().tolist() == [0] * 6


def test_asked_and_days_say_the_same() -> None:
    """Ten per 100 homes and week are one in seventy days of a life."""
    assert days_of(10) == 70


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=9), st.integers(0, 5_000), st.integers(1, 6_000),
    st.integers(0, 671),
)  # fmt: skip
def test_weeks_of_homes_add_up(since: list[int], first: int, length: int, early: int) -> None:
    """Every slot of every home is in exactly one week."""
    last, week = first + length, 7 * 96
    begins = np.arange(first - early, last, week)
    weeks = home_weeks(np.array(since), first, last, begins)
    assert weeks.sum() * week == pytest.approx(sum(max(last - max(s, first), 0) for s in since))
    assert (weeks <= len(since)).all()
