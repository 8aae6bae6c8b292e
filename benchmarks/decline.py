"""Slow declines on real homes: how often one is told in vain, and how many spliced ones are found, how soon.

    python -m benchmarks.decline --meter METER --phone PHONE [--tz Asia/Seoul] [--copies 3] [--seed 1]

Files as `anbu backtest` reads them. Each home of METER is given one user of PHONE, whose own days are drawn again in
runs of a few (weekdays as weekdays), so that phones last as long as meters. Every home lives once untouched, where
each alert is a false one, and ``--copies`` times with either drift spliced in at a random day and kept for ten weeks:

    decline    of the active half-hours of the day (06-24) up to a half fall to loads of the home's own quiet nights,
               of the slots with own phone use 70 % go, both growing over four weeks
    reversal   the day, meter and phone, moves later by up to ten hours over three weeks

All are judged by the stream's own run (silence alerts stop the learning, as in life). Drawn phone days do not drift by
themselves: what real phones do from month to month is not in the false alerts.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import decline, state
from models.slots import OWN, SLOT_SECONDS, SLOTS_PER_DAY, ZERO, encode_energy
from stream import files
from stream.calendar import Calendar
from stream.columns import MeterColumns, PhoneColumns
from stream.kinds import phone_codes
from stream.life import Life, Rows
from stream.rules import Rules
from stream.settings import Settings
from stream.watch import WHO

Codes = NDArray[np.uint8]
WARMUP, SPLICED, LATEST = 60, 70, 120
"""Days before the first alert counts, days that a drift is kept, days of a home before a drift may begin."""
WITHIN = (28, 42, 56, 70)


@dataclass(frozen=True)
class Cases:
    """Meter and phone codes (days, 96, n) from slot ``first``, and the onset of each (n,) in days (-1: untouched)."""

    first: int
    meter: Codes
    phone: Codes
    onset: NDArray[np.int64]


def days_of(ids: Sequence[str], slots: NDArray[np.int64], codes: Codes, names: list[str], start: int) -> Codes:
    """Codes (k,) of ids at slots, the larger where two meet -> (days, 96, names) from slot ``start``."""
    at = {name: i for i, name in enumerate(names)}
    many = (int(slots.max()) - start) // SLOTS_PER_DAY + 1
    out = np.zeros((many * SLOTS_PER_DAY, len(names)), np.uint8)
    np.maximum.at(out, (slots - start, np.array([at[i] for i in ids])), codes)
    return out.reshape(many, SLOTS_PER_DAY, len(names))


def homes(meter: MeterColumns, calendar: Calendar) -> tuple[int, Codes, int]:
    """First slot, codes (days, 96, n) and interval in slots of the homes of which 97 % is measured."""
    width = int(np.median(meter.minutes)) // 15
    ids = meter.household_id.to_pylist()
    wh = np.nan_to_num(meter.kwh) * np.float32(1000) / np.float32(width)
    codes = np.where(np.isnan(meter.kwh), 0, encode_energy(wh)).astype(np.uint8)
    slots = meter.start // SLOT_SECONDS
    start = calendar.day_start(int(slots.min()))
    found = [days_of(ids, slots + i, codes, sorted(set(ids)), start) for i in range(width)]
    least = min(len(f) for f in found)
    whole = np.maximum.reduce([f[:least] for f in found])
    return start, whole[:, :, (whole >= ZERO).mean(axis=(0, 1)) >= 0.97], width


def phones(phone: PhoneColumns, calendar: Calendar, first: int, days: int, n: int, rng: np.random.Generator) -> Codes:
    """Phone codes (days, 96, n): each of a real user with own use on most days, his or her days drawn again."""
    ids, slots = phone.household_id.to_pylist(), phone.at // SLOT_SECONDS
    start = calendar.day_start(int(slots.min()))
    lived = days_of(ids, slots, phone_codes(phone.kind), sorted(set(ids)), start)
    lived = lived[:, :, (lived == OWN).sum(axis=(0, 1)) >= 0.7 * len(lived)]
    weekend = np.array([calendar.time(start + d * SLOTS_PER_DAY).weekday() >= 5 for d in range(len(lived))])
    out = np.zeros((days, SLOTS_PER_DAY, n), np.uint8)
    for home in range(n):
        user, at = int(rng.integers(lived.shape[2])), 0
        for day in range(days):
            free = calendar.time(first + day * SLOTS_PER_DAY).weekday() >= 5
            at = (at + 1) % len(lived)
            if rng.random() < 0.35 or weekend[at] != free:
                at = int(rng.choice(np.flatnonzero(weekend == free)))
            out[day, :, home] = np.roll(lived[at, :, user], rng.integers(-1, 2))
    return out


def declined(meter: Codes, phone: Codes, onset: int, rng: np.random.Generator) -> None:
    """Splice a decline into one home's days (days, 96), in place."""
    nights = meter[max(onset - 60, 0) : onset, 4:20]
    nights = nights[(nights >= ZERO).all(axis=1)]
    quiet = nights[nights.mean(axis=1) <= np.median(nights.mean(axis=1))].ravel()
    for day in range(onset, min(onset + SPLICED, len(meter))):
        far = min((day - onset) / 28, 1)
        halves = meter[day, 24:].reshape(-1, 2)
        less = (rng.random(len(halves)) < 0.5 * far) & (halves > np.quantile(quiet, 0.9)).any(axis=1)
        halves[less] = rng.choice(quiet, (int(less.sum()), 1))
        phone[day, (phone[day] == OWN) & (rng.random(SLOTS_PER_DAY) < 0.7 * far)] = 0


