"""A history looked at from every side."""

import numpy as np
import pyarrow as pa
import pytest

from simulators.backtest import backtest
from simulators.review import Review, hours_seen, review
from stream import frames
from stream.records import Alert
from tests.lives import ESTIMATED, SHORT, lives, of, with_quality

LIFE = lives(homes=12, days=9, stop=5.5)


@pytest.fixture(scope="module")
def made() -> tuple[Review, list[Alert]]:
    """The review of a history and the alerts it wrote."""
    written: list[Alert] = []
    return review(LIFE.meter, LIFE.phone, LIFE.households, SHORT, written.append), written


@pytest.mark.slow
def test_the_alerts_are_those_of_a_plain_backtest(made: tuple[Review, list[Alert]]) -> None:
    """A report costs nothing of what is found."""
    assert made[1] == list(backtest(LIFE.meter, LIFE.phone, LIFE.households, SHORT))


def test_it_counts_what_there_is(made: tuple[Review, list[Alert]]) -> None:
    """Homes, days, rows, weeks of watching, and everybody's standing."""
    r = made[0]
    assert (r.households, r.readings, r.events) == (12, len(LIFE.meter), len(LIFE.phone))
    assert r.feeds == (12, 0, 0)
    assert (r.last - r.first).days == 9
    assert r.home_weeks.sum() == pytest.approx(12 * 9 / 7)
    assert r.rate(3) == pytest.approx(300 / (12 * 9 / 7))
    assert sorted(r.standing.ids) == sorted(h.household_id for h in LIFE.households)
    assert r.standing.row("nobody") is None
    assert r.lost.tolist() == pytest.approx([0.0] * 12, abs=0.01)


def test_the_troubled_are_those_with_most_cautions(made: tuple[Review, list[Alert]]) -> None:
    """Their alerts are kept whole, and shares are of all."""
    r = made[0]
    total = int(r.tally.total[1])
    for f in r.troubled:
        assert f.count == r.tally.homes[f.household_id][1]
        assert f.share == pytest.approx(f.count / total)


def test_hours_seen_are_of_measured_readings() -> None:
    """Estimated ones, and those of others, do not count; plain and dictionary ids give the same."""
    life = with_quality(LIFE, of(LIFE.meter, "home-1"), ESTIMATED)
    seen = hours_seen(life.meter, ["home-0", "home-1", "nobody"])
    assert seen.tolist() == [9 * 24, 0, 0]
    coded = frames.take(life.meter, slice(0, len(life.meter)))
    object.__setattr__(coded, "household_id", pa.array(coded.household_id.to_pylist()).dictionary_encode())
    assert hours_seen(coded, ["home-0", "home-1", "nobody"]).tolist() == seen.tolist()


def test_nothing_at_all_is_a_review_too() -> None:
    """No rows, no homes: no error, no alerts."""
    r = review(frames.take(LIFE.meter, slice(0, 0)), frames.take(LIFE.phone, slice(0, 0)), [], SHORT, lambda a: None)
    assert r.tally.total.tolist() == [0, 0, 0]
    assert r.rate(0) == 0
    assert not np.isfinite(r.home_weeks).size or r.home_weeks.sum() == 0
