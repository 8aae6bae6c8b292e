"""Other settings tried on the side: how often caution would be reached if it were asked for more or less often.

One run serves all: the evidence of a home depends on where the levels begin only in that days under an alert are not
learned, so the levels of each setting are followed beside the real ones, by the same rules. It is an estimate: runs of
their own differed by up to a tenth on a year of real homes.
Nothing is kept of the hours gone by: memory grows with homes and settings, not with time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models import judge, levels
from models.levels import Steps, Thresholds
from models.slots import SLOTS_PER_DAY
from simulators.calibration import ASKED, PER_100_A_WEEK
from stream.block import Block
from stream.life import FREE, Life
from stream.partition import Partition


def days_of(asked: float) -> float:
    """The return period in days that gives ``asked`` alerts per 100 households and week."""
    return PER_100_A_WEEK / asked


@dataclass(slots=True)
class _Followed:
    """One block of n homes under k settings: ``level``, ``count`` (k, n); ``steps`` hold for ``day``."""

    day: judge.Day
    steps: list[Steps]
    level: NDArray[np.uint8]
    count: NDArray[np.int64]
    low_score: NDArray[np.int16]
    low_mean: NDArray[np.int16]


class Tried:
    """Looks on a backtest hour by hour (`simulators.backtest.backtest`, ``look``) and counts cautions by setting."""

    def __init__(self, thresholds: Thresholds, asked: Sequence[float] = ASKED) -> None:
        self.asked = tuple(asked)
        self._thresholds = [replace(thresholds, caution_days=days_of(a)) for a in asked]
        self._blocks: dict[int, _Followed] = {}

    def __call__(self, partition: Partition) -> None:
        """Follow all blocks to the partition's clock."""
        clock = partition.marks.clock
        for block in partition.members.blocks:
            if block.n and clock is not None:
                self._follow(block, partition.life, clock - 1)

    def counts(self) -> NDArray[np.int64]:
        """Times that caution was reached, by setting, all homes together, (k,)."""
        each = [f.count.sum(axis=1) for f in self._blocks.values()]
        return np.sum(each, axis=0) if each else np.zeros(len(self.asked), np.int64)

    def _follow(self, block: Block, life: Life, slot: int) -> None:
        followed = self._blocks.get(block.number)
        if followed is None or followed.level.shape[1] != block.n:
            followed = self._blocks[block.number] = self._begin(block, life, followed)
        head, limit = block.head[: block.n], life.limit_by(followed.day, life.watch(block.now()), slot)
        mean = np.maximum(head["caution"], head["serious"])
        hot = (head["score"] >= followed.low_score) | (mean >= followed.low_mean) | (head["silent"] >= limit)
        rows = np.flatnonzero(hot | followed.level.any(axis=0))
        if len(rows):
            _move(followed, head, rows, limit)
        today = block.today(life)
        if today is not followed.day:  # midnight: the slot just judged was still measured by yesterday
            self._enter(followed, today)

    def _begin(self, block: Block, life: Life, before: _Followed | None) -> _Followed:
        k, n, day = len(self.asked), block.n, block.today(life)
        level, count = np.zeros((k, n), np.uint8), np.zeros((k, n), np.int64)
        if before is not None:
            many = before.level.shape[1]
            level[:, :many], count[:, :many] = before.level, before.count
        low = np.zeros(n, np.int16)
        followed = _Followed(day, [], level, count, low, low)
        self._enter(followed, day)
        return followed

    def _enter(self, followed: _Followed, day: judge.Day) -> None:
        worst, known = day.habit["worst"].astype(np.float32), day.tables.known
        followed.day = day
        followed.steps = [levels.steps(t, worst, day.learned, known, day.model) for t in self._thresholds]
        followed.low_score = np.minimum.reduce([a for s in followed.steps for a in s.score])
        followed.low_mean = np.minimum.reduce([a for s in followed.steps for a in (*s.caution, s.serious)])


def _move(followed: _Followed, head: NDArray[np.void], rows: NDArray[np.intp], limit: NDArray[np.uint16]) -> None:
    """Levels of ``rows`` under each setting, as `models.judge` gives them."""
    at = head[rows]
    signed = {name: at[name].astype(np.int16) for name in ("score", "meter", "phone", "caution", "serious")}
    silent = at["silent"]
    ruled = silent >= limit[rows]
    for k, steps in enumerate(followed.steps):
        before = followed.level[k, rows]
        level = levels.standing(*levels.evident(**signed, silent=silent, steps=steps, rows=rows), ruled, before)
        followed.level[k, rows] = level
        followed.count[k, rows] += (before < levels.CAUTION) & (level >= levels.CAUTION)


def home_weeks(since: NDArray[np.int64], first: int, last: int, begins: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weeks of watching in each of the weeks that begin with slots ``begins`` (w,): (w,), of all homes together.

    ``since`` (n,): the slot from which each is watched; [first, last): the slots of the history.
    """
    week = 7 * SLOTS_PER_DAY
    begin = np.maximum(np.minimum(since, FREE), first)[None, :]
    a, b = np.maximum(begins[:, None], begin), np.minimum(begins[:, None] + week, last)
    return np.asarray(np.maximum(b - a, 0).sum(axis=1) / week, np.float64)
