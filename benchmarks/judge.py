"""How long judging takes, without a broker: one block of 1,024 homes, slot by slot, over some weeks.

    python benchmarks/judge.py [--days 30] [--minutes 30]

Prints microseconds per block-slot and per household-slot, the day's end (learning, and settling the day that leaves
the ring) per block, mending a home's week, and what one slot of a million homes takes on one core.
"""

import argparse
import time

import numpy as np
from numpy.typing import NDArray

from models.slots import INCOMING, OWN, SLOTS_PER_DAY, encode_energy
from models.state import HABIT, HEAD
from stream.block import Block, mend
from stream.calendar import Calendar
from stream.life import Life
from stream.rules import Rules
from stream.settings import Settings
from stream.strips import LATE_DAYS, ROWS
from stream.watch import WHO

Strip = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def homes(days: int, minutes: int) -> Strip:
    """Meter and phone codes (slots, 1,024) of made-up homes: a quiet load, life from seven to eleven, some calls."""
    rng = np.random.default_rng(1)
    slots, width = days * SLOTS_PER_DAY, minutes // 15
    hour = np.arange(slots) % SLOTS_PER_DAY / 4
    awake = ((hour >= 7) & (hour < 23))[:, None]
    base = rng.uniform(10, 60, ROWS)
    wh = base * rng.lognormal(0, 0.1, (slots, ROWS)) + awake * (rng.random((slots, ROWS)) < 0.4) * rng.gamma(
        1, 120, (slots, ROWS)
    )
    wh = np.repeat(wh[::width], width, axis=0)[:slots]
    calls = awake & (rng.random((slots, ROWS)) < 0.05)
    return encode_energy(wh.astype(np.float32)), np.where(calls, OWN, np.where(calls[::-1], INCOMING, 0)).astype(
        np.uint8
    )


def block_of(start: int, minutes: int) -> Block:
    """A full block of homes watched from slot ``start``."""
    who = np.zeros(ROWS, WHO)
    who["meter_feed"], who["phone_feed"], who["step"] = 1, 2, minutes // 15
    block = Block(0)
    block.admit([f"h{i}" for i in range(ROWS)], who, np.full(ROWS, start), np.arange(ROWS))
    return block


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--minutes", type=int, default=30, choices=(15, 30, 60))
    args = parser.parse_args()
    life = Life(Rules.of(Settings()), Calendar("Asia/Seoul"))
    first = life.calendar.day_start(1_960_000)
    meter, phone = homes(args.days, args.minutes)
    block, heard = block_of(first, args.minutes), np.array([0, 0, 1 << 40])
    begun, everyone = first - (LATE_DAYS - 1) * SLOTS_PER_DAY, np.arange(ROWS)
    took: dict[str, list[float]] = {"slot": [], "midnight": [], "settle": []}
    for i in range(len(meter)):
        slot = first + i
        at = np.full(ROWS, slot)
        block.strips.write_meter(everyone, at, meter[i])
        block.strips.write_phone(everyone, at, phone[i])
        began = time.process_time()
        block.judge(life, slot, slot + 1, heard)
        last = (i + 1) % SLOTS_PER_DAY == 0
        took["midnight" if last else "slot"].append(time.process_time() - began)
        if last and slot + 1 - begun > LATE_DAYS * SLOTS_PER_DAY:
            began = time.process_time()
            block.settle(life, begun, heard)
            took["settle"].append(time.process_time() - began)
            begun += SLOTS_PER_DAY
    slot = first + len(meter)
    began = time.process_time()
    mend([(block, everyone[:1])], life, begun, slot, heard)
    one = time.process_time() - began
    a_slot = float(np.mean(took["slot"]))
    print(f"{args.minutes}-minute meters, {ROWS:,} homes a block, {args.days} days")
    print(f"one slot        {a_slot * 1e6:8.0f} us a block   {a_slot / ROWS * 1e6:.3f} us a household")
    print(f"learning a day  {np.mean(took['midnight']) * 1e3 - a_slot * 1e3:8.1f} ms a block")
    print(f"settling a day  {np.mean(took['settle'] or [0]) * 1e3:8.1f} ms a block")
    print(f"mending a week  {one * 1e3:8.1f} ms for one home")
    print(f"a slot of 1,000,000 homes: {a_slot / ROWS * 1e6:.2f} s on one core; a midnight "
          f"{(np.mean(took['midnight']) + np.mean(took['settle'] or [0])) / ROWS * 1e6:.1f} s")  # fmt: skip
    print(f"state: {HEAD.itemsize} + {HABIT.itemsize} bytes a home, kept twice, beside {WHO.itemsize} and the strips")


if __name__ == "__main__":
    main()
