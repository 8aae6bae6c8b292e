"""What only shows over many homes: an area that falls silent at once, and gaps that are nothing but its echo.

Partitions report every judged slot; a slot of an area is decided when all partitions have reported it, so neither the
order in which reports come nor a wall clock matters. Where a partition stands still for long, areas are decided ahead
of it as far as it cannot change anything any more, whatever it will report: it changes nothing when it comes. While an
area is out, its homes' data gaps are held back; those that outlast it are told when it is back.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from models import areas, reasons
from stream.alerts import alert_id
from stream.calendar import Calendar
from stream.records import Alert, ReasonCode
from stream.report import Report, SlotReport, group, of_group
from stream.rules import Rules

AHEAD_SECONDS = 600.0
"""A partition that has stood still behind another for so long (wall clock) is decided ahead of where that is sure."""
GIVE_UP_SECONDS = 86_400.0
"""One that is behind by more than the wait and has stood still for so long is not waited for any more."""


class Outage(Struct):
    """An area that is out in slots [``onset``, ``end``), and the homes' gaps held back meanwhile, by alert_id."""

    onset: int
    held: dict[str, Alert] = {}
    end: int | None = None


class WideState(Struct):
    """All that is kept: stored as one record. Slots before ``done`` are decided, of an area those before ``ahead``."""

    clocks: dict[int, int] = {}
    members: dict[int, dict[str, int]] = {}
    done: int = 0
    silent: dict[int, dict[str, int]] = {}
    gaps: dict[int, list[Alert]] = {}
    out: dict[str, Outage] = {}
    ahead: dict[str, int] = {}
    past: dict[str, list[Outage]] = {}
    """Outages that ended ahead of a partition: its gaps of that time are held back as those of others were."""


