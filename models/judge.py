"""Slots judged: evidence is added up, a sign of life ends it, and levels follow. The heart of the product.

`weigh` says what a few slots of n households tell (whole arrays at once), `advance` moves their heads over one of
them. What they are given is only what the slots say and what the habits were at the day's beginning, so the same strip
gives the same heads, however it was filled and however the slots were grouped.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models import evidence, levels
from models.levels import Thresholds
from models.slots import OWN, SLOTS_PER_HOUR, ZERO
from models.state import BINS, CAP, Heads

_OWN_LIMIT = 3.0
"""Times the longest silence known of a person that a home must be silent before a fixed limit is held against it."""
_LONGEST = 60_000  # slots of silence are counted up to here
_NEVER = 65_535
_WEIGHT = np.array([0, 2, 4, 5, 6], np.int16)
"""Quarters that a reading counts, by its interval in slots: half an hour is 1, a quarter-hour half of it, an hour one
and a half times. Neighbours tell much the same, so twice the readings are not twice the evidence."""

Mask = NDArray[np.bool_]
Moved = tuple[NDArray[np.intp], NDArray[np.uint8]]
"""Rows whose level changed, and their levels before."""
_UNMOVED: Moved = np.zeros(0, np.intp), np.zeros(0, np.uint8)


@dataclass(slots=True)
class Day:
    """What is looked up all day: made from the habits (n,) at its beginning.

    ``steps``: scores of the three levels, (n,) each, out of reach while learning. ``floor`` (n,): the least code that
    is evidence. ``sign`` (n,): evidence that is a sign of life. ``lively`` (n,): codes above it are proof of life in
    the learning days (None: all have learned). ``ratios`` (n x 10,) and ``silence`` (n,) are those of two-hour
    ``block`` of the day.
    """

    habit: NDArray[np.void]
    tables: evidence.Tables
    steps: tuple[NDArray[np.int16], ...]
    learned: Mask
    floor: NDArray[np.uint8]
    sign: NDArray[np.int16]
    lively: NDArray[np.uint8] | None
    base: NDArray[np.int32]
    block: int = -1
    ratios: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))
    silence: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))

    def enter(self, block: int) -> None:
        """Make the tables of a two-hour block of the day, unless they are there already."""
        if block != self.block:
            self.ratios = evidence.ratios(self.habit, self.tables, block).ravel()
            self.silence = evidence.phone_silence(self.habit, block)
            self.block = block

    def limit(self, fixed: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """Slots of silence that alarm: the fixed limit, and for who is known to be quiet for long up to three of it."""
        own = np.where(self.learned, np.float32(_OWN_LIMIT) * self.habit["record"], 0)
        slots = np.minimum(np.maximum(fixed, own), 3 * fixed.astype(np.float32))
        return np.minimum(np.ceil(slots), _NEVER).astype(np.uint16)


def open_day(habit: NDArray[np.void], thresholds: Thresholds, tables: evidence.Tables | None = None) -> Day:
    """The day's look-ups for ``habit`` (n,); ``tables``: those of ``habit`` where they are at hand."""
    tables = evidence.tables(habit) if tables is None else tables
    learned = habit["days"] >= levels.LEARNING_DAYS
    days = (thresholds.attention_days, thresholds.caution_days, thresholds.serious_days)
    steps = []
    for d in days:
        score = np.where(learned, np.ceil(levels.score_at(d, habit["worst"])), _NEVER)
        steps.append(np.minimum(score, CAP + 1).astype(np.int16))
    lively = None if learned.all() else np.where(learned, 255, evidence.lively(tables)).astype(np.uint8)
    sign = np.where(learned, evidence.SIGN, evidence.SIGN_NEW).astype(np.int16)
    base = np.arange(0, len(habit) * BINS, BINS, dtype=np.int32)
    return Day(habit, tables, tuple(steps), learned, evidence.floor(tables), sign, lively, base)


@dataclass(slots=True)
class Span:
    """k slots in a row from ``first``, within one two-hour ``block`` of the local day, of n households.

    ``codes``, ``phone`` (k, n): the strip's codes. ``watched`` (k, n): enrolled by then and not absent. ``due``
    (k, n): watched, and a meter's interval ends with the slot. ``heard`` (k, n): watched, and the phone feed is
    complete past the slot. ``width`` (n,): the meter's interval in slots, 0: no meter.
    """

    first: int
    block: int
    codes: NDArray[np.uint8]
    phone: NDArray[np.uint8]
    watched: Mask
    due: Mask
    heard: Mask
    width: NDArray[np.uint16]


@dataclass(slots=True)
class Told:
    """What one slot tells of n households, (n,) each: evidence in 1/64 nat (None: nobody's), and who showed life.

    ``measured``: a reading is there (None: none was due). ``life``: proof of life. ``known``: slots that are now
    known, and silent unless they show life.
    """

    number: int
    watched: Mask
    due: Mask
    own: Mask
    by_phone: NDArray[np.int16] | None
    known: NDArray[np.uint16] | None
    by_meter: NDArray[np.int16] | None = None
    measured: Mask | None = None
    life: Mask | None = None


