"""One slot judged: evidence is added up, a sign of life ends it, and levels follow. The heart of the product.

A pure step on arrays: `step` moves the heads of n households over one slot. What it is given is only what the slot
says and what the habits were at the day's beginning, so the same strip gives the same heads, however it was filled.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models import evidence, levels
from models.levels import Thresholds
from models.slots import OWN, SLOTS_PER_HOUR, ZERO
from models.state import CAP

_OWN_LIMIT = 3.0
"""Times the usual longest silence of a day that a home must be silent before a fixed limit is held against it."""


@dataclass(slots=True)
class Day:
    """What is looked up all day: made from the habits (n,) at its beginning."""

    habit: NDArray[np.void]
    tables: evidence.Tables
    steps: tuple[NDArray[np.float32], ...]
    learned: NDArray[np.bool_]
    block: int = -1
    ratios: NDArray[np.int16] | None = None
    silence: NDArray[np.int32] | None = None

    def enter(self, block: int) -> None:
        """Make the tables of a two-hour block of the day, unless they are there already."""
        if block != self.block:
            self.ratios = evidence.ratios(self.habit, self.tables, block)
            self.silence = evidence.phone_silence(self.habit, block)
            self.block = block

    def limit(self, fixed: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Slots of silence that alarm: the fixed limit, and for who is known to be quiet for long up to three of it."""
        own = np.where(self.learned, np.float32(_OWN_LIMIT) * self.habit["stretch"], 0)
        return np.minimum(np.maximum(fixed, own), 3 * fixed.astype(np.float32))


def open_day(habit: NDArray[np.void], thresholds: Thresholds) -> Day:
    """The day's look-ups for ``habit`` (n,)."""
    worst = habit["worst"]
    days = (thresholds.attention_days, thresholds.caution_days, thresholds.serious_days)
    steps = tuple(levels.score_at(d, worst) for d in days)
    return Day(habit, evidence.tables(habit), steps, habit["days"] >= levels.LEARNING_DAYS)


@dataclass(slots=True)
class Slot:
    """One slot of n households: what was heard and who is listened to.

    ``codes``, ``phone`` (n,): the strip's codes. ``step`` (n,): the meter's interval in slots; 0: no meter.
    ``heard`` (n,): the phone feed is complete past this slot. ``watched`` (n,): enrolled by now and not absent.
    ``limit`` (n,): the fixed limit in slots. ``block``: two-hour block of the local day.
    """

    number: int
    block: int
    codes: NDArray[np.uint8]
    phone: NDArray[np.uint8]
    step: NDArray[np.uint8]
    heard: NDArray[np.bool_]
    watched: NDArray[np.bool_]
    limit: NDArray[np.uint16]


def step(head: NDArray[np.void], day: Day, slot: Slot) -> NDArray[np.uint8]:
    """Move ``head`` (n,) over one slot, in place. Returns the levels before, (n,)."""
    day.enter(slot.block)
    assert day.ratios is not None
    assert day.silence is not None
    width = slot.step.astype(np.int32)
    due = slot.watched & (width > 0) & ((slot.number + 1) % np.maximum(width, 1) == 0)
    measured = due & (slot.codes >= ZERO)
    power_off = measured & evidence.dark(slot.codes, day.tables)
    judged = measured & ~power_off
    in_bin = evidence.bins(slot.codes, day.tables.edges)
    raw = np.take_along_axis(day.ratios, in_bin[:, None].astype(np.intp), axis=1)[:, 0].astype(np.int32)
    raw[~judged] = 0
    weight = np.minimum(width, 2)  # a quarter-hour counts half: neighbours tell much the same
    by_meter = np.clip(raw, evidence.LOW, evidence.HIGH) * weight // 2
    own = slot.watched & (slot.phone == OWN)
    by_phone = np.where(slot.heard & slot.watched & ~own, day.silence, 0)
    life = own | (judged & ((raw <= evidence.PROOF) | evidence.first_day_life(slot.codes, day.tables)))
    known = np.where(measured, width, np.where((width == 0) & slot.heard & slot.watched, 1, 0))
    seen = life | (judged & (raw <= evidence.SIGN))
    return _advance(head, day, slot, by_meter, by_phone, own, life, seen, known)


def _advance(
    head: NDArray[np.void],
    day: Day,
    slot: Slot,
    by_meter: NDArray[np.int32],
    by_phone: NDArray[np.int32],
    own: NDArray[np.bool_],
    life: NDArray[np.bool_],
    seen: NDArray[np.bool_],
    known: NDArray[np.int32],
) -> NDArray[np.uint8]:
    before = head["level"].copy()
    ends = life | ~slot.watched
    was = head["score"].astype(np.int32)
    score = np.clip(was + by_meter + by_phone, 0, CAP)
    score[ends] = 0
    meter = np.clip(head["meter"] + by_meter, 0, CAP)
    meter[ends] = 0
    phone = np.minimum(head["phone"] + by_phone, CAP)
    phone[own | ~slot.watched] = 0
    silent = np.minimum(head["silent"] + known, 60_000)
    silent[seen | ~slot.watched] = 0
    head["score"], head["meter"], head["phone"], head["silent"] = score, meter, phone, silent
    head["peak"] = np.maximum(head["peak"], head["score"])
    head["stretch"] = np.maximum(head["stretch"], head["silent"])
    head["life"][life] = slot.number
    level = levels.evidence_level(head, day.steps, day.learned)
    ruled = head["silent"] >= day.limit(slot.limit)
    level = np.where(ruled, np.maximum(level, levels.CAUTION), level).astype(np.uint8)
    begins = (before == levels.NONE) & (was == 0)
    head["onset"][begins & (score > 0)] = slot.number
    by_rule = begins & (score == 0) & ruled
    head["onset"][by_rule] = slot.number + 1 - silent[by_rule]
    over = ~ruled & (score == 0)
    head["level"] = np.where(over, levels.NONE, np.maximum(level, before))
    return before


def limit_slots(thresholds: Thresholds) -> NDArray[np.uint16]:
    """Fixed limits by risk group (normal, elevated, high) in slots, (3,)."""
    return np.array([h * SLOTS_PER_HOUR for h in thresholds.limit_hours], np.uint16)
