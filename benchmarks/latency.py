"""How long an alert takes: from the arrival at the broker of the frame that makes it known, to the alert committed.

    python -m benchmarks.latency [--rate 10000] [--households 10000] [--seconds 60] [--workers 1]

Households that have lived 16 days send `--rate` readings a second, paced, and their phones' events: with 10,000 of
them a quarter-hour passes every second. A low first level (`--attention-days`) and limits of `--limit-hours` make
many of them raise and clear alerts all the time. For each alert: the time at which a read_committed consumer has it,
less the timestamp of the frame by which the last of its partition's feeds became complete up to the alert's own time.
Frames carry the sender's time (CreateTime), which is before their arrival, and the consumer's fetch is in it: both
make the figure worse, not better.
"""

import argparse
import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks import homes
from benchmarks.stand import Stand, Usage, machine, table
from models.slots import SLOT_SECONDS
from stream.kafka import client_options, partition_of
from stream.records import ALERTS, METER, PHONE, Alert
from stream.settings import LevelSettings, LimitSettings, Settings

Known = dict[tuple[str, int, int], float]
"""(topic, partition, UTC seconds complete until) -> when the frame that said so was sent."""


@dataclass
class Seen:
    """Alerts as they came: seconds from frame to alert, and how many there were of each event."""

    seconds: list[float] = field(default_factory=list)
    events: dict[str, int] = field(default_factory=dict)
    unknown: int = 0


async def pace(stand: Stand, load: homes.Load, args: argparse.Namespace, known: Known) -> float:
    """Send quarter-hour after quarter-hour, each spread evenly over its time; seconds behind the plan at the end."""
    producer = AIOKafkaProducer(**client_options(stand.settings), enable_idempotence=True, acks="all", linger_ms=2)
    await producer.start()
    began, sent, number = time.monotonic(), 0, 0
    try:
        while time.monotonic() - began < args.seconds:
            frames = sorted(load.quarter(number), key=lambda f: any(h[0] == "complete-until" for h in f[1].headers))
            until = load.begin + (number % 96 + 1) * SLOT_SECONDS
            for topic, packed, rows in frames:
                if topic == METER:
                    sent += rows
                await asyncio.sleep(max(began + sent / args.rate - time.monotonic(), 0))
                now = time.time()
                await producer.send(
                    stand.settings.topic(topic), packed.value, partition=packed.partition, headers=packed.headers,
                    timestamp_ms=int(now * 1000),
                )  # fmt: skip
                if any(h[0] == "complete-until" for h in packed.headers):
                    known[topic, packed.partition, until] = now
            number += 1
        await producer.flush()
        return time.monotonic() - began - sent / args.rate
    finally:
        await producer.stop()


async def watch(settings: Settings, known: Known, seen: Seen) -> None:
    """Note each alert on silence when it can be read."""
    consumer = AIOKafkaConsumer(
        **client_options(settings), isolation_level="read_committed", auto_offset_reset="earliest",
        enable_auto_commit=False, fetch_max_wait_ms=20,
    )  # fmt: skip
    await consumer.start()
    consumer.assign([TopicPartition(settings.topic(ALERTS), p) for p in range(settings.partitions)])
    try:
        async for record in consumer:
            now = time.time()
            alert = msgspec.json.decode(record.value, type=Alert)
            if alert.kind != "silence":
                continue
            partition, at = partition_of(alert.household_id, settings.partitions), int(alert.at.timestamp())
            sent = [known.get((topic, partition, at)) for topic in (METER, PHONE)]
            if None in sent:
                seen.unknown += 1
                continue
            seen.seconds.append(now - max(s for s in sent if s is not None))
            seen.events[alert.event] = seen.events.get(alert.event, 0) + 1
    finally:
        await consumer.stop()


async def run(stand: Stand, load: homes.Load, args: argparse.Namespace) -> tuple[Seen, float]:
    """Send and watch at once."""
    known: Known = {}
    seen = Seen()
    watching = asyncio.create_task(watch(stand.settings, known, seen))
    behind = await pace(stand, load, args, known)
    await asyncio.sleep(3)
    watching.cancel()
    return seen, behind


def main(argv: list[str] | None = None) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=10_000, help="readings a second")
    parser.add_argument("--households", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--days", type=int, default=16, help="days lived before")
    parser.add_argument("--attention-days", type=float, default=0.1, help="the lowest level, to have many alerts")
    parser.add_argument("--limit-hours", type=float, default=2.0)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--dir", type=Path, default=Path(".anbu"), help="where the broker keeps its files meanwhile")
    args = parser.parse_args(argv)
    print(machine())
    limits = LimitSettings(high_hours=args.limit_hours, elevated_hours=args.limit_hours, normal_hours=args.limit_hours)
    levels = LevelSettings(attention_days=args.attention_days)
    with Stand(args.dir, partitions=args.partitions, limits=limits, levels=levels) as stand:
        lived = homes.live(args.days, stand.settings)
        everyone = homes.crowd(args.households, args.partitions)
        stand.preload(everyone, lived)
        usages = [Usage(stand.worker(i).pid) for i in range(args.workers)]
        for i in range(args.workers):
            stand.ready(i)
        began = time.monotonic()
        seen, behind = asyncio.run(run(stand, homes.Load(everyone, lived), args))
        took = time.monotonic() - began
        cpu = sum(u.cpu() for u in usages) / took
    s = np.sort(seen.seconds)
    print(f"{len(s):,} alerts ({seen.events}, {seen.unknown} without a known frame) in {took:.0f} s; sender behind its "
          f"plan by {behind:.2f} s at the end; workers used {cpu:.0%} of a core")  # fmt: skip
    rows = [(f"{q}", f"{np.quantile(s, q):.3f}") for q in (0.5, 0.9, 0.99, 0.999, 1.0)]
    print(table(("quantile", "seconds"), rows))


if __name__ == "__main__":
    main()
