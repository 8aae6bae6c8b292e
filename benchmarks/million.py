"""A million homes: what the workers need of memory, and how long from kill -9 until they have caught up.

    python -m benchmarks.million [--households 1000000] [--workers 1] [--quarters 4]

Everyone has lived 16 days: the rings hold seven days, habits are learned. That state is written to the state topic by
a short program (benchmarks/homes.py), not by streaming 16 days of a million homes. Then: the workers restore it and
take `--quarters` quarter-hours of everyone's readings and events; they are killed with -9 (all, or `--kill` of them)
while another quarter-hour of everyone's readings comes in, and started again at once, as a supervisor does. Caught up
is when the committed state includes everything sent. Memory is the workers' resident memory, all of it, at its
highest.
"""

import argparse
import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import homes, watching
from benchmarks.stand import Stand, Usage, machine, table


@dataclass(frozen=True)
class Figures:
    """What came out; seconds and bytes. ``rss``: (after restoring, highest before the kill, highest in all)."""

    households: int
    state: int
    restored: float
    rss: tuple[int, int, int]
    quarter: float
    caught_up: float


def start(stand: Stand, workers: int) -> list[Usage]:
    """Start workers; their usage."""
    return [Usage(stand.worker(i).pid) for i in range(workers)]


def measure(args: argparse.Namespace) -> Figures:
    """All of it."""
    with Stand(args.dir, heap_mb=args.heap_mb, partitions=args.partitions) as stand:
        lived = homes.live(args.days, stand.settings)
        everyone = homes.crowd(args.households, args.partitions)
        began = time.monotonic()
        state = stand.preload(everyone, lived)
        print(f"state of {len(everyone):,} homes: {state / 2**20:,.0f} MiB, {state / len(everyone):,.0f} bytes each, "
              f"written in {time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
        load, sent = homes.Load(everyone, lived), watching.Sent()
        usages = start(stand, args.workers)
        restored = max(stand.ready(i) for i in range(args.workers))
        rss = sum(u.rss() for u in usages)
        print(f"restored in {restored:.1f} s; workers {rss / 2**20:,.0f} MiB, {rss / len(everyone):,.0f} bytes a home",
              flush=True)  # fmt: skip
        took = 0.0
        if args.quarters:
            watching.send_quarters(stand, load, 0, args.quarters, sent)
            began = time.monotonic()
            asyncio.run(watching.follow(stand, sent, usages))
            took = (time.monotonic() - began) / args.quarters
            print(f"{args.quarters} quarter-hours of everyone, {took:.1f} s each", flush=True)
        worked = max(sum(u.most for u in usages), sum(u.rss() for u in usages))
        caught_up, again = _killed(stand, load, sent, usages, args)
        most = max(worked, again)
        return Figures(len(everyone), state, restored, (rss, worked, most), took, caught_up)


def _killed(
    stand: Stand, load: homes.Load, sent: watching.Sent, usages: list[Usage], args: argparse.Namespace
) -> tuple[float, int]:
    """Seconds from kill -9 until the state includes what came in meanwhile, and the workers' highest memory."""
    began = time.monotonic()
    killed = args.kill or args.workers
    for i in range(killed):
        stand.kill(i)
    usages = [*start(stand, killed), *usages[killed:]]
    watching.send_quarters(stand, load, args.quarters, 1, sent)
    course = asyncio.run(watching.follow(stand, sent, usages))
    took = time.monotonic() - began
    metrics = stand.metrics(0)
    restoring = metrics.get("anbu_recovery_seconds", 0)
    print(f"{killed} killed with -9, started again, caught up {took:.1f} s after the kill (restoring one partition "
          f"took {restoring:.1f} s)", flush=True)  # fmt: skip
    return took, course.most_rss


def arguments(description: str | None) -> argparse.ArgumentParser:
    """What national.py takes too."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--days", type=int, default=16, help="days lived before")
    parser.add_argument("--heap-mb", type=int, default=512, help="the broker's heap")
    parser.add_argument("--dir", type=Path, default=Path(".anbu"), help="where the broker keeps its files meanwhile")
    return parser


def main(argv: list[str] | None = None) -> None:
    """Run and print."""
    parser = arguments(__doc__)
    parser.add_argument("--households", type=int, default=1_000_000)
    parser.add_argument("--quarters", type=int, default=4)
    parser.add_argument("--kill", type=int, default=0, help="how many of the workers are killed; 0: all")
    args = parser.parse_args(argv)
    print(machine())
    f = measure(args)
    each = [f"{r / f.households:,.0f}" for r in f.rss]
    rows = [
        ("homes, workers", f"{f.households:,}, {args.workers}"),
        ("state topic, bytes a home", f"{f.state / f.households:,.0f}"),
        ("workers' memory, bytes a home: restored / at work / highest", " / ".join(each)),
        ("workers' memory in all, MiB (highest)", f"{f.rss[2] / 2**20:,.0f}"),
        ("process start to partitions restored, s", f"{f.restored:.1f}"),
        ("one quarter-hour of everyone, s", f"{f.quarter:.1f}"),
        ("kill -9 to caught up, s", f"{f.caught_up:.1f}"),
    ]
    print(table(("figure", "value"), rows))


if __name__ == "__main__":
    main()
