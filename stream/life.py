"""Households moved through time: slot after slot judged, day after day learned.

The same run serves the live stream (one slot, every household of a block), the settling of the day that leaves the
ring, and the mending of the past when late data comes (seven days, some households): what it makes depends only on
where it starts and on the strips it reads.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models import gaps, habit, judge, levels
from models.slots import SLOTS_PER_DAY
from stream.calendar import Calendar
from stream.rules import Rules

WHO = np.dtype(
    [
        ("since", "<i4"),  # slot from which the household is watched; FREE: nobody in this row
        ("area", "<u2"),
        ("dong", "<u2"),
        ("meter_feed", "u1"),  # 0: none
        ("phone_feed", "u1"),
        ("step", "u1"),  # slots per meter interval, 0 until the first reading
        ("risk", "u1"),
    ]
)
FREE = np.iinfo(np.int32).max

Read = Callable[[int, int], tuple[NDArray[np.uint8], NDArray[np.uint8]]]
"""(first slot, count) -> meter and phone codes, (count, n) each."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one household for a time only, in slots: absences [from, until), and since when its risk."""

    absences: tuple[tuple[int, int], ...] = ()
    risk_since: int = 0

    def absent(self, first: int, last: int) -> bool:
        """Whether any slot of [first, last) lies in an absence."""
        return any(a < last and first < b for a, b in self.absences)


@dataclass(slots=True)
class Rows:
    """n households on their way: their heads and habits (moved in place), and what is fixed about them."""

    head: NDArray[np.void]
    habit: NDArray[np.void]
    who: NDArray[np.void]
    read: Read
    terms: dict[int, Terms] = field(default_factory=dict)
    day: judge.Day | None = None


@dataclass(slots=True)
class Step:
    """What stood before one slot: levels, gap states, last readings, (n,) each; what stands after is in the heads."""

    slot: int
    level: NDArray[np.uint8]
    gap: NDArray[np.uint8]
    data: NDArray[np.int32]


class Life:
    """Runs rows over spans of slots, by the rules and the calendar."""

    def __init__(self, rules: Rules, calendar: Calendar) -> None:
        self.rules = rules
        self.calendar = calendar
        self._limits = judge.limit_slots(rules.thresholds)

    def run(self, rows: Rows, first: int, last: int, heard_until: NDArray[np.int64]) -> list[Step]:
        """Judge slots [first, last) and learn the days that end in them.

        ``heard_until``: per phone feed number, the slot up to which it is complete (index 0, no feed: 0).
        """
        steps: list[Step] = []
        heard = heard_until[rows.who["phone_feed"]]
        while first < last:
            midnight = self.calendar.day_start(first) + SLOTS_PER_DAY
            end = min(midnight, last)
            meter, phone = rows.read(first, end - first)
            for i in range(end - first):
                steps.append(self._slot(rows, first + i, meter[i], phone[i], heard))
            if end == midnight:
                self._learn(rows, midnight - SLOTS_PER_DAY, heard)
            first = end
        return steps

    def _slot(
        self, rows: Rows, slot: int, meter: NDArray[np.uint8], phone: NDArray[np.uint8], heard: NDArray[np.int64]
    ) -> Step:
        if rows.day is None:
            rows.day = judge.open_day(rows.habit, self.rules.thresholds)
        watched = rows.who["since"] <= slot
        limit = self._limits[rows.who["risk"]]
        for row, terms in rows.terms.items():
            watched[row] &= not terms.absent(slot, slot + 1)
            if slot < terms.risk_since:
                limit[row] = self._limits[0]
        metered = rows.who["meter_feed"] > 0
        step = np.where(metered, rows.who["step"], 0).astype(np.uint8)
        given = judge.Slot(slot, self.calendar.block(slot), meter, phone, step, metered, heard > slot, watched, limit)
        before = judge.step(rows.head, rows.day, given)
        due = watched & (step > 0) & ((slot + 1) % np.maximum(step, 1).astype(np.int64) == 0)
        data = rows.head["data"].copy()
        gap_before = gaps.step(
            rows.head, slot, meter, due, watched & metered, self.rules.gap_slots, self.rules.person_slots
        )
        return Step(slot, before, gap_before, data)

    def _learn(self, rows: Rows, first: int, heard: NDArray[np.int64]) -> None:
        meter, phone = rows.read(first, SLOTS_PER_DAY)
        last = first + SLOTS_PER_DAY
        learn = (rows.who["since"] < last) & (rows.head["level"] < levels.CAUTION)
        for row, terms in rows.terms.items():
            learn[row] &= not terms.absent(first, last)
        blocks = self.calendar.blocks(first, SLOTS_PER_DAY)
        habit.learn_day(rows.habit, rows.head, meter, phone, blocks, heard >= last, learn)
        rows.day = None
