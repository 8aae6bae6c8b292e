"""Made-up lives of a few homes, and ways to deliver them to a partition: for the laws of judging."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stream import frames
from stream.calendar import Calendar
from stream.columns import MeterColumns, PhoneColumns
from stream.partition import Partition
from stream.records import KINDS, QUALITIES, Alert, Feeds, Household, Kind, Quality
from stream.rules import Rules
from stream.settings import LimitSettings, Settings

T = 1_767_193_200
"""2026-01-01 00:00 in Seoul."""
SINCE = datetime.fromtimestamp(T, UTC)
DAY, SLOT = 86_400, 900
ESTIMATED, MISSING = QUALITIES.index(Quality.estimated), QUALITIES.index(Quality.missing)
CALL_OUT = KINDS.index(Kind.call_out)

SHORT = Settings(limits=LimitSettings(normal_hours=9, elevated_hours=6, high_hours=3))
"""Limits so short that a few days hold many alerts."""


@dataclass(frozen=True)
class Lives:
    """All that happened, in order of time."""

    meter: MeterColumns
    phone: PhoneColumns
    households: list[Household]

    @property
    def end(self) -> int:
        """End of the last reading, UTC seconds."""
        return int((self.meter.start + self.meter.minutes.astype(np.int64) * 60).max())


def names(homes: int) -> list[str]:
    """Ids of the homes."""
    return [f"home-{i}" for i in range(homes)]


def household(name: str, **kw: object) -> Household:
    """An enrolment from the first moment on."""
    return Household(name, SINCE, **{"feeds": Feeds("meter", "phone"), "area": "east", **kw})  # type: ignore[arg-type]


def lives(homes: int = 5, days: int = 4, minutes: int = 30, seed: int = 1, stop: float | None = None) -> Lives:
    """Homes with a quiet load, life from seven to eleven and some calls; from day ``stop`` on home-0 lies still."""
    rng = np.random.default_rng(seed)
    ids, per_day = np.array(names(homes)), 24 * 60 // minutes
    at = T + np.repeat(np.arange(days * per_day) * minutes * 60, homes)
    home = np.tile(np.arange(homes), days * per_day)
    hour = (at - T) % DAY / 3600
    still = (home == 0) & (stop is not None and at >= T + (stop or 0) * DAY)
    busy = (hour >= 7) & (hour < 23) & (rng.random(len(at)) < 0.5) & ~still
    watts = (30 + 10 * home) * rng.lognormal(0, 0.08, len(at)) + busy * rng.gamma(2, 200, len(at))
    meter = MeterColumns(
        pa.array(ids[home]), at, (watts * minutes / 60_000).astype(np.float32),
        np.full(len(at), minutes, np.uint8), np.zeros(len(at), np.uint8),
    )  # fmt: skip
    used = np.flatnonzero(busy & (rng.random(len(at)) < 0.15))
    when = at[used] + rng.integers(0, minutes * 60, len(used))
    phone = PhoneColumns(
        pa.array(ids[home[used]]), when, np.full(len(used), CALL_OUT, np.uint8), np.full(len(used), 60, np.float32)
    )
    order = np.argsort(when, kind="stable")
    return Lives(meter, frames.take(phone, order), [household(n) for n in names(homes)])


def of(columns: MeterColumns | PhoneColumns, name: str) -> NDArray[np.bool_]:
    """Which rows are of one home."""
    return np.array([i == name for i in columns.household_id.to_pylist()])


def where(life: Lives, meter: NDArray[np.bool_] | None = None, phone: NDArray[np.bool_] | None = None) -> Lives:
    """Only these rows."""
    return Lives(
        life.meter if meter is None else frames.take(life.meter, np.flatnonzero(meter)),
        life.phone if phone is None else frames.take(life.phone, np.flatnonzero(phone)),
        life.households,
    )


def with_event(life: Lives, at: int, kind: Kind, seconds: float = 60.0, name: str = "home-0") -> Lives:
    """The same, and one phone event more."""
    event = PhoneColumns(
        pa.array([name]), np.array([at]), np.array([KINDS.index(kind)], np.uint8), np.array([seconds], np.float32)
    )
    phone = frames.concat([life.phone, event])
    return replace(life, phone=frames.take(phone, np.argsort(phone.at, kind="stable")))


def with_quality(life: Lives, rows: NDArray[np.bool_], quality: int) -> Lives:
    """These readings are of another quality."""
    m = life.meter
    return replace(life, meter=replace(m, quality=np.where(rows, quality, m.quality).astype(np.uint8)))


def until(life: Lives, end: int) -> Lives:
    """What is known at ``end`` (UTC seconds)."""
    over = life.meter.start + life.meter.minutes.astype(np.int64) * 60 <= end
    return where(life, over, life.phone.at < end)


def partition_of(life: Lives, settings: Settings = SHORT) -> Partition:
    """A partition with everyone enrolled, its clock at the beginning."""
    partition = Partition(0, Rules.of(settings), Calendar(settings.tz))
    partition.households(life.households)
    partition.begin(T, 0)
    return partition


def given(
    partition: Partition, life: Lives, end: int, step: int = 4, rng: np.random.Generator | None = None,
    late: Sequence[tuple[int, Lives]] = (), begin: int = T,
) -> Iterator[Alert]:  # fmt: skip
    """Deliver ``life`` until ``end`` in batches of ``step`` slots, shuffled and in part repeated by ``rng``, and what
    is ``late`` at the first batch after its time; alerts as they come."""
    waiting = list(late)
    for mark in range(begin + step * SLOT, end + step * SLOT, step * SLOT):
        mark = min(mark, end)
        for some in [_between(life, mark - step * SLOT, mark), *(rest for t, rest in waiting if t <= mark)]:
            partition.meter(_shuffled(some.meter, rng))
            partition.phone(_shuffled(some.phone, rng))
        waiting = [(t, rest) for t, rest in waiting if t > mark]
        for feed in ("meter", "phone"):
            partition.heard(feed, None, mark, 0.0)
        outcome = partition.advance(0.0)
        report = outcome.report
        gaps = [] if report is None else [*(g for s in report.slots for g in s.gaps), *report.late]
        yield from sorted([*outcome.alerts, *gaps], key=lambda a: (a.at, a.alert_id, a.event))


def play(life: Lives, settings: Settings = SHORT, **kw: object) -> tuple[list[Alert], Partition]:
    """Everything delivered to a new partition: its alerts and what it keeps."""
    partition = partition_of(life, settings)
    end = kw.pop("end", None) or life.end
    return list(given(partition, life, end, **kw)), partition  # type: ignore[arg-type]


def head(partition: Partition, name: str) -> NDArray[np.void]:
    """The head of one home."""
    block, row = partition.members.at(int(partition.members.locate(pa.array([name]))[0]))
    return block.head[row].copy()


def _between(life: Lives, begin: int, end: int) -> Lives:
    a, b = np.searchsorted(life.meter.start, (begin, end))
    c, d = np.searchsorted(life.phone.at, (begin, end))
    return Lives(frames.take(life.meter, slice(a, b)), frames.take(life.phone, slice(c, d)), life.households)


def _shuffled(columns, rng):  # type: ignore[no-untyped-def]
    if rng is None or not len(columns):
        return columns
    rows = rng.permutation(len(columns))
    return frames.take(columns, np.concatenate([rows, rows[: len(rows) // 3]]))