def weigh(day: Day, span: Span) -> list[Told]:
    """What each slot of ``span`` tells."""
    day.enter(span.block)
    own = (span.phone == OWN) & span.watched
    listened = span.heard > own
    by_phone = listened * day.silence if listened.any() else None
    alone = None
    if not span.width.all():
        alone = ((span.width == 0) & span.heard).astype(np.uint16)  # only the phone tells of those without a meter
    told = [
        Told(span.first + i, span.watched[i], span.due[i], own[i], None if by_phone is None else by_phone[i],
             None if alone is None else alone[i])
        for i in range(len(own))
    ]  # fmt: skip
    due = np.flatnonzero(span.due.any(axis=1))
    if len(due):
        _weigh_meter(day, span, [told[i] for i in due], due if len(due) < len(told) else slice(None))
    return told


def _weigh_meter(day: Day, span: Span, told: list[Told], at: slice | NDArray[np.intp]) -> None:
    """Fill in what the meter tells; ``told``: the slots ``at`` of ``span``, those in which any interval ends."""
    codes, due, own = span.codes[at], span.due[at], [t.own for t in told]
    measured = due & (codes >= ZERO)
    judged = due & (codes >= day.floor)
    raw = np.take(day.ratios, evidence.bins(codes, day.tables.edges) + day.base)
    raw *= judged
    life = raw <= evidence.PROOF
    if day.lively is not None:
        life |= judged & (codes > day.lively)
    if (odd := span.width != 2).any():
        raw[:, odd] = raw[:, odd] * _WEIGHT[span.width[odd]] >> 2
    known = measured * span.width
    for i, t in enumerate(told):
        t.by_meter, t.measured = raw[i], measured[i]
        t.life = life[i] | own[i]
        t.known = known[i] if t.known is None else known[i] + t.known


def advance(heads: Heads, day: Day, told: Told, limit: NDArray[np.uint16]) -> Moved:
    """Move ``heads`` (n,) over one slot, in place. Returns the rows whose level changed, and their levels before.

    ``limit`` (n,): the slots of silence that alarm, from `Day.limit`.
    """
    life = told.own if told.life is None else told.life
    score, rested = heads.score, heads.score == 0
    alive = told.watched > life
    if told.by_phone is not None:
        score += told.by_phone
        heads.phone += told.by_phone
        np.minimum(heads.phone, CAP, out=heads.phone)
    heads.phone *= told.watched > told.own
    if told.by_meter is not None:
        score += told.by_meter
        np.maximum(score, 0, out=score)
        heads.meter += told.by_meter
        np.maximum(heads.meter, 0, out=heads.meter)
        np.minimum(heads.meter, CAP, out=heads.meter)
    np.minimum(score, CAP, out=score)
    score *= alive
    heads.meter *= alive
    seen = life
    if told.by_meter is not None:
        seen = life | (score == 0) & (told.by_meter <= day.sign)
    if told.known is not None:
        heads.silent += told.known
        np.minimum(heads.silent, _LONGEST, out=heads.silent)
    heads.silent *= told.watched > seen
    np.maximum(heads.peak, score, out=heads.peak)
    np.maximum(heads.stretch, heads.silent, out=heads.stretch)
    np.copyto(heads.life, told.number, where=life)
    _begin(heads, rested, told)
    hot = ((score >= day.steps[0]) | (heads.silent >= limit) | (heads.level > levels.NONE)).nonzero()[0]
    return _levels(heads, day, hot, limit, told.number) if len(hot) else _UNMOVED


def _begin(heads: Heads, rested: Mask, told: Told) -> None:
    """Silence begins with the interval of the first evidence; one that a fixed limit calls out, with its hours."""
    begins = rested & (heads.score > 0) & (heads.level == levels.NONE)
    since = told.number if told.known is None else told.number + 1 - np.maximum(told.known, 1).astype(np.int32)
    np.copyto(heads.onset, since, where=begins)


def _levels(heads: Heads, day: Day, rows: NDArray[np.intp], limit: NDArray[np.uint16], number: int) -> Moved:
    """Levels of the rows that have one or may get one."""
    before, score, silent = heads.level[rows], heads.score[rows], heads.silent[rows]
    level = levels.evidence_level(score, heads.meter[rows], heads.phone[rows], [s[rows] for s in day.steps])
    ruled = silent >= limit[rows]
    by_rule = ruled & (before == levels.NONE) & (level == levels.NONE)
    level[ruled] = np.maximum(level[ruled], levels.CAUTION)
    heads.onset[rows[by_rule]] = number + 1 - silent[by_rule].astype(np.int32)
    level = np.where(~ruled & (score == 0), levels.NONE, np.maximum(level, before)).astype(np.uint8)
    moved = level != before
    heads.level[rows[moved]] = level[moved]
    return rows[moved], before[moved]


def limit_slots(thresholds: Thresholds) -> NDArray[np.uint16]:
    """Fixed limits by risk group (normal, elevated, high) in slots, (3,)."""
    return np.array([min(h * SLOTS_PER_HOUR, _NEVER) for h in thresholds.limit_hours], np.uint16)
