"""How well a model does on lives and cases that it never saw: false alerts, what is found and when, home by home.

Everything is counted on log-odds out of fold, at levels that come from the lives of the other folds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.forest import LEVELS, Scale
from simulators.calibration import ASKED, PER_100_A_WEEK, Hours, calibration, days_of, heard, means, raised, scales_of
from simulators.columns import Settled
from simulators.splice import EMERGENCIES, FULL_STOP, LEFT_ON, SCENARIOS
from simulators.study import HOURS, Lived, hours_to_onset

SETTLED_DAYS = 60
"""From this day of its record on a home counts as known: the scale and the scores are of then."""
NEW_DAYS = (10, 25)
"""Days of a record in which a home counts as new."""
AFTER_HOURS = tuple(range(4, 97, 4))
"""Hours since an onset at which the share alarmed by then is told."""
DUE = {FULL_STOP: 24, LEFT_ON: 36}
"""Hours in which an emergency is to be found, by kind."""
_BEFORE = 2 * HOURS  # hours of the life before a case's midnight that its means begin in
_EARLY = 24  # who is alarmed in so many hours before the onset is not counted as found

Numbers = dict[str, float]


@dataclass(frozen=True, slots=True)
class Unseen:
    """What is scored, of one level: ``mean`` (hours, lives) NaN where it does not count; ``life`` (lives,) the column
    of each; ``cases`` (48 + hours, cases) their means, from two days before the midnight of the onset; ``case``
    (cases,) the number of each in ``lived.each``."""

    mean: Hours
    life: NDArray[np.intp]
    cases: Hours
    case: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class HomeScore:
    """One home: the fold whose model, fitted without it, scored it (None: only taught from), days scored, false
    alerts by level, emergencies (full stops) and those of them found within a day."""

    household_id: str
    fold: int
    scored: bool
    days: float
    false: Mapping[str, int]
    stops: int
    found: int


def unseen(lived: Lived, settled: Settled, level: str, years: Hours, cases: Hours) -> Unseen:
    """Log-odds out of fold of the scored columns, ``years`` (hours, lives), and of their cases, ``cases`` (hours,
    cases), as the means that raise a level."""
    life = settled.scored
    case = np.flatnonzero(np.isin(lived.of, life))
    x = lived.years[:, life]
    mean = heard(means(years, x, level), x, level)
    mean[: SETTLED_DAYS * HOURS] = np.nan
    for i, column in enumerate(life.tolist()):
        mean[settled.columns[column].empty.home.slots // 4 :, i] = np.nan
    at = _midnight(lived, settled)[case] * HOURS + np.arange(-_BEFORE, 0)[:, None]
    place = np.searchsorted(life, lived.of[case])
    z = np.concatenate([years[at, place], cases])
    x = np.concatenate([lived.years[at, lived.of[case]], lived.cases[:, case]])
    return Unseen(mean, life, heard(means(z, x, level), x, level), case)


def report(lived: Lived, settled: Settled, level: str, u: Unseen, days: float) -> dict[str, object]:
    """A level at its return period of ``days``, out of fold: false alerts, what is found by kind of case in homes
    known and new and hour by hour, asked against observed and what would be found at each rate."""
    fold = settled.fold[u.life]
    scales = scales_of(u.mean, fold)
    (now,) = calibration(u.mean, fold, scales, (PER_100_A_WEEK / days,))
    day = _midnight(lived, settled)[u.case]
    hit = _hits(lived, settled, u, scales, days)
    known, new = day >= SETTLED_DAYS, (day >= NEW_DAYS[0]) & (day < NEW_DAYS[1])
    return {
        "asked per 100 a week": round(now.asked, 3), "false per 100 a week": round(now.observed, 3),
        "false alerts": now.alerts, "days": round(days_of(u.mean)),
        "known homes": _kinds(lived, u, hit, known), "new homes": _kinds(lived, u, hit, new),
        "by hours": {"hours": list(AFTER_HOURS), **_by_hours(_kind(lived, u), hit, known)},
        "calibration": [
            {"asked": p.asked, "observed": round(p.observed, 3), "alerts": p.alerts}
            for p in calibration(u.mean, fold, scales)
        ],
        "operating": [
            {"asked": a, **_due(_kind(lived, u), _hits(lived, settled, u, scales, PER_100_A_WEEK / a), known)}
            for a in ASKED
        ],
    }  # fmt: skip


def home_scores(lived: Lived, settled: Settled, of: Mapping[str, Unseen], days: Mapping[str, float]) -> list[HomeScore]:
    """What came of each home, at the levels' return periods of ``days``."""
    fold = settled.fold[of["caution"].life]
    scales = {level: scales_of(u.mean, fold) for level, u in of.items()}
    false = {level: raised(of[level].mean, _levels(scales[level], fold, days[level])).sum(axis=0) for level in LEVELS}
    u = of["caution"]
    hit = _hits(lived, settled, u, scales["caution"], days["caution"])
    stop = np.array([lived.each[k].scenario == FULL_STOP for k in u.case], np.bool_) & ~np.isnan(hit)
    names = np.array([c.empty.home.household_id for c in settled.columns])
    out = []
    for name in sorted(set(names.tolist())):
        mine = np.flatnonzero(names[u.life] == name)
        case = stop & (names[lived.of[u.case]] == name)
        out.append(
            HomeScore(
                name, int(settled.fold[names == name][0]), len(mine) > 0, days_of(u.mean[:, mine]),
                {level: int(false[level][mine].sum()) for level in LEVELS}, int(case.sum()),
                int((hit[case] <= 24).sum()),
            )
        )  # fmt: skip
    return out


