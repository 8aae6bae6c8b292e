"""What a judged slot changed, told as alerts: silence begins, deepens or ends; data stops and comes back."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models import evidence, gaps, judge, levels, reasons
from models.slots import MISSING, OWN, SLOTS_PER_HOUR
from stream.alerts import Writer
from stream.block import Block
from stream.life import FREE, Step
from stream.members import Members
from stream.records import Alert
from stream.rules import Rules


class Silence:
    """Reads changes off the heads of blocks. ``heard``: per phone feed number, the slot up to which it is complete."""

    def __init__(self, writer: Writer, members: Members, rules: Rules, heard: NDArray[np.int64]) -> None:
        self.writer = writer
        self.members = members
        self.rules = rules
        self.heard = heard

    def changes(self, block: Block, step: Step) -> Iterator[Alert]:
        """Alerts on silence that this slot raised, changed or cleared."""
        now = block.head["level"][: block.n]
        for row in np.flatnonzero(now != step.level).tolist():
            old, new = int(step.level[row]), int(now[row])
            onset = int(block.head["onset"][row])
            if new == levels.NONE:
                why = self._why_over(block, row, step.slot)
                yield self.writer.silence("cleared", block, row, old, onset, step.slot, why)
            else:
                event = "raised" if old == levels.NONE else "level_changed"
                why = self.writer.why_silent(block, row, step.slot, self._heard(block, row, step.slot))
                yield self.writer.silence(event, block, row, new, onset, step.slot, why)

    def mended(self, block: Block, rows: NDArray[np.int64], before: NDArray[np.void], slot: int) -> Iterator[Alert]:
        """Alerts on silence that late data ended, changed or brought about; ``before``: heads of ``rows`` before it."""
        for row, old in zip(rows.tolist(), before, strict=True):
            now = block.head[row]
            same = int(old["onset"]) == int(now["onset"]) and now["level"] > levels.NONE and old["level"] > levels.NONE
            if old["level"] > levels.NONE and not same:
                why = self._why_late(block, row, old)
                yield self.writer.silence("cleared", block, row, int(old["level"]), int(old["onset"]), slot, why)
            if now["level"] > levels.NONE and not (same and now["level"] == old["level"]):
                why = [("late_data", {}), *self.writer.why_silent(block, row, slot, self._heard(block, row, slot))]
                event = "level_changed" if same else "raised"
                yield self.writer.silence(event, block, row, int(now["level"]), int(now["onset"]), slot, why)

    def gap_changes(self, block: Block, step: Step) -> Iterator[Alert]:
        """Alerts on missing data that this slot raised, changed or cleared."""
        now = block.head["gap"][: block.n]
        for row in np.flatnonzero(now != step.gap).tolist():
            yield self._gap(block, row, int(step.gap[row]), int(now[row]), int(step.data[row]), step.slot)

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
        n = block.n
        who, head = block.who[:n], block.head[:n]
        rows = block.now()
        if rows.day is None:
            rows.day = judge.open_day(rows.habit, self.rules.thresholds)
        width = np.maximum(who["step"], 1).astype(np.int64)
        last = slot - (slot + 1) % width
        first = int(last.min())
        meter, _ = rows.read(first, slot - first + 1)
        codes = meter[last - first, np.arange(n)]
        due = (who["since"] <= last) & (who["meter_feed"] > 0) & (who["step"] > 0)
        news = slot - head["data"] < self.rules.person_slots
        out = due & (((codes == MISSING) & news) | evidence.dark(codes, rows.day.tables))
        if out.any():
            for area, many in enumerate(np.bincount(who["area"][out]).tolist()):
                if many and area:
                    silent[self.members.areas.names[area]] += many

    def _heard(self, block: Block, row: int, slot: int) -> bool:
        feed = int(block.who["phone_feed"][row])
        return feed > 0 and int(self.heard[feed]) > slot

    def _gap(self, block: Block, row: int, old: int, new: int, data: int, slot: int) -> Alert:
        event = "cleared" if new == gaps.NONE else "raised" if old == gaps.NONE else "level_changed"
        hours = {"hours": round((slot - data) / SLOTS_PER_HOUR, 1)}
        why: list[reasons.Reason] = [("data_back", {})] if event == "cleared" else [("no_data", hours)]
        if new == gaps.PERSON:
            why.append(("no_data_no_life", {}))
        return self.writer.gap(event, block, row, new or old, data, slot, self._heard(block, row, slot), why)

    def _why_over(self, block: Block, row: int, slot: int) -> list[reasons.Reason]:
        if block.who["since"][row] == FREE:
            return [("withdrawn", {})]
        if row in block.terms and block.terms[row].absent(slot, slot + 1):
            return [("absence", {})]
        if int(block.head["life"][row]) != slot:
            return [("life_again", {})]
        _, phone = block.strips.slot(slot, block.n)
        return [("life_phone", {})] if phone[row] == OWN else [("life_load", {})]

    def _why_late(self, block: Block, row: int, old: NDArray[np.void]) -> list[reasons.Reason]:
        life = int(block.head["life"][row])
        if row in block.terms and block.terms[row].absences and life <= int(old["life"]):
            return [("absence", {})]
        if life > int(old["life"]):
            return [("late_life", {"life": self.writer.calendar.time(life).strftime("%m-%d %H:%M")})]
        return [("late_data", {})]
