"""One partition of households: what comes in is written to strips, what the clock passes is judged.

No Kafka here: columns in, alerts out, rows for the changelog at the side. The live worker and the backtest run the
same object, which is why they come to the same alerts.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models import levels, reasons
from models.slots import ESTIMATED, MISSING, SLOT_SECONDS, SLOTS_PER_DAY, encode_energy
from stream import drift
from stream.alerts import Writer
from stream.aside import Aside, lived, put_back, set_aside
from stream.block import WHO_ROW, Block, mend
from stream.calendar import Calendar, slot_from
from stream.columns import MeterColumns, PhoneColumns
from stream.consent import Word
from stream.foreign import Foreign
from stream.kinds import phone_codes
from stream.leavers import Leavers
from stream.life import FREE, Life
from stream.members import Members
from stream.records import QUALITIES, Alert, AreaWarning, Household, Quality, Reason
from stream.report import Report, SlotReport
from stream.rules import Rules
from stream.silence import Silence
from stream.strips import LATE_DAYS, ROWS, SLOTS
from stream.warned import Name, Warnings
from stream.watch import NO_TERMS
from stream.watermark import Watermarks

_MEASURED, _ESTIMATED = QUALITIES.index(Quality.measured), QUALITIES.index(Quality.estimated)


@dataclass(slots=True)
class Outcome:
    """What became of a batch: alerts, the report for areas, counts of rows by reason, judged household-slots."""

    alerts: list[Alert] = field(default_factory=list)
    report: Report | None = None
    judged: int = 0


class Partition:
    """State of one partition and its clock. ``counts``: rows not used, by reason, since last asked."""

    def __init__(self, number: int, rules: Rules, calendar: Calendar) -> None:
        self.number = number
        self.rules = rules
        self.calendar = calendar
        self.life = Life(rules, calendar)
        self.members = Members()
        self.leavers = Leavers(rules.grace_s)
        self.warnings = Warnings(rules.warned)
        self.marks = Watermarks(rules.wait_slots)
        self.start: int | None = None
        self.counts: Counter[Reason] = Counter()
        self.foreign = Foreign()
        self.watching = self.members.watching()
        self.writer = Writer(self.life, self.members.areas.names, self.members.dongs.names)
        self._late: dict[int, set[int]] = {}
        self._alerts: list[Alert] = []
        self._late_gaps: list[Alert] = []
        self._reports: list[SlotReport] = []
        self._judged = 0
        self._members_told = False

    def restored(self) -> None:
        """Members were filled from the changelog."""
        self.writer = Writer(self.life, self.members.areas.names, self.members.dongs.names)
        self.life.warned = self.warnings.of(self.members.areas.numbers)
        self._look_who_watches()

    # --- what comes in -------------------------------------------------------------------------------------------

    def households(self, records: Sequence[Household], now: float = math.inf) -> list[int]:
        """Enrolments, changes and withdrawals, in order. Returns the positions of those that are of before their
        household's withdrawal: they were not used. ``now``: the wall clock, by which what was kept of who left is
        deleted; by default at once."""
        new: dict[str, Household] = {}
        old: list[int] = []
        for at, record in enumerate(records):
            word = self.leavers.word(record, now)
            row = int(self.members.locate(pa.array([record.household_id], pa.string()))[0])
            if word is Word.old:
                old.append(at)
            elif word is Word.ends:
                before = new.pop(record.household_id, None)
                self._withdraw(record, row, now, before)
            elif word is Word.anew and (aside := self.leavers.returns(record.household_id, now)) is not None:
                self._give_back(record, aside)
            elif record.withdrawn is None and row >= 0:
                self.members.change(row, record)
                self._mend_later(np.array([row]))
            elif record.withdrawn is None:
                new[record.household_id] = record
        rows = self.members.enrol(list(new.values()), self.start or 0, self.marks.clock or 0)
        self._mend_later(np.array(rows, np.int64))
        self._members_told = False
        self.life.warned = self.warnings.of(self.members.areas.numbers)
        self._look_who_watches()
        return old

    def warn(self, record: AreaWarning | Name) -> None:
        """A warning of heat or cold for an area; an area and a kind alone: what was said of them was never true."""
        if isinstance(record, AreaWarning):
            area, changed = record.area, self.warnings.take(record, self.start or 0)
        else:
            area, changed = record[0], self.warnings.forget(record)
        number = self.members.areas.numbers.get(area, 0)
        if changed is None or not number:
            return
        self.life.warned = self.warnings.of(self.members.areas.numbers)
        for block in self.members.blocks:
            at = np.flatnonzero((block.who["area"][: block.n] == number) & (block.who["since"][: block.n] != FREE))
            if len(at):
                block.watch_again()
                if changed < (self.marks.clock or 0):
                    self._mend_later(at + block.number * ROWS)

    def begin(self, first: int, lateness: int) -> None:
        """The first data: the clock starts at ``first`` (UTC seconds) less the feed's lateness, or at enrolment."""
        if self.start is not None:
            return
        since = [int(b.who["since"][: b.n].min()) for b in self.members.blocks if b.n]
        clock = max((first - lateness) // SLOT_SECONDS, min(since, default=0))
        if clock >= FREE:
            return
        self.start = self.calendar.day_start(clock) - (LATE_DAYS - 1) * SLOTS_PER_DAY
        self.marks.clock = self.marks.begun = clock
        for block in self.members.blocks:
            block.begin(clock)

    @property
    def feeds_in_use(self) -> frozenset[str]:
        """Names of the feeds that watch at least one household here."""
        return self.watching["meter"] | self.watching["phone"]

    @property
    def room(self) -> int | None:
        """First moment (UTC seconds) for which the ring has no place yet: frames beyond it wait for the clock."""
        return None if self.start is None else (self.start + SLOTS) * SLOT_SECONDS

    def meter(self, columns: MeterColumns, feed: str | None = None) -> NDArray[np.bool_]:
        """Write readings (n,) of homes that ``feed`` watches; ``foreign`` keeps what it sent of others. None: history
        read from files, each row of the feed that its home names.

        Returns which are of households not enrolled in this partition, (n,).
        """
        rows = self.members.locate(columns.household_id).astype(np.int64)
        known = rows >= 0
        slots, width = columns.start // SLOT_SECONDS, columns.minutes.astype(np.int64) // 15
        wh = np.where(np.isnan(columns.kwh), 0, columns.kwh).astype(np.float32) * np.float32(1000)
        codes = encode_energy((wh / width).astype(np.float32))
        codes[columns.quality == _ESTIMATED] = ESTIMATED
        codes[(columns.quality != _MEASURED) & (columns.quality != _ESTIMATED)] = MISSING
        codes[np.isnan(columns.kwh) & (columns.quality == _MEASURED)] = MISSING
        for block, at in self._by_block(rows, known, "meter", feed):
            keep = at[self._in_time(block, rows[at] % ROWS, slots[at])]
            in_block = rows[keep] % ROWS
            self._note_interval(block, in_block, slots[keep], width[keep])
            many = np.repeat(np.arange(len(keep)), width[keep])
            nth = np.arange(len(many)) - np.repeat(np.cumsum(width[keep]) - width[keep], width[keep])
            at_slot = slots[keep][many] + nth
            news = block.strips.write_meter(in_block[many], at_slot, codes[keep][many])
            ends = (slots[keep] + width[keep])[many] - 1  # an interval is late when it ends before the clock
            self._note(block, in_block[many], ends, news)
            fresh = np.bincount(many, weights=news, minlength=len(keep)) > 0
            self.counts[Reason.duplicate] += int((~fresh & (codes[keep] > MISSING)).sum())
        return ~known

    def phone(self, columns: PhoneColumns, feed: str | None = None) -> NDArray[np.bool_]:
        """Write events (n,), as ``meter`` does."""
        rows = self.members.locate(columns.household_id).astype(np.int64)
        known = rows >= 0
        slots, codes = columns.at // SLOT_SECONDS, phone_codes(columns.kind)
        for block, at in self._by_block(rows, known, "phone", feed):
            keep = at[self._in_time(block, rows[at] % ROWS, slots[at])]
            in_block = rows[keep] % ROWS
            news = block.strips.write_phone(in_block, slots[keep], codes[keep])
            self._note(block, in_block, slots[keep], news)
            self.counts[Reason.duplicate] += int((~news).sum())
        return ~known

    def heard(self, feed: str, latest_end: int | None, complete_until: int | None, now: float) -> None:
        """A frame of a feed was written: move its watermark; slots judged without it are judged again."""
        source = self.marks.source(feed)
        before = source.until
        self.marks.heard(feed, latest_end, complete_until, now)
        clock = self.marks.clock
        if clock is None or source.until == before or not source.wanted:
            return
        self._judge_again(feed, before, clock)

    # --- what the clock passes -----------------------------------------------------------------------------------

    def advance(self, now: float) -> Outcome:
        """Mend what came late, judge what is complete, and say what came of it since last asked.

        ``now``: wall clock in seconds, for feeds that lag.
        """
        self.step(now)
        outcome = Outcome(self._alerts, None, self._judged)
        clock = self.marks.clock
        if clock is not None and (self._reports or self._late_gaps or not self._members_told):
            told = None if self._members_told else self.members.per_area()
            outcome.report = Report(self.number, clock, tuple(self._reports), told, tuple(self._late_gaps))
            self._members_told = True
        self._alerts, self._reports, self._late_gaps, self._judged = [], [], [], 0
        return outcome

    def step(self, now: float) -> None:
        """Mend what came late and judge what is complete; what comes of it is kept for ``advance``."""
        clock = self.marks.clock
        if self.start is None or clock is None:
            return
        self._mend(clock)
        heard = self._heard_until()
        while clock < min(self.marks.target(now) or clock, self.start + SLOTS):
            self._reports.append(self._judge(clock, heard))
            self._judged += len(self.members.directory)
            clock += 1
            if clock == self.calendar.day_start(clock):
                self._settle(clock, heard)
        self.marks.clock = clock

    def _judge(self, slot: int, heard: NDArray[np.int64]) -> SlotReport:
        silent: Counter[str] = Counter()
        gap_events: list[Alert] = []
        silence = Silence(self.writer, self.members, self.life, heard)
        for block in self.members.blocks:
            if not block.n:
                continue
            for step in block.judge(self.life, slot, slot + 1, heard):
                self._alerts += silence.changes(block, step)
                gap_events += silence.gap_changes(block, step)
            if len(self.members.areas.names) > 1:
                silence.count(block, slot, silent)
        return SlotReport(slot, dict(silent), tuple(gap_events))

    def _settle(self, midnight: int, heard: NDArray[np.int64]) -> None:
        assert self.start is not None
        while midnight - self.start > LATE_DAYS * SLOTS_PER_DAY:
            for block in self.members.blocks:
                for step in block.settle(self.life, self.start, heard):
                    self._alerts += drift.changes(self.writer, block, step, midnight - 1)
            self.start += SLOTS_PER_DAY
            self.warnings.settle(self.start)

    # --- the past mended -----------------------------------------------------------------------------------------

    def _mend(self, clock: int) -> None:
        late, self._late = {b: rows for b, rows in self._late.items() if rows}, {}
        if not late or self.start is None:
            return
        heard = self._heard_until()
        chosen = [(self.members.blocks[b], np.array(sorted(rows))) for b, rows in sorted(late.items())]
        before = mend(chosen, self.life, self.start, clock, heard)
        silence = Silence(self.writer, self.members, self.life, heard)
        for (block, rows), old in zip(chosen, before, strict=True):
            self._alerts += silence.mended(block, rows, old, clock - 1)
            self._late_gaps += silence.gaps_mended(block, rows, old, clock - 1)

    def _mend_later(self, rows: NDArray[np.int64]) -> None:
        if self.start is not None:
            for row in rows.tolist():
                self._late.setdefault(row // ROWS, set()).add(row % ROWS)

    def _judge_again(self, feed: str, before: int | None, clock: int) -> None:
        unheard = before if before is not None else self.marks.begun
        if unheard is None or unheard >= clock:
            return
        number = self.members.feeds.number(feed)
        for block in self.members.blocks:
            who = block.who[: block.n]
            at = np.flatnonzero((who["phone_feed"] == number) & (who["since"] != FREE))
            self._mend_later(at + block.number * ROWS)

    def _withdraw(self, record: Household, row: int, now: float, before: Household | None) -> None:
        """Consent has ended: what is kept is set aside, and nothing of it is judged, counted or written any more.
        ``before``: its record of the same batch."""
        since, aside = None if before is None else before.since, None
        if row >= 0:
            block, i = self.members.at(row)
            since = self.calendar.time(int(block.who["since"][i]))
            if self.start is not None:
                aside = set_aside(block, i, self.start, self.marks.clock or self.start)
            self._leave(row)
        self.leavers.leaves(record, since, aside, now)

    def _give_back(self, record: Household, aside: Aside) -> None:
        """Consent was given anew before its time was over: watched on, with the state as it was. The hours between are
        hours without data: they are no life, and nothing is missed of them."""
        assert self.start is not None
        clock = self.marks.clock or 0
        row = self.members.come_back(record, aside, max(clock, min(slot_from(record.since), FREE - 1)))
        block, i = self.members.at(row)
        heard = self._heard_until()
        settled, drifts = lived(aside, self.life, block.who[[i]], block.terms.get(i, NO_TERMS), self.start, heard)
        block.settled.put(np.array([i]), settled)
        block.drift[i] = drifts[0]
        put_back(aside, block.strips, i, self.start)
        self._mend_later(np.array([row]))
        self._alerts += drift.resumed(self.writer, block, i, self.start, clock - 1)

    def _leave(self, row: int) -> None:
        block, i = self.members.at(row)
        if self.marks.clock is not None:
            head = block.head[i]
            if head["level"] > levels.NONE:
                why: list[reasons.Reason] = [("withdrawn", {})]
                event = self.writer.silence(
                    "cleared", block, i, int(head["level"]), int(head["onset"]), self.marks.clock - 1, why
                )
                self._alerts.append(event)
            self._alerts += drift.withdrawn(self.writer, block, i, self.start or 0, self.marks.clock - 1)
        self._late.get(block.number, set()).discard(i)
        self.members.leave(row)
        if self.start is not None:  # what the changelog holds of the household is overwritten too
            block.strips.dirty_meter.update(range(self.start, self.start + SLOTS))
            block.strips.dirty_phone.update(range(self.start // 4, (self.start + SLOTS) // 4))

    # --- small helpers -------------------------------------------------------------------------------------------

    def _look_who_watches(self) -> None:
        self.watching = self.members.watching()
        for name in self.feeds_in_use:
            self.marks.source(name)
        for source in self.marks.sources.values():
            source.wanted = source.name in self.feeds_in_use

    def _by_block(
        self, rows: NDArray[np.int64], known: NDArray[np.bool_], signal: str, feed: str | None
    ) -> Iterable[tuple[Block, NDArray[np.int64]]]:
        """Positions of the rows to be written, block by block."""
        own = None if feed is None else self.members.feeds.numbers.get(feed, -1)
        number = np.where(known, rows // ROWS, -1)
        order = np.argsort(number, kind="stable")
        bounds = np.searchsorted(number[order], np.arange(len(self.members.blocks) + 1))
        for block, a, b in zip(self.members.blocks, bounds, bounds[1:], strict=False):
            if b > a:
                at = order[a:b]
                yield block, self.foreign.own(block, at, rows[at] % ROWS, signal, own)

    def _in_time(self, block: Block, rows: NDArray[np.int64], slots: NDArray[np.int64]) -> NDArray[np.bool_]:
        early = slots < block.who["since"][rows]
        for row, spans in self.members.pauses.items() if self.members.pauses else ():
            if row // ROWS == block.number:
                for first, last in spans:
                    early |= (rows == row % ROWS) & (slots >= first) & (slots < last)
        late = ~early & (slots < (self.start or 0))
        self.counts[Reason.before_enrolment] += int(early.sum())
        self.counts[Reason.too_late] += int(late.sum())
        return ~early & ~late

    def _note(self, block: Block, rows: NDArray[np.int64], slots: NDArray[np.int64], news: NDArray[np.bool_]) -> None:
        clock = self.marks.clock
        if clock is not None and (behind := news & (slots < clock)).any():
            self._late.setdefault(block.number, set()).update(np.unique(rows[behind]).tolist())

    def _note_interval(
        self, block: Block, rows: NDArray[np.int64], slots: NDArray[np.int64], width: NDArray[np.int64]
    ) -> None:
        """A household's interval is that of its readings; when it changes, the past is judged again by the new one."""
        phase, before = slots % width, block.who["step"][rows]
        changed = (before != width) | (block.who["phase"][rows] != phase)
        if not changed.any():
            return
        block.who["step"][rows], block.who["phase"][rows] = width, phase
        block.dirty.add(WHO_ROW)
        block.watch_again()
        judged = changed & (before > 0) & (block.who["since"][rows] < (self.marks.clock or 0))
        self._mend_later(np.unique(rows[judged]) + block.number * ROWS)

    def _heard_until(self) -> NDArray[np.int64]:
        until = np.zeros(len(self.members.feeds.names), np.int64)
        for i, name in enumerate(self.members.feeds.names):
            if i and (source := self.marks.sources.get(name)) is not None:
                until[i] = source.until or 0
        return until