def _levels(scales: Mapping[int, Scale], fold: NDArray[np.intp], days: float) -> NDArray[np.float32]:
    """The level of each by the lives of the other folds, (n,)."""
    return np.array([scales[f].score_at(days) for f in fold.tolist()], np.float32)


def _midnight(lived: Lived, settled: Settled) -> NDArray[np.int64]:
    """Day of its home's record on which each case's onset is, (cases,)."""
    first = np.array([settled.columns[i].empty.home.first for i in lived.of.tolist()], np.int64)
    return (np.array([c.onset for c in lived.each], np.int64) - first) // (4 * HOURS)


def _hits(lived: Lived, settled: Settled, u: Unseen, scales: Mapping[int, Scale], days: float) -> NDArray[np.float64]:
    """Hours from each case's onset to the first alert while it lasts, (cases,): infinite where there is none, NaN for
    one that was alarmed just before."""
    of = lived.of[u.case]
    alert = raised(u.cases, _levels(scales, settled.fold[of], days))
    told = [(lived.each[k], settled.columns[i].empty.home.first) for k, i in zip(u.case, of, strict=True)]
    onset = np.array([hours_to_onset(case, first) for case, first in told]) + _BEFORE
    end = onset + np.array([(case.until - case.onset) / 4 for case, _ in told])
    hour = np.arange(1, len(alert) + 1)[:, None]
    early = (alert & (hour < onset) & (hour > onset - _EARLY)).any(axis=0)
    hit = np.where(alert & (hour >= onset) & (hour <= end), hour - onset, np.inf).min(axis=0)
    return np.where(early, np.nan, hit)


def _kinds(lived: Lived, u: Unseen, hit: NDArray[np.float64], rows: NDArray[np.bool_]) -> dict[str, Numbers | None]:
    """Of each kind of case: how many, shares alarmed within 24 and 36 hours and at all, median hours."""
    kind = _kind(lived, u)
    return {k: _numbers(hit[rows & (kind == k) & ~np.isnan(hit)]) for k in _in_order(kind.tolist())}


def _kind(lived: Lived, u: Unseen) -> NDArray[np.str_]:
    """Kind of each scored case, (cases,)."""
    return np.array([lived.each[k].scenario for k in u.case], np.str_)


def _by_hours(
    kind: NDArray[np.str_], hit: NDArray[np.float64], rows: NDArray[np.bool_]
) -> dict[str, list[float] | None]:
    """Of each kind of case, the share alarmed by each of `AFTER_HOURS`; None where there is no case."""
    counted = rows & ~np.isnan(hit)
    return {k: _within(hit[counted & (kind == k)], AFTER_HOURS) for k in _in_order(kind.tolist())}


def _due(kind: NDArray[np.str_], hit: NDArray[np.float64], rows: NDArray[np.bool_]) -> dict[str, float]:
    """Share of each kind of emergency found in the hours of `DUE`, where there is a case."""
    counted = rows & ~np.isnan(hit)
    shares = {f"{k} {h} h": _within(hit[counted & (kind == k)], (h,)) for k, h in DUE.items()}
    return {name: share[0] for name, share in shares.items() if share is not None}


def _within(hit: NDArray[np.float64], hours: Sequence[int]) -> list[float] | None:
    """Shares of ``hit`` (n,) within each of some ``hours`` (k,)."""
    return [round(float((hit <= h).mean()), 4) for h in hours] if len(hit) else None


def _in_order(kinds: Sequence[str]) -> list[str]:
    there = set(kinds)
    return [*(k for k in EMERGENCIES if k in there), *(k for k in SCENARIOS if k in there and k not in EMERGENCIES)]


def _numbers(hit: NDArray[np.float64]) -> Numbers | None:
    if not len(hit):
        return None
    median = float(np.sort(hit)[len(hit) // 2])
    return {
        "cases": len(hit), "24 h": round(float((hit <= 24).mean()), 4), "36 h": round(float((hit <= 36).mean()), 4),
        "ever": round(float(np.isfinite(hit).mean()), 4), **({"median h": median} if np.isfinite(median) else {}),
    }  # fmt: skip
