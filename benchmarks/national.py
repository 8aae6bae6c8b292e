"""One national quarter-hour through one machine: 8.05 million homes, one reading each, judged, in transactions.

    python -m benchmarks.national [--sizes 250000,500000,1000000,2000000] [--workers 2]
    python -m benchmarks.national --sizes 8050000            (24 GiB of memory, 30 GB of disk, some ten minutes)

Everyone has lived 16 days, their state was written to the state topic beforehand (benchmarks/million.py says how) and
the workers have restored it. Then a quarter-hour of everyone's readings and phone events is sent at once, and after it
a second: seconds from the first frame sent to the committed state that includes the last. The first one also makes
what is looked up all day. With more than one size the slope follows: seconds and bytes for each further million.
"""

import argparse
import asyncio
import time
from dataclasses import dataclass

import numpy as np

from benchmarks import homes, watching
from benchmarks.million import arguments, start
from benchmarks.stand import Stand, Usage, machine, table


@dataclass(frozen=True)
class Figures:
    """One size. Seconds: ``restored``, ``quarters``; bytes: ``state``, ``rss``, ``broker``; CPU seconds of the second
    quarter-hour: ``cpu`` of the workers, ``broker_cpu``."""

    households: int
    state: int
    restored: float
    quarters: list[float]
    rss: int
    broker: int
    cpu: float
    broker_cpu: float


def measure(households: int, args: argparse.Namespace) -> Figures:
    """One size, on a broker of its own."""
    with Stand(args.dir, heap_mb=args.heap_mb, partitions=args.partitions) as stand:
        lived = homes.live(args.days, stand.settings)
        everyone = homes.crowd(households, args.partitions, args.area)
        began = time.monotonic()
        state = stand.preload(everyone, lived)
        print(f"{households:,} homes: state of {state / 2**20:,.0f} MiB written in {time.monotonic() - began:.0f} s",
              flush=True)  # fmt: skip
        load, sent, usages = homes.Load(everyone, lived), watching.Sent(), start(stand, args.workers)
        restored = max(stand.ready(i, 900) for i in range(args.workers))
        print(f"restored in {restored:.0f} s, {sum(u.rss() for u in usages) / 2**20:,.0f} MiB", flush=True)
        broker, took, cpu, broker_cpu = Usage(stand.broker.pid or 0), [], 0.0, 0.0
        for number in range(args.quarters):
            for usage in (*usages, broker):
                usage.mark()
            began = time.monotonic()
            watching.send_quarters(stand, load, number, 1, sent)
            asyncio.run(watching.follow(stand, sent, usages))
            took.append(time.monotonic() - began)
            broker.look()
            cpu, broker_cpu = sum(u.cpu() for u in usages), broker.cpu()
            print(f"quarter-hour {number + 1}: {took[-1]:.1f} s, CPU {cpu:.1f} s in the workers, {broker_cpu:.1f} s in "
                  f"the broker, {sum(u.most for u in usages) / 2**20:,.0f} MiB", flush=True)  # fmt: skip
        return Figures(households, state, restored, took, sum(u.most for u in usages), broker.most, cpu, broker_cpu)


def main(argv: list[str] | None = None) -> None:
    """Run and print."""
    parser = arguments(__doc__)
    parser.add_argument("--sizes", default="250000,500000,1000000,2000000", help="numbers of homes, with commas")
    parser.add_argument("--quarters", type=int, default=2)
    parser.add_argument("--area", type=int, default=2048, help="homes of one area: a dong")
    parser.set_defaults(workers=2)
    args = parser.parse_args(argv)
    print(machine())
    got = [measure(int(size), args) for size in args.sizes.split(",")]
    rows = [
        (f"{f.households:,}", f"{f.quarters[0]:.1f}", f"{f.quarters[-1]:.1f}", f"{f.restored:.0f}",
         f"{f.rss / 2**20:,.0f}", f"{f.rss / f.households:,.0f}", f"{f.cpu:.1f}", f"{f.broker_cpu:.1f}",
         f"{f.broker / 2**20:,.0f}")
        for f in got
    ]  # fmt: skip
    head = ("homes", "first quarter-hour, s", "next, s", "restored, s", "workers MiB", "bytes a home", "workers' CPU s",
            "broker's CPU s", "broker MiB")  # fmt: skip
    print(table(head, rows))
    if len(got) > 1:
        size = np.array([f.households for f in got]) / 1e6
        for name, of in (("s", [f.quarters[-1] for f in got]), ("MiB", [f.rss / 2**20 for f in got])):
            slope, base = np.polyfit(size, of, 1)
            at = base + slope * 8.05
            print(f"{name}: {base:,.1f} + {slope:,.1f} for each million homes; at 8.05 million {at:,.0f}")


if __name__ == "__main__":
    main()
