"""Slots judged: evidence is added up, a sign of life ends it, and levels follow. The heart of the product.

`weigh` says what a few slots of n households tell (whole arrays at once), `advance` moves their heads over one of
them. What they are given is only what the slots say and what the habits were at the day's beginning, so the same strip
gives the same heads, however it was filled and however the slots were grouped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models import evidence, features, levels
from models import lately as latest
from models.features import Moment, Usual
from models.forest import Scale
from models.levels import Steps, Thresholds
from models.slots import INCOMING, OWN, SLOTS_PER_DAY, SLOTS_PER_HOUR, ZERO
from models.state import BINS, CAP, FLOOR, UNIT, Heads

_OWN_LIMIT = 3.0
"""Times the longest silence known of a person that a home must be silent before a fixed limit is held against it."""
_LONGEST = 60_000  # slots of silence are counted up to here
_NEVER = 65_535
WEIGHT = np.array([0, 2, 4, 5, 6], np.int16)
"""Quarters that a reading counts, by its interval in slots: half an hour is 1, a quarter-hour half of it, an hour one
and a half times. Neighbours tell much the same, so twice the readings are not twice the evidence."""

PACES = {"caution": 57, "serious": 30}
"""Of the way to the newest log-odds that each level's mean goes in an hour, in 1/256: memories of four and eight hours.
What is rarer is asked of a longer time, not of another model."""

Mask = NDArray[np.bool_]
Moved = tuple[NDArray[np.intp], NDArray[np.uint8]]
"""Rows whose level changed, and their levels before."""
_UNMOVED: Moved = np.zeros(0, np.intp), np.zeros(0, np.uint8)


class Model(Protocol):
    """What turns features into log-odds, as `models.forest.Forest` does."""

    @property
    def scale(self) -> Mapping[str, Scale]:
        """What a mean of log-odds means, by level."""
        ...

    def log_odds(self, x: NDArray[np.float32], rows: NDArray[np.intp], moment: Moment) -> NDArray[np.float32]:
        """Log-odds (k,) that nobody lives here, of features ``x`` (features, k): of ``rows`` (k,) at a ``moment``, for
        who records."""
        ...


@dataclass(slots=True)
class Day:
    """What is looked up all day: made from the habits (n,) at its beginning.

    ``steps``: scores of the three levels, out of reach while learning. ``usual``: what the learned model is told of the
    habits. ``floor`` (n,): the least code that
    is evidence. ``sign`` (n,): evidence that is a sign of life. ``lively`` (n,): codes above it are proof of life in
    the learning days (None: all have learned). ``ratios`` (n x 10,) and ``silence`` (n,) are those of two-hour
    ``block`` of the day.
    """

    habit: NDArray[np.void]
    tables: evidence.Tables
    steps: Steps
    usual: Usual
    model: Model | None
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


def open_day(
    habit: NDArray[np.void], thresholds: Thresholds, model: Model | None, tables: evidence.Tables | None = None
) -> Day:
    """The day's look-ups for ``habit`` (n,); ``model`` None: judged by the plain evidence alone; ``tables``: those of
    ``habit`` where they are at hand."""
    tables = evidence.tables(habit) if tables is None else tables
    learned = habit["days"] >= levels.LEARNING_DAYS
    steps = levels.steps(thresholds, habit["worst"].astype(np.float32), learned, tables.known, model)
    lively = None if learned.all() else np.where(learned, 255, evidence.lively(tables)).astype(np.uint8)
    sign = np.where(learned, evidence.SIGN, evidence.SIGN_NEW).astype(np.int16)
    base = np.arange(0, len(habit) * BINS, BINS, dtype=np.int32)
    usual = features.usual(habit, tables)
    return Day(habit, tables, steps, usual, model, learned, evidence.floor(tables), sign, lively, base)


@dataclass(slots=True)
class Span:
    """k slots in a row from ``first``, within one two-hour ``block`` of the local day, of n households.

    ``ended``: the block that ended just before them (None: they do not begin one); ``into``: slots of the block before
    ``first``. ``asked`` (k, n): a reading with which the learned model is asked, once an hour, ends with the slot.

    ``codes``, ``phone`` (k, n): the strip's codes. ``watched`` (k, n): enrolled by then and not absent. ``due``
    (k, n): watched, and a meter's interval ends with the slot. ``heard`` (k, n): watched, and the phone feed is
    complete past the slot. ``width`` (n,): the meter's interval in slots, 0: no meter.
    """

    first: int
    block: int
    ended: int | None
    into: int
    codes: NDArray[np.uint8]
    phone: NDArray[np.uint8]
    watched: Mask
    due: Mask
    asked: Mask
    heard: Mask
    width: NDArray[np.uint16]


@dataclass(slots=True)
class Told:
    """What one slot tells of n households, (n,) each: evidence in 1/64 nat (None: nobody's), and who showed life.

    ``measured``: a reading is there (None: none was due). ``life``: proof of life. ``known``: slots that are now
    known, and silent unless they show life. ``by_load``: what the meter tells, as the joint evidence counts it.
    ``moment``: for the learned model. ``ended``: as in `Span`. ``called``: somebody tried to reach the resident.
    """

    number: int
    moment: Moment
    ended: int | None
    watched: Mask
    due: Mask
    asked: Mask
    heard: Mask
    own: Mask
    called: Mask
    by_phone: NDArray[np.int16] | None
    known: NDArray[np.uint16] | None
    codes: NDArray[np.uint8]
    by_load: NDArray[np.int16] | None = None
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
    called = (span.phone == INCOMING) & span.heard
    told = [
        Told(
            span.first + i, Moment(span.block, min((span.into + i + 1) / latest.BLOCK_SLOTS, 1), span.first + i),
            span.ended if i == 0 else None, span.watched[i], span.due[i], span.asked[i], span.heard[i], own[i],
            called[i], None if by_phone is None else by_phone[i], None if alone is None else alone[i], span.codes[i],
        )
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
        raw[:, odd] = raw[:, odd] * WEIGHT[span.width[odd]] >> 2
    known, told_by = measured * span.width, evidence.told(raw)
    for i, t in enumerate(told):
        t.by_load, t.by_meter, t.measured = raw[i], told_by[i], measured[i]
        t.life = life[i] | own[i]
        t.known = known[i] if t.known is None else known[i] + t.known


def advance(heads: Heads, lately: NDArray[np.void], day: Day, told: Told, limit: NDArray[np.uint16]) -> Moved:
    """Move ``heads``, ``lately`` (n,) over one slot, in place. Returns the rows whose level changed, and their levels
    before.

    ``limit`` (n,): the slots of silence that alarm, from `Day.limit`.
    """
    if told.ended is not None:
        latest.close(lately, told.ended, told.watched & (heads.level < levels.CAUTION))
    _weigh_up(heads, day, told)
    _follow(heads, lately, told)
    _ask(heads, lately, day, told)
    over = (heads.score >= day.steps.score[0]) | (heads.caution >= day.steps.caution[0])
    hot = (over | (heads.silent >= limit) | (heads.level > levels.NONE)).nonzero()[0]
    return _levels(heads, lately, day, hot, limit, told.number) if len(hot) else _UNMOVED


def _follow(heads: Heads, lately: NDArray[np.void], told: Told) -> None:
    """What the learned model will be told."""
    both = told.by_load
    if told.by_phone is not None:
        both = told.by_phone if both is None else both + told.by_phone
    if told.measured is not None:
        latest.read(lately, told.codes, told.measured)
    half_hour = told.number % 2 == 1
    latest.add(lately, heads, told.watched, told.own, told.heard, told.called, both, half_hour)


def _ask(heads: Heads, lately: NDArray[np.void], day: Day, told: Told) -> None:
    """The learned log-odds that nobody lives here, as means over the last hours; own phone use ends them at once."""
    for mean in (heads.caution, heads.serious):
        np.copyto(mean, FLOOR, where=told.own | ~told.watched)
    if day.model is None or told.measured is None:
        return
    rows = np.flatnonzero(told.asked & told.measured & day.tables.known)
    if not len(rows):
        return
    x = features.features(heads, lately, day.usual, told.moment, rows)
    value = day.model.log_odds(x, rows, told.moment)
    odds = np.rint(np.clip(value * UNIT, FLOOR, -FLOOR)).astype(np.int32)
    for level, pace in PACES.items():
        mean = getattr(heads, level)
        mean[rows] += ((odds - mean[rows]) * pace >> 8).astype(np.int16)


def _weigh_up(heads: Heads, day: Day, told: Told) -> None:
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


def _begin(heads: Heads, rested: Mask, told: Told) -> None:
    """Silence begins with the interval of the first evidence; one that a fixed limit calls out, with its hours."""
    begins = rested & (heads.score > 0) & (heads.level == levels.NONE)
    since = told.number if told.known is None else told.number + 1 - np.maximum(told.known, 1).astype(np.int32)
    np.copyto(heads.onset, since, where=begins)


def _levels(
    heads: Heads, lately: NDArray[np.void], day: Day, rows: NDArray[np.intp], limit: NDArray[np.uint16], number: int
) -> Moved:
    """Levels of the rows that have one or may get one."""
    before, silent = heads.level[rows], heads.silent[rows]
    level, over = levels.evident(
        heads.score[rows], heads.meter[rows], heads.phone[rows], silent, heads.caution[rows], heads.serious[rows],
        day.steps, rows,
    )  # fmt: skip
    ruled = silent >= limit[rows]
    by_rule = ruled & (before == levels.NONE) & (level == levels.NONE)
    by_model = (before == levels.NONE) & (level > levels.NONE) & (heads.score[rows] == 0)
    heads.onset[rows[by_rule]] = number + 1 - silent[by_rule].astype(np.int32)
    unused = np.minimum(lately["unused"][rows[by_model]], SLOTS_PER_DAY).astype(np.int32)
    heads.onset[rows[by_model]] = number + 1 - unused
    level = levels.standing(level, over, ruled, before)
    moved = level != before
    heads.level[rows[moved]] = level[moved]
    return rows[moved], before[moved]


def limit_slots(thresholds: Thresholds) -> NDArray[np.uint16]:
    """Fixed limits by risk group (normal, elevated, high) in slots, (3,)."""
    return np.array([min(h * SLOTS_PER_HOUR, _NEVER) for h in thresholds.limit_hours], np.uint16)
