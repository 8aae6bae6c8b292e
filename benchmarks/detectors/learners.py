"""Anomaly detectors off the shelf, one for each home: river's HalfSpaceTrees by the hour, scikit-learn's
IsolationForest fitted again every week. Both need the extra `bench`.

They call whatever is rare an anomaly, a party too. So each is also tried with its score as a mean that own phone use
ends (as anbu's does), and with hours counted only in which the load is below the home's usual day.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.detectors.budget import Scored, Scores
from benchmarks.detectors.simple import wh_of
from benchmarks.detectors.trial import Codes, Say, Trial
from models.features import NAMES
from models.slots import INCOMING, OWN, SLOTS_PER_HOUR
from simulators.study import HOURS

F32 = np.float32
Features = NDArray[np.float32]
CHOSEN = (
    "unused h", "silent h", "joint / usual", "phone / usual", "silent / usual", "callers", "mean 4 h", "top 4 h",
    "mean 12 h", "range 12 h", "stir 12 h", "off 6 h", "slope 12 h", "time of day",
)  # fmt: skip
"""A dozen of anbu's features; trees that draw their questions at random do not find them among seventy."""
_PAST_DAYS, _REFIT, _TREES = 56, 7, 50
_BACK = 3  # days before a case that its daily features look back on
_CALM, _PACE = 0.5, 0.22  # standard deviations; memory of four hours


@dataclass(frozen=True, slots=True)
class Shown:
    """Features (hours, n, f) of years and (hours, k, f) of cases, NaN where there are none."""

    years: Features
    cases: Features


def chosen(trial: Trial) -> Shown:
    """A dozen of anbu's hourly features."""
    at = [NAMES.index(name) for name in CHOSEN]
    return Shown(trial.x[:, :, at], trial.case_x[:, :, at])


def everything(trial: Trial) -> Shown:
    """All of anbu's hourly features."""
    return Shown(trial.x, trial.case_x)


def daily(trial: Trial) -> Shown:
    """Daily figures, of the 24 hours up to each hour."""
    before = trial.day[None] + np.arange(-_BACK, 0)[:, None]
    meter, phone = (
        np.concatenate([a[before, :, trial.of[None]].transpose(0, 2, 1), b])
        for a, b in ((trial.years.meter, trial.after.meter), (trial.years.phone, trial.after.phone))
    )
    years, cases = trial.years, _daily(meter, phone)
    return Shown(_daily(years.meter, years.phone), cases[_BACK * HOURS :])


