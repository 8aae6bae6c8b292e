"""How long judging takes, without a broker, with the shipped model: first one block of 1,024 homes slot by slot over
some weeks, then everybody for the slots of one two-hour block of the day.

    python -m benchmarks.judge [--days 30] [--minutes 30] [--households 1000000]

Everybody has the habits of one of the 1,024, in blocks and memory of their own, so that nothing stays in a cache that
would not in life; only the strips are shared. The learned model is asked once an hour, when a reading ends an hour by
the meter's own clock: here it is the same slot for all, the worst there is. Prints seconds a slot (CPU of one core)
with and without the model asked, the share of homes asked, microseconds and bytes a household; and of one block the
day's end (learning, and settling the day that leaves the ring), and mending a home's week.
"""

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.features import Moment
from models.forest import Scale
from models.judge import Model
from models.slots import INCOMING, OWN, SLOTS_PER_DAY, encode_energy
from models.state import DRIFT, HABIT, HEAD, LATELY
from stream.block import Block, mend
from stream.calendar import Calendar
from stream.life import Life
from stream.rules import Rules
from stream.settings import Settings
from stream.strips import LATE_DAYS, ROWS, Strips
from stream.watch import WHO

Strip = tuple[NDArray[np.uint8], NDArray[np.uint8]]
TWO_HOURS, MORNING = 8, 40
"""Slots of a two-hour block of the day, and the one measured: from ten o'clock."""


@dataclass
class Counted:
    """A model, and how many homes it was asked about."""

    model: Model
    asked: int = 0

    @property
    def scale(self) -> Mapping[str, Scale]:
        """The model's."""
        return self.model.scale

    def log_odds(self, x: NDArray[np.float32], rows: NDArray[np.intp], moment: Moment) -> NDArray[np.float32]:
        """The model's."""
        self.asked += len(rows)
        return self.model.log_odds(x, rows, moment)


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


@dataclass(frozen=True)
class Lived:
    """A block at a slot after some weeks, where its ring begins, and seconds: of a slot, of a midnight's learning, of
    settling a day, of mending one home."""

    block: Block
    slot: int
    slot_s: float
    midnight_s: float
    settle_s: float
    mend_s: float


HEARD = np.array([0, 0, 1 << 40])


def lived(life: Life, days: int, minutes: int) -> Lived:
    """One block judged for ``days`` days and up to `MORNING` of the next, its strips filled two hours further."""
    first = life.calendar.day_start(1_960_000)
    meter, phone = homes(days + 1, minutes)
    block, everyone = block_of(first, minutes), np.arange(ROWS)
    begun = first - (LATE_DAYS - 1) * SLOTS_PER_DAY
    took: dict[str, list[float]] = {"slot": [], "midnight": [], "settle": []}
    count = days * SLOTS_PER_DAY + MORNING
    for i in range(count + TWO_HOURS):
        slot = first + i
        at = np.full(ROWS, slot)
        block.strips.write_meter(everyone, at, meter[i])
        block.strips.write_phone(everyone, at, phone[i])
        if i >= count:
            continue
        began = time.process_time()
        block.judge(life, slot, slot + 1, HEARD)
        last = (i + 1) % SLOTS_PER_DAY == 0
        took["midnight" if last else "slot"].append(time.process_time() - began)
        if last and slot + 1 - begun > LATE_DAYS * SLOTS_PER_DAY:
            began = time.process_time()
            block.settle(life, begun, HEARD)
            took["settle"].append(time.process_time() - began)
            begun += SLOTS_PER_DAY
    began = time.process_time()
    mend([(block, everyone[:1])], life, begun, first + count, HEARD)
    one = time.process_time() - began
    means = [float(np.mean(took[name] or [0])) for name in ("slot", "midnight", "settle")]
    return Lived(block, first + count, *means, one)


def like(source: Block, number: int, n: int) -> Block:
    """A block of ``n`` homes that have lived what those of ``source`` have; only the strips are the same memory."""
    block = Block(number)
    block.n, block.who, block.strips = n, source.who.copy(), source.strips
    block.state, block.settled, block.drift = source.state.copy(), source.settled.copy(), source.drift.copy()
    return block


def everybody(life: Life, model: Counted, source: Lived, households: int) -> NDArray[np.float64]:
    """Seconds, homes asked, and homes with a reading due, of each slot of two hours: (8, 3)."""
    sizes = [min(ROWS, households - at) for at in range(0, households, ROWS)]
    blocks = [like(source.block, i, n) for i, n in enumerate(sizes)]
    for block in blocks:
        block.today(life)  # made at midnight
    out = []
    for slot in range(source.slot, source.slot + TWO_HOURS):
        model.asked, due = 0, sum(int(life.watch(b.now()).intervals_end(slot, 1).sum()) for b in blocks)
        began = time.process_time()
        for block in blocks:
            block.judge(life, slot, slot + 1, HEARD)
        out.append((time.process_time() - began, model.asked, due))
    return np.array(out)


def main(argv: list[str] | None = None) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--minutes", type=int, default=30, choices=(15, 30, 60))
    parser.add_argument("--households", type=int, default=1_000_000)
    args = parser.parse_args(argv)
    rules = Rules.of(Settings())
    assert rules.model is not None
    model = Counted(rules.model)
    life = Life(replace(rules, model=model), Calendar("Asia/Seoul"))
    one, n = lived(life, args.days, args.minutes), args.households
    print(f"{args.minutes}-minute meters, {ROWS:,} homes a block, {args.days} days")
    print(f"one block: a slot {one.slot_s * 1e6:,.0f} us ({one.slot_s / ROWS * 1e6:.2f} us a household), "
          f"learning a day {(one.midnight_s - one.slot_s) * 1e3:.1f} ms, settling a day {one.settle_s * 1e3:.1f} ms, "
          f"mending a home's week {one.mend_s * 1e3:.1f} ms")  # fmt: skip
    took, asked, due = everybody(life, model, one, n).T
    print(f"\n{n:,} homes, one core, two hours from {life.calendar.time(one.slot):%H:%M}\n")
    print("| slot | readings due | asked | seconds | us a household |\n|---|---|---|---|---|")
    rows = [(str(i + 1), took[i], asked[i], due[i]) for i in range(TWO_HOURS)]
    rows += [("mean", took.mean(), asked.mean(), due.mean()), ("worst", took.max(), asked.max(), due.max())]
    for name, seconds, a, d in rows:
        print(f"| {name} | {d / n:.0%} | {a / n:.0%} | {seconds:.2f} | {seconds / n * 1e6:.2f} |")
    midnight = (one.midnight_s + one.settle_s) / ROWS * n
    print(f"\na midnight (learning and settling): {midnight:.1f} s by one block's")
    strips = Strips()
    kept, ring = HEAD.itemsize + LATELY.itemsize + HABIT.itemsize, (strips.meter.nbytes + strips.phone.nbytes) / ROWS
    print(f"state: {kept} bytes a household ({HEAD.itemsize} head, {LATELY.itemsize} lately, {HABIT.itemsize} habit), "
          f"kept twice, beside {DRIFT.itemsize} of drifts, {WHO.itemsize} of enrolment and {ring:,.0f} of strips: "
          f"{2 * kept + DRIFT.itemsize + WHO.itemsize + ring:,.0f} in all")  # fmt: skip


if __name__ == "__main__":
    main()
