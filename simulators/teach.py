"""The learned model fitted: what it is shown, how its trees are grown, and what its scores come to mean.

It is shown hours of life and hours after a collapse. Hours that could not be told yet, and those long after, count
little: what matters is to be found within a day. Trees are grown by CatBoost, whose trees ask the same question at
each depth; they leave it as plain arrays (`models.forest`).
"""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features import NAMES
from models.forest import Scale, Trees
from models.judge import PACES
from models.state import FLOOR, UNIT
from simulators.people import Rng
from simulators.splice import AWAY, EMERGENCIES, GAP, LEFT_ON, PHONE_LOST
from simulators.study import HOURS, Column, Lived, hours_to_onset

F32 = np.float32
DEPTH, TREES, RATE = 6, 300, 0.1
_YEAR_HOURS = 0.12  # share of a year's hours that is shown; of those with some evidence four times as much
_SOME = 3.0  # nats
_WARM = 10 * HOURS  # hours of a record before it is shown
_JOINT, _UNUSED, _DAYS = NAMES.index("joint"), NAMES.index("unused h"), NAMES.index("days")
PERIODS = (7, 14, 35, 70, 140, 350, 700, 1400)
"""Return periods in days that are asked for and counted: 700 is one in 100 households a week."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts how much in fitting a level: emergencies by the hours since their onset (before ``early``, up to
    ``late``, after), ones in which something stays on, and what is none."""

    early: float
    late: float
    by_hours: tuple[float, float, float]
    left_on: float
    other: Mapping[str, float]


WEIGHTS = {
    "caution": Weights(5, 26, (0.2, 1.8, 0.4), 0.5, {AWAY: 0.5, PHONE_LOST: 0.5, GAP: 0.5}),
    "serious": Weights(8, 40, (0.1, 1.2, 0.6), 0.6, {AWAY: 0.4, PHONE_LOST: 2.0, GAP: 1.0}),
}


@dataclass(frozen=True, slots=True)
class Lesson:
    """Hours shown: features ``x`` (n, features), ``empty`` (n,) whether nobody lives there, ``weight`` (n,), and the
    column each is of."""

    x: NDArray[np.float32]
    empty: NDArray[np.bool_]
    weight: NDArray[np.float32]
    of: NDArray[np.intp]


def lesson(lived: Lived, columns: list[Column], level: str, rng: Rng) -> Lesson:
    """What is shown for a level, from all columns."""
    w = WEIGHTS[level]
    parts: list[tuple[NDArray[np.float32], bool, NDArray[np.float64], int]] = []
    for i in range(len(columns)):
        year = lived.years[_WARM:, i]
        share = np.where(year[:, _JOINT] > _SOME, min(4 * _YEAR_HOURS, 1), _YEAR_HOURS)
        pick = np.flatnonzero(~np.isnan(year[:, _JOINT]) & (rng.random(len(year)) < share))
        parts.append((year[pick], False, _YEAR_HOURS / share[pick], i))
    for k, (case, column) in enumerate(zip(lived.each, lived.of.tolist(), strict=True)):
        first = columns[column].empty.home.first
        onset = hours_to_onset(case, first)
        end = onset + (case.until - case.onset) / 4
        since = np.arange(1, len(lived.cases) + 1) - onset
        there = (since >= 0.5) & (since <= end - onset) & ~np.isnan(lived.cases[:, k, _JOINT])
        emergency = case.scenario in EMERGENCIES
        rows = np.flatnonzero(there & (since < 60))
        if emergency:
            early, due, long = w.by_hours
            weight = np.where(since[rows] < w.early, early, np.where(since[rows] < w.late, due, long))
            weight = weight * (w.left_on if case.scenario == LEFT_ON else 1.0)
        else:
            weight = np.full(len(rows), w.other.get(case.scenario, 0.0))
        parts.append((lived.cases[rows, k], emergency, weight * _CASE, column))
    return Lesson(
        np.concatenate([x for x, *_ in parts]),
        np.concatenate([np.full(len(x), e) for x, e, *_ in parts]),
        np.concatenate([weight for _, _, weight, _ in parts]).astype(F32),
        np.concatenate([np.full(len(x), i, np.intp) for x, _, _, i in parts]),
    )


