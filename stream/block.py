"""Up to 1,024 households of one partition: strips, and where they stand now and stood when the ring began.

``state`` is that at the clock; ``settled`` that at the ring's first slot, which nothing can change any more; ``drift``
is learned of settled days only. Late data is written to the strips and the households concerned are run again from the
settled state: they come out exactly as if it had been on time.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models import state
from models.judge import Day
from models.judgeable import Judgeable, judged
from models.slots import SLOTS_PER_DAY
from models.state import State
from stream.ids import Ids
from stream.life import FREE, WHO, Life, Rows, Step, Terms
from stream.strips import ROWS, Strips

HEAD, LATELY, BLOCKS, HABIT, SETTLED, DRIFT, WHO_ROW = "head", "lately", "blocks", "habit", "settled", "drift", "who"
"""Parts of a block, as the changelog names them."""
_ALL = {HEAD, LATELY, BLOCKS, HABIT, SETTLED, DRIFT, WHO_ROW}


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
        self.state = state.fresh(np.zeros(ROWS, np.int64))
        self.settled = self.state.copy()
        self.drift = np.zeros(ROWS, state.DRIFT)
        self.dirty: set[str] = set()
        self._now: Rows | None = None
        self._told: tuple[tuple[int, bytes], Judgeable] | None = None

    @property
    def head(self) -> NDArray[np.void]:
        """Heads at the clock, (1,024,)."""
        return self.state.head

    @property
    def habit(self) -> NDArray[np.void]:
        """Habits at the clock, (1,024,)."""
        return self.state.habit

    def now(self) -> Rows:
        """All rows as they stand at the clock; stepped in place."""
        if self._now is None:
            self._now = self._rows(self.state)
        return self._now

    def _rows(self, kept: State, drift: NDArray[np.void] | None = None) -> Rows:
        n, rows = self.n, slice(0, self.n)

        def read(first: int, count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
            return self.strips.read(first, count, rows)

        return Rows(kept.take(rows), self.who[:n], read, self.terms, None if drift is None else drift[:n])

    def begin(self, clock: int) -> None:
        """The first data is here: whoever was enrolled before is watched from ``clock``."""
        if self.n:
            since = np.maximum(self.who["since"][: self.n].astype(np.int64), clock)
            self.who["since"][: self.n] = since
            self.dirty |= _ALL
            for kept in (self.state, self.settled):
                kept.put(slice(0, self.n), state.fresh(since))
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
        for kept in (self.state, self.settled):
            kept.put(at, state.fresh(since))
        self.drift[at] = np.zeros(1, state.DRIFT)[0]
        self.dirty |= _ALL
        self.look_again()

    def dismiss(self, row: int) -> None:
        """Delete everything kept of one household."""
        self.ids[row] = ""
        self.who[row] = np.zeros(1, WHO)[0]
        self.who["since"][row] = FREE
        kept = (self.state, self.settled)
        for array in (self.drift, *(a for k in kept for a in (k.head, k.lately, k.habit))):
            array[row] = np.zeros(1, array.dtype)[0]
        self.strips.erase(row)
        self.terms.pop(row, None)
        self.drills.discard(row)
        self.dirty |= _ALL
        self.look_again()

    def judge(self, life: Life, first: int, last: int, heard_until: NDArray[np.int64]) -> list[Step]:
        """Move all households over slots [first, last)."""
        now = self.now()
        steps = life.run(now, first, last, heard_until)
        self.dirty |= {HEAD, LATELY}
        if life.calendar.closes(first, last):
            self.dirty.add(BLOCKS)
        if life.calendar.day_start(last) > first:  # a day was learned
            self.dirty.add(HABIT)
        return steps

    def today(self, life: Life) -> Day:
        """What the households are measured against today."""
        return life.today(self.now())

    def judgeable(self, life: Life, rows: slice) -> Judgeable:
        """How much the meters and phones of some rows can tell, by today's habits."""
        day, who = self.today(life), self.who[: self.n][rows]
        meter = life.watch(self.now()).width[rows]
        return judged(day.habit[rows], day.tables.take(rows), meter, who["phone_feed"] > 0, life.rules.thresholds)

    def judgeable_lately(self, life: Life, clock: int, again: bool) -> tuple[Judgeable | None, bool]:
        """The same of all rows, reckoned once a day and when feeds change, and only if ``again``: else as it was last
        (None: not yet). Second: whether it was reckoned now."""
        who = self.who[["meter_feed", "phone_feed", "step"]][: self.n].tobytes()
        key = life.calendar.day_start(clock), who
        due = again and (self._told is None or self._told[0] != key)
        if due:
            self._told = key, self.judgeable(life, slice(0, self.n))
        return self._told[1] if self._told is not None else None, due

    def settle(self, life: Life, start: int, heard_until: NDArray[np.int64]) -> list[Step]:
        """Let the ring's first day, from slot ``start``, leave it: nothing can change that day any more. Returns how
        drifts moved."""
        settled = self._rows(self.settled, self.drift)
        steps = life.run(settled, start, start + SLOTS_PER_DAY, heard_until)
        self.strips.clear(start, SLOTS_PER_DAY)
        self.dirty |= {SETTLED, DRIFT}
        return [step for step in steps if step.drift is not None]


def mend(
    chosen: list[tuple[Block, NDArray[np.int64]]], life: Life, start: int, clock: int, heard_until: NDArray[np.int64]
) -> list[NDArray[np.void]]:
    """Run some rows of some blocks again from the ring's first slot to the clock. Returns their heads before."""

    def read(first: int, count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        parts = [block.strips.read(first, count, at) for block, at in chosen]
        return np.concatenate([m for m, _ in parts], axis=1), np.concatenate([p for _, p in parts], axis=1)

    terms: dict[int, Terms] = {}
    offset = 0
    for block, at in chosen:
        terms |= {offset + i: block.terms[row] for i, row in enumerate(at.tolist()) if row in block.terms}
        offset += len(at)
    again = Rows(
        state.joined([b.settled.take(at) for b, at in chosen]),
        np.concatenate([b.who[at] for b, at in chosen]),
        read,
        terms,
    )
    watched = int(again.who["since"].min())  # before that nothing can have happened
    life.run(again, max(start, life.calendar.day_start(min(watched, clock))), clock, heard_until)
    before, offset = [], 0
    for block, at in chosen:
        before.append(block.head[at].copy())
        block.state.put(at, again.state.take(slice(offset, offset + len(at))))
        block.dirty |= {HEAD, LATELY, BLOCKS, HABIT}
        block.look_again()
        offset += len(at)
    return before
