"""A town of people living alone, day by day: what their meters and phones would say.

The life of a household depends on the seed, its number and the date only: never on how many households there are, on
the order in which days are asked for, or on how they are cut into chunks. Households are drawn in blocks of fixed
size, whole arrays at a time, each block and day from its own random generator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulators.appliances import SLOTS, Appliances, alone, draw_appliances, lived
from simulators.people import Habits, People, Rng, draw_habits, draw_people, mood_of, sleep_hours
from simulators.phones import PhoneDay, Phones, draw_phones, phone_day
from simulators.weather import temperature
from stream.columns import MeterColumns, PhoneColumns
from stream.records import Feeds, Household

BLOCK = 128
"""Households drawn together. Changing it changes every life."""
AREA = 64
DONG = 512
"""Households of one concentrator, and of one dong."""
_PROFILE, _HABITS, _HOME, _PHONE, _PLACE, _MOOD = 2, 3, 4, 5, 6, 10

Mix = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Block:
    """The people, homes and phones of up to ``BLOCK`` households, numbers ``first`` and on. ``minutes``: interval of
    each meter; ``resolution``: kWh of its smallest step; ``has_phone``: whether their carrier has a feed."""

    number: int
    people: People
    homes: Appliances
    phones: Phones
    minutes: NDArray[np.uint8]
    resolution: NDArray[np.float64]
    has_phone: NDArray[np.bool_]
    risk: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Day:
    """One local day of some households. Rows of ``meter`` are ordered by household and time, so are those of ``phone``.

    ``begin``, ``end``: UTC seconds of its two midnights. ``meter_home``, ``phone_home``: number of the household of
    each row. ``alone``, ``lived``: kWh of each meter row that the home uses on its own and through the person's life,
    before the meter's resolution. ``background``: phone rows in which the phone acted by itself.
    """

    index: int
    begin: int
    end: int
    meter: MeterColumns
    phone: PhoneColumns
    meter_home: NDArray[np.int64]
    phone_home: NDArray[np.int64]
    alone: NDArray[np.float64]
    lived: NDArray[np.float64]
    background: NDArray[np.bool_]


@dataclass(frozen=True)
class Town:
    """Households and their days. ``households[i]`` is household number i; ``ids`` holds the same ids, (n,)."""

    seed: int
    start: date
    tz: ZoneInfo
    households: list[Household]
    blocks: Sequence[Block] = field(repr=False)

    @cached_property
    def ids(self) -> Any:
        """The households' ids as a pyarrow string array."""
        return pa.array([h.household_id for h in self.households], pa.string())

    @cached_property
    def number(self) -> dict[str, int]:
        """Household id -> number."""
        return {h.household_id: i for i, h in enumerate(self.households)}

    @cached_property
    def areas(self) -> dict[str, NDArray[np.int64]]:
        """Area -> numbers of its households."""
        names = np.array([h.area for h in self.households])
        return {str(name): np.flatnonzero(names == name) for name in dict.fromkeys(names.tolist())}

    @cached_property
    def minutes(self) -> NDArray[np.uint8]:
        """Length of each household's meter interval, (n,)."""
        return np.concatenate([b.minutes for b in self.blocks])[: len(self.households)]

    @cached_property
    def resolution(self) -> NDArray[np.float64]:
        """Smallest step of each household's meter in kWh, (n,)."""
        return np.concatenate([b.resolution for b in self.blocks])[: len(self.households)]

    def date(self, index: int) -> date:
        """The date of a day."""
        return self.start + timedelta(days=index)

    def midnight(self, index: int) -> int:
        """UTC seconds at which a local day begins."""
        return int(datetime.combine(self.date(index), datetime.min.time(), self.tz).timestamp())

    def day(self, index: int, homes: range | None = None) -> Day:
        """One day of all households, or of those whose numbers are in ``homes`` (a range with step 1)."""
        n = len(self.households)
        wanted = range(n) if homes is None else range(max(homes.start, 0), min(homes.stop, n))
        slots = _local_slots(self.midnight(index), self.midnight(index + 1), self.tz)
        meters, phones = [], []
        for b in range(wanted.start // BLOCK, -(-wanted.stop // BLOCK) if len(wanted) else 0):
            inside = np.arange(max(wanted.start - b * BLOCK, 0), min(wanted.stop - b * BLOCK, BLOCK))
            meter, phone = _draw_day(self, self.blocks[b], self.date(index), inside, slots)
            meters.append(meter)
            phones.append(phone)
        return _assemble(self, index, meters, phones)


def make_town(
    households: int = 1000,
    seed: int = 1,
    start: date = date(2026, 3, 2),
    tz: str = "Asia/Seoul",
    *,
    minutes: Mix | None = None,
    coarse: float = 0.08,
    no_phone: float = 0.08,
    drill: bool = False,
) -> Town:
    """A town of ``households`` people living alone, enrolled at local midnight of ``start``.

    ``minutes``: share of homes by meter interval (default 15: 0.4, 30: 0.3, 60: 0.3); ``coarse``: share of meters that
    count whole 100 Wh and not 1 Wh; ``no_phone``: share of people whose carrier has no feed.
    """
    if households < 0 or seed < 0:
        raise ValueError(f"households={households}, seed={seed}: neither may be negative")
    mix = minutes or {15: 0.4, 30: 0.3, 60: 0.3}
    if not set(mix) <= {15, 30, 60} or abs(sum(mix.values()) - 1) > 1e-9:
        raise ValueError(f"minutes={dict(mix)}: give shares for intervals of 15, 30 and 60 minutes that add up to 1")
    blocks = [_draw_block(seed, b, mix, coarse, no_phone) for b in range(-(-households // BLOCK))]
    zone = ZoneInfo(tz)
    since = datetime.combine(start, datetime.min.time(), zone).astimezone(UTC)
    return Town(seed, start, zone, [_enrol(blocks[i // BLOCK], i, since, drill) for i in range(households)], blocks)


def _rng(seed: int, topic: int, *key: int) -> Rng:
    return np.random.default_rng([seed, topic, *key])


def _draw_block(seed: int, number: int, mix: Mix, coarse: float, no_phone: float) -> Block:
    rng = _rng(seed, _PROFILE, number)
    people = draw_people(rng, BLOCK)
    homes = draw_appliances(rng, people)
    phones = draw_phones(rng, BLOCK)
    place = _rng(seed, _PLACE, number)
    lengths = np.array(sorted(mix), dtype=np.uint8)
    return Block(
        number, people, homes, phones,
        minutes=place.choice(lengths, BLOCK, p=[mix[int(m)] for m in lengths]),
        resolution=np.where(place.random(BLOCK) < coarse, 0.1, 0.001),
        has_phone=place.random(BLOCK) >= no_phone,
        risk=place.choice(3, BLOCK, p=(0.7, 0.2, 0.1)),
    )


_RISKS: tuple[Literal["normal", "elevated", "high"], ...] = ("normal", "elevated", "high")


def _enrol(block: Block, i: int, since: datetime, drill: bool) -> Household:
    at = i % BLOCK
    return Household(
        household_id=f"h{i:06d}", since=since, area=f"area-{i // AREA:04d}", dong=f"dong-{i // DONG:03d}",
        feeds=Feeds(meter="meter", phone="phone" if block.has_phone[at] else None), risk=_RISKS[block.risk[at]],
        drill=drill,
    )


def _local_slots(begin: int, end: int, tz: ZoneInfo) -> NDArray[np.int64]:
    """The local quarter-hour of the day (0..95) of each 15 minutes between two midnights: 92, 96 or 100 of them."""
    count = (end - begin) // 900
    if count == SLOTS:
        return np.arange(SLOTS)
    times = [datetime.fromtimestamp(begin + 900 * i, tz) for i in range(count)]
    return np.array([t.hour * 4 + t.minute // 15 for t in times])


_Meter = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


def _draw_day(
    town: Town, block: Block, day: date, inside: NDArray[np.int64], slots: NDArray[np.int64]
) -> tuple[_Meter, PhoneDay]:
    """Meter rows (number, quarter-hour, alone, lived) and phone events of the households ``inside`` a block."""
    ordinal, number, celsius = day.toordinal(), block.number, temperature(town.seed, day)
    habits = _habits(town.seed, block, day)
    own = alone(block.homes, _rng(town.seed, _HOME, number, ordinal, 0), ordinal, celsius)
    life = lived(block.homes, block.people, habits, _rng(town.seed, _HOME, number, ordinal, 1), celsius)
    events = phone_day(block.phones, habits, _rng(town.seed, _PHONE, number, ordinal))
    there = np.zeros(BLOCK, dtype=bool)
    there[inside] = block.has_phone[inside]
    keep = there[events.home]
    events = PhoneDay(events.home[keep] + number * BLOCK, events.second[keep], events.kind[keep],
                      events.duration_s[keep], events.background[keep])
    return _intervals(block, inside, own[inside][:, slots], life[inside][:, slots]), events


def _habits(seed: int, block: Block, day: date) -> Habits:
    before = day - timedelta(days=1)
    eve = _rng(seed, _HABITS, block.number, before.toordinal())
    _, bed = sleep_hours(eve, block.people, before.weekday() >= 5)
    mood = mood_of(lambda number: _rng(seed, _MOOD, block.number, number), day.toordinal(), BLOCK)
    rng = _rng(seed, _HABITS, block.number, day.toordinal())
    return draw_habits(rng, block.people, bed, day.weekday() >= 5, mood)


def _intervals(
    block: Block, inside: NDArray[np.int64], own: NDArray[np.float64], life: NDArray[np.float64]
) -> _Meter:
    """Quarter-hours (k, slots) summed to each home's interval, as rows ordered by household and time."""
    steps = (block.minutes[inside] // 15).astype(np.int64)
    starts = np.arange(own.shape[1])
    first = starts[None, :] % steps[:, None] == 0
    home, quarter = np.nonzero(first)
    flat = np.flatnonzero(first)
    sums = [np.add.reduceat(x.ravel(), flat) if len(flat) else np.zeros(0) for x in (own, life)]
    return inside[home] + block.number * BLOCK, quarter, sums[0], sums[1]


def metered(town: Town, day: int, home: NDArray[np.int64], quarter: NDArray[np.int64],
            kwh: NDArray[np.float64]) -> NDArray[np.float32]:
    """What meters of their resolution show for energies (rows ordered by household): whole steps of the register."""
    if not len(home):
        return np.zeros(0, np.float32)
    first = home[0]
    grid = np.zeros((int(home[-1] - first) + 1, int(quarter.max()) + 1))
    grid[home - first, quarter] = kwh
    step = town.resolution[first : home[-1] + 1, None]
    # Where the register stood at midnight: anywhere within a step.
    stood = (np.arange(first, home[-1] + 1) * 0.6180339887 + day * 0.7548776662) % 1
    register = np.floor(np.cumsum(grid, axis=1) / step + stood[:, None])
    return np.asarray((np.diff(register, axis=1, prepend=0) * step)[home - first, quarter], dtype=np.float32)


def _assemble(town: Town, index: int, meters: list[_Meter], phones: list[PhoneDay]) -> Day:
    begin, end = town.midnight(index), town.midnight(index + 1)
    empty: _Meter = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    home, quarter, own, life = (np.concatenate(columns) for columns in zip(empty, *meters, strict=True))
    meter = MeterColumns(
        household_id=town.ids.take(pa.array(home)), start=begin + 900 * quarter,
        kwh=metered(town, index, home, quarter, own + life), minutes=town.minutes[home],
        quality=np.zeros(len(home), np.uint8),
    )
    none = PhoneDay(home[:0], home[:0], np.zeros(0, np.uint8), np.zeros(0, np.float32), np.zeros(0, bool))
    caller, second, kind, duration, background = (
        np.concatenate([getattr(p, name) for p in (none, *phones)])
        for name in ("home", "second", "kind", "duration_s", "background")
    )
    at, exists = _utc(begin, end, second, town.tz)
    caller, kind, duration, background = caller[exists], kind[exists], duration[exists], background[exists]
    phone = PhoneColumns(town.ids.take(pa.array(caller)), at[exists], kind, duration)
    return Day(index, begin, end, meter, phone, home, caller, own, life, background)


def _utc(begin: int, end: int, second: NDArray[np.int64], tz: ZoneInfo) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """UTC seconds of seconds of the local day, and whether they exist (an hour is skipped when summer time begins)."""
    slots = _local_slots(begin, end, tz)
    where = np.full(SLOTS, -1)
    where[slots[::-1]] = np.arange(len(slots))[::-1]
    slot = where[second // 900]
    return begin + slot * 900 + second % 900, slot >= 0


def local_seconds(town: Town, day: Day, at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Seconds since 1970 of the local clock at UTC seconds of a day: naive times, as files have them."""
    slots = _local_slots(day.begin, day.end, town.tz)
    naive = (town.date(day.index) - date(1970, 1, 1)).days * 86_400
    return np.asarray(naive + slots[(at - day.begin) // 900] * 900 + (at - day.begin) % 900)
