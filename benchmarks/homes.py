"""Homes with a past, to measure on: a simulated town of 1,024, judged for some weeks, then repeated to any number.

A benchmark on fresh households would flatter: empty rings cost no memory, and judging without baselines is cheap.
Household i lives the life of town household i modulo 1,024 (within its partition), so its habits fit its readings.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.slots import SLOT_SECONDS, SLOTS_PER_DAY
from simulators.backtest import in_order
from simulators.town import Day, Town, make_town
from stream import frames
from stream.block import Block
from stream.calendar import Calendar
from stream.changelog import META, Row, changed_rows
from stream.columns import MeterColumns, PhoneColumns
from stream.kafka import partitions_of
from stream.members import Names
from stream.partition import Partition
from stream.producer import Packed
from stream.records import METER, PHONE, Feeds, Household
from stream.rules import Rules
from stream.settings import Settings
from stream.strips import ROWS

AREA = 64
"""Households of one concentrator: they lie in all partitions, as in life."""
START = date(2026, 3, 2)


@dataclass(frozen=True)
class Lived:
    """A partition of 1,024 town households that lived ``days`` days, and the town that goes on living."""

    town: Town
    days: int
    partition: Partition

    @cached_property
    def block(self) -> Block:
        """The block of all of them."""
        return self.partition.members.blocks[0]

    def day(self, after: int) -> Day:
        """The day ``after`` days (0: the next) after those they have lived."""
        return self.town.day(self.days + after)


def live(days: int, settings: Settings) -> Lived:
    """Judge ``days`` days of 1,024 households with 15-minute meters, as the worker would."""
    town = make_town(ROWS, 7, START, settings.tz, minutes={15: 1.0})
    partition = Partition(0, Rules.of(settings), Calendar(settings.tz))
    partition.households(town.households)
    partition.begin(town.midnight(0), 0)
    for i in range(days):
        day = town.day(i)
        meter, phone = in_order(day.meter), in_order(day.phone)
        for at in range(day.begin, day.end, 4 * 3600):
            until = min(at + 4 * 3600, day.end)
            cut = np.searchsorted(meter.start, [at, until]), np.searchsorted(phone.at, [at, until])
            partition.meter(frames.take(meter, slice(*cut[0])))
            partition.phone(frames.take(phone, slice(*cut[1])))
            for feed in ("meter", "phone"):
                partition.heard(feed, None, until, 0.0)
            partition.advance(0.0)
    return Lived(town, days, partition)


@dataclass(frozen=True)
class Crowd:
    """Which household is where. ``ids``: the ids of each partition's households, in the order of their rows;
    ``numbers``: their numbers in the whole. ``area``: households of one area."""

    ids: list[pa.Array]
    numbers: list[NDArray[np.int64]]
    area: int = AREA

    def __len__(self) -> int:
        return sum(map(len, self.numbers))


def crowd(households: int, partitions: int, area: int = AREA) -> Crowd:
    """``households`` ids laid out over partitions as Kafka's partitioner does."""
    ids = pa.array([f"h{i:07d}" for i in range(households)], pa.string())
    where = partitions_of(ids, partitions)
    numbers = [np.flatnonzero(where == p) for p in range(partitions)]
    return Crowd([ids.take(pa.array(n)) for n in numbers], numbers, area)


def records(everyone: Crowd, lived: Lived) -> Iterator[tuple[int, Household]]:
    """Partition and enrolment of every household, as the ``households`` topic has them."""
    since = datetime.fromtimestamp(lived.town.midnight(0), UTC)
    for partition, (ids, numbers) in enumerate(zip(everyone.ids, everyone.numbers, strict=True)):
        for row, (name, number) in enumerate(zip(ids.to_pylist(), numbers.tolist(), strict=True)):
            like = lived.town.households[row % ROWS]
            feeds = Feeds(meter="meter", phone=like.feeds.phone)
            yield partition, Household(name, since, f"area-{number // everyone.area:06d}", like.dong, feeds, like.risk)


