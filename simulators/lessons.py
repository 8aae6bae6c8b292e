"""What the learned model is shown, and how much each hour of it counts.

It is shown hours of life and hours after a collapse. Hours that could not be told yet, and those long after, count
little: what matters is to be found within a day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features import NAMES
from simulators.people import Rng
from simulators.splice import AWAY, EMERGENCIES, GAP, LEFT_ON, PHONE_LOST, Case, rng_of
from simulators.study import HOURS, Column, Lived, hours_to_onset

F32 = np.float32
JOINT = NAMES.index("joint")
"""A feature that every hour has in which the model was asked: NaN where it was not."""
_YEAR_HOURS = 0.25  # share of a year's hours that is shown; of those with some evidence four times as much
_SOME = 3.0  # nats
_WARM = 10 * HOURS  # hours of a record before it is shown
_LONGEST = 60  # hours after an onset that are shown


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts how much in fitting: emergencies by the hours since their onset (before ``early``, up to
    ``late``, after), ones in which something stays on, and what is none."""

    early: float
    late: float
    by_hours: tuple[float, float, float]
    left_on: float
    other: Mapping[str, float]


WEIGHTS = Weights(5, 26, (0.2, 1.8, 0.4), 0.5, {AWAY: 0.5, PHONE_LOST: 0.5, GAP: 0.5})


@dataclass(frozen=True, slots=True)
class Lesson:
    """Hours shown: features ``x`` (n, features), ``empty`` (n,) whether nobody lives there, ``weight`` (n,), and
    the column each is of."""

    x: NDArray[np.float32]
    empty: NDArray[np.bool_]
    weight: NDArray[np.float32]
    of: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Part:
    """Some hours of one column: of its life (``case`` None), or of a case in it."""

    x: NDArray[np.float32]
    of: int
    case: Case | None
    since: NDArray[np.float32]  # hours since the onset; of a life, how many hours an hour shown stands for


def lesson(lived: Lived, columns: Sequence[Column], seed: int) -> Lesson:
    """What is shown of all columns; which hours of a life is drawn by the home's name and the seed."""
    parts = [
        _of_life(lived.years[:, i], i, rng_of(seed, column.empty.home.household_id, f"lesson {i}"))
        for i, column in enumerate(columns)
    ]
    for k, (case, column) in enumerate(zip(lived.each, lived.of.tolist(), strict=True)):
        parts.append(_of_case(lived.cases[:, k], column, case, columns[column].empty.home.first))
    return Lesson(
        np.concatenate([p.x for p in parts]),
        np.concatenate([np.full(len(p.x), _emergency(p.case)) for p in parts]),
        np.concatenate([_weight(p, WEIGHTS) for p in parts]),
        np.concatenate([np.full(len(p.x), p.of, np.intp) for p in parts]),
    )


def _of_life(year: NDArray[np.float32], of: int, rng: Rng) -> _Part:
    year = year[_WARM:]
    share = np.where(year[:, JOINT] > _SOME, min(4 * _YEAR_HOURS, 1), _YEAR_HOURS)
    pick = np.flatnonzero(~np.isnan(year[:, JOINT]) & (rng.random(len(year)) < share))
    return _Part(year[pick], of, None, (_YEAR_HOURS / share[pick]).astype(F32))


def _of_case(hours: NDArray[np.float32], of: int, case: Case, first: int) -> _Part:
    since = np.arange(1, len(hours) + 1) - hours_to_onset(case, first)
    shown = (since >= 0.5) & (since <= (case.until - case.onset) / 4) & (since < _LONGEST)
    rows = np.flatnonzero(shown & ~np.isnan(hours[:, JOINT]))
    return _Part(hours[rows], of, case, since[rows].astype(F32))


def _emergency(case: Case | None) -> bool:
    return case is not None and case.scenario in EMERGENCIES


def _weight(part: _Part, w: Weights) -> NDArray[np.float32]:
    """Weight (n,) of a part's hours."""
    case = part.case
    if case is None:
        return part.since
    if not _emergency(case):
        return np.full(len(part.x), w.other.get(case.scenario, 0.0), F32)
    early, due, long = w.by_hours
    weight = np.where(part.since < w.early, early, np.where(part.since < w.late, due, long))
    return (weight * (w.left_on if case.scenario == LEFT_ON else 1.0)).astype(F32)