def reversed_(meter: Codes, phone: Codes, onset: int, rng: np.random.Generator) -> None:
    """Splice a reversal into one home's days (days, 96), in place."""
    for codes in (meter, phone):
        flat = codes.ravel().copy()
        for day in range(onset, min(onset + SPLICED, len(meter))):
            late = round(20 * min((day - onset) / 21, 1)) * 2
            codes[day] = flat[day * SLOTS_PER_DAY - late : (day + 1) * SLOTS_PER_DAY - late]


Splice = Callable[[Codes, Codes, int, np.random.Generator], None]
SPLICES: dict[int, Splice] = {decline.DECLINE: declined, decline.REVERSAL: reversed_}


def spliced(cases: Cases, splice: Splice, rng: np.random.Generator) -> Cases:
    """The same homes with a drift from a random day on."""
    meter, phone = cases.meter.transpose(2, 0, 1).copy(), cases.phone.transpose(2, 0, 1).copy()
    onset = rng.integers(LATEST, len(cases.meter) - SPLICED, len(meter))
    for i, day in enumerate(onset.tolist()):
        splice(meter[i], phone[i], day, rng)
    return Cases(cases.first, meter.transpose(1, 2, 0), phone.transpose(1, 2, 0), onset)


def judged(cases: Cases, width: int, life: Life) -> list[NDArray[np.int64]]:
    """Alerts raised, per kind: (day, home) of each, (k, 2)."""
    days, _, n = cases.meter.shape
    who = np.zeros(n, WHO)
    who["since"], who["meter_feed"], who["phone_feed"], who["step"] = cases.first, 1, 2, width
    meter, phone = (np.ascontiguousarray(c.reshape(-1, n)) for c in (cases.meter, cases.phone))

    def read(first: int, count: int) -> tuple[Codes, Codes]:
        at = slice(first - cases.first, first - cases.first + count)
        return meter[at], phone[at]

    rows = Rows(state.fresh(who["since"].astype(np.int64)), who, read, drift=np.zeros(n, state.DRIFT))
    heard = np.full(3, np.iinfo(np.int64).max)
    found: list[list[tuple[int, int]]] = [[], []]
    for day in range(days):
        first = cases.first + day * SLOTS_PER_DAY
        for step in life.run(rows, first, first + SLOTS_PER_DAY, heard):
            if step.drift is not None:
                for row, kind, before in zip(*step.drift, strict=True):
                    if not decline.standing(before):
                        found[kind].append((day, int(row)))
    return [np.array(f, np.int64).reshape(-1, 2) for f in found]


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--meter", type=Path, required=True)
    parser.add_argument("--phone", type=Path, required=True)
    parser.add_argument("--tz", default="Asia/Seoul")
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    rng, calendar = np.random.default_rng(args.seed), Calendar(args.tz)
    life = Life(Rules.of(Settings(tz=args.tz)), calendar)
    first, meter, width = homes(files.load_meter(args.meter, args.tz)[0], calendar)
    days, _, n = meter.shape
    phone = phones(files.load_phone(args.phone, args.tz)[0], calendar, first, days, n, rng)
    base = Cases(first, meter, phone, np.full(n, -1))
    heads = ["Kind", "False per 100 homes a month", "Homes with one", "Cases"]
    heads += [*(f"Found in {d} days" for d in WITHIN), "Median days"]
    print(f"{n} homes, {days} days, seed {args.seed}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    false = judged(base, width, life)
    for kind, name in enumerate(decline.KINDS):
        late = false[kind][false[kind][:, 0] >= WARMUP]
        rate = 100 * len(late) / (n * (days - WARMUP) / 30)
        found = [delays(spliced(base, SPLICES[kind], rng), kind, width, life) for _ in range(args.copies)]
        cells = [name, f"{rate:.1f}", str(len(np.unique(late[:, 1]))), *told(np.concatenate(found))]
        print(f"| {' | '.join(cells)} |")


def delays(cases: Cases, kind: int, width: int, life: Life) -> NDArray[np.float64]:
    """Days from onset to the first alert of this kind, (n,); infinite where there is none while the drift is kept."""
    days, rows = judged(cases, width, life)[kind].T
    out = np.full(len(cases.onset), np.inf)
    since = days - cases.onset[rows]
    within = (since >= 0) & (since < SPLICED)
    np.minimum.at(out, rows[within], since[within] + 1.0)
    return out


def told(delay: NDArray[np.float64]) -> list[str]:
    """Cells of the table: cases, shares found within so many days, and the median."""
    middle = float(np.quantile(delay, 0.5, method="lower"))
    shares = [f"{np.mean(delay <= d):.0%}" for d in WITHIN]
    return [str(len(delay)), *shares, f"{middle:.0f}" if np.isfinite(middle) else "-"]


if __name__ == "__main__":
    main()
