"""What happens to households and areas, and what it does to their days: the truth a detector is measured against.

``apply`` is a pure function of a generated day: the same day and events give the same rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from zlib import crc32

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulators.phonelife import ANSWER_SECONDS
from simulators.phones import CALL_ANSWERED, CALL_MISSED, CALL_OUT, DATA, SMS_IN, SMS_OUT
from simulators.town import Day, Town, metered
from stream.columns import PhoneColumns
from stream.records import QUALITIES, Quality


class EventKind(StrEnum):
    """What can happen. The last two happen to an area, the others to households."""

    collapse = "collapse"
    collapse_left_on = "collapse_left_on"
    trip = "trip"
    hospital = "hospital"
    phone_lost = "phone_lost"
    guest = "guest"
    power_cut = "power_cut"
    late_concentrator = "late_concentrator"


Detail = str | float | bool


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens from ``start`` to ``until`` (UTC seconds; None: for good) to households or an area.

    Details by kind, all optional:
    ``collapse_left_on``: ``what`` (a word), ``watts`` (100), ``cycle_minutes`` (0: steady), ``duty`` (share on, 1);
    ``trip``, ``hospital``: ``registered_at`` (UTC seconds at which the absence is told; without it: never);
    ``hospital``: ``phone_share`` (part of the own phone use that goes on, 0.3); ``phone_lost``: ``battery`` ("dead":
    the phone's own traffic ends too); ``guest``: ``factor`` (of the energy of living, 1.8); ``power_cut``: ``reads``
    ("zero": meters count nothing, or "missing": meters are off); ``late_concentrator``: ``hours_late`` (after its end,
    6).
    """

    kind: EventKind
    start: int
    until: int | None
    households: tuple[str, ...] = ()
    area: str = ""
    details: Mapping[str, Detail] = field(default_factory=dict)

    def number(self, name: str, default: float) -> float:
        """A detail as a number."""
        return float(self.details.get(name, default))


_QUIET = (EventKind.collapse, EventKind.collapse_left_on, EventKind.trip, EventKind.hospital)
_SILENT = (EventKind.collapse, EventKind.collapse_left_on, EventKind.phone_lost)
_MISSING = QUALITIES.index(Quality.missing)


def apply(town: Town, day: Day, events: Iterable[Event]) -> Day:
    """The day as it is with these events; events that do not touch it change nothing.

    Raises ValueError for a household or an area that the town does not have.
    """
    active = [e for e in events if e.start < day.end and (e.until is None or e.until > day.begin)]
    active = [e for e in active if e.kind is not EventKind.late_concentrator]
    if not active:
        return day
    own, life, gone = day.alone.copy(), day.lived.copy(), day.meter.quality == _MISSING
    for event in active:
        for home in homes_of(town, event):
            rows = _rows(day.meter_home, home)
            if rows.start < rows.stop:
                _use(day, event, rows, own, life, gone)
    return _phones(town, _measured(town, day, own, life, gone), active)


def homes_of(town: Town, event: Event) -> list[int]:
    """Numbers of the households of an event. Raises ValueError for an unknown one."""
    if event.area:
        if event.area not in town.areas:
            raise ValueError(f"event {event.kind}: no area {event.area!r} in this town of {len(town.areas)} areas")
        return [int(i) for i in town.areas[event.area]]
    for household in event.households:
        if household not in town.number:
            raise ValueError(f"event {event.kind}: no household {household!r} in this town of {len(town.ids)}")
    return [town.number[h] for h in event.households]


def _rows(home: NDArray[np.int64], number: int) -> slice:
    return slice(int(np.searchsorted(home, number)), int(np.searchsorted(home, number + 1)))


