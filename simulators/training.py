"""A model fitted and judged: whole homes and persons left out in turn, the scale and the report from those left out,
then everything shown once more for the model itself."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.features import NAMES
from models.forest import LEVELS, Forest, Scale, Trees
from simulators import scores
from simulators.calibration import Hours, scale_of, scales_of
from simulators.columns import Settled
from simulators.lessons import Lesson, lesson
from simulators.scores import HomeScore, Unseen
from simulators.splice import rng_of
from simulators.study import Lived, live
from simulators.teach import grow, importance, odds
from stream.rules import Rules

Progress = Callable[[str, int, int], None]
LIVING, FITTING, SCORING = "living", "fitting", "scoring"
_SAMPLE = 20_000  # rows that the importance is seen on
_TOP = 15


@dataclass(frozen=True, slots=True)
class Plan:
    """``days``: return period of each level that the report is at."""

    seed: int
    days: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Fold:
    """What was fitted without one fold: trees that never saw its homes and persons, and the scale of the other
    folds' lives."""

    trees: Trees
    scale: dict[str, Scale]


@dataclass(frozen=True, slots=True)
class Trained:
    """The model, without its ``about``; what goes there: ``most``, the features that tell most with their shares, and
    ``report``, how each level does; ``homes``: each home's part; ``without``: by the number of the fold left out."""

    trees: Trees
    scale: dict[str, Scale]
    most: list[tuple[str, float]]
    report: dict[str, dict[str, Any]]
    homes: list[HomeScore]
    without: dict[int, Fold]

    def forest(self, about: Mapping[str, object], fold: Fold | None = None) -> Forest:
        """The model, or that without a ``fold``, with what is said about it."""
        of = self if fold is None else fold
        return Forest(of.trees, of.scale, dict(about) | {"tells most": self.most, "out of fold": self.report})


def train(settled: Settled, rules: Rules, plan: Plan, progress: Progress = lambda what, done, total: None) -> Trained:
    """Live, show, fit without each fold and with all, score each fold by the trees that never saw it."""
    lived = live(settled.columns, rules, lambda done, total: progress(LIVING, done, total))
    shown = lesson(lived, settled.columns, plan.seed)
    grown = _grow_all(shown, settled, plan, progress)
    years, cases = _unseen(lived, settled, grown)
    steps = 1 + len(LEVELS)
    progress(SCORING, 1, steps)
    unseen: dict[str, Unseen] = {}
    report: dict[str, dict[str, Any]] = {}
    for done, level in enumerate(LEVELS, 2):
        unseen[level] = scores.unseen(lived, settled, level, years, cases)
        report[level] = scores.report(lived, settled, level, unseen[level], plan.days[level])
        progress(SCORING, done, steps)
    scale = {level: scale_of(u.mean) for level, u in unseen.items()}
    homes = scores.home_scores(lived, settled, unseen, plan.days)
    return Trained(
        grown[_ALL], scale, _top(grown[_ALL], shown, plan.seed), report, homes, _without(settled, unseen, grown)
    )


_ALL = -1  # the fold that leaves nothing out


def _grow_all(shown: Lesson, settled: Settled, plan: Plan, progress: Progress) -> dict[int, Trees]:
    """Trees without each fold, and with all. Each is grown by one thread (see `teach.grow`), as many at once as there
    are cores."""
    fold = settled.fold[shown.of]
    folds = [_ALL, *sorted(set(settled.fold[settled.scored].tolist()))]
    out: dict[int, Trees] = {}
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        jobs = {pool.submit(grow, shown, fold != f, plan.seed): f for f in folds}
        progress(FITTING, 0, len(jobs))
        try:
            for done, job in enumerate(as_completed(jobs), 1):
                out[jobs[job]] = job.result()
                progress(FITTING, done, len(jobs))
        except BaseException:
            pool.shutdown(cancel_futures=True, wait=False)
            raise
    return out


def _without(settled: Settled, unseen: Mapping[str, Unseen], trees: Mapping[int, Trees]) -> dict[int, Fold]:
    """Of each fold what was fitted without it."""
    scales = {level: scales_of(u.mean, settled.fold[u.life]) for level, u in unseen.items()}
    return {f: Fold(trees[f], {level: scales[level][f] for level in LEVELS}) for f in sorted(trees) if f != _ALL}


def _unseen(lived: Lived, settled: Settled, trees: Mapping[int, Trees]) -> tuple[Hours, Hours]:
    """Log-odds (hours, lives) and (hours, cases) of every scored life and case, by the trees grown without its fold."""
    life = settled.scored
    case = np.flatnonzero(np.isin(lived.of, life))
    years = _by_fold(trees, settled.fold[life].tolist(), lived.years, life.tolist())
    cases = _by_fold(trees, settled.fold[lived.of[case]].tolist(), lived.cases, case.tolist())
    return years, cases


def _by_fold(trees: Mapping[int, Trees], fold: Sequence[int], x: Hours, columns: Sequence[int]) -> Hours:
    """Log-odds (hours, k) of ``columns`` (k,) of features (hours, n, features), each by the trees of its ``fold``."""
    out = np.full((len(x), len(columns)), np.nan, np.float32)
    for i, (f, column) in enumerate(zip(fold, columns, strict=True)):
        out[:, i] = odds(trees[f], x[:, column : column + 1])[:, 0]
    return out


def _top(trees: Trees, shown: Lesson, seed: int) -> list[tuple[str, float]]:
    """The features that tell most, with their shares."""
    rows = rng_of(seed, "importance").permutation(len(shown.x))[:_SAMPLE]
    share = importance(trees, shown.x[np.sort(rows)])
    return [(NAMES[i], round(float(share[i]), 4)) for i in np.argsort(-share, kind="stable")[:_TOP].tolist()]
