"""History judged offline."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from simulators.backtest import backtest, enrol_unknown, in_time, span
from stream import frames
from stream.records import Alert
from stream.settings import Settings
from tests.lives import SHORT, SINCE, SLOT, Lives, T, household, lives, play

LIFE = lives(homes=12, stop=1.5)


def judged(life: Lives, settings: Settings = SHORT) -> list[Alert]:
    """All alerts of a history."""
    return list(backtest(life.meter, life.phone, life.households, settings))


def shuffled(life: Lives, seed: int) -> Lives:
    """The same rows in another order."""
    rng = np.random.default_rng(seed)
    return replace(
        life,
        meter=frames.take(life.meter, rng.permutation(len(life.meter))),
        phone=frames.take(life.phone, rng.permutation(len(life.phone))),
    )


@pytest.mark.slow
def test_alerts_come_in_order_of_time_whatever_the_order_of_rows() -> None:
    """Ordered by `at`, and the same from a shuffled file."""
    alerts = judged(LIFE)
    assert len(alerts) > 5
    assert alerts == sorted(alerts, key=in_time)
    assert judged(shuffled(LIFE, 3)) == alerts


@pytest.mark.slow
def test_it_is_the_stream_on_time() -> None:
    """The same alerts as a partition that is given the rows hour by hour."""
    assert judged(LIFE) == sorted(play(LIFE)[0], key=in_time)


@pytest.mark.slow
def test_looking_on_changes_nothing() -> None:
    """The same alerts, and somebody looks at the end of each hour."""
    clocks: list[int | None] = []
    alerts = list(
        backtest(LIFE.meter, LIFE.phone, LIFE.households, SHORT, look=lambda p: clocks.append(p.marks.clock))
    )
    assert alerts == judged(LIFE)
    hours = [c for c in clocks if c is not None]
    assert np.diff(hours).tolist() == [4] * (len(hours) - 1)
    assert hours[0] % 4 == 0


def test_no_alert_is_raised_before_what_gave_it_away_was_over() -> None:
    """Hourly meters: alerts by them come at the end of an hour."""
    life = lives(minutes=60, stop=1.5)
    quiet = replace(life, phone=frames.take(life.phone, slice(0, 0)))
    alerts = judged(quiet)
    assert alerts
    assert {int(a.at.timestamp()) % 3600 for a in alerts} == {0}


def test_unknown_households_are_enrolled_with_defaults_from_their_first_record() -> None:
    """Feeds are those in which the household occurs, watched from its first record; known ones are left as they are."""
    only_phone = replace(LIFE.phone, household_id=pa.array(["caller"] * len(LIFE.phone)))
    found = {h.household_id: h for h in enrol_unknown(LIFE.meter, only_phone, [household("home-3")])}
    assert set(found) == {"caller", *(f"home-{i}" for i in range(12) if i != 3)}
    assert (found["caller"].feeds.meter, found["caller"].feeds.phone) == (None, "phone")
    assert (found["home-0"].feeds.meter, found["home-0"].feeds.phone) == ("meter", None)
    assert found["home-0"].since == SINCE
    assert found["caller"].since.timestamp() == LIFE.phone.at[0] // SLOT * SLOT
    assert found["home-0"].risk == "normal"


def test_the_first_record_of_either_signal_counts() -> None:
    """A call an hour before the first reading is when the household is watched from."""
    early = replace(LIFE.phone, at=LIFE.phone.at - (int(LIFE.phone.at[0]) - T) - 3600)
    since = {h.household_id: h.since.timestamp() for h in enrol_unknown(LIFE.meter, early, [])}
    assert min(since.values()) == T - 3600
    assert max(since.values()) <= T


@pytest.mark.parametrize("without", ["meter", "phone", "both"])
def test_a_signal_may_be_missing_altogether(without: str) -> None:
    """Only calls, only readings, or nothing at all: no error."""
    meter = frames.take(LIFE.meter, slice(0, 0)) if without in ("meter", "both") else LIFE.meter
    phone = frames.take(LIFE.phone, slice(0, 0)) if without in ("phone", "both") else LIFE.phone
    homes = enrol_unknown(meter, phone, [])
    alerts = list(backtest(meter, phone, homes, SHORT))
    assert (without == "both") == (homes == [] and alerts == [])


def test_progress_goes_from_nothing_to_all() -> None:
    """Slots done never fall and end at the number of slots."""
    told: list[tuple[int, int]] = []
    list(backtest(LIFE.meter, LIFE.phone, LIFE.households, SHORT, lambda done, total: told.append((done, total))))
    first, last = span(LIFE.meter, LIFE.phone)
    assert told == sorted(told)
    assert told[-1] == (last - first, last - first)
    assert (first, last) == (T // SLOT, LIFE.end // SLOT)