@dataclass(slots=True)
class Wide:
    """The judge of areas. ``state`` is plain data; ``behind``: the clock of each partition that another has passed, and
    since when it has stood there (wall clock); ``standing``: those that have for long."""

    rules: Rules
    calendar: Calendar
    state: WideState = field(default_factory=WideState)
    behind: dict[int, tuple[int, float]] = field(default_factory=dict)
    standing: set[int] = field(default_factory=set)

    def add(self, report: Report) -> list[Alert]:
        """Take one partition's report. Returns what passes at once: gaps that late data ended or changed."""
        s = self.state
        if report.members is not None:
            s.members[report.partition] = report.members
        passed: list[Alert] = []
        if s.done == 0 and not s.clocks and report.slots:
            s.done = report.slots[0].slot
        for slot in report.slots:
            passed += self._add(slot)
        s.clocks[report.partition] = max(report.clock, s.clocks.get(report.partition, 0))
        passed += [g for g in report.late if not self._waits(g) and not self._held(g)]
        return sorted(passed, key=lambda g: g.at)  # of one moment the slot's own event was first

    def _add(self, report: SlotReport) -> Iterator[Alert]:
        """Take one slot. Of areas that are decided already the gaps pass at once, and the share changes nothing."""
        s, slot = self.state, report.slot
        if slot >= s.done:
            total = s.silent.setdefault(slot, {})
            for area, many in report.silent.items():
                total[area] = total.get(area, 0) + many
        for gap in report.gaps:
            if slot >= max(s.done, s.ahead.get(_group(gap), 0)):
                s.gaps.setdefault(slot, []).append(gap)
            else:
                yield from self._passing([gap], slot)

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
        """Decide every slot that all partitions have reported, and what is certain beyond. ``now``: wall clock."""
        s = self.state
        until = self._until(now)
        alerts: list[Alert] = []
        members = self._members()
        for slot in sorted(k for k in s.silent.keys() | s.gaps.keys() if k < until):
            alerts += [gap for area in list(s.past) for gap in self._freed(area, slot)]
            alerts += self._decide(slot, members)
        s.done = max(s.done, until)
        alerts += [gap for area in list(s.past) for gap in self._freed(area, s.done - 1)]
        s.past = {area: left for area, o in s.past.items() if (left := [p for p in o if (p.end or 0) >= s.done])}
        s.ahead = {area: slot for area, slot in s.ahead.items() if slot > s.done}
        if self.standing:
            alerts += self._ahead(members)
        return alerts

    def _members(self) -> dict[str, int]:
        members: dict[str, int] = defaultdict(int)
        for partition in self.state.members.values():
            for area, many in partition.items():
                members[area] += many
        return members

    def _clocks(self) -> dict[int, int]:
        known = {p: self.state.done for p, m in self.state.members.items() if m}
        return known | self.state.clocks

    def _until(self, now: float) -> int:
        """The slot up to which partitions have reported; notes those that stand still behind others."""
        clocks = self._clocks()
        leading = max(clocks.values(), default=self.state.done)
        self.standing, kept = set(), [leading]
        for partition, clock in clocks.items():
            if clock == leading:
                self.behind.pop(partition, None)
                continue
            if self.behind.get(partition, (None, 0.0))[0] != clock:
                self.behind[partition] = clock, now
            stood = now - self.behind[partition][1]
            if stood >= AHEAD_SECONDS:
                self.standing.add(partition)
            if stood < GIVE_UP_SECONDS or clock >= leading - self.rules.wait_slots:
                kept.append(clock)
        return min(kept)

    def _decide(self, slot: int, members: dict[str, int]) -> Iterator[Alert]:
        """Decide a slot of all areas that were not decided ahead."""
        s = self.state
        silent = s.silent.pop(slot, {})
        for area in sorted(silent.keys() | s.out.keys()):
            if slot >= s.ahead.get(area, 0):
                yield from self._judge(area, slot, silent.get(area, 0), members.get(area, 0))
        yield from self._passing(s.gaps.pop(slot, []), slot)

    def _passing(self, gaps: Iterable[Alert], slot: int) -> Iterator[Alert]:
        """Of gaps of a slot those that are told, behind what was held back of theirs until before it."""
        for gap in gaps:
            if not self._held(gap, slot):
                yield from self._freed(_group(gap), slot, gap.alert_id)
                yield gap

    def _judge(self, area: str, slot: int, many: int, of: int, ahead: bool = False) -> Iterator[Alert]:
        s, r = self.state, self.rules
        outage = s.out.get(area)
        if areas.is_out(many, of, outage is not None, r.area_share, r.area_end_share, r.area_members):
            if outage is None:
                s.out[area] = Outage(slot)
                yield self._outage("raised", area, slot, slot, [("area_silent", _values(area, many, of))])
        elif outage is not None:
            del s.out[area]
            yield self._outage("cleared", area, outage.onset, slot, [("area_back", {"area": of_group(area)[0]})])
            if ahead:  # a gap of one that stands still may have ended since: it is told when all have reported
                s.past.setdefault(area, []).append(Outage(outage.onset, outage.held, slot))
            else:
                yield from self._told(outage.held, slot)

    def _ahead(self, members: dict[str, int]) -> Iterator[Alert]:
        """Decide what those that stand still cannot change: for each area slot after slot, up to the first that
        depends on them."""
        s, r, clocks = self.state, self.rules, self._clocks()
        limit = min((clock for p, clock in clocks.items() if p not in self.standing), default=s.done)
        seen = {area for slot in s.silent.values() for area in slot} | {_group(g) for gs in s.gaps.values() for g in gs}
        for area in sorted(seen | s.out.keys()):
            of = members.get(area, 0)
            for slot in range(max(s.done, s.ahead.get(area, 0)), limit):
                many = s.silent.get(slot, {}).get(area, 0)
                unknown = sum(m.get(area, 0) for p, m in s.members.items() if clocks.get(p, s.done) <= slot)
                shares = r.area_share, r.area_end_share, r.area_members
                if areas.surely_out(many, unknown, of, area in s.out, *shares) is None:
                    break
                s.silent.get(slot, {}).pop(area, None)
                s.ahead[area] = slot + 1
                yield from self._judge(area, slot, many, of, ahead=True)
                here = s.gaps.pop(slot, [])
                if rest := [g for g in here if _group(g) != area]:
                    s.gaps[slot] = rest
                yield from self._passing([g for g in here if _group(g) == area], slot)

    def _freed(self, area: str, slot: int, alert_id: str | None = None) -> list[Alert]:
        """Gaps (all, or one alert's) held back by outages that were decided ahead and had ended by ``slot``."""
        freed: list[Alert] = []
        for outage in self.state.past.get(area, ()):
            if outage.end is not None and outage.end <= slot:
                ids = [alert_id] if alert_id is not None else list(outage.held)
                freed += self._told({i: outage.held.pop(i) for i in ids if i in outage.held}, outage.end)
        return freed

    def _told(self, held: dict[str, Alert], slot: int) -> Iterator[Alert]:
        at = self.calendar.time(slot + 1)
        return (msgspec.structs.replace(g, at=at) for g in held.values())

    def _held(self, gap: Alert, slot: int | None = None) -> bool:
        """Hold a gap back while its area is out (in ``slot``, or now); one that ends while held was never told and is
        not told now."""
        outage = self._out_at(gap, slot)
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

    def _out_at(self, gap: Alert, slot: int | None) -> Outage | None:
        of = _group(gap)
        now, past = self.state.out.get(of), self.state.past.get(of, [])
        if slot is None:
            return next((o for o in past if gap.alert_id in o.held), now)
        outages = [*past, now] if now is not None else past
        return next((o for o in outages if o.onset <= slot and (o.end is None or slot < o.end)), None)

    def _outage(self, event: str, area: str, onset: int, slot: int, why: list[reasons.Reason]) -> Alert:
        korean, english = reasons.sentences(why)
        name, drill = of_group(area)
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
            area=name,
            drill=drill,
        )


def _group(gap: Alert) -> str:
    return group(gap.area, gap.drill)


def _values(area: str, silent: int, members: int) -> dict[str, float | str]:
    return {"area": of_group(area)[0], "silent": silent, "members": members}
