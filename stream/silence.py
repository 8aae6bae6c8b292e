"""What a judged slot changed, told as alerts: silence begins, deepens or ends; data stops and comes back."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models import evidence, gaps, levels, reasons
from models.slots import MISSING, OWN, SLOTS_PER_HOUR, ZERO
from stream.alerts import Event, Writer
from stream.block import Block
from stream.life import FREE, Life, Step
from stream.members import Members
from stream.records import Alert
from stream.strips import SLOTS
from stream.watch import NO_TERMS


class Silence:
    """Reads changes off the heads of blocks. ``heard``: per phone feed number, the slot up to which it is complete."""

    def __init__(self, writer: Writer, members: Members, life: Life, heard: NDArray[np.int64]) -> None:
        self.writer = writer
        self.members = members
        self.life = life
        self.rules = life.rules
        self.heard = heard

    def changes(self, block: Block, step: Step) -> Iterator[Alert]:
        """Alerts on silence that this slot raised, changed or cleared."""
        for row, old in zip(step.rows.tolist(), step.level.tolist(), strict=True):
            new, onset = int(block.head["level"][row]), int(block.head["onset"][row])
            if new == levels.NONE:
                why = self._why_over(block, row, step.slot)
                yield self.writer.silence("cleared", block, row, old, onset, step.slot, why)
            else:
                event: Event = "raised" if old == levels.NONE else "level_changed"
                why = self.writer.why_silent(block, row, step.slot, self._heard(block, row, step.slot))
                yield self.writer.silence(event, block, row, new, onset, step.slot, why)

    def mended(self, block: Block, rows: NDArray[np.int64], before: NDArray[np.void], slot: int) -> Iterator[Alert]:
        """Alerts on silence that late data ended, changed or brought about; ``before``: heads of ``rows`` before it."""
        for row, old in zip(rows.tolist(), before, strict=True):
            now = block.head[row]
            same = int(old["onset"]) == int(now["onset"]) and now["level"] > levels.NONE and old["level"] > levels.NONE
            if old["level"] > levels.NONE and not same:
                why = self._why_late(block, row, old, slot)
                yield self.writer.silence("cleared", block, row, int(old["level"]), int(old["onset"]), slot, why)
            if now["level"] > levels.NONE and not (same and now["level"] == old["level"]):
                why = [("late_data", {}), *self.writer.why_silent(block, row, slot, self._heard(block, row, slot))]
                event: Event = "level_changed" if same else "raised"
                yield self.writer.silence(event, block, row, int(now["level"]), int(now["onset"]), slot, why)

    def gap_changes(self, block: Block, step: Step) -> Iterator[Alert]:
        """Alerts on missing data that this slot raised, changed or cleared."""
        if step.gap is not None:
            for row, old, data in zip(*(a.tolist() for a in step.gap), strict=True):
                yield self._gap(block, row, old, int(block.head["gap"][row]), data, step.slot)

    def gaps_mended(
        self, block: Block, rows: NDArray[np.int64], before: NDArray[np.void], slot: int
    ) -> Iterator[Alert]:
        """Alerts on missing data that late data ended, changed or moved."""
        for row, old in zip(rows.tolist(), before, strict=True):
            now = block.head[row]
            moved = old["gap"] > gaps.NONE and now["gap"] > gaps.NONE and old["data"] != now["data"]
            if moved or (old["gap"] > gaps.NONE and now["gap"] == gaps.NONE):
                yield self._gap(block, row, int(old["gap"]), gaps.NONE, int(old["data"]), slot)
            if now["gap"] > gaps.NONE and (moved or now["gap"] != old["gap"]):
                was = gaps.NONE if moved else int(old["gap"])
                yield self._gap(block, row, was, int(now["gap"]), int(now["data"]), slot)

    def count(self, block: Block, slot: int, silent: Counter[str]) -> None:
        """Add this block's homes that are silent in ``slot`` to the count per area: no reading, or no power at all.

        A home without readings for over a day is no news and is not counted.
        """
        rows = block.now()
        watch, tables = self.life.watch(rows), self.life.today(rows).tables
        last = slot - watch.offset[slot % SLOTS_PER_HOUR]
        codes = block.strips.meter[last % SLOTS, np.arange(block.n)]
        if not (low := codes <= ZERO).any():
            return
        at = np.flatnonzero(low & (watch.since <= last) & (watch.width > 0) & (rows.who["step"] > 0))
        news = slot - rows.state.head["data"][at] < self.rules.person_slots
        out = at[((codes[at] == MISSING) & news) | evidence.dark(codes, tables)[at]]
        for name, many in self.members.per_group(rows.who["area"], out, block.drills):
            silent[name] += many

    def _heard(self, block: Block, row: int, slot: int) -> bool:
        feed = int(block.who["phone_feed"][row])
        broken = block.terms.get(row, NO_TERMS).without_phone(slot)
        return feed > 0 and int(self.heard[feed]) > slot and not broken

    def _away(self, block: Block, row: int, slot: int) -> list[reasons.Reason]:
        """Why nobody is expected to be there in a slot; nothing where somebody is."""
        terms = block.terms.get(row, NO_TERMS)
        if terms.gone(slot):
            return [("left", {})]
        return [("absence", {})] if terms.absent(slot, slot + 1) else []

    def _made_sure(self, block: Block, row: int, slot: int) -> list[reasons.Reason]:
        """That somebody met or heard the resident in a slot, where somebody did."""
        proven = slot in block.terms.get(row, NO_TERMS).proofs
        return [("made_sure", {"at": self._clock(slot)})] if proven else []

    def _clock(self, slot: int) -> str:
        return self.life.calendar.time(slot).strftime("%m-%d %H:%M")

    def _gap(self, block: Block, row: int, old: int, new: int, data: int, slot: int) -> Alert:
        event: Event = "cleared" if new == gaps.NONE else "raised" if old == gaps.NONE else "level_changed"
        hours = {"hours": round((slot - data) / SLOTS_PER_HOUR, 1)}
        back = self._away(block, row, slot) or [("data_back", {})]
        why: list[reasons.Reason] = back if event == "cleared" else [("no_data", hours)]
        if new == gaps.PERSON:
            why.append(("no_data_no_life", {}))
        return self.writer.gap(event, block, row, new or old, data, slot, self._heard(block, row, slot), why)

    def _why_over(self, block: Block, row: int, slot: int) -> list[reasons.Reason]:
        if block.who["since"][row] == FREE:
            return [("withdrawn", {})]
        if away := self._away(block, row, slot):
            return away
        if int(block.head["life"][row]) != slot:
            return [("life_again", {})]
        if sure := self._made_sure(block, row, slot):
            return sure
        _, phone = block.strips.slot(slot, block.n)
        return [("life_phone", {})] if phone[row] == OWN else [("life_load", {})]

    def _why_late(self, block: Block, row: int, old: NDArray[np.void], slot: int) -> list[reasons.Reason]:
        life, terms = int(block.head["life"][row]), block.terms.get(row, NO_TERMS)
        if terms.absences and life <= int(old["life"]):
            return [("left", {})] if terms.gone(slot) else [("absence", {})]
        if life > int(old["life"]):
            return self._made_sure(block, row, life) or [("late_life", {"life": self._clock(life)})]
        return [("late_data", {})]
