"""Up to 1,024 households of one partition: strips, and where they stand now and stood when the ring began.

``head``, ``habit`` are the state at the clock; ``settled_*`` the state at the ring's first slot, which nothing can
change any more. Late data is written to the strips and the households concerned are run again from the settled
state: they come out exactly as if it had been on time.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models import state
from models.judge import Day
from models.slots import SLOTS_PER_DAY
from stream.ids import Ids
from stream.life import FREE, WHO, Life, Rows, Step, Terms
from stream.strips import ROWS, Strips

HEAD, HABIT, SETTLED, WHO_ROW = "head", "habit", "settled", "who"


class Block:
    """State of up to 1,024 households. ``n``: rows in use so far; ``dirty``: parts changed since last stored."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.n = 0
        self.ids = Ids()
        self.terms: dict[int, Terms] = {}
        self.drills: set[int] = set()
        self.strips = Strips()
        self.who = np.zeros(ROWS, WHO)
        self.who["since"] = FREE
        self.head, self.habit = state.fresh(np.zeros(ROWS, np.int64))
        self.settled_head, self.settled_habit = self.head.copy(), self.habit.copy()
        self.dirty: set[str] = set()
        self._now: Rows | None = None

    def now(self) -> Rows:
        """All rows as they stand at the clock; stepped in place."""
        if self._now is None:
            self._now = self._rows(self.head, self.habit)
        return self._now

    def _rows(self, head: NDArray[np.void], habit: NDArray[np.void]) -> Rows:
        n, rows = self.n, slice(0, self.n)
        return Rows(head[:n], habit[:n], self.who[:n], lambda a, count: self.strips.read(a, count, rows), self.terms)

    def begin(self, clock: int) -> None:
        """The first data is here: whoever was enrolled before is watched from ``clock``."""
        if self.n:
            since = np.maximum(self.who["since"][: self.n].astype(np.int64), clock)
            self.who["since"][: self.n] = since
            self.dirty |= {HEAD, HABIT, SETTLED, WHO_ROW}
            for head, habit in ((self.head, self.habit), (self.settled_head, self.settled_habit)):
                head[: self.n], habit[: self.n] = state.fresh(since)
            self.look_again()

    def look_again(self) -> None:
        """Habits or membership changed: what is looked up by day is made anew."""
        self._now = None

    def watch_again(self) -> None:
        """Intervals, terms or warnings changed: who is watched when is made anew."""
        if self._now is not None:
            self._now.watch = self._now.limit = None

    def admit(self, ids: Sequence[str], who: NDArray[np.void], since: NDArray[np.int64], at: NDArray[np.int64]) -> None:
        """Put households (k,) into rows ``at``: watched from slots ``since``."""
        self.n = max(self.n, int(at.max()) + 1)
        self.ids.grow(self.n)
        for row, household in zip(at.tolist(), ids, strict=True):
            self.ids[row] = household
        self.who[at] = who
        self.who["since"][at] = since
        for head, habit in ((self.head, self.habit), (self.settled_head, self.settled_habit)):
            head[at], habit[at] = state.fresh(since)
        self.dirty |= {HEAD, HABIT, SETTLED, WHO_ROW}
        self.look_again()

    def dismiss(self, row: int) -> None:
        """Delete everything kept of one household."""
        self.ids[row] = ""
        self.who[row] = np.zeros(1, WHO)[0]
        self.who["since"][row] = FREE
        for array in (self.head, self.habit, self.settled_head, self.settled_habit):
            array[row] = np.zeros(1, array.dtype)[0]
        self.strips.erase(row)
        self.terms.pop(row, None)
        self.drills.discard(row)
        self.dirty |= {HEAD, HABIT, SETTLED, WHO_ROW}
        self.look_again()

    def judge(self, life: Life, first: int, last: int, heard_until: NDArray[np.int64]) -> list[Step]:
        """Move all households over slots [first, last)."""
        now = self.now()
        steps = life.run(now, first, last, heard_until)
        self.dirty.add(HEAD)
        if life.calendar.day_start(last) > first:  # a day was learned
            self.dirty.add(HABIT)
        return steps

    def today(self, life: Life) -> Day:
        """What the households are measured against today."""
        return life.today(self.now())

    def settle(self, life: Life, start: int, heard_until: NDArray[np.int64]) -> None:
        """Let the ring's first day, from slot ``start``, leave it: nothing can change that day any more."""
        settled = self._rows(self.settled_head, self.settled_habit)
        life.run(settled, start, start + SLOTS_PER_DAY, heard_until)
        self.strips.clear(start, SLOTS_PER_DAY)
        self.dirty.add(SETTLED)


def mend(
    chosen: list[tuple[Block, NDArray[np.int64]]], life: Life, start: int, clock: int, heard_until: NDArray[np.int64]
) -> list[tuple[NDArray[np.void], NDArray[np.void]]]:
    """Run some rows of some blocks again from the ring's first slot to the clock. Returns their heads and drifts
    before."""

    def read(first: int, count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        parts = [block.strips.read(first, count, at) for block, at in chosen]
        return np.concatenate([m for m, _ in parts], axis=1), np.concatenate([p for _, p in parts], axis=1)

    terms: dict[int, Terms] = {}
    offset = 0
    for block, at in chosen:
        terms |= {offset + i: block.terms[row] for i, row in enumerate(at.tolist()) if row in block.terms}
        offset += len(at)
    again = Rows(
        np.concatenate([b.settled_head[at] for b, at in chosen]),
        np.concatenate([b.settled_habit[at] for b, at in chosen]),
        np.concatenate([b.who[at] for b, at in chosen]),
        read,
        terms,
    )
    watched = int(again.who["since"].min())  # before that nothing can have happened
    life.run(again, max(start, life.calendar.day_start(min(watched, clock))), clock, heard_until)
    before, offset = [], 0
    for block, at in chosen:
        before.append((block.head[at].copy(), block.habit["drift"][at].copy()))
        block.head[at] = again.head[offset : offset + len(at)]
        block.habit[at] = again.habit[offset : offset + len(at)]
        block.dirty |= {HEAD, HABIT}
        block.look_again()
        offset += len(at)
    return before