def _use(day: Day, event: Event, rows: slice, own: NDArray[np.float64], life: NDArray[np.float64],
         gone: NDArray[np.bool_]) -> None:
    """What an event does to one home's energy, in place."""
    start = day.meter.start[rows]
    end = start + day.meter.minutes[rows].astype(np.int64) * 60
    until = np.iinfo(np.int64).max if event.until is None else event.until
    first, last = np.clip(event.start, start, end), np.clip(until, start, end)
    share = (last - first) / (end - start)
    if event.kind in _QUIET:
        life[rows] *= 1 - share
    if event.kind is EventKind.collapse_left_on:
        kilowatts = event.number("watts", 100) / 1000
        own[rows] += kilowatts * _seconds_on(event, first, last) / 3600
    elif event.kind is EventKind.guest:
        life[rows] *= 1 + (event.number("factor", 1.8) - 1) * share
    elif event.kind is EventKind.power_cut:
        own[rows] *= 1 - share
        life[rows] *= 1 - share
        if event.details.get("reads", "zero") == "missing":
            gone[rows] |= share > 0


def _seconds_on(event: Event, first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.float64]:
    """Seconds between two times in which what was left on is running."""
    cycle, duty = event.number("cycle_minutes", 0) * 60, event.number("duty", 1)
    if cycle <= 0:
        return np.asarray((last - first) * duty)

    def ran(seconds: NDArray[np.int64]) -> NDArray[np.float64]:
        turns = (seconds - event.start) / cycle
        whole = np.floor(turns)
        return np.asarray((whole * duty + np.minimum(turns - whole, duty)) * cycle)

    return np.asarray(ran(last) - ran(first))


def _measured(town: Town, day: Day, own: NDArray[np.float64], life: NDArray[np.float64],
              gone: NDArray[np.bool_]) -> Day:
    quarter = (day.meter.start - day.begin) // 900
    kwh = metered(town, day.index, day.meter_home, quarter, own + life)
    kwh[gone] = np.nan
    quality = np.where(gone, np.uint8(_MISSING), day.meter.quality)
    return replace(day, meter=replace(day.meter, kwh=kwh, quality=quality), alone=own, lived=life)


def _phones(town: Town, day: Day, events: list[Event]) -> Day:
    """The phones' rows with these events: own use ends, and what would have answered it; what comes in is missed."""
    phone = day.phone
    keep, kind = np.ones(len(phone), bool), phone.kind.copy()
    own = np.isin(kind, (CALL_OUT, SMS_OUT)) | ((kind == DATA) & ~day.background)
    for event in events:
        if event.kind not in _SILENT and event.kind is not EventKind.hospital:
            continue
        for home in homes_of(town, event):
            rows = _rows(day.phone_home, home)
            at = phone.at[rows]
            hit = at >= event.start
            if event.until is not None:
                hit &= at < event.until
            if event.kind is EventKind.hospital:
                hit &= _chance(event, town.households[home].household_id, at) >= event.number("phone_share", 0.3)
            keep[rows] &= ~(hit & own[rows])
            keep[rows] &= ~_unanswered(phone.kind[rows], at, keep[rows])
            kind[rows] = np.where(hit & (kind[rows] == CALL_ANSWERED), CALL_MISSED, kind[rows])
            if event.kind is EventKind.phone_lost and event.details.get("battery") == "dead":
                keep[rows] &= ~(hit & (kind[rows] == DATA))
    if keep.all() and np.array_equal(kind, phone.kind):
        return day
    seconds = np.where(kind == CALL_MISSED, np.float32(0), phone.duration_s)
    at_home = phone.household_id.filter(pa.array(keep))
    kept = PhoneColumns(at_home, phone.at[keep], kind[keep], seconds[keep])
    return replace(day, phone=kept, phone_home=day.phone_home[keep], background=day.background[keep])


def _unanswered(kind: NDArray[np.uint8], at: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Texts that came within an hour of one that is not sent any more, (n,), of one phone's events in their order."""
    last = np.maximum.accumulate(np.where(kind == SMS_OUT, np.arange(len(kind)), 0))
    soon = (kind[last] == SMS_OUT) & (at - at[last] < ANSWER_SECONDS) if len(kind) else np.zeros(0, bool)
    return np.asarray((kind == SMS_IN) & soon & ~keep[last])


def _chance(event: Event, household: str, at: NDArray[np.int64]) -> NDArray[np.float64]:
    """A number in [0, 1) for each time, the same whenever it is asked."""
    mixed = (at.astype(np.uint64) ^ np.uint64(crc32(household.encode()) ^ (event.start & 0xFFFFFFFF)))
    mixed = (mixed + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((mixed >> np.uint64(11)) / float(1 << 53))
