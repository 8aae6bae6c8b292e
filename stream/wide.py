"""What only shows over many homes: an area that falls silent at once, and gaps that are nothing but its echo.

Partitions report every judged slot; a slot of an area is decided when all partitions that keep up have reported it,
so the order in which reports come does not matter. While an area is out, its homes' data gaps are held back; those
that outlast it are told when it is back.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from models import areas, reasons
from stream.alerts import alert_id
from stream.calendar import Calendar
from stream.records import Alert, ReasonCode
from stream.report import Report
from stream.rules import Rules
from stream.watermark import GRACE_SECONDS


class Outage(Struct):
    """An area that is out since slot ``onset``, and the homes' gaps held back meanwhile, by alert_id."""

    onset: int
    held: dict[str, Alert] = {}


class WideState(Struct):
    """All that is kept: stored as one record."""

    clocks: dict[int, int] = {}
    members: dict[int, dict[str, int]] = {}
    done: int = 0
    silent: dict[int, dict[str, int]] = {}
    gaps: dict[int, list[Alert]] = {}
    out: dict[str, Outage] = {}


@dataclass(slots=True)
class Wide:
    """The judge of areas. ``state`` is plain data; ``lagging``: since when a partition has lagged (wall clock)."""

    rules: Rules
    calendar: Calendar
    state: WideState = field(default_factory=WideState)
    lagging: dict[int, float] = field(default_factory=dict)

    def add(self, report: Report) -> list[Alert]:
        """Take one partition's report. Returns what passes at once: gaps that late data ended or changed."""
        s = self.state
        if report.members is not None:
            s.members[report.partition] = report.members
        passed: list[Alert] = []
        if s.done == 0 and not s.clocks and report.slots:
            s.done = report.slots[0].slot
        for slot in report.slots:
            if slot.slot < s.done:  # this partition was not waited for: its gaps are told, its share is missed
                passed += [g for g in slot.gaps if not self._held(g)]
                continue
            total = s.silent.setdefault(slot.slot, {})
            for area, many in slot.silent.items():
                total[area] = total.get(area, 0) + many
            if slot.gaps:
                s.gaps.setdefault(slot.slot, []).extend(slot.gaps)
        s.clocks[report.partition] = max(report.clock, s.clocks.get(report.partition, 0))
        passed += [g for g in report.late if not self._waits(g) and not self._held(g)]
        return sorted(passed, key=lambda g: g.at)  # of one moment the slot's own event was first

    def _waits(self, gap: Alert) -> bool:
        """Put a late gap's event behind earlier ones of its alert that still wait for their slot to be decided: told
        before them it would end what has yet to be said, and nothing would end that any more."""
        waiting = [
            slot for slot, gaps in self.state.gaps.items()
            if any(g.alert_id == gap.alert_id and g.at <= gap.at for g in gaps)
        ]  # fmt: skip
        if waiting:
            self.state.gaps[max(waiting)].append(gap)
        return bool(waiting)

    def advance(self, now: float) -> list[Alert]:
        """Decide every slot that all partitions have reported. ``now``: wall clock in seconds."""
        s = self.state
        until = self._until(now)
        alerts: list[Alert] = []
        members: dict[str, int] | None = None
        for slot in sorted(k for k in s.silent.keys() | s.gaps.keys() if k < until):
            members = self._members() if members is None else members
            alerts += self._decide(slot, members)
        s.done = max(s.done, until)
        return alerts

    def _members(self) -> dict[str, int]:
        members: dict[str, int] = defaultdict(int)
        for partition in self.state.members.values():
            for area, many in partition.items():
                members[area] += many
        return members

    def _until(self, now: float) -> int:
        """The slot up to which partitions have reported; one that lags for long is not waited for."""
        clocks = {p: self.state.clocks.get(p, self.state.done) for p, m in self.state.members.items() if m}
        clocks |= self.state.clocks
        if not clocks:
            return self.state.done
        leading = max(clocks.values())
        kept = []
        for partition, clock in clocks.items():
            if clock >= leading - self.rules.wait_slots:
                self.lagging.pop(partition, None)
            elif now - self.lagging.setdefault(partition, now) >= GRACE_SECONDS:
                continue
            kept.append(clock)
        return min(kept)

    def _decide(self, slot: int, members: dict[str, int]) -> Iterator[Alert]:
        s, r = self.state, self.rules
        silent = s.silent.pop(slot, {})
        for area in sorted(silent.keys() | s.out.keys()):
            outage, many = s.out.get(area), silent.get(area, 0)
            of = members.get(area, 0)
            if areas.is_out(many, of, outage is not None, r.area_share, r.area_end_share, r.area_members):
                if outage is None:
                    s.out[area] = Outage(slot)
                    yield self._outage("raised", area, slot, slot, [("area_silent", _values(area, many, of))])
            elif outage is not None:
                del s.out[area]
                yield self._outage("cleared", area, outage.onset, slot, [("area_back", {"area": area})])
                at = self.calendar.time(slot + 1)
                yield from (msgspec.structs.replace(g, at=at) for g in outage.held.values())
        for gap in s.gaps.pop(slot, []):
            if not self._held(gap):
                yield gap

    def _held(self, gap: Alert) -> bool:
        """Hold a gap back while its area is out; one that ends while held was never told and is not told now."""
        outage = self.state.out.get(gap.area)
        if outage is None:
            return False
        known = gap.alert_id in outage.held
        if gap.event == "cleared":
            outage.held.pop(gap.alert_id, None)
            return known
        if gap.event == "raised":
            outage.held[gap.alert_id] = gap
            return True
        if known:
            outage.held[gap.alert_id] = msgspec.structs.replace(gap, event="raised")
        return known

    def _outage(self, event: str, area: str, onset: int, slot: int, why: list[reasons.Reason]) -> Alert:
        korean, english = reasons.sentences(why)
        return Alert(
            event=event,  # type: ignore[arg-type]
            alert_id=alert_id(area, "area_outage", onset),
            household_id="",
            kind="area_outage",
            level="caution",
            to="operator",
            at=self.calendar.time(slot + 1),
            onset=self.calendar.time(onset),
            last_life=None,
            return_period_days=None,
            reasons=tuple(ReasonCode(code, dict(values)) for code, values in why),
            text_ko=korean,
            text_en=english,
            area=area,
        )


def _values(area: str, silent: int, members: int) -> dict[str, float | str]:
    return {"area": area, "silent": silent, "members": members}
