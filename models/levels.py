"""Levels as return periods: how many days of this person's life one would wait to see such evidence by chance.

Evidence is measured against the home's own usual worst of a day: x = score / (3 + worst). Over homes, a highest x
of a silence comes about once in 8.5 x^2.2 days (measured on real homes), which turns a level given in days into a
threshold on the score.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.state import UNIT

NONE, ATTENTION, CAUTION, SERIOUS = 0, 1, 2, 3
NAMES = ("none", "attention", "caution", "serious")

LEARNING_DAYS = 14
"""Until then only the fixed limits speak."""

_SCALE, _POWER, _OFFSET = 8.5, 2.2, 3.0
_BOTH = 2 * UNIT  # each signal's own part that `serious` needs: one silent source alone reaches at most caution


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Return periods in days of the three levels, and the hours of the fixed limits (normal, elevated, high)."""

    attention_days: float = 7
    caution_days: float = 70
    serious_days: float = 700
    limit_hours: tuple[float, float, float] = (48, 36, 24)


def return_period(score: float, worst: float) -> float:
    """Days until this score (1/64 nat) would be seen by chance, for a home whose usual worst of a day is ``worst``."""
    return float(_SCALE * (score / UNIT / (_OFFSET + worst)) ** _POWER)


def score_at(days: float, worst: NDArray[np.float32]) -> NDArray[np.float32]:
    """The score (1/64 nat) with a return period of ``days``; the inverse of :func:`return_period`. Shape (n,)."""
    return np.float32(UNIT * (days / _SCALE) ** (1 / _POWER)) * (np.float32(_OFFSET) + worst)


def evidence_level(
    score: NDArray[np.int16],
    meter: NDArray[np.int16],
    phone: NDArray[np.int16],
    steps: Sequence[NDArray[np.int16]],
) -> NDArray[np.uint8]:
    """Level by evidence: joint score, the meter's and the phone's own parts, scores of the levels; (n,) each."""
    level = (score >= steps[0]).astype(np.uint8) + (score >= steps[1])
    level += (score >= steps[2]) & (meter >= _BOTH) & (phone >= _BOTH)
    return level
