"""What scores come to mean: how often a mean log-odds is reached in lives in which nothing happens.

The scale is counted on lives left out, scored by trees that never saw them. How well it holds is seen on others again:
of each fold, by the scale of the other folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features import NAMES
from models.forest import Scale
from models.judge import PACES
from models.levels import BOTH, CALM
from models.state import FLOOR, UNIT
from simulators.study import HOURS

F32 = np.float32
Hours = NDArray[np.float32]
PERIODS = (7, 14, 35, 70, 140, 350, 700, 1400)
"""Return periods in days that are asked for and counted: 700 is one in 100 households a week."""
ASKED = (20.0, 10.0, 5.0, 2.0, 1.0, 0.5)
"""False alerts per 100 households a week that the calibration is shown at."""
PER_100_A_WEEK = 700.0

_UNUSED, _PHONE = NAMES.index("unused h"), NAMES.index("phone")
_CALM, _BOTH = CALM / UNIT, BOTH / UNIT  # nats
_HALVINGS = 14


def means(z: Hours, x: Hours, level: str) -> Hours:
    """Mean log-odds (hours, n) of log-odds ``z`` and features ``x`` (hours, n, features), as `models.judge` forms
    them: own phone use ends them. An hour not asked in keeps the last."""
    own = x[:, :, _UNUSED] < 1
    steps = np.rint(np.clip(np.nan_to_num(z) * UNIT, FLOOR, -FLOOR)).astype(np.int32)
    asked = ~np.isnan(z)
    mean = np.full(z.shape[1], FLOOR, np.int32)
    out = np.empty(z.shape, F32)
    for hour in range(len(z)):
        mean[own[hour]] = FLOOR
        mean += np.where(asked[hour], (steps[hour] - mean) * PACES[level] >> 8, 0)
        out[hour] = mean
    return out / F32(UNIT)


def heard(mean: Hours, x: Hours, level: str) -> Hours:
    """The means (hours, n) as they can raise a level: ``serious`` only where the phone is silent too."""
    if level != "serious":
        return mean
    return np.where(x[:, :, _PHONE] < _BOTH, F32(FLOOR / UNIT), mean)


def raised(mean: Hours, level: float | Hours) -> NDArray[np.bool_]:
    """Hours (hours, n) in which an alert is raised at a level, or at each one's own (n,); NaN, outside of a record,
    raises none."""
    out = np.zeros(mean.shape, np.bool_)
    on = np.zeros(mean.shape[1], np.bool_)
    for hour in range(len(mean)):
        up = ~on & (mean[hour] >= level)
        out[hour] = up
        on = (on | up) & (mean[hour] >= level - _CALM)
    return out


def counts(mean: Hours, levels: NDArray[np.float32]) -> NDArray[np.int64]:
    """Alerts in lives (hours, n) at each of some ``levels`` (k,): (k,)."""
    on = np.zeros((len(levels), mean.shape[1]), np.bool_)
    out = np.zeros(len(levels), np.int64)
    at, calm = levels[:, None], levels[:, None] - F32(_CALM)
    before = -1
    for hour in np.flatnonzero(np.fmax.reduce(mean, axis=1) >= calm.min()).tolist():
        on &= hour == before + 1  # in the hours left out everybody was calm
        up = (mean[hour] >= at) & ~on
        out += up.sum(axis=1)
        on = (on | up) & (mean[hour] >= calm)
        before = hour
    return out


def days_of(mean: Hours) -> float:
    """Days of life in (hours, n), NaN outside of records."""
    return float((~np.isnan(mean)).sum()) / HOURS


def scale_of(mean: Hours, periods: Sequence[float] = PERIODS) -> Scale:
    """Which mean log-odds is reached once in so many days of a life, counted on lives (hours, n) without an emergency,
    by halving; NaN outside of records. Of a period longer than all of them: more than the highest there is."""
    days, of = days_of(mean), np.array(periods, F32)
    low, high = (np.full(len(of), v, F32) for v in (np.nanmedian(mean), np.nanmax(mean) + 1))
    for _ in range(_HALVINGS):
        middle = ((low + high) / 2).astype(F32)
        often = days / np.maximum(counts(mean, middle), 0.5) < of
        low, high = np.where(often, middle, low), np.where(often, high, middle)
    rising = np.maximum.accumulate(high + F32(1e-3) * np.arange(len(of), dtype=F32))
    return Scale(rising.astype(F32), of)


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a calibration: false alerts per 100 households a week, and how many were counted."""

    asked: float
    observed: float
    alerts: int


def scales_of(mean: Hours, fold: NDArray[np.intp]) -> dict[int, Scale]:
    """For each fold the scale of the lives (hours, n) of the others; ``fold`` (n,)."""
    return {f: scale_of(mean[:, fold != f]) for f in sorted(set(fold.tolist()))}


def calibration(
    mean: Hours, fold: NDArray[np.intp], scales: dict[int, Scale], asked: Sequence[float] = ASKED
) -> list[Point]:
    """Asked against observed, each fold by the scale of the others."""
    days, total = days_of(mean), np.zeros(len(asked), np.int64)
    for f, scale in scales.items():
        levels = np.array([scale.score_at(PER_100_A_WEEK / a) for a in asked], F32)
        total += counts(mean[:, fold == f], levels)
    return [Point(a, many / days * PER_100_A_WEEK, many) for a, many in zip(asked, total.tolist(), strict=True)]
