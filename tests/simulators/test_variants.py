"""A home as other meters and climates would tell it: laws of what each changes and what it keeps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators import variants
from simulators.histories import Home, runs, step_of
from simulators.lefton import KINDS, left_on
from simulators.meters import cycling

DAYS = 90
FIRST = 18_262 * 96  # 2020-01-01


def home(minutes: int = 30, days: int = DAYS, missing: bool = False) -> np.ndarray:
    """50 W at night, up to 700 W by day, in whole Wh."""
    rng, per_day = np.random.default_rng(minutes), 1440 // minutes
    hour = np.arange(days * per_day) % per_day * 24 / per_day
    watts = np.where(hour < 7, rng.uniform(45, 60, len(hour)), rng.gamma(2, 150, len(hour)) + 50)
    wh = np.rint(watts * minutes / 60).astype(np.float32)
    if missing:
        wh[rng.random(len(wh)) < 0.03] = np.nan
    return wh


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("step", [10.0, 100.0])
@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_a_register_shows_whole_steps_and_loses_nothing(step: float, minutes: int) -> None:
    """Readings are whole steps, and at every moment the register is within a step of what was used."""
    wh = home(minutes, missing=True)
    told, same = variants.in_steps(wh, minutes, rng(), step)
    assert same == minutes
    assert step_of(told) == step
    assert np.array_equal(np.isnan(told), np.isnan(wh))
    assert not np.array_equal(told, variants.in_steps(wh, minutes, rng(2), step)[0], equal_nan=True)
    apart = np.nancumsum(told.astype(float)) - np.nancumsum(wh.astype(float))
    assert np.abs(apart).max() <= step + 0.01


@given(
    st.lists(st.floats(0, 5000, width=32), min_size=1, max_size=300),
    st.sampled_from([1.0, 10.0, 100.0]),
    st.integers(0, 99),
)
def test_a_register_never_runs_backwards(wh: list[float], step: float, seed: int) -> None:
    """Whatever is used, no reading is below zero and the total is kept within a step."""
    told, _ = variants.in_steps(np.array(wh, np.float32), 30, rng(seed), step)
    assert told.min() >= 0
    assert abs(float(told.sum(dtype=float)) - float(np.sum(wh))) <= step + 0.01


@pytest.mark.parametrize(("minutes", "to"), [(15, 60), (30, 60), (15, 30)])
def test_longer_intervals_keep_the_total(minutes: int, to: int) -> None:
    """The sum of the parts, hour by hour; missing where a part is."""
    wh = home(minutes, missing=True)
    told, now = variants.merged(wh, minutes, rng(), to)
    assert (now, len(told)) == (to, len(wh) * minutes // to)
    parts = wh.reshape(len(told), -1)
    assert np.array_equal(told, parts.sum(axis=1), equal_nan=True)
    assert variants.merged(told, to, rng(), to)[0] is told


@pytest.mark.parametrize("minutes", [30, 60])
def test_shorter_intervals_keep_every_total(minutes: int) -> None:
    """Two halves make up each interval, none below zero, in whole Wh where the meter told whole Wh, and unequal."""
    wh = home(minutes, missing=True)
    told, now = variants.halved(wh, minutes, rng())
    assert now * 2 == minutes
    assert np.allclose(variants.merged(told, now, rng(), minutes)[0], wh, equal_nan=True)
    assert np.nanmin(told) >= 0
    assert step_of(told) == 1
    share = told[::2] / wh
    assert 0.05 < np.nanstd(share[wh < 100 * minutes / 60]) < np.nanstd(share[wh > 300 * minutes / 60]) < 0.4
    assert variants.halved(told[:96], 15, rng())[1] == 15


def test_gaps_are_missing_and_the_rest_is_as_it_was() -> None:
    """Some readings go missing, single ones and days; no other value changes."""
    wh = home(days=360)
    told, _ = variants.with_gaps(wh, 30, rng())
    gone = np.isnan(told)
    assert np.array_equal(told[~gone], wh[~gone])
    lengths = np.diff(runs(gone), axis=1)[:, 0]
    assert 15 < (lengths == 1).sum() < 60
    assert lengths.max() >= 40
    assert gone.mean() < 0.05


def test_estimates_spread_a_total_evenly() -> None:
    """Made-up stretches are flat and keep their total; what is missing stays missing."""
    wh = home(days=360, missing=True)
    told, _ = variants.estimated(wh, 30, rng(), a_month=3)
    assert np.array_equal(np.isnan(told), np.isnan(wh))
    assert np.nansum(told, dtype=float) == pytest.approx(np.nansum(wh, dtype=float), rel=1e-5)
    changed = told != np.where(np.isnan(wh), told, wh)
    assert 0 < changed.mean() < 0.2
    assert step_of(told) == step_of(wh) == 1
    flat = runs(np.abs(np.diff(told)) <= 1)
    assert np.diff(flat, axis=1).max() >= 20


def test_outages_are_exactly_nothing() -> None:
    """During a power cut of at most eight hours the meter tells 0, otherwise what it told."""
    wh = home(days=360)
    told, _ = variants.outages(wh, 30, rng(), a_month=1)
    cut = told == 0
    gone = home(days=360, missing=True)
    assert np.array_equal(np.isnan(variants.outages(gone, 30, rng(), a_month=9)[0]), np.isnan(gone))
    assert 4 < len(runs(cut)) < 30
    assert np.diff(runs(cut), axis=1).max() <= 17
    assert np.array_equal(told[~cut], wh[~cut])


@pytest.mark.parametrize("name", ["constant", "fridge", "heated"])
@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_more_load_is_more_everywhere(name: str, minutes: int) -> None:
    """Something more in the home never takes energy away, and a meter's gaps stay."""
    wh = home(minutes, missing=True)
    told, same = getattr(variants, name)(wh, minutes, rng())
    assert same == minutes
    assert np.array_equal(np.isnan(told), np.isnan(wh))
    assert np.nanmin(told - wh) > -1e-3
    assert np.nanmean(told - wh) * 60 / minutes > 3


