"""Scores that mean return periods."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.features import NAMES
from models.judge import PACES
from models.state import FLOOR, UNIT
from simulators.calibration import calibration, counts, days_of, heard, means, raised, scale_of, scales_of

UNUSED, PHONE = NAMES.index("unused h"), NAMES.index("phone")


def lives(homes: int, days: int, seed: int) -> NDArray[np.float32]:
    """Mean log-odds of homes alike that wander about -3, each hour a tenth of the way back."""
    rng = np.random.default_rng(seed)
    out = np.empty((24 * days, homes), np.float32)
    at = rng.normal(0, 2, homes)
    for hour in range(len(out)):
        at = 0.9 * at + rng.normal(0, 0.9, homes)
        out[hour] = at - 3
    return out


def told(hours: int, homes: int) -> NDArray[np.float32]:
    """Features of hours in which the phone has been silent for long."""
    x = np.zeros((hours, homes, len(NAMES)), np.float32)
    x[:, :, UNUSED], x[:, :, PHONE] = 5, 4
    return x


@given(st.integers(0, 1000), st.floats(-4, 2))
def test_counts_are_the_alerts_raised(seed: int, level: float) -> None:
    """Counted for several levels at once or looked at one by one: the same, records that end early included."""
    mean = lives(3, 4, seed)
    mean[50:, 1], mean[:9, 2] = np.nan, np.nan
    levels = np.array([level, level + 1.5], np.float32)
    assert counts(mean, levels).tolist() == [int(raised(mean, float(v)).sum()) for v in levels]


def test_an_alert_is_raised_once_until_calm() -> None:
    """Above the level, below it by less than two, above again: one alert; after calm another."""
    mean = np.array([[0, 2, 0.2, 2, -0.1, 2.5]], np.float32).T
    assert np.flatnonzero(raised(mean, 2.0)).tolist() == [1, 5]


@pytest.mark.slow
@given(st.integers(0, 1000))
def test_longer_periods_have_higher_scores(seed: int) -> None:
    """The scale rises, whatever the lives."""
    scale = scale_of(lives(4, 12, seed))
    assert (np.diff(scale.score) > 0).all()
    assert (np.diff(scale.days) > 0).all()


@pytest.mark.slow
def test_the_scale_is_what_was_counted() -> None:
    """At the score of a period there is one alert in so many days, on the lives it was counted on."""
    mean = lives(60, 200, 1)
    scale = scale_of(mean)
    for period, score in zip(scale.days[:6].tolist(), scale.score[:6], strict=True):
        seen = days_of(mean) / counts(mean, np.array([score], np.float32))[0]
        assert seen == pytest.approx(period, rel=0.1)


@pytest.mark.slow
def test_what_is_asked_is_observed_on_lives_left_out() -> None:
    """Homes alike: each fold has the rate that was asked for, by the scale of the others."""
    mean, fold = lives(100, 200, 2), np.arange(100) % 5
    for point in calibration(mean, fold, scales_of(mean, fold)):
        assert point.observed == pytest.approx(point.asked, rel=4 / np.sqrt(point.alerts) + 0.05)
        assert point.alerts > 0


@pytest.mark.slow
def test_a_fold_is_judged_by_the_others() -> None:
    """A fold unlike the others does not get its own scale: what it does wrong is seen."""
    mean, fold = lives(50, 100, 3), np.arange(50) % 5
    mean[:, fold == 4] += 3
    scales = scales_of(mean, fold)
    alike = scale_of(mean[:, fold != 4])
    assert scales[4].score.tobytes() == alike.score.tobytes()
    (point,) = calibration(mean[:, fold == 4], fold[fold == 4], {4: scales[4]}, (10.0,))
    assert point.observed > 30


def test_what_is_outside_of_a_record_does_not_count() -> None:
    """Homes that end early have fewer days, and the scale is that of the days there are."""
    mean = lives(40, 100, 4)
    longer = np.concatenate([mean, np.full_like(mean, np.nan)])
    assert days_of(longer) == days_of(mean) == 4000
    assert scale_of(longer).score.tobytes() == scale_of(mean).score.tobytes()


@given(st.integers(0, 1000), st.sampled_from(["caution", "serious"]))
def test_means_are_those_of_the_judgement(seed: int, level: str) -> None:
    """The same whole numbers as `models.judge` keeps: clipped, a step towards the newest, ended by own phone use."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 6, (30, 2)).astype(np.float32)
    z[rng.random(z.shape) < 0.2] = np.nan
    x = told(30, 2)
    x[:, :, UNUSED] = rng.integers(0, 6, (30, 2))
    expected = np.full((30, 2), FLOOR)
    for home in range(2):
        mean = FLOOR
        for hour in range(30):
            mean = FLOOR if x[hour, home, UNUSED] < 1 else mean
            if not np.isnan(z[hour, home]):
                odds = round(float(np.clip(z[hour, home] * np.float32(UNIT), FLOOR, -FLOOR)))
                mean += (odds - mean) * PACES[level] >> 8
            expected[hour, home] = mean
    assert (means(z, x, level) * UNIT).tolist() == expected.tolist()


def test_serious_needs_the_phone_to_be_silent() -> None:
    """Hours in which the phone tells next to nothing raise no `serious`, as in the judgement; `caution` they do."""
    x = told(2, 1)
    x[0, 0, PHONE] = 1.9
    mean = np.full((2, 1), 3, np.float32)
    assert heard(mean, x, "serious").ravel().tolist() == [FLOOR / UNIT, 3]
    assert heard(mean, x, "caution").ravel().tolist() == [3, 3]
