"""Households moved through time: slot after slot judged, day after day learned.

The same run serves the live stream (one slot, every household of a block), the settling of the day that leaves the
ring, and the mending of the past when late data comes (seven days, some households): what it makes depends only on
where it starts and on the strips it reads.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models import decline, gaps, habit, judge, levels
from models.slots import SLOTS_PER_DAY
from models.state import Heads, State
from stream.calendar import Calendar
from stream.rules import Rules
from stream.watch import FREE, WHO, Terms, Warned, Watch

__all__ = ["FREE", "WHO", "Life", "Rows", "Step", "Terms"]

Read = Callable[[int, int], tuple[NDArray[np.uint8], NDArray[np.uint8]]]
"""(first slot, count) -> meter and phone codes, (count, n) each."""


@dataclass(slots=True)
class Rows:
    """n households on their way: their state (moved in place), and what is fixed about them. ``drift``: given where
    days are final, as slow drifts are learned of such only."""

    state: State
    who: NDArray[np.void]
    read: Read
    terms: dict[int, Terms] = field(default_factory=dict)
    drift: NDArray[np.void] | None = None
    day: judge.Day | None = None
    watch: Watch | None = None
    limit: NDArray[np.uint16] | None = None


@dataclass(slots=True)
class Step:
    """What one slot changed: rows whose level changed and their levels before; the same of data gaps, and, at the end
    of a day, of slow drifts."""

    slot: int
    rows: NDArray[np.intp]
    level: NDArray[np.uint8]
    gap: gaps.Moved | None = None
    drift: decline.Moved | None = None


class Life:
    """Runs rows over spans of slots, by the rules and the calendar. ``warned``: how areas are warned of the weather."""

    def __init__(self, rules: Rules, calendar: Calendar) -> None:
        self.rules = rules
        self.calendar = calendar
        self.warned: Warned = {}
        self._limits = judge.limit_slots(rules.thresholds)

    def run(self, rows: Rows, first: int, last: int, heard_until: NDArray[np.int64]) -> list[Step]:
        """Judge slots [first, last) and learn the days that end in them.

        ``heard_until``: per phone feed number, the slot up to which it is complete (index 0, no feed: 0).
        """
        watch = self.watch(rows)
        heads = Heads.of(rows.state.head)
        heard = heard_until[watch.phone_feed]
        steps: list[Step] = []
        while first < last:
            midnight = self.calendar.day_start(first) + SLOTS_PER_DAY
            end = min(midnight, last)
            meter, phone = rows.read(first, end - first)
            for block, a, b in self._spans(first, end):
                given = slice(a - first, b - first)
                steps += self._judge(rows, heads, a, block, meter[given], phone[given], heard)
            if end == midnight:
                steps += self._learn(rows, heads, midnight - SLOTS_PER_DAY, heard)
            first = end
        heads.store(rows.state.head)
        return steps

    def today(self, rows: Rows) -> judge.Day:
        """What is looked up all day, from the habits as they are."""
        if rows.day is None:
            rows.day = judge.open_day(rows.state.habit, self.rules.thresholds, self.rules.model)
        return rows.day

    def watch(self, rows: Rows) -> Watch:
        """Who is watched when."""
        if rows.watch is None:
            rows.watch = Watch(rows.who, rows.terms, self.warned)
        return rows.watch

    def limit(self, rows: Rows, slot: int) -> NDArray[np.uint16]:
        """Slots of silence that alarm in ``slot``, (n,)."""
        return self._limit(rows, self.today(rows), self.watch(rows), slot)

    def limit_by(self, day: judge.Day, watch: Watch, slot: int) -> NDArray[np.uint16]:
        """Slots of silence that alarm in ``slot``, (n,), measured by a ``day`` that need not be today."""
        limit, factor = day.limit(self._limits[watch.risks(slot)]), watch.shortened(slot)
        return limit if factor is None else np.maximum(np.ceil(limit * factor), 1).astype(np.uint16)

    def _spans(self, first: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Runs of slots of one two-hour block: (block, first slot, end)."""
        if end - first == 1:
            yield self.calendar.block(first), first, end
            return
        blocks = self.calendar.blocks(first, end - first)
        cuts = [0, *(np.flatnonzero(np.diff(blocks)) + 1).tolist(), end - first]
        for a, b in pairwise(cuts):
            yield int(blocks[a]), first + a, first + b

    def _judge(
        self, rows: Rows, heads: Heads, first: int, block: int, meter: NDArray[np.uint8], phone: NDArray[np.uint8],
        heard: NDArray[np.int64],
    ) -> Iterator[Step]:  # fmt: skip
        day, watch, count = self.today(rows), self.watch(rows), len(meter)
        watched = watch.enrolled(first, count)
        absent = watch.absent(first, count)
        if absent is not None:
            absent &= watched
            watched = watched > absent
        due = watch.intervals_end(first, count) & watched
        listened = (heard > np.arange(first, first + count)[:, None]) & watched
        if (broken := watch.without_phone(first, count)) is not None:
            listened &= ~broken
        waits = absent
        if (unknown := watch.unknown(first, count)) is not None:
            listened &= ~unknown
            waits = unknown if absent is None else absent | unknown
        meter, phone = watch.measured(first, meter), watch.proven(first, phone)
        ended, into = self.calendar.entered(first)
        asked = watch.hours_end(first, count) & watched
        span = judge.Span(first, block, ended, into, meter, phone, watched, due, asked, listened, watch.width)
        for i, told in enumerate(judge.weigh(day, span)):
            limit = self._limit(rows, day, watch, told.number)
            changed, before = judge.advance(heads, rows.state.lately, day, told, limit)
            missed = told.watched & watch.metered if self.calendar.ends_hour(told.number) else None
            away = None if waits is None else waits[i]
            gap = gaps.advance(heads, told, missed, away, self.rules.gap_slots, self.rules.person_slots)
            yield Step(told.number, changed, before, gap)

    def _limit(self, rows: Rows, day: judge.Day, watch: Watch, slot: int) -> NDArray[np.uint16]:
        if slot < watch.limits_until:
            return self.limit_by(day, watch, slot)
        if rows.limit is None:
            rows.limit = day.limit(self._limits[watch.risk])
        return rows.limit

    def _learn(self, rows: Rows, heads: Heads, first: int, heard: NDArray[np.int64]) -> list[Step]:
        meter, phone = rows.read(first, SLOTS_PER_DAY)
        last = first + SLOTS_PER_DAY
        watch = self.watch(rows)
        there = watch.since < last
        absent = watch.absent(first, SLOTS_PER_DAY)
        if absent is not None:
            there &= ~absent.any(axis=0)
        listened = there & (heard >= last)
        if (broken := watch.without_phone(first, SLOTS_PER_DAY)) is not None:
            listened &= ~broken.any(axis=0)
        if (unknown := watch.unknown(first, SLOTS_PER_DAY)) is not None:
            listened &= ~unknown.any(axis=0)
        meter = watch.measured(first, meter)  # a visit is a proof of life, not a habit of the phone: no `proven` here
        learn = there & (heads.level < levels.CAUTION)
        blocks, today = self.calendar.blocks(first, SLOTS_PER_DAY), self.today(rows)
        steps = []
        if rows.drift is not None:
            told, metered = decline.signals(rows.state.habit, today.tables, meter, phone, blocks)
            moved = decline.learn_day(rows.drift, first // SLOTS_PER_DAY, told, metered, listened, learn)
            steps.append(Step(last - 1, np.zeros(0, np.intp), np.zeros(0, np.uint8), drift=moved))
        tables = habit.learn_day(rows.state, heads, meter, phone, blocks, listened, there, learn, today.floor)
        rows.day = judge.open_day(rows.state.habit, self.rules.thresholds, self.rules.model, tables)
        rows.limit = None
        return steps