def _daily(meter: Codes, phone: Codes) -> Features:
    """Of codes (days, 96, n): energy of 24, 12 and 6 hours, least, highest and spread of an hour, hours above the usual
    hour, own uses, hours since the last, calls in vain, (hours, n, 10)."""
    n = meter.shape[2]
    hourly = (-1, SLOTS_PER_HOUR, n)
    wh, known = (a.reshape(hourly) for a in wh_of(meter))
    load = np.where(known.any(axis=1), wh.sum(axis=1), np.nan)
    own, called = ((phone.reshape(hourly) == kind).sum(axis=1) for kind in (OWN, INCOMING))
    day = _windows(load, HOURS)
    hours = np.arange(len(load))[:, None]
    since = hours - np.maximum.accumulate(np.where(own > 0, hours, -HOURS), axis=0)
    calls = [_windows(own, HOURS).sum(axis=2), np.minimum(since, _BACK * HOURS), _windows(called, HOURS).sum(axis=2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a day without any reading has no figures: NaN
        means = [np.nanmean(day[:, :, -width:], axis=2) for width in (24, 12, 6)]
        usual = np.nanmedian(day, axis=2, keepdims=True)
        spread = [of(day, axis=2) for of in (np.nanmin, np.nanmax, np.nanstd)]
    out = np.stack([*means, *spread, (day > 1.5 * usual).sum(axis=2), *calls], axis=2).astype(F32)
    out[: HOURS - 1] = np.nan
    return out


def _windows(x: NDArray[Any], width: int) -> NDArray[np.generic]:
    """The last ``width`` hours up to each of (hours, n), oldest first: (hours, n, width)."""
    first = np.repeat(x[:1], width - 1, axis=0)
    return np.lib.stride_tricks.sliding_window_view(np.concatenate([first, x]), width, axis=0)


Learner = Callable[[Shown, Trial, Say], tuple[Scores, Scores, float]]
"""Raw scores of years and of cases, NaN where there are none, and CPU seconds that the years took."""


def half_spaces(shown: Shown, trial: Trial, say: Say) -> tuple[Scores, Scores, float]:
    """river's HalfSpaceTrees on features scaled to [0, 1]: asked, then told every hour; in a case only asked."""
    from river import anomaly, preprocessing

    hours, n, _ = shown.years.shape
    years, cases = np.full((hours, n), np.nan, F32), np.full(shown.cases.shape[:2], np.nan, F32)
    took = 0.0
    for home in range(n):
        trees = anomaly.HalfSpaceTrees(n_trees=10, height=8, window_size=250, seed=1)
        model = preprocessing.MinMaxScaler() | trees
        for day in range(hours // HOURS):
            for k in np.flatnonzero((trial.of == home) & (trial.day == day)):
                for hour, row in _rows(shown.cases[:, k]):
                    cases[hour, k] = model.score_one(row)
            began = time.process_time()
            for hour, row in _rows(shown.years[day * HOURS : (day + 1) * HOURS, home]):
                years[day * HOURS + hour, home] = model.score_one(row)
                model.learn_one(row)
            took += time.process_time() - began
        say(f"HalfSpaceTrees: home {home + 1} of {n}")
    return years, cases, took


def _rows(x: Features) -> Iterator[tuple[int, dict[int, float]]]:
    for hour in np.flatnonzero(~np.isnan(x).any(axis=1)).tolist():
        yield hour, dict(enumerate(x[hour].tolist()))


def isolation(shown: Shown, trial: Trial, say: Say) -> tuple[Scores, Scores, float]:
    """scikit-learn's IsolationForest, of each home fitted on every hour of its last eight weeks, again every week."""
    from sklearn.ensemble import IsolationForest

    hours, n, _ = shown.years.shape
    years, cases = np.full((hours, n), np.nan, F32), np.full(shown.cases.shape[:2], np.nan, F32)
    took, week = 0.0, _REFIT * HOURS
    for home in range(n):
        for begin in range(2 * week, hours, week):
            past = shown.years[max(0, begin - _PAST_DAYS * HOURS) : begin, home]
            past = past[~np.isnan(past).any(axis=1)]
            if len(past) < week:
                continue
            began = time.process_time()
            model = IsolationForest(n_estimators=_TREES, random_state=1).fit(past)
            _ask(model, shown.years[begin : begin + week, home], years[begin : begin + week, home])
            took += time.process_time() - began
            mine = np.flatnonzero((trial.of == home) & (trial.day >= begin // HOURS) & (trial.day < begin // HOURS + 7))
            if len(mine):
                some = np.full((len(shown.cases), len(mine)), np.nan, F32)
                flat = some.reshape(-1)
                _ask(model, shown.cases[:, mine].reshape(len(flat), -1), flat)
                cases[:, mine] = flat.reshape(some.shape)
        say(f"IsolationForest: home {home + 1} of {n}")
    return years, cases, took


def _ask(model: object, x: Features, out: Scores) -> None:
    """Scores of rows (m, f) into ``out`` (m,), which are left as they are where something is NaN."""
    there = np.flatnonzero(~np.isnan(x).any(axis=1))
    if len(there):
        out[there] = -model.score_samples(x[there])  # type: ignore[attr-defined]


def ways(raw: Scores, raw_cases: Scores, trial: Trial) -> dict[str, Scored]:
    """The raw scores in three ways: as they are, as a mean that own phone use ends, and that of hours below usual."""
    floor = float(np.nanmedian(raw))
    found = {}
    for name, smooth, below in (("raw", False, False), ("ended", True, False), ("below", True, True)):
        out = []
        for score, x in ((raw, trial.x), (raw_cases, trial.case_x)):
            part = np.where(x[:, :, _OFF] < 0, score, np.fmin(score, F32(floor))) if below else score
            out.append(_mean(part, x, floor) if smooth else np.where(np.isnan(part), -np.inf, part).astype(F32))
        kept = out[0][np.isfinite(out[0])]
        found[name] = Scored(out[0], out[1], _CALM * float(kept.std()) if len(kept) else 0.0)
    return found


_OFF, _UNUSED = NAMES.index("off 6 h"), NAMES.index("unused h")


def _mean(score: Scores, x: Features, floor: float) -> Scores:
    """A mean that forgets in four hours and begins anew with own phone use; ``floor``: the usual score."""
    own, asked = x[:, :, _UNUSED] < 1, ~np.isnan(score)
    mean, out = np.full(score.shape[1], floor, F32), np.empty_like(score)
    for hour in range(len(score)):
        mean[own[hour]] = floor
        mean = np.where(asked[hour], mean + F32(_PACE) * (score[hour] - mean), mean)
        out[hour] = mean
    return out


def size_of(name: str, features: int) -> int:
    """Bytes that a pickled model of one home takes, after two weeks of random figures."""
    import pickle

    x = np.random.default_rng(1).random((2 * 7 * HOURS, features))
    if name == "river":
        from river import anomaly, preprocessing

        model = preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(n_trees=10, height=8, window_size=250, seed=1)
        for row in x:
            model.learn_one(dict(enumerate(row.tolist())))
        return len(pickle.dumps(model))
    from sklearn.ensemble import IsolationForest

    return len(pickle.dumps(IsolationForest(n_estimators=_TREES, random_state=1).fit(x))) + _PAST_DAYS * HOURS * (
        features * 4
    )
