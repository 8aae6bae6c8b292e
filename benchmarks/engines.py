"""Other engines at the same job, for throughput.py: their process over preloaded messages, by its committed offsets."""

import argparse
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

import confluent_kafka
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks import homes
from benchmarks.per_reading import encode
from benchmarks.stand import Stand, Usage, send
from stream import frames
from stream.records import METER

WAYS = {"faust": ("take", "events"), "quix": ("at-least-once", "exactly-once")}
_MODULE = {"faust": "benchmarks.plain_faust", "quix": "benchmarks.quix"}
_MOST = {"faust": 20_000, "quix": 60_000}
"""Messages a second that are enough to keep it busy."""


@dataclass(frozen=True)
class Course:
    """What was seen of one engine: readings a second, CPU seconds per million, memory in MiB."""

    way: str
    rate: float
    cpu: float
    broker_cpu: float
    rss: float


def run(engine: str, args: argparse.Namespace) -> list[Course]:
    """Each way of running ``engine`` ("quix", or one way of it: "quix:at-least-once"), on a broker of its own."""
    name, _, way = engine.partition(":")
    return [_run(name, each, args) for each in ((way,) if way else WAYS[name])]


def _run(engine: str, way: str, args: argparse.Namespace) -> Course:
    with Stand(args.dir, partitions=args.partitions) as stand:
        admin = AdminClient(stand.login())
        compacted = {"cleanup.policy": "compact"}
        new = [NewTopic("single", args.partitions, 1), NewTopic("single.alerts", args.partitions, 1),
               NewTopic(f"bench-faust-{way}-homes-changelog", args.partitions, 1, config=compacted)]  # fmt: skip
        for made in admin.create_topics(new).values():
            made.result(30)
        sent = _fill(stand, args, int(args.seconds * _MOST[engine]))
        log = stand.dir / f"{engine}.log"
        login = stand.broker.login("admin")
        command = [sys.executable, "-m", _MODULE[engine], login["bootstrap"], str(args.partitions),
                   str(stand.dir / engine), way]  # fmt: skip
        env = {**stand.environment(), "BENCH_USER": login["sasl_username"], "BENCH_PASSWORD": login["sasl_password"]}
        with open(log, "ab") as out:
            process = subprocess.Popen(command, env=env, stdout=out, stderr=out, cwd=stand.dir)
        try:
            return _watch(stand, process, f"{engine} {way}", f"bench-{engine}-{way}", sent, args.seconds)
        finally:
            process.kill()
            process.wait()


def _fill(stand: Stand, args: argparse.Namespace, wanted: int) -> int:
    """The same readings as anbu's, one JSON record a message, keyed by household."""
    lived = homes.live(0, stand.settings)
    everyone = homes.crowd(args.households, args.partitions)
    load, producer, many, number = homes.Load(everyone, lived), stand.producer(), 0, 0
    while many < wanted:
        for topic, packed, _ in load.quarter(number):
            if topic != METER:
                continue
            columns = frames.decode("meter", packed.value, packed.headers).columns
            kwh, start = columns.kwh.tolist(), columns.start.tolist()  # type: ignore[union-attr]
            for i, name in enumerate(columns.household_id.to_pylist()):
                value = {"household_id": name, "start": start[i], "kwh": kwh[i], "minutes": 15, "quality": "measured"}
                send(producer, "single", packed.partition, encode(value), name.encode())
            many += len(kwh)
        number += 1
    producer.flush()
    return many


def _watch(stand: Stand, process: subprocess.Popen[bytes], name: str, group: str, sent: int, seconds: float) -> Course:
    """From the first commit seen, for ``seconds`` or until everything is done; from commit to commit."""
    tps = [confluent_kafka.TopicPartition("single", p) for p in range(stand.settings.partitions)]
    reader = confluent_kafka.Consumer({**stand.login(), "group.id": group})
    usage, broker = Usage(process.pid), Usage(stand.broker.pid or 0)
    seen: list[tuple[float, int, float, float]] = []
    began = time.monotonic()
    while not seen or (seen[-1][1] < sent and time.monotonic() - seen[0][0] < seconds):
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with {process.returncode}; its log follows")
        if time.monotonic() - began > 120 + seconds:
            raise TimeoutError(f"{name} has committed nothing in {time.monotonic() - began:.0f} s")
        done = 0
        with suppress(confluent_kafka.KafkaException):  # the group's coordinator is not up yet
            done = sum(max(tp.offset, 0) for tp in reader.committed(tps, timeout=10))
        if done and (not seen or done > seen[-1][1]):
            seen.append((time.monotonic(), done, usage.cpu(), broker.cpu()))
        usage.look()
        time.sleep(0.1)
    reader.close()
    a, b = seen[0], seen[-1]
    if b[1] == a[1]:
        raise RuntimeError(f"{name}: one commit only, more --seconds are needed")
    millions = (b[1] - a[1]) / 1e6
    print(f"{name}: {b[1] - a[1]:,} readings committed in {b[0] - a[0]:.1f} s ({len(seen)} commits seen)", flush=True)
    return Course(name, millions * 1e6 / (b[0] - a[0]), (b[2] - a[2]) / millions, (b[3] - a[3]) / millions,
                  usage.most / 2**20)  # fmt: skip
