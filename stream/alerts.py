"""Alerts made from where a household stands: who, how far outside the usual, since when, and why in words."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models import decline, evidence, gaps, judgeable, levels, reasons, strip
from models.forest import LEVELS
from models.slots import MISSING, OWN, SLOTS_PER_DAY, SLOTS_PER_HOUR, ZERO, decode_energy
from models.state import UNIT
from stream.block import Block
from stream.life import Life
from stream.records import Alert, AlertKind, Level, ReasonCode, Recipient, Strip
from stream.watch import NO_TERMS, strictest

STRIP_HOURS = 7 * 24
_LONGEST_DAYS = 100_000
_LATELY = 12  # slots over which the present load is told
_STILL_QUIET = 1.25  # times the quiet load that is still called quiet
Event = Literal["raised", "level_changed", "cleared"]

_LEVELS: dict[int, Level] = {1: "attention", 2: "caution", 3: "serious"}
_FOR: dict[int, Recipient] = {1: "dashboard", 2: "resident", 3: "person"}


def alert_id(subject: str, kind: str, onset: int) -> str:
    """Same subject, kind and onset (a slot): same id, whoever computes it and however often."""
    return hashlib.sha256(f"{subject}|{kind}|{onset}".encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes alerts of one partition's households."""

    life: Life
    areas: list[str]
    dongs: list[str]

    def silence(
        self, event: Event, block: Block, row: int, level: int, onset: int, slot: int, why: Sequence[reasons.Reason]
    ) -> Alert:
        """An alert on silence as of the end of ``slot``, at ``level`` (when cleared: the level it had)."""
        period = self._return_period(block, row)
        life = int(block.head["life"][row])
        stands = event != "cleared"
        hours, told = self._judgeable(block, row, slot) if stands else (None, [])
        return self._alert(
            event, block, row, "silence", _LEVELS[level], _FOR[level], slot, onset, life, [*why, *told], period, stands,
            hours,
        )  # fmt: skip

    def _judgeable(self, block: Block, row: int, slot: int) -> tuple[float | None, list[reasons.Reason]]:
        """Hours to caution that are usual of this home (None: it cannot be judged), and the same in words."""
        told = block.judgeable(self.life, slice(row, row + 1))
        hours, why = _hours(float(told.hours[0])), int(told.reason[0])
        said: list[reasons.Reason] = [("told_in", {"hours": hours})]
        if not told.able[0]:
            limit = int(self.life.limit(block.now(), slot)[row]) / SLOTS_PER_HOUR
            said = [("told_by_limit", {"limit_hours": _hours(limit)})]
        if why not in (judgeable.WELL, judgeable.LEARNING):  # that one learns is told where the silence is
            said.append((f"why_{judgeable.NAMES[why]}", {}))
        return hours if told.able[0] else None, said

    def _return_period(self, block: Block, row: int) -> float | None:
        """Days of this life in which such evidence is seen once; None where a limit spoke, not the evidence."""
        rules = self.life.rules
        head, habit = block.head[row], block.habit[row]
        if habit["days"] < levels.LEARNING_DAYS:
            return None
        found = [levels.return_period(int(head["score"]), float(habit["worst"]))]
        metered = block.today(self.life).tables.known[row]  # who is not is judged by the plain evidence (levels.steps)
        if metered and rules.model is not None and (scale := rules.model.scale):
            found = [scale[name].return_period(int(head[name]) / UNIT) for name in LEVELS]
        period = min(max(found), _LONGEST_DAYS)
        return period if period >= rules.thresholds.attention_days else None

    def gap(
        self, event: Event, block: Block, row: int, state: int, data: int, slot: int, heard: bool,
        why: Sequence[reasons.Reason],
    ) -> Alert:  # fmt: skip
        """An alert on missing data; ``state``: the gap's, ``data``: the last slot with a reading before it."""
        level: Level = "caution" if state == gaps.PERSON and not heard else "attention"
        to: Recipient = "person" if state == gaps.PERSON else "dashboard"
        life = int(block.head["life"][row])
        return self._alert(event, block, row, "data_gap", level, to, slot, data + 1, life, why)

    def drift(
        self, event: Event, block: Block, row: int, kind: int, raised: int, slot: int, why: Sequence[reasons.Reason]
    ) -> Alert:
        """An alert on a slow drift of ``kind`` (`models.decline`) that was raised with slot ``raised``, a midnight."""
        onset, life = raised - decline.WINDOW_DAYS * SLOTS_PER_DAY, int(block.head["life"][row])
        name: AlertKind = "reversal" if kind == decline.REVERSAL else "decline"
        picture = event == "raised"
        return self._alert(
            event, block, row, name, "attention", "dashboard", slot, onset, life, why, picture=picture
        )

    def _alert(
        self, event: Event, block: Block, row: int, kind: AlertKind, level: Level, to: Recipient, slot: int,
        onset: int, life: int, why: Sequence[reasons.Reason], period: float | None = None, picture: bool = False,
        hours: float | None = None,
    ) -> Alert:  # fmt: skip
        household = block.ids[row]
        korean, english = reasons.sentences(why)
        seen = life >= max(int(block.who["since"][row]), 0)
        return Alert(
            event=event,
            alert_id=alert_id(household, kind, onset),
            household_id=household,
            kind=kind,
            level=level,
            to=to,
            at=self.life.calendar.time(slot + 1),
            onset=self.life.calendar.time(onset),
            last_life=self.life.calendar.time(life + 1) if seen else None,
            return_period_days=None if period is None else round(period, 1),
            reasons=tuple(ReasonCode(code, dict(values)) for code, values in why),
            text_ko=korean,
            text_en=english,
            area=self.areas[block.who["area"][row]],
            dong=self.dongs[block.who["dong"][row]],
            strip=self.strip(block, row, slot) if picture else None,
            drill=row in block.drills,
            expected_hours=hours,
        )

    def strip(self, block: Block, row: int, slot: int) -> Strip:
        """The last 168 whole hours at the end of ``slot`` with the person's own band."""
        end = (slot + 1) // SLOTS_PER_HOUR * SLOTS_PER_HOUR
        first = end - STRIP_HOURS * SLOTS_PER_HOUR
        meter, phone = block.strips.read(first, end - first, np.array([row]))
        codes = meter[:, 0].copy()
        codes[max(self._measured_until(block, row, slot) - first, 0) :] = MISSING
        band = strip.usual_band(block.habit, block.today(self.life).tables, row)
        hours = self.life.calendar.hours(first, STRIP_HOURS)
        return Strip(
            start=self.life.calendar.time(first),
            kwh=_numbers(strip.hourly_energy(codes)),
            usual_low=_numbers(band[hours, 0]),
            usual_high=_numbers(band[hours, 1]),
            phone=tuple(int(n) for n in strip.hourly_own_use(phone[:, 0])),
        )

    def _measured_until(self, block: Block, row: int, slot: int) -> int:
        """End of the last meter interval that is over by the end of ``slot``: what is known of the next is not told."""
        return slot + 1 - int(self.life.watch(block.now()).offset[slot % SLOTS_PER_HOUR, row])

    def why_silent(self, block: Block, row: int, slot: int, heard: bool) -> list[reasons.Reason]:
        """Why a household at this level is: what is silent, for how long, against what is usual."""
        head, habit, who = block.head[row], block.habit[row], block.who[row]
        hours = int(head["silent"]) / SLOTS_PER_HOUR
        usual = max(float(habit["stretch"]) / SLOTS_PER_HOUR, 0.5)
        why: list[reasons.Reason] = []
        if int(habit["days"]) < levels.LEARNING_DAYS:
            why.append(("silent_new", {"hours": _hours(hours), "days": int(habit["days"]) + 1}))
        elif hours > usual:
            why.append(("silent", {"hours": _hours(hours), "usual_hours": _hours(usual)}))
        else:
            since = (slot + 1 - int(head["onset"])) / SLOTS_PER_HOUR
            life = (slot - max(int(head["life"]), int(who["since"]) - 1)) / SLOTS_PER_HOUR
            why.append(("unlike", {"hours": _hours(since), "life_hours": _hours(life)}))
        in_force = int(self.life.limit(block.now(), slot)[row])  # longer for who is known to be quiet for long
        warning = strictest(self.life.warned, int(who["area"]), slot)
        if int(head["silent"]) >= in_force:
            limit = _hours(in_force / SLOTS_PER_HOUR)
            why.append(("limit", {"limit_hours": limit}))
            why += [] if warning is None else [(f"{warning.kind}_limit", {"limit_hours": limit})]
        why += self._why_meter(block, row, slot)
        return why + self._why_phone(block, row, slot, heard)

    def _why_meter(self, block: Block, row: int, slot: int) -> list[reasons.Reason]:
        if not block.who["meter_feed"][row]:
            return []
        without = slot - int(block.head["data"][row])
        if without >= self.life.rules.gap_slots:
            return [("meter_gap", {"hours": _hours(without / SLOTS_PER_HOUR)})]
        tables = block.today(self.life).tables
        end = self._measured_until(block, row, slot)
        codes = block.strips.read(end - _LATELY, _LATELY, np.array([row]))[0][:, 0]
        codes = block.terms.get(row, NO_TERMS).measured(end - _LATELY, codes)
        measured = codes[codes >= ZERO]
        if not len(measured) or not tables.known[row]:
            return []
        if measured[-1] < evidence.floor(tables)[row]:
            return [("power_off", {})]
        kw = float(decode_energy(measured).mean()) * SLOTS_PER_HOUR / 1000
        low, high = strip.usual_band(block.habit, tables, row)[self.life.calendar.block(slot)].tolist()
        quiet = strip.quiet_load(tables, row)
        if kw < low:
            return [("load_low", {"watts": _watts(kw), "low": _watts(low), "high": _watts(high)})]
        if kw <= _STILL_QUIET * quiet:
            return [("load_quiet", {"watts": _watts(kw), "quiet": _watts(_STILL_QUIET * quiet)})]
        return [("load", {"watts": _watts(kw)})]

    def _why_phone(self, block: Block, row: int, slot: int, heard: bool) -> list[reasons.Reason]:
        if not block.who["phone_feed"][row]:
            return [("phone_none", {})]
        if block.terms.get(row, NO_TERMS).without_phone(slot):
            return [("phone_out", {})]
        if not heard:
            return [("phone_unknown", {})]
        count = STRIP_HOURS * SLOTS_PER_HOUR
        first = max(slot + 1 - count, int(block.who["since"][row]))
        if first > slot:
            return []
        _, phone = block.strips.read(first, slot + 1 - first, np.array([row]))
        own = np.flatnonzero(phone[:, 0] == OWN)
        if not len(own) and slot + 1 - first == count:
            return [("phone_quiet_week", {})]
        last = first + int(own[-1]) if len(own) else first - 1
        return [("phone_quiet", {"hours": _hours((slot - last) / SLOTS_PER_HOUR)})] if slot > last else []


def _watts(kw: float) -> int:
    return round(kw * 1000)


def _hours(hours: float) -> float:
    return round(hours * 2) / 2 if hours < 10 else float(round(hours))


def _numbers(values: NDArray[np.float64]) -> tuple[float | None, ...]:
    return tuple(None if v != v else v for v in np.round(values, 3).tolist())
