"""Whether homes that are said to be told sooner are told sooner: hours predicted against hours measured, by fifths.

    python -m benchmarks.judgeable --meter METER --phone PHONE [--tz Asia/Seoul] [--model MODEL] [--cases 16] [--seed 1]

Files as `anbu backtest` reads them. Each home is given one user's phone life, and lives its whole record; from
``--cases`` random moments of it a full stop is spliced in (`simulators.splice`: the home's own empty load, calls in
vain). Judged by the stream's own run with the learned model, without the fixed limits, until a `caution`: the hours
from the onset. Predicted: `models.judgeable` of the home's habits at the midnight before. Where the alert was there
already, and in the first week, nothing is counted. Medians, as a case that is never told is only known to take longer
than 96 hours.

The shipped model has seen the homes it was fitted on: measure with others, or with a model that has not (``--model``).
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import evidence, levels
from models.judgeable import CAP, NAMES, Judgeable, judged
from models.slots import SLOTS_PER_DAY, SLOTS_PER_HOUR
from simulators.histories import Home, homes_of
from simulators.phonelife import Person, persons_of
from simulators.splice import FULL_STOP, Reach, cases, rng_of, settle
from simulators.study import BEGIN, HEARD, Column, Forks, forks
from stream import files
from stream.calendar import Calendar
from stream.life import Life
from stream.rules import Rules
from stream.settings import Settings

DAYS = 5
_NEVER_HOURS = 1e6
_PARTS = 5


@dataclass(frozen=True)
class Measured:
    """Cases: what was predicted of their homes, and the ``hours`` (k,) it took, infinite where none came."""

    told: Judgeable
    hours: NDArray[np.float64]


def columns_of(homes: Sequence[Home], persons: Sequence[Person], seed: int, count: int) -> list[Column]:
    """Each home with a phone life and its cases."""
    reach = Reach(context_days=10, after_days=DAYS)
    lived = settle(homes, persons, seed)
    return [
        Column(empty, life, False, cases(empty, life, rng_of(seed, empty.home.household_id), {FULL_STOP: count}, reach))
        for empty, life in lived
    ]


def measured(columns: Sequence[Column], rules: Rules) -> Measured:
    """Predictions and hours of all cases that count."""
    limits = replace(rules.thresholds, limit_hours=(_NEVER_HOURS,) * 3)
    life = Life(replace(rules, thresholds=limits), Calendar("UTC"))
    forked = forks(columns, life, DAYS)
    if forked is None:
        raise SystemExit("no case could be made: records must be longer than half a year, and measured")
    habit, who = forked.rows.state.habit.copy(), forked.rows.who
    told = judged(habit, evidence.tables(habit), who["step"], who["phone_feed"] > 0, rules.thresholds)
    raised, before = run(forked, columns, life)
    counts = ~before & (habit["days"] >= levels.LEARNING_DAYS)
    kept = Judgeable(
        told.hours[counts], told.by_meter[counts], told.by_phone[counts], told.reason[counts], told.able[counts]
    )  # fmt: skip
    return Measured(kept, raised[counts])


def run(forked: Forks, columns: Sequence[Column], life: Life) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Hours from each onset to `caution`, (cases,), and whether it was there before."""
    first = np.array([columns[i].empty.home.first for i in forked.of])
    onset = BEGIN + (np.array([case.onset for case in forked.each]) - first) % SLOTS_PER_DAY
    hours = np.full(len(onset), np.inf)
    before = forked.rows.state.head["level"] >= levels.CAUTION
    for slot in range(BEGIN, BEGIN + DAYS * SLOTS_PER_DAY):
        life.run(forked.rows, slot, slot + 1, HEARD)
        high = forked.rows.state.head["level"] >= levels.CAUTION
        before |= high & (slot < onset)
        since = (slot + 1 - onset) / SLOTS_PER_HOUR
        hours = np.where(high & (slot >= onset), np.minimum(hours, since), hours)
    return hours, before


def table(m: Measured) -> list[str]:
    """Fifths by what was predicted, then reasons, as rows of a table."""
    order, told = np.argsort(m.told.hours, kind="stable"), m.told
    groups = {f"{i + 1}. fifth": part for i, part in enumerate(np.array_split(order, _PARTS))}
    groups |= {NAMES[r]: np.flatnonzero(told.reason == r) for r in range(len(NAMES))}
    groups |= {"cannot be judged": np.flatnonzero(~told.able)}
    return [_row(name, told.hours[rows], m.hours[rows]) for name, rows in groups.items() if len(rows)]


def _row(name: str, predicted: NDArray[np.float32], hours: NDArray[np.float64]) -> str:
    middle = float(np.quantile(hours, 0.5, method="lower"))
    shown = f"{middle:.1f}" if middle <= CAP else f"over {CAP:.0f}"
    cells = [name, str(len(hours)), f"{np.median(predicted):.1f}", shown]
    return f"| {' | '.join([*cells, *(f'{np.mean(hours <= h):.0%}' for h in (24, 48))])} |"


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--meter", type=Path, required=True)
    parser.add_argument("--phone", type=Path, required=True)
    parser.add_argument("--tz", default="Asia/Seoul")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--cases", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    homes = homes_of(files.load_meter(args.meter, args.tz)[0], args.tz)
    persons = persons_of(files.load_phone(args.phone, args.tz)[0], args.tz, together=True)
    found = measured(columns_of(homes, persons, args.seed, args.cases), Rules.of(Settings(model=args.model)))
    heads = ["Homes", "Cases", "Predicted h", "Measured h (median)", "Within 24 h", "Within 48 h"]
    print(f"{len(homes)} homes, {len(found.hours)} full stops, seed {args.seed}")
    print(f"\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n" + "\n".join(table(found)))


if __name__ == "__main__":
    main()
