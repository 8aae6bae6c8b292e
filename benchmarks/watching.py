"""Following a worker from outside: rows that its committed state includes, CPU and memory, as time goes by."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.homes import Load
from benchmarks.stand import Stand, Usage, send
from simulators.replay import Follower
from stream.records import METER


@dataclass
class Sent:
    """What was sent: end offsets per topic and partition, and readings up to each meter offset per partition."""

    ends: dict[tuple[str, int], int] = field(default_factory=dict)
    readings: int = 0
    events: int = 0
    bytes: int = 0
    _rows: dict[int, list[int]] = field(default_factory=dict)

    def add(self, topic: str, partition: int, rows: int, size: int) -> None:
        """A frame was sent."""
        self.ends[topic, partition] = self.ends.get((topic, partition), 0) + 1
        self.bytes += size
        if topic == METER:
            self.readings += rows
            self._rows.setdefault(partition, [0]).append(rows)
        else:
            self.events += rows

    def totals(self) -> dict[int, NDArray[np.int64]]:
        """Readings before each offset, per partition."""
        return {p: np.cumsum(rows) for p, rows in self._rows.items()}


def send_quarters(stand: Stand, load: Load, first: int, count: int, sent: Sent) -> None:
    """Send quarter-hours [first, first + count), everyone's, and wait until the broker has them."""
    producer = stand.producer()
    for number in range(first, first + count):
        for topic, packed, rows in load.quarter(number):
            send(producer, stand.settings.topic(topic), packed.partition, packed.value, None, packed.headers)
            sent.add(topic, packed.partition, rows, len(packed.value))
    producer.flush()


@dataclass(frozen=True)
class Point:
    """A moment: seconds (monotonic), readings committed so far, CPU seconds of workers and broker since the mark."""

    at: float
    readings: int
    cpu: float
    broker_cpu: float


@dataclass
class Course:
    """How a run went."""

    points: list[Point] = field(default_factory=list)
    most_rss: int = 0

    def between(self) -> tuple[Point, Point]:
        """The first moment with anything committed, and the last in which something new was."""
        before = [0, *(p.readings for p in self.points)]
        moving = [p for p, last in zip(self.points, before, strict=False) if p.readings > last]
        if len(moving) < 2:
            raise RuntimeError("too little to measure: more --quarters are needed")
        return moving[0], moving[-1]

    @property
    def rate(self) -> float:
        """Readings a second from the first commit to the last."""
        a, b = self.between()
        return (b.readings - a.readings) / (b.at - a.at)


async def follow(
    stand: Stand, sent: Sent, workers: list[Usage], limit_s: float = 600, told: Callable[[Point], None] = lambda p: None
) -> Course:
    """Watch until the workers' state includes all that was sent."""
    course, totals, broker = Course(), sent.totals(), Usage(stand.broker.pid or 0)
    async with Follower(stand.settings) as follower:
        began = time.monotonic()
        while True:
            await follower.look()
            done = {p: follower.offsets.get(p, {}) for p in totals}
            readings = sum(int(totals[p][min(o.get(METER, 0), len(totals[p]) - 1)]) for p, o in done.items())
            point = Point(time.monotonic(), readings, sum(w.cpu() for w in workers), broker.cpu())
            course.points.append(point)
            told(point)
            for worker in workers:
                worker.look()
            if all(follower.offsets.get(p, {}).get(t, 0) >= end for (t, p), end in sent.ends.items()):
                break
            stand.alive()
            if time.monotonic() - began > limit_s:
                raise TimeoutError(f"not done after {limit_s:.0f} s: {readings:,} of {sent.readings:,} readings")
            await asyncio.sleep(0.05)
    course.most_rss = sum(w.most for w in workers)
    return course