def state_rows(everyone: Crowd, partition: int, lived: Lived, offsets: dict[str, int]) -> Iterator[list[Row]]:
    """Rows of the state topic of one partition, a list for each block: everyone has lived what the town has lived."""
    source, ids, numbers = lived.partition, everyone.ids[partition].to_pylist(), everyone.numbers[partition]
    made = Partition(partition, source.rules, source.calendar)
    made.start, made.marks = source.start, source.marks
    members = made.members
    members.dongs, members.feeds = source.members.dongs, source.members.feeds
    members.areas = Names(["", *(f"area-{i:06d}" for i in range(-(-len(everyone) // everyone.area)))])
    assert made.start is not None
    assert made.marks.clock is not None
    for number, first in enumerate(range(0, len(ids), ROWS)):
        block = _like(lived.block, number, ids[first : first + ROWS])
        block.who["area"][: block.n] = 1 + numbers[first : first + ROWS] // everyone.area
        block.strips.dirty_meter.update(range(made.start, made.marks.clock))
        block.strips.dirty_phone.update(range(made.start // 4, -(-made.marks.clock // 4)))
        members.blocks = [block]
        last = first + ROWS >= len(ids)
        yield [row for row in changed_rows(made, offsets) if last or row[0] != META]


def _like(source: Block, number: int, ids: list[str]) -> Block:
    """A block of these households with the state of ``source``."""
    block, n = Block(number), len(ids)
    block.admit(ids, source.who[:n].copy(), source.who["since"][:n].astype(np.int64), np.arange(n))
    block.state, block.settled, block.drift = source.state, source.settled, source.drift
    block.strips = source.strips
    return block


class Load:
    """The readings and events of every household, a quarter-hour at a time, as frames.

    Readings of a partition come in a shuffled order that stays: that of the concentrators, not that of enrolment.
    """

    def __init__(self, everyone: Crowd, lived: Lived, rows_per_frame: int = 500) -> None:
        self.lived = lived
        self._rows = rows_per_frame
        rng = np.random.default_rng(3)
        self._orders = [rng.permutation(len(n)) for n in everyone.numbers]
        self._shuffled = [i.take(pa.array(o)) for i, o in zip(everyone.ids, self._orders, strict=True)]
        self._ids = everyone.ids
        self._day = -1
        self._kwh = np.zeros((0, 0), np.float32)
        self._phone: PhoneColumns | None = None
        self._home = np.zeros(0, np.int64)
        self.begin = 0

    def quarter(self, number: int) -> Iterator[tuple[str, Packed, int]]:
        """Topic, frame and rows for quarter-hour ``number`` after what was lived: all meters, the calls and messages.

        Each partition's last frame says that its feed is complete up to the end of the quarter-hour.
        """
        self._load(number // SLOTS_PER_DAY)
        slot = number % SLOTS_PER_DAY
        start = self.begin + slot * SLOT_SECONDS
        for partition, order in enumerate(self._orders):
            kwh = self._kwh[slot, order % ROWS]
            yield from self._meter(partition, kwh, start)
            yield from self._events(partition, start)

    def _load(self, day: int) -> None:
        if day == self._day:
            return
        lived = self.lived.day(day)
        self._day, self.begin = day, lived.begin
        slots = (lived.end - lived.begin) // SLOT_SECONDS
        self._kwh = np.zeros((slots, ROWS), np.float32)
        self._kwh[(lived.meter.start - lived.begin) // SLOT_SECONDS, lived.meter_home] = lived.meter.kwh
        order = np.argsort(lived.phone.at, kind="stable")
        self._phone, self._home = frames.take(lived.phone, order), lived.phone_home[order]

    def _meter(self, partition: int, kwh: NDArray[np.float32], start: int) -> Iterator[tuple[str, Packed, int]]:
        ids, n = self._shuffled[partition], len(kwh)
        for at in range(0, n, self._rows):
            k = min(self._rows, n - at)
            columns = MeterColumns(
                ids[at : at + k], np.full(k, start), kwh[at : at + k], np.full(k, 15, np.uint8), np.zeros(k, np.uint8)
            )
            until = start + SLOT_SECONDS if at + k == n else None
            yield METER, Packed(partition, *frames.encode(columns, "meter", until)), k

    def _events(self, partition: int, start: int) -> Iterator[tuple[str, Packed, int]]:
        assert self._phone is not None
        a, b = np.searchsorted(self._phone.at, [start, start + SLOT_SECONDS])
        ids = self._ids[partition]
        rows = (np.arange(-(-len(ids) // ROWS))[:, None] * ROWS + self._home[a:b]).ravel()
        pick = np.tile(np.arange(a, b), -(-len(ids) // ROWS))[rows < len(ids)]
        rows, n = rows[rows < len(ids)], int((rows < len(ids)).sum())
        for at in range(0, max(n, 1), self._rows):
            part = frames.take(self._phone, pick[at : at + self._rows])
            columns = PhoneColumns(
                ids.take(pa.array(rows[at : at + self._rows])), part.at, part.kind, part.duration_s
            )
            until = start + SLOT_SECONDS if at + self._rows >= n else None
            yield PHONE, Packed(partition, *frames.encode(columns, "phone", until)), len(columns)
