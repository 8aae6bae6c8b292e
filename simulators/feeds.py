"""Readings and events as a head-end or a carrier delivers them: in batches, some late, twice, out of order or never."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulators.events import Event, EventKind, apply, homes_of
from simulators.people import Rng
from simulators.town import Day, Town
from stream.columns import MeterColumns, PhoneColumns
from stream.frames import empty, take
from stream.records import METER, PHONE, QUALITIES, Quality

_DELIVERY = 9
_ESTIMATED = QUALITIES.index(Quality.estimated)


@dataclass(frozen=True, slots=True)
class Profile:
    """How feeds deliver. Shares are of rows; minutes are after the end of the interval, or after the event.

    A batch leaves every ``..._batch_minutes``, meters' ``offset_minutes`` past. ``late_share`` of the meter rows take
    up to ``lateness_minutes`` more; ``duplicate_share`` come again within that time; ``missing_share`` never come;
    ``estimated_share`` are estimates; ``json_share`` come alone, one JSON record each. Phone events take up to
    ``phone_delay_minutes`` to their carrier, which says in each batch up to when it is complete (``say_complete``).
    """

    meter_batch_minutes: int = 60
    offset_minutes: int = 5
    delay_minutes: float = 3
    lateness_minutes: float = 45
    late_share: float = 0.01
    duplicate_share: float = 0.005
    missing_share: float = 0.002
    estimated_share: float = 0.003
    json_share: float = 0.0003
    phone_batch_minutes: int = 15
    phone_delay_minutes: float = 5
    say_complete: bool = True


USUAL = Profile()
CLEAN = Profile(late_share=0, duplicate_share=0, missing_share=0, estimated_share=0, json_share=0)
HISTORY = replace(CLEAN, meter_batch_minutes=360, phone_batch_minutes=360)
"""For replaying weeks quickly: few large batches, nothing wrong with them."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One batch that arrives at ``arrival`` (UTC seconds) on ``topic`` from ``feed``. ``as_json``: it is one record,
    to be sent as JSON. ``complete_until``: UTC seconds before which the feed has sent all (then the batch may have no
    rows: a heartbeat, which every partition should get)."""

    arrival: int
    topic: str
    feed: str
    columns: MeterColumns | PhoneColumns
    as_json: bool = False
    complete_until: int | None = None


def deliver(
    town: Town, day: Day, events: Iterable[Event], rng: Rng, profile: Profile = USUAL
) -> Iterator[Delivery]:
    """The batches of one day (to which events were applied) in order of arrival, those after midnight included.

    Of ``events`` only late concentrators matter here: their rows all arrive together, ``hours_late`` after its end.
    """
    found = [*_meter(town, day, list(events), rng, profile), *_phone(day, rng, profile)]
    yield from sorted(found, key=_order)


def timeline(
    town: Town, days: range, events: Sequence[Event] = (), profile: Profile = USUAL
) -> Iterator[Delivery]:
    """The batches of many days in order of arrival, day by day in bounded memory: generated, changed by the events,
    delivered. Deterministic by the town's seed."""
    held: list[Delivery] = []
    for index in days:
        day = apply(town, town.day(index), events)
        rng = np.random.default_rng([town.seed, _DELIVERY, town.date(index).toordinal()])
        held = sorted([*held, *deliver(town, day, events, rng, profile)], key=_order)
        # What the next day sends arrives after its midnight.
        ready = sum(d.arrival <= day.end for d in held) if index + 1 in days else len(held)
        yield from held[:ready]
        held = held[ready:]


def _order(delivery: Delivery) -> tuple[int, str, bool]:
    # A promise of completeness comes after the rows that arrive with it.
    return delivery.arrival, delivery.topic, delivery.complete_until is not None


def _batch(ready: NDArray[np.float64], minutes: int, offset: float = 0.0) -> NDArray[np.int64]:
    """UTC seconds of the first batch at or after each time."""
    period = minutes * 60
    return (np.ceil((ready - offset * 60) / period) * period + offset * 60).astype(np.int64)


