"""One budget of false alerts for every detector: its threshold, what it then finds, and how soon.

A detector gives scores by the hour, rising with silence. An alert is raised when the score reaches the threshold and
is over when it has fallen ``calm`` below it; only then can there be another.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.detectors.trial import WARM_DAYS, Trial
from simulators.splice import FULL_STOP, LEFT_ON
from simulators.study import HOURS

Scores = NDArray[np.float32]
_BEFORE = 2 * HOURS  # hours of the year before a case by which it is known whether an alert stands


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores (hours, n) of years and (hours, k) of cases, -inf where nothing can be said. ``calm``: how far an alert's
    score must fall for it to be over; None: to 0."""

    years: Scores
    cases: Scores
    calm: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """The threshold; false alerts per 100 households a week; shares of emergencies found in time; hours to the alert
    of a full stop (infinite where there is none) at the median; cases scored, and those left out because an alert
    stood at the onset or was raised in the day before."""

    level: float
    false: float
    stopped: float
    median: float
    left_on: float
    cases: int
    left_out: int


def raised(score: Scores, level: float, calm: float | None) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Hours (hours, n) in which an alert is raised, and in which one stands."""
    up, on = np.zeros(score.shape, np.bool_), np.zeros(score.shape, np.bool_)
    over = score <= 0 if calm is None else score < level - calm
    high, stands = score >= level, np.zeros(score.shape[1], np.bool_)
    for hour in range(len(score)):
        up[hour] = ~stands & high[hour]
        stands = (stands | high[hour]) & ~over[hour]
        on[hour] = stands
    return up, on


def weekly(up: NDArray[np.bool_], weeks: float) -> float:
    """Alerts (hours, n) in so many weeks of a household, per 100 households a week."""
    return float(up.sum() / weeks * 100)


def level_of(score: Scores, calm: float | None, budget: float, weeks: float) -> float:
    """The lowest threshold that keeps the budget on lives (hours, n) without an emergency, and so does every higher
    one: found from above, then by halving. ``weeks``: of a household that these hours are."""
    told = score[np.isfinite(score)]
    if not len(told):
        return np.inf
    high = float(told.max()) + 1e-3
    for share in np.geomspace(1e-6, 0.5, 40):
        low = float(np.quantile(told, 1 - share))
        if weekly(raised(score, low, calm)[0], weeks) > budget:
            break
        high = min(high, low)
    for _ in range(14):
        middle = (low + high) / 2
        if weekly(raised(score, middle, calm)[0], weeks) > budget:
            low = middle
        else:
            high = middle
    return high


def result_of(trial: Trial, scored: Scored, budget: float) -> Result:
    """The threshold set on the years, then the cases judged with it."""
    lives, weeks = _lives(trial, scored.years), float((trial.lasts - WARM_DAYS).clip(0).sum() / 7)
    level = level_of(lives, scored.calm, budget, weeks)
    hour = trial.day[None] * HOURS + np.arange(-_BEFORE, 0)[:, None]
    whole = np.concatenate([scored.years[hour, trial.of[None]], scored.cases])
    up, on = raised(whole, level, scored.calm)
    end, onset = np.arange(1, len(whole) + 1)[:, None], trial.onset + _BEFORE
    stood = ((up & (end <= onset) & (end > onset - HOURS)) | (on & (end <= onset) & (end > onset - 1))).any(axis=0)
    delay = np.where(up & (end > onset), end - onset, np.inf).min(axis=0)
    full, left = (delay[(trial.kind == kind) & ~stood] for kind in (FULL_STOP, LEFT_ON))
    return Result(
        level, weekly(raised(lives, level, scored.calm)[0], weeks), float(np.mean(full <= 24)),
        float(np.quantile(full, 0.5, method="higher")), float(np.mean(left <= 36)), len(full) + len(left),
        int(stood.sum()),
    )  # fmt: skip


def _lives(trial: Trial, years: Scores) -> Scores:
    """Scores after the warm-up, up to the end of each home's record."""
    there = np.arange(len(years))[:, None] < trial.lasts * HOURS
    return np.where(there, years, -np.inf)[WARM_DAYS * HOURS :].astype(np.float32)