def test_heating_follows_the_season_and_the_hour() -> None:
    """A heater runs in winter and not in summer, an air conditioner the other way round, more in the afternoon."""
    nothing = np.ones(360 * 48, np.float32)  # nobody shows: only what runs by a thermostat adds anything
    for summer, most, none in ((False, 15, 195), (True, 195, 15)):
        found = [variants.heated(nothing, 30, rng(s), FIRST, summer)[0] - 1 for s in range(12)]
        ran = [f.reshape(360, 48) for f in found if f.sum() > 0]
        assert 2 <= len(ran) <= 10
        months = np.mean([[f[d : d + 20].mean() for d in (most, none)] for f in ran], axis=0)
        assert months[0] > 20 * (months[1] + 0.1)
        afternoon, morning = (np.mean([f[:, s].mean() for f in ran]) for s in (slice(30, 34), slice(8, 12)))
        assert (afternoon > morning) == summer


def test_something_that_switches_has_its_duty() -> None:
    """On average it is on for its share of the time, in cycles of its period, at any interval."""
    for minutes in (15, 30, 60):
        share = cycling(20_000, minutes, 60, 0.4, rng())
        assert share.min() >= 0
        assert share.max() <= 1 + 1e-9
        assert share.mean() == pytest.approx(0.4, abs=0.02)
    fine = cycling(20_000, 15, 240, 0.4, rng()) > 0.5
    assert len(runs(fine)) == pytest.approx(20_000 * 15 / 240, rel=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_left_on_has_a_power_a_home_has(kind: str) -> None:
    """30 to 600 W while on, about a kilowatt for a cooker, never below zero; steady things vary less than others."""
    for seed in range(40):
        wh, told = left_on(240, 30, rng(seed), was_on=float(seed * 20), kind=kind)
        watts = wh * 2
        assert told == kind
        assert watts.min() >= 0
        assert watts.max() <= {"cooker": 1800, "steady": 900}.get(kind, 601)
        assert watts.mean() > 5
        if kind in ("cooker", "steady"):
            assert watts.std() < 0.25 * watts.mean()


def test_what_was_on_may_stay_on() -> None:
    """About half of the time it is what was on in the last interval that stays on."""
    means = np.array([left_on(240, 30, rng(s), was_on=450.0, kind="steady")[0].mean() * 2 for s in range(200)])
    assert 0.35 < np.mean(means > 400) < 0.65


@pytest.mark.parametrize("seed", range(30))
def test_a_varied_home_is_a_home(seed: int) -> None:
    """Any mixture has as many days as the home, no energy below zero, the id of the home, and is that of its seed."""
    real = Home("h", FIRST, 30, home())
    varied, again = variants.vary(real, rng(seed)), variants.vary(real, rng(seed))
    assert (varied.household_id, varied.first, varied.days) == ("h", FIRST, DAYS)
    assert varied.wh.dtype == np.float32
    assert np.nanmin(varied.wh) >= 0
    assert np.isnan(varied.wh).mean() < 0.3
    assert step_of(varied.wh) >= 1
    assert varied.minutes == again.minutes
    assert np.array_equal(varied.wh, again.wh, equal_nan=True)
    assert np.array_equal(real.wh, home())