_CASE = 1.0


def grow(shown: Lesson, rows: NDArray[np.bool_], seed: int = 1) -> Trees:
    """Trees fitted on these rows of a lesson."""
    from catboost import CatBoostClassifier, Pool  # only `anbu train` needs it

    model = CatBoostClassifier(
        depth=DEPTH, iterations=TREES, learning_rate=RATE, l2_leaf_reg=5, border_count=64, boosting_type="Plain",
        bootstrap_type="Bernoulli", subsample=0.6, rsm=0.5, random_seed=seed, verbose=False, allow_writing_files=False,
        thread_count=os.cpu_count() or 1,
    )  # fmt: skip
    model.fit(Pool(shown.x[rows], shown.empty[rows].astype(np.int8), weight=shown.weight[rows]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        return trees_of(json.loads(path.read_text()))


def trees_of(model: Mapping[str, Any]) -> Trees:
    """CatBoost's own description of its trees as arrays; a tree of fewer questions asks its first again."""
    feature, above, leaf = [], [], []
    for tree in model["oblivious_trees"]:
        splits = tree["splits"] or []
        values = np.array(tree["leaf_values"], F32)
        missing = DEPTH - len(splits)
        feature.append([s["float_feature_index"] for s in splits] + [0] * missing)
        above.append([s["border"] for s in splits] + [np.inf] * missing)
        leaf.append(np.concatenate([values, np.zeros((1 << DEPTH) - len(values), F32)]))
    times, shift = model["scale_and_bias"]
    leaves = np.array(leaf, F32) * F32(times)
    return Trees(np.array(feature, np.intp), np.array(above, F32), leaves, float(np.sum(shift)))


def odds(trees: Trees, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-odds (hours, n) of features (hours, n, features); NaN where not asked."""
    out = np.full(x.shape[:2], np.nan, F32)
    for i in range(x.shape[1]):
        asked = np.flatnonzero(~np.isnan(x[:, i, _JOINT]))
        if len(asked):
            out[asked, i] = trees.value(np.ascontiguousarray(x[asked, i].T))
    return out


def means(z: NDArray[np.float32], x: NDArray[np.float32], level: str) -> NDArray[np.float32]:
    """Mean log-odds (hours, n) as `models.judge` forms them: own phone use ends them."""
    own = x[:, :, _UNUSED] < 1
    steps = np.rint(np.clip(np.nan_to_num(z) * UNIT, FLOOR, 8 * UNIT)).astype(np.int32)
    asked = ~np.isnan(z)
    mean = np.full(z.shape[1], FLOOR, np.int32)
    out = np.empty(z.shape, F32)
    for hour in range(len(z)):
        mean[own[hour]] = FLOOR
        mean += np.where(asked[hour], (steps[hour] - mean) * PACES[level] >> 8, 0)
        out[hour] = mean
    return out / F32(UNIT)


_CALM = 1.0  # below the level by so much, an alert is over


def raised(mean: NDArray[np.float32], level: float) -> NDArray[np.bool_]:
    """Hours (hours, n) in which an alert is raised."""
    out = np.zeros(mean.shape, np.bool_)
    on = np.zeros(mean.shape[1], np.bool_)
    for hour in range(len(mean)):
        up = ~on & (mean[hour] >= level)
        out[hour] = up
        on = (on | up) & (mean[hour] >= level - _CALM)
    return out


def scale_of(mean: NDArray[np.float32], periods: tuple[float, ...] = PERIODS) -> Scale:
    """Which mean log-odds is reached once in so many days of a life, counted on lives (hours, n) without an emergency,
    by halving."""
    days = mean.size / HOURS
    scores = []
    for period in periods:
        low, high = float(np.quantile(mean, 0.5)), float(mean.max()) + 1
        for _ in range(12):
            middle = (low + high) / 2
            if days / max(raised(mean, middle).sum(), 0.5) < period:
                low = middle
            else:
                high = middle
        scores.append(high)
    rising = np.maximum.accumulate(np.array(scores) + 1e-3 * np.arange(len(scores)))
    return Scale(rising.astype(F32), np.array(periods, F32))
