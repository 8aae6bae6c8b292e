"""History sent through the broker on event time: the same files as a backtest, the same alerts.

Everything is sent as feeds send it, with the time up to which it is complete; shuffled within a lateness and repeated
where asked. What stands in the `alerts` topic when all of it is judged is what is returned.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from aiokafka import AIOKafkaConsumer, TopicPartition
from numpy.typing import NDArray

from models.slots import SLOT_SECONDS
from simulators.backtest import C, in_order, in_time, span
from stream import frames
from stream.columns import MeterColumns, PhoneColumns
from stream.kafka import client_options, partitions_of
from stream.producer import FrameProducer
from stream.records import ALERTS, HOUSEHOLDS, METER, PHONE, WIDE, WIDE_STATE, Alert, AreaWarning, Household
from stream.report import Report
from stream.settings import Settings
from stream.widerows import AT, Read

Progress = Callable[[int, int], None]
"""(slots judged, slots in all)."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How history is delivered: rows in any order within ``lateness_minutes``, a share ``repeated`` of them twice."""

    hours: float = 6
    lateness_minutes: float = 0
    repeated: float = 0.0
    rows_per_frame: int = 500
    seed: int = 1


class Follower:
    """Follows how far workers have got: offsets their state includes, their clocks, the judge of areas."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.offsets: dict[int, dict[str, int]] = {}
        self.clocks: dict[int, int] = {}
        self.reports = 0
        self.judged_reports = 0
        self._wide = TopicPartition(settings.topic(WIDE), 0)
        self._state = TopicPartition(settings.topic(WIDE_STATE), 0)
        self._consumer = _consumer(settings)

    async def __aenter__(self) -> "Follower":
        await self._consumer.start()
        self._consumer.assign([self._wide, self._state])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def look(self) -> None:
        """Take in what has been reported since."""
        for tp, records in (await self._consumer.getmany(timeout_ms=20)).items():
            for record in records:
                if tp == self._state:
                    if record.key == AT:
                        self.judged_reports = msgspec.json.decode(record.value, type=Read).offset
                    continue
                report = msgspec.json.decode(record.value, type=Report)
                self.clocks[report.partition] = report.clock
                self.offsets[report.partition] = report.offsets or {}
                self.reports = record.offset + 1

    async def until(
        self, wanted: dict[tuple[str, int], int], told: Callable[[], None] = lambda: None, limit_s: float = 600
    ) -> None:
        """Wait until the state of each partition includes these offsets and the areas of it are judged.

        Raises:
            TimeoutError: nothing moved for ``limit_s`` seconds.
        """
        moved, last = time.monotonic(), -1
        while not self._includes(wanted):
            await self.look()
            await asyncio.sleep(0.02)
            told()
            if self.reports != last:
                moved, last = time.monotonic(), self.reports
            if time.monotonic() - moved > limit_s:
                raise TimeoutError(f"workers have not moved for {limit_s:.0f} s: is `anbu worker` running? see its log")
        goal = self.reports
        while self.judged_reports < goal:
            await self.look()

    def _includes(self, wanted: dict[tuple[str, int], int]) -> bool:
        return all(self.offsets.get(p, {}).get(topic, 0) >= offset for (topic, p), offset in wanted.items())


async def ends(settings: Settings, topics: Sequence[str]) -> dict[tuple[str, int], int]:
    """End offsets of every partition of topics (plain names)."""
    consumer = _consumer(settings)
    await consumer.start()
    try:
        tps = {
            TopicPartition(settings.topic(t), p): (t, p)
            for t in topics
            for p in range(1 if t in (WIDE, WIDE_STATE) else settings.partitions)
        }
        return {tps[tp]: offset for tp, offset in (await consumer.end_offsets(list(tps))).items()}
    finally:
        await consumer.stop()


async def alerts_since(settings: Settings, begin: dict[tuple[str, int], int]) -> list[Alert]:
    """Committed alerts from the given offsets to the present end, ordered by time and id."""
    consumer = _consumer(settings)
    await consumer.start()
    try:
        found: list[Alert] = []
        finish = await ends(settings, [ALERTS])
        for (topic, p), end in finish.items():
            tp = TopicPartition(settings.topic(topic), p)
            consumer.assign([tp])
            consumer.seek(tp, begin.get((topic, p), 0))
            while await consumer.position(tp) < end:
                for records in (await consumer.getmany(tp, timeout_ms=500)).values():
                    found += [msgspec.json.decode(r.value, type=Alert) for r in records]
        return sorted(found, key=in_time)
    finally:
        await consumer.stop()


async def replay(
    meter: MeterColumns,
    phone: PhoneColumns,
    households: Sequence[Household],
    settings: Settings,
    progress: Progress = lambda done, total: None,
    delivery: Delivery = Delivery(),
    warnings: Sequence[AreaWarning] = (),
) -> list[Alert]:
    """Send everything, wait until it is judged, and return the alerts it gave, ordered by time and id."""
    begin = await ends(settings, [ALERTS])
    first, last = span(in_order(meter), in_order(phone))
    async with Follower(settings) as follower, FrameProducer(settings, delivery.rows_per_frame) as producer:
        await asyncio.gather(*(producer.send_household(h) for h in households))
        for warning in warnings:  # one after the other: a later one replaces an earlier one
            await producer.send_warning(warning)
        await follower.until(_only(await ends(settings, [HOUSEHOLDS]), households, settings))

        def told() -> None:
            if follower.clocks:
                progress(max(min(follower.clocks.values()) - first, 0), last - first)

        for part in _parts(meter, phone, first, last, delivery):
            await _send(producer, part, households)
            await follower.look()
            told()
        await follower.until(_only(await ends(settings, [METER, PHONE]), households, settings), told)
    return await alerts_since(settings, begin)


Part = tuple[MeterColumns, PhoneColumns, int]
"""Rows that are delivered together, and the time (UTC seconds) up to which both feeds are complete with them."""


def _parts(
    meter: MeterColumns, phone: PhoneColumns, first: int, last: int, delivery: Delivery
) -> Iterator[Part]:
    rng = np.random.default_rng(delivery.seed)
    late = round(delivery.lateness_minutes * 60)
    meter_ends = meter.start + meter.minutes.astype(np.int64) * 60
    meter, meter_time = _as_delivered(meter, meter_ends, late, delivery.repeated, rng)
    phone, phone_time = _as_delivered(phone, phone.at, late, delivery.repeated, rng)
    step = round(delivery.hours * 3600)
    end = last * SLOT_SECONDS
    marks = np.arange(first * SLOT_SECONDS, end + late + step, step)
    meter_at = np.searchsorted(meter_time, marks, side="right")  # what ends at a mark has come by then
    phone_at = np.searchsorted(phone_time, marks, side="right")
    meter_at[0] = phone_at[0] = 0
    for i, mark in enumerate(marks[1:].tolist()):
        complete = min(mark - late, end)
        yield (
            frames.take(meter, slice(meter_at[i], meter_at[i + 1])),
            frames.take(phone, slice(phone_at[i], phone_at[i + 1])),
            complete,
        )


def _as_delivered(columns, time_of, late, repeated, rng):  # type: ignore[no-untyped-def]
    """Rows in the order in which they come, some twice, and when: within ``late`` seconds of their time."""
    index = np.arange(len(columns))
    if repeated:
        index = np.concatenate([index, rng.choice(index, int(repeated * len(index)), replace=False)])
    comes: NDArray[np.int64] = time_of[index] + (rng.integers(0, late, len(index)) if late else 0)  # after the interval
    order = np.argsort(comes, kind="stable")
    return frames.take(columns, index[order]), comes[order]


async def _send(producer: FrameProducer, part: Part, households: Sequence[Household]) -> None:
    meter, phone, complete = part
    sends = [producer.send_meter(rows, feed, complete) for feed, rows in by_feed(meter, households)]
    sends += [producer.send_phone(rows, feed, complete) for feed, rows in by_feed(phone, households)]
    await asyncio.gather(*sends)


def by_feed(columns: C, households: Sequence[Household]) -> Iterator[tuple[str, C]]:
    """Each feed that these homes name, and the rows of its own homes."""
    signal = "meter" if isinstance(columns, MeterColumns) else "phone"
    homes: dict[str, list[str]] = {}
    for home in households:
        if (feed := getattr(home.feeds, signal)) is not None:
            homes.setdefault(feed, []).append(home.household_id)
    ids = columns.household_id
    plain = ids.cast(pa.string()) if pa.types.is_dictionary(ids.type) else ids
    for feed in sorted(homes):
        own = pc.is_in(plain, value_set=pa.array(homes[feed], pa.string()))
        yield feed, frames.take(columns, np.flatnonzero(own.to_numpy(zero_copy_only=False)))


def _only(
    offsets: dict[tuple[str, int], int], households: Sequence[Household], settings: Settings
) -> dict[tuple[str, int], int]:
    """Offsets of partitions in which there is a household."""
    used = set(partitions_of([h.household_id for h in households], settings.partitions).tolist())
    return {key: offset for key, offset in offsets.items() if key[1] in used}


def _consumer(settings: Settings) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **client_options(settings),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
