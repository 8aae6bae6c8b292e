"""Levels as return periods: how many days of this person's life one would wait to see such evidence by chance.

Evidence is measured against the home's own usual worst of a day: x = score / (3 + worst). Over homes, a highest x
of a silence comes about once in 8.5 x^2.2 days (measured on real homes), which turns a level given in days into a
threshold on the score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.forest import Scale
from models.slots import SLOTS_PER_HOUR
from models.state import CAP, UNIT

NONE, ATTENTION, CAUTION, SERIOUS = 0, 1, 2, 3
NAMES = ("none", "attention", "caution", "serious")

LEARNING_DAYS = 7
"""Until then only the fixed limits speak."""

_SCALE, _POWER, _OFFSET = 8.5, 2.2, 3.0
_OUT = 32_000
CALM = 2 * UNIT
"""An alert is over when the log-odds (1/64 nat) are this far below what raises one."""
BOTH = 2 * UNIT
"""Each signal's own part (1/64 nat) that `serious` needs: one silent source alone reaches at most caution."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Return periods in days of the three levels, and the hours of the fixed limits (normal, elevated, high).

    ``least_factor``: what a warning of the weather multiplies limits by at the least.
    """

    attention_days: float = 7
    caution_days: float = 70
    serious_days: float = 700
    limit_hours: tuple[float, float, float] = (48, 36, 24)
    least_factor: float = 1.0

    @property
    def shortest(self) -> float:
        """Slots of silence from which anybody can alarm."""
        return min(self.limit_hours) * self.least_factor * SLOTS_PER_HOUR


def return_period(score: float, worst: float) -> float:
    """Days until this score (1/64 nat) would be seen by chance, for a home whose usual worst of a day is ``worst``."""
    return float(_SCALE * (score / UNIT / (_OFFSET + worst)) ** _POWER)


def score_at(days: float, worst: NDArray[np.float32]) -> NDArray[np.float32]:
    """The score (1/64 nat) with a return period of ``days``; the inverse of :func:`return_period`. Shape (n,)."""
    return np.float32(UNIT * (days / _SCALE) ** (1 / _POWER)) * (np.float32(_OFFSET) + worst)


class Scaled(Protocol):
    """A learned model's scales, by level; none: it only watches."""

    @property
    def scale(self) -> Mapping[str, Scale]:
        """What a mean of log-odds means."""
        ...


@dataclass(frozen=True, slots=True)
class Steps:
    """Where the levels of n households begin, in 1/64 nat; out of reach where they do not apply.

    ``score`` (3 x (n,)): of the plain evidence, where the learned model cannot judge. ``caution`` (2 x (n,)): attention
    and caution by the learned log-odds; ``serious`` (n,); below ``calm`` (n,) an alert is over: who is not judged by
    them, as in the learning days, does not wait for them to calm down. ``shortest``: after so many slots of silence no
    alert is over without a sign of life, whatever its limit has become since (a warning that ends, another risk group).
    """

    score: tuple[NDArray[np.int16], ...]
    caution: tuple[NDArray[np.int16], ...]
    serious: NDArray[np.int16]
    calm: NDArray[np.int16]
    shortest: float


def steps(
    t: Thresholds, worst: NDArray[np.float32], ready: NDArray[np.bool_], metered: NDArray[np.bool_],
    model: Scaled | None,
) -> Steps:  # fmt: skip
    """Levels of households (n,) with the usual highest score ``worst`` (nats), once they are ``ready``; who is
    ``metered`` is judged by the learned ``model`` where there is one."""
    n, periods = len(worst), (t.attention_days, t.caution_days, t.serious_days)
    by_model = metered & (model is not None and len(model.scale) > 0)
    plain = ready & ~by_model
    score = [np.where(plain, np.minimum(np.ceil(score_at(d, worst)), CAP + 1), _OUT).astype(np.int16) for d in periods]
    if model is None or not model.scale:
        out = np.full(n, _OUT, np.int16)
        return Steps(tuple(score), (out, out), out, out, t.shortest)
    caution, serious = model.scale["caution"], model.scale["serious"]
    at = [round(UNIT * s) for s in (*map(caution.score_at, periods[:2]), serious.score_at(periods[2]))]
    learned_at = [np.where(ready & by_model, min(a, _OUT), _OUT).astype(np.int16) for a in at]
    calm = np.where(ready & by_model, at[0] - CALM, _OUT).astype(np.int16)
    return Steps(tuple(score), tuple(learned_at[:2]), learned_at[2], calm, t.shortest)


def plain(
    score: NDArray[np.int16],
    meter: NDArray[np.int16],
    phone: NDArray[np.int16],
    steps: Sequence[NDArray[np.int16]],
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Level by evidence, and where it is all over: joint score, the meter's and the phone's own parts, scores of the
    levels; (n,) each."""
    level = (score >= steps[0]).astype(np.uint8) + (score >= steps[1])
    level += (score >= steps[2]) & (meter >= BOTH) & (phone >= BOTH)
    return level, score == 0


def learned(
    caution: NDArray[np.int16], serious: NDArray[np.int16], phone: NDArray[np.int16], steps: Steps,
    rows: NDArray[np.intp],
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Level by the learned log-odds, and where it is all over, of ``rows`` (k,): means of the last hours and the
    phone's own evidence, (k,) each. Whose phone is not silent too is at most `CAUTION`."""
    level = (caution >= steps.caution[0][rows]).astype(np.uint8) + (caution >= steps.caution[1][rows])
    level[(serious >= steps.serious[rows]) & (phone >= BOTH)] = SERIOUS
    return level, caution < steps.calm[rows]


def evident(
    score: NDArray[np.int16], meter: NDArray[np.int16], phone: NDArray[np.int16], silent: NDArray[np.uint16],
    caution: NDArray[np.int16], serious: NDArray[np.int16], steps: Steps, rows: NDArray[np.intp],
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:  # fmt: skip
    """Level by all evidence, the plain and the learned, and where both are over and life was seen, of ``rows`` (k,);
    (k,) each."""
    level, over = plain(score, meter, phone, [s[rows] for s in steps.score])
    by_model, calm = learned(caution, serious, phone, steps, rows)
    return np.maximum(level, by_model), over & calm & (silent < steps.shortest)


def standing(
    level: NDArray[np.uint8], over: NDArray[np.bool_], ruled: NDArray[np.bool_], before: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """The level that stands after a slot, (k,): of the evidence and the fixed limits (``ruled``), never below the one
    ``before`` until all is over."""
    level = np.where(ruled, np.maximum(level, CAUTION), level)
    ended = ~ruled & over & (level == NONE)
    return np.where(ended, NONE, np.maximum(level, before)).astype(np.uint8)
