"""What a real home uses with nobody in it, from its own record: quiet nights and days of absence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.histories import Home, runs, step_of
from simulators.meters import counted
from simulators.people import Rng

Hidden = tuple[int, int]
"""Intervals [begin, end) of which nothing may be used: what the detector has seen or will see of the home."""

_BUSY = 1.1  # above so many times nearly all of the quiet nights somebody lives
_RISE = 1.3  # an evening so far above the night was lived
_OFTEN = 0.25  # a home that looks empty for more than this says nothing by it
_NOISE = 0.04
_NEAR = 12  # nights around one night that are taken together
LEAST_NIGHTS = 7


@dataclass(frozen=True, slots=True)
class Empty:
    """One home and what it shows of itself when empty. ``step``: Wh in which its meter counts, 0 for none;
    ``nights``: (days, 4 hours) Wh from 01:00 to 05:00; ``level``: (days,) their means, NaN where not whole;
    ``absences``: [begin, end) intervals (k, 2)."""

    home: Home
    step: float
    nights: NDArray[np.float32]
    level: NDArray[np.float32]
    absences: NDArray[np.intp]


def study(home: Home) -> Empty:
    """Quiet nights and absences of a home; done once, then thousands of cases can be cut from it."""
    hour = home.per_day // 24
    nights = home.wh.reshape(-1, home.per_day)[:, hour : 5 * hour]
    return Empty(home, step_of(home.wh), nights, nights.mean(axis=1), absences(home))


def quiet_nights(nights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The quieter half of the whole ones among nights (m, s), by their means."""
    level = nights.mean(axis=1)
    whole = ~np.isnan(level)
    return nights[whole & (level <= np.median(level[whole]))] if whole.any() else nights[:0]


def quiet_limit(wh: NDArray[np.float32], per_day: int) -> float:
    """Wh an interval above which somebody lives: a tenth above 19 in 20 intervals of the quiet nights of whole days
    (n,); NaN without a whole night."""
    hour = per_day // 24
    quiet = quiet_nights(wh.reshape(-1, per_day)[:, hour : 5 * hour])
    return _BUSY * float(np.quantile(quiet, 0.95)) if len(quiet) else float("nan")


def absences(home: Home) -> NDArray[np.intp]:
    """Stretches [begin, end) of a day or more at quiet load without a rise in the evening, an hour off at both edges,
    (k, 2); none for a home that looks like this for over a quarter of its time: there it says nothing."""
    hour, wh = home.per_day // 24, home.wh
    found = runs(wh <= quiet_limit(wh, home.per_day)) + np.array([hour, -hour])
    found = found[found[:, 1] - found[:, 0] >= home.per_day]
    clock = np.arange(len(wh)) % home.per_day // hour
    evening, night = (clock >= 18) & (clock < 22), (clock >= 1) & (clock < 5)
    flat = [wh[a:b][evening[a:b]].mean() < _RISE * wh[a:b][night[a:b]].mean() for a, b in found]
    found = found[np.array(flat, bool)]
    return found if (found[:, 1] - found[:, 0]).sum() <= _OFTEN * len(wh) else found[:0]


def can_be_empty(empty: Empty, hidden: Hidden) -> bool:
    """Whether there are nights enough outside of what is hidden."""
    return len(_outside(empty, hidden)) >= LEAST_NIGHTS


def unoccupied(empty: Empty, onset: int, count: int, hidden: Hidden, rng: Rng) -> tuple[NDArray[np.float32], str]:
    """Wh (count,) of the home with nobody in it from interval ``onset`` on, and where from: ``absence`` or ``nights``.

    Half the time, where there are any, its absences at the same hours of the day; else quiet nights, of all the year
    or of a few weeks. Nothing comes from ``hidden``. A little noise keeps stretches from repeating exactly. Raises
    ValueError where the home has too few nights outside.
    """
    wh, origin = np.zeros(0, np.float32), "absence"
    if rng.random() < 0.5:
        wh = _from_absences(empty, onset, count, hidden, rng)
    if len(wh) < count:
        wh, origin = _from_nights(empty, count, hidden, rng), "nights"
    noisy = wh[:count] * rng.normal(1, _NOISE, count).clip(0.8, 1.2).astype(np.float32)
    return counted(noisy, empty.step, rng.random()), origin


def _from_absences(empty: Empty, onset: int, count: int, hidden: Hidden, rng: Rng) -> NDArray[np.float32]:
    """One absence as long as it lasts, then another at the same time of day, (>= count,); empty where none goes on."""
    wh, per_day = empty.home.wh, empty.home.per_day
    away = empty.absences
    away = away[(away[:, 1] <= hidden[0]) | (away[:, 0] >= hidden[1])]
    parts, got = [np.zeros(0, np.float32)], 0
    while got < count:
        starts = away[:, 0] + (onset + got - away[:, 0]) % per_day
        there = np.flatnonzero(starts < away[:, 1])
        if not len(there):
            return np.zeros(0, np.float32)
        chosen = there[rng.integers(len(there))]
        parts.append(wh[starts[chosen] : away[chosen, 1]])
        got += len(parts[-1])
    return np.concatenate(parts)


def _from_nights(empty: Empty, count: int, hidden: Hidden, rng: Rng) -> NDArray[np.float32]:
    """Pieces of two hours of quiet nights, in any order, (>= count,)."""
    days = _outside(empty, hidden)
    if len(days) < LEAST_NIGHTS:
        raise ValueError(f"{empty.home.household_id}: {len(days)} whole nights outside what is seen: not enough")
    if rng.random() < 0.3 and len(days) > _NEAR:  # an empty home of one season, not of the whole year
        near = int(rng.integers(len(days) - _NEAR + 1))
        days = days[near : near + _NEAR]
    quiet = days[empty.level[days] <= np.median(empty.level[days])]
    pieces = empty.nights[quiet].reshape(2 * len(quiet), -1)
    return pieces[rng.integers(len(pieces), size=count // pieces.shape[1] + 1)].ravel()


def _outside(empty: Empty, hidden: Hidden) -> NDArray[np.intp]:
    """Days whose night is whole and outside of what is hidden, in order."""
    day, per_day = np.arange(len(empty.level)), empty.home.per_day
    outside = ((day + 1) * per_day <= hidden[0]) | (day * per_day >= hidden[1])
    return np.flatnonzero(outside & ~np.isnan(empty.level))
