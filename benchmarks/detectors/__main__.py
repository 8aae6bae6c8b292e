"""The detectors people would pick instead of anbu, on the same homes with the same budget of false alerts.

    python -m benchmarks.detectors --meter METER --phone PHONE [--tz Europe/London] [--model MODEL] [--seed 1]

Files as `anbu backtest` reads them. Each usable home of METER lives with one user of PHONE; emergencies are spliced in
as in `simulators/splice.py`, 28 a home, each at a random time after two months. Every detector's one threshold is set
on the homes' years without an emergency, so that it raises 10 cautions per 100 households a week. Where there are
settings to choose, several were tried and the one that finds most full stops within a day is in the table: chosen on
the cases themselves, which favours the others. river and scikit-learn are in the extra `bench`; teaching anbu anew
without a home needs catboost. ``--only timer,total`` runs some.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks.detectors import learners, ours, simple
from benchmarks.detectors.budget import Result, Scored, result_of
from benchmarks.detectors.trial import Say, Trial, columns_of, trial_of
from models.slots import SLOTS_PER_DAY
from simulators.histories import homes_of
from simulators.phonelife import persons_of
from simulators.study import HOURS
from stream import files, model
from stream.settings import Settings

Cost = tuple[float, int]
Rows = Iterator[tuple[str, Scored, Callable[[], Cost]]]
"""Settings of a detector: name, scores, and what it costs, measured when asked."""
NEEDS = {"river": "river", "forest": "sklearn", "left-out": "catboost"}
HEADS = ("Detector", "False cautions per 100 households a week", "Full stop found within 24 h", "Median hours",
         "Left-on within 36 h", "us per slot and household", "Bytes per household")  # fmt: skip


def _simple(trial: Trial, name: str, settings: dict[str, simple.Rival]) -> Rows:
    for setting, rival in settings.items():
        yield f"{name} ({setting})", simple.run(rival, trial), partial(simple.cost, rival, trial.years)


def _timer(trial: Trial, say: Say, args: argparse.Namespace) -> Rows:
    settings: dict[str, simple.Rival] = {"1 night in 4": simple.Timer(0.25), "every other night": simple.Timer(0.5)}
    yield from _simple(trial, "dead-man timer", settings)


def _residual(trial: Trial, say: Say, args: argparse.Namespace) -> Rows:
    ways: dict[str, simple.Rival] = {
        f"phone {weight:g}{', ended by own use' * own}": simple.Residual(weight, own)
        for weight in (0.1, 0.2) for own in (False, True)
    }  # fmt: skip
    yield from _simple(trial, "seasonal residual", ways)


def _total(trial: Trial, say: Say, args: argparse.Namespace) -> Rows:
    yield from _simple(trial, "day's total", {"of the mean": simple.Total(False), "of the median": simple.Total(True)})


def _learner(trial: Trial, say: Say, name: str, kind: str, run: learners.Learner, shown: Sequence[str]) -> Rows:
    slots = trial.years.meter.shape[0] * SLOTS_PER_DAY * len(trial.tried)
    for features in shown:
        what = getattr(learners, features)(trial)
        years, cases, took = run(what, trial, say)
        cost = took / slots * 1e6, learners.size_of(kind, what.years.shape[2])
        for way, scored in learners.ways(years, cases, trial).items():
            yield f"{name} ({features}, {way})", scored, partial(_known, cost)


def _known(cost: Cost) -> Cost:
    return cost


def _river(trial: Trial, say: Say, args: argparse.Namespace) -> Rows:
    yield from _learner(trial, say, "river HalfSpaceTrees", "river", learners.half_spaces, ("chosen", "everything"))


def _forest(trial: Trial, say: Say, args: argparse.Namespace) -> Rows:
    yield from _learner(trial, say, "IsolationForest", "forest", learners.isolation, ("daily", "chosen"))


def _rules(trial: Trial, say: Say, args: argparse.Namespace) -> Rows:
    yield "anbu's rules, no learned model", ours.rules(trial), partial(ours.cost, None, trial.years)


def _anbu(trial: Trial, say: Say, args: argparse.Namespace) -> Rows:
    forest = model.read(args.model) if args.model else model.shipped()
    name = "anbu, model given" if args.model else "anbu, shipped model (has seen these homes)"
    yield name, ours.learned(trial, forest.trees), partial(ours.cost, forest, trial.years)


def _left_out(trial: Trial, say: Say, args: argparse.Namespace) -> Rows:
    yield "anbu, home and person left out", ours.left_out(trial, say), partial(ours.cost, model.shipped(), trial.years)


DETECTORS: dict[str, Callable[[Trial, Say, argparse.Namespace], Rows]] = {
    "timer": _timer, "total": _total, "residual": _residual, "river": _river, "forest": _forest, "rules": _rules,
    "left-out": _left_out, "anbu": _anbu,
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table."""
    args = _parser().parse_args(argv)
    only = args.only.split(",")
    if unknown := set(only) - set(DETECTORS):
        sys.exit(f"--only: {', '.join(sorted(unknown))}: there are {', '.join(DETECTORS)}")
    if missing := [NEEDS[d] for d in only if d in NEEDS and find_spec(NEEDS[d]) is None]:
        sys.exit(f"{', '.join(missing)}: not installed: pip install '.[bench]' catboost, or leave out with --only")
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", file=sys.stderr, flush=True)

    homes = homes_of(files.load_meter(args.meter, args.tz)[0], args.tz)
    persons = persons_of(files.load_phone(args.phone, args.tz)[0], args.tz, together=True)
    trial = trial_of(*columns_of(homes, persons, args.seed, args.variants if "left-out" in only else 0), say)
    print(f"{len(trial.tried)} homes, {len(trial.years.meter)} days, {len(trial.of)} emergencies, seed {args.seed}\n")
    print(f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}")
    for detector in only:
        print(best(trial, DETECTORS[detector](trial, say, args), args.budget, say), flush=True)


def best(trial: Trial, rows: Rows, budget: float, say: Say) -> str:
    """The row of the setting that finds most full stops within a day."""
    found = []
    for name, scored, cost in rows:
        r = result_of(trial, scored, budget)
        say(f"{name}: {r}")
        found.append((r.stopped, name, r, cost))
    _, name, r, cost = max(found, key=lambda f: f[0])
    return row(name, r, cost())


def row(name: str, r: Result, cost: Cost) -> str:
    """Cells of the table."""
    median = f"{r.median:.0f}" if r.median < 5 * HOURS else "-"
    cells = [name, f"{r.false:.1f}", f"{r.stopped:.0%}", median, f"{r.left_on:.0%}", f"{cost[0]:.2f}", f"{cost[1]:,}"]
    return f"| {' | '.join(cells)} |"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detectors", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--meter", type=Path, required=True)
    parser.add_argument("--phone", type=Path, required=True)
    parser.add_argument("--tz", default=Settings().tz)
    parser.add_argument("--model", type=Path, help="instead of the shipped model")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget", type=float, default=10.0, help="false cautions per 100 households a week")
    parser.add_argument("--variants", type=int, default=3, help="changed copies of each home, to be taught from only")
    parser.add_argument("--only", default=",".join(DETECTORS), help="detectors, by commas")
    return parser


if __name__ == "__main__":
    main()
