"""Readings a second that one worker process sustains through the real broker, judged, in transactions.

    python -m benchmarks.throughput [--households 100000] [--quarters 96] [--engines anbu,faust,quix]

Households that have lived 16 days (benchmarks/homes.py) are put into the state topic, then `--quarters` quarter-hours
of everybody's readings and phone events are put into the input topics as frames of 500 rows. Then one worker starts,
and the time is taken from its first commit to its last. 96 quarter-hours are one whole day: learning the day, and
settling the one that leaves the ring, are in it.

In the same run, on the same machine, the same job as plain Faust and as Quix Streams (benchmarks/plain_faust.py and
benchmarks/quix.py say with which settings), one reading a message, for `--seconds` each.
"""

import argparse
import asyncio
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import homes, watching
from benchmarks.stand import Stand, Usage, machine, table


@dataclass(frozen=True)
class Figure:
    """What came out for one engine. ``cpu``: seconds of the engine's process per million readings."""

    engine: str
    rate: float
    cpu: float
    broker_cpu: float
    rss: float


def anbu(args: argparse.Namespace) -> Figure:
    """One worker over preloaded frames."""
    with Stand(args.dir, partitions=args.partitions) as stand:
        lived = homes.live(args.days, stand.settings)
        everyone = homes.crowd(args.households, args.partitions)
        began = time.monotonic()
        state = stand.preload(everyone, lived)
        took = time.monotonic() - began
        print(f"state of {len(everyone):,} homes: {state / 2**20:,.0f} MiB, written in {took:.0f} s")
        sent, load, began = watching.Sent(), homes.Load(everyone, lived, args.rows), time.monotonic()
        watching.send_quarters(stand, load, 0, args.quarters, sent)
        print(f"{sent.readings:,} readings, {sent.events:,} events, {sent.bytes / 2**20:,.0f} MiB in "
              f"{sum(sent.ends.values()):,} frames, sent in {time.monotonic() - began:.0f} s")  # fmt: skip
        worker = stand.worker()
        usage = Usage(worker.pid)
        print(f"restored in {stand.ready():.1f} s (process start to ready)")
        if args.profile:
            _profile(worker.pid, args.profile, args.profile_seconds)
        course = asyncio.run(watching.follow(stand, sent, [usage]))
        a, b = course.between()
        millions = (b.readings - a.readings) / 1e6
        metrics = stand.metrics()
        _show(metrics, course)
        return Figure("anbu", course.rate, (b.cpu - a.cpu) / millions, (b.broker_cpu - a.broker_cpu) / millions,
                      course.most_rss / 2**20)  # fmt: skip


def _show(metrics: dict[str, float], course: watching.Course) -> None:
    a, b = course.between()
    print(f"measured over {b.at - a.at:.1f} s, {b.readings - a.readings:,} readings")
    wanted = ("anbu_judged_slots_total", "anbu_changelog_bytes_total", "anbu_changelog_rows_total",
              "anbu_transaction_seconds_sum", "anbu_transaction_seconds_count", "anbu_batch_frames_sum")  # fmt: skip
    where_any = ("anbu_alerts_total", "anbu_rows_dropped_total", "anbu_dead_letters_total")
    for name, value in metrics.items():
        kind = name.partition("{")[0]
        if kind in wanted or (value and kind in where_any):
            print(f"  {name} {value:,.1f}")
    step = max(len(course.points) // 12, 1)
    before = a
    for p in [p for p in course.points[::step] if p.readings > 0]:
        if p.at > before.at:
            rate = (p.readings - before.readings) / (p.at - before.at)
            print(f"  {p.at - a.at:6.1f} s {p.readings:>12,} readings, {rate:>9,.0f}/s lately")
        before = p


def _profile(pid: int, out: Path, seconds: int) -> None:
    command = ["py-spy", "record", "-p", str(pid), "-d", str(seconds), "-r", "100", "-f", "raw", "-o", str(out)]
    subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main(argv: list[str] | None = None) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, default=100_000)
    parser.add_argument("--quarters", type=int, default=96, help="quarter-hours of everybody's readings")
    parser.add_argument("--days", type=int, default=16, help="days lived before")
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--rows", type=int, default=500, help="rows a frame")
    parser.add_argument("--engines", default="anbu,faust,quix")
    parser.add_argument("--seconds", type=float, default=30, help="for each of the other engines")
    parser.add_argument("--dir", type=Path, default=Path(".anbu"), help="where the brokers keep their files meanwhile")
    parser.add_argument("--profile", type=Path, help="write the worker's stacks here (needs py-spy)")
    parser.add_argument("--profile-seconds", type=int, default=30)
    args = parser.parse_args(argv)
    print(machine())
    figures: list[Figure] = []
    for engine in args.engines.split(","):
        if engine == "anbu":
            figures.append(anbu(args))
        else:
            from benchmarks import engines

            figures += [Figure(c.way, c.rate, c.cpu, c.broker_cpu, c.rss) for c in engines.run(engine, args)]
    best = figures[0].rate
    rows = [
        (f.engine, f"{f.rate:,.0f}", f"{best / f.rate:,.1f}", f"{f.cpu:.2f}", f"{f.broker_cpu:.2f}", f"{f.rss:,.0f}")
        for f in figures
    ]
    print(table(("engine", "readings/s", "times slower", "CPU s/M", "broker CPU s/M", "RSS MiB"), rows))


if __name__ == "__main__":
    main()