def _meter(town: Town, day: Day, events: list[Event], rng: Rng, profile: Profile) -> Iterator[Delivery]:
    meter = _estimates(day, rng, profile.estimated_share)
    n = len(meter)
    ready = meter.start + meter.minutes * 60.0 + rng.random(n) * profile.delay_minutes * 60
    more = rng.random(n) * profile.lateness_minutes * 60
    ready += np.where(rng.random(n) < profile.late_share, more, 0)
    ready = np.maximum(ready, _released(town, day, events))
    fate = rng.random(n)
    sent = np.flatnonzero(fate >= profile.missing_share)
    single = fate >= 1 - profile.json_share
    again = np.flatnonzero((rng.random(n) < profile.duplicate_share) & (fate >= profile.missing_share))
    rows = np.concatenate([sent, again])
    when = np.concatenate([ready[sent], ready[again] + rng.random(len(again)) * profile.lateness_minutes * 60])
    alone = np.concatenate([single[sent], np.zeros(len(again), bool)])
    arrival = np.where(alone, np.ceil(when).astype(np.int64),
                       _batch(when, profile.meter_batch_minutes, profile.offset_minutes))
    for at, part in _groups(arrival[~alone], rows[~alone], rng):
        yield Delivery(at, METER, "meter", take(meter, part))
    for at, row in zip(arrival[alone], rows[alone], strict=True):
        yield Delivery(int(at), METER, "meter", take(meter, np.array([row])), as_json=True)


def _estimates(day: Day, rng: Rng, share: float) -> MeterColumns:
    """Some rows as a head-end estimates them: the household's mean of the day."""
    meter = day.meter
    chosen = (rng.random(len(meter)) < share) & (meter.quality == 0)
    if not chosen.any():
        return meter
    known = np.nan_to_num(meter.kwh)
    mean = np.bincount(day.meter_home, known) / np.maximum(np.bincount(day.meter_home), 1)
    kwh = np.where(chosen, np.round(mean[day.meter_home], 3), meter.kwh).astype(np.float32)
    return replace(meter, kwh=kwh, quality=np.where(chosen, np.uint8(_ESTIMATED), meter.quality))


def _released(town: Town, day: Day, events: list[Event]) -> NDArray[np.int64]:
    """Before which UTC second no row can arrive: its concentrator holds it back. 0 for all others."""
    held = np.zeros(len(day.meter), np.int64)
    for event in events:
        if event.kind is EventKind.late_concentrator and event.until is not None:
            until = int(event.until + event.number("hours_late", 6) * 3600)
            inside = (day.meter.start >= event.start) & (day.meter.start < event.until)
            held[inside & np.isin(day.meter_home, homes_of(town, event))] = until
    return held


def _phone(day: Day, rng: Rng, profile: Profile) -> Iterator[Delivery]:
    phone, slowest = day.phone, profile.phone_delay_minutes * 60
    fate = rng.random(len(phone))
    ready = phone.at + rng.random(len(phone)) * slowest
    rows = np.concatenate([np.arange(len(phone)), np.flatnonzero(fate < profile.duplicate_share)])
    alone = fate[rows] >= 1 - profile.json_share
    arrival = np.where(alone, np.ceil(ready[rows]).astype(np.int64), _batch(ready[rows], profile.phone_batch_minutes))
    batches = dict(_groups(arrival[~alone], rows[~alone], rng))
    period = profile.phone_batch_minutes * 60
    due = range(day.begin // period * period + period, day.end + 1, period) if profile.say_complete else range(0)
    for at in sorted(batches.keys() | set(due)):
        columns = take(phone, batches[at]) if at in batches else empty("phone")
        # After midnight it is the next day's batches that can say so.
        yield Delivery(at, PHONE, "phone", columns, complete_until=int(at - slowest) if at in due else None)
    for at, row in zip(arrival[alone], rows[alone], strict=True):
        yield Delivery(int(at), PHONE, "phone", take(phone, np.array([row])), as_json=True)


def _groups(arrival: NDArray[np.int64], rows: NDArray[np.int64], rng: Rng) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Rows by arrival, shuffled within each."""
    if not len(rows):
        return
    order = np.lexsort((rng.random(len(rows)), arrival))
    cuts = np.flatnonzero(np.diff(arrival[order])) + 1
    for part in np.split(order, cuts):
        yield int(arrival[part[0]]), rows[part]
