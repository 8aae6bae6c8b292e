"""History judged offline by the functions that judge the live stream: files in, alerts out, no broker.

The whole of the input is known, so every feed is complete up to the slot at hand: this is the stream on time.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.slots import SLOT_SECONDS
from stream import frames
from stream.calendar import Calendar
from stream.columns import MeterColumns, PhoneColumns
from stream.partition import Partition
from stream.records import Alert, AreaWarning, Feeds, Household
from stream.rules import Rules
from stream.settings import Settings
from stream.wide import Wide

STEP_SLOTS = 16
"""Data is written four hours at a time, then judged slot by slot: within what the ring holds ahead of the clock."""
HOUR_SLOTS = 4
"""... or an hour at a time, to the hour, where somebody looks on; the alerts are the same."""

C = TypeVar("C", MeterColumns, PhoneColumns)
Progress = Callable[[int, int], None]
Look = Callable[[Partition], None]


def enrol_unknown(meter: MeterColumns, phone: PhoneColumns, known: Sequence[Household]) -> list[Household]:
    """Households that are in the data and not among ``known``, enrolled with defaults from their first record on."""
    firsts = {"meter": _firsts(meter.household_id, meter.start), "phone": _firsts(phone.household_id, phone.at)}
    names = sorted((firsts["meter"].keys() | firsts["phone"].keys()) - {h.household_id for h in known})
    return [
        Household(
            household_id=name,
            since=datetime.fromtimestamp(min(f[name] for f in firsts.values() if name in f) // 900 * 900, UTC),
            feeds=Feeds(*("meter" if name in firsts["meter"] else None, "phone" if name in firsts["phone"] else None)),
        )
        for name in names
    ]


def backtest(
    meter: MeterColumns,
    phone: PhoneColumns,
    households: Sequence[Household],
    settings: Settings,
    progress: Progress = lambda done, total: None,
    warnings: Sequence[AreaWarning] = (),
    look: Look | None = None,
) -> Iterator[Alert]:
    """Alerts on ``households`` by their history, ordered by time. ``progress``: slots done, slots in all.

    ``warnings``: of heat and cold, in the order in which they were given; known from the beginning, as enrolments are.
    ``look``: shown where everybody stands at the end of every hour; it must change nothing.
    """
    calendar, rules = Calendar(settings.tz), Rules.of(settings)
    partition, wide = Partition(0, rules, calendar), Wide(rules, calendar)
    partition.households(households)
    for warning in warnings:
        partition.warn(warning)
    meter, phone = in_order(meter), in_order(phone)
    first, last = span(meter, phone)
    if last <= first:
        return
    partition.begin(first * SLOT_SECONDS, 0)
    feeds = sorted(partition.feeds_in_use)
    step = STEP_SLOTS if look is None else HOUR_SLOTS
    begin = first if look is None else first - first % HOUR_SLOTS
    marks = np.arange(begin, last + step, step)
    meter_at = np.searchsorted(meter.start, marks * SLOT_SECONDS)
    phone_at = np.searchsorted(phone.at, marks * SLOT_SECONDS)
    for i, mark in enumerate(marks[1:].tolist()):
        partition.meter(frames.take(meter, slice(meter_at[i], meter_at[i + 1])))
        partition.phone(frames.take(phone, slice(phone_at[i], phone_at[i + 1])))
        for feed in feeds:
            partition.heard(feed, None, min(mark, last) * SLOT_SECONDS, 0.0)
        outcome = partition.advance(0.0)
        alerts = outcome.alerts
        if outcome.report is not None:
            alerts += wide.add(outcome.report)
            alerts += wide.advance(0.0)
        yield from sorted(alerts, key=in_time)
        if look is not None:
            look(partition)
        progress(min(mark, last) - first, last - first)


def in_time(alert: Alert) -> tuple[datetime, str, str]:
    """The order of alerts: by time, then id; of one id in one moment, cleared first."""
    return alert.at, alert.alert_id, alert.event


def in_order(columns: C) -> C:
    """The same rows ordered by time."""
    time = columns.start if isinstance(columns, MeterColumns) else columns.at
    return frames.take(columns, np.argsort(time, kind="stable"))


def span(meter: MeterColumns, phone: PhoneColumns) -> tuple[int, int]:
    """First slot with data and the slot after the last."""
    firsts = [int(t[0]) for t in (meter.start, phone.at) if len(t)]
    ends = [int((m.start + m.minutes.astype(np.int64) * 60).max()) for m in (meter,) if len(m)]
    ends += [int(phone.at[-1]) + 1] if len(phone) else []
    return (min(firsts) // SLOT_SECONDS, -(-max(ends) // SLOT_SECONDS)) if firsts else (0, 0)


def _firsts(ids: pa.Array, time: NDArray[np.int64]) -> dict[str, int]:
    if not len(ids):
        return {}
    plain = ids.cast(pa.string()) if pa.types.is_dictionary(ids.type) else ids
    table = pa.table({"id": plain, "time": time}).group_by("id").aggregate([("time", "min")])
    return dict(zip(table["id"].to_pylist(), pc.cast(table["time_min"], pa.int64()).to_pylist(), strict=True))
