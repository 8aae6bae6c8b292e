"""What every detector is tried on: home-years without an emergency, and collapses spliced into them.

The years and the cases are those the learned model is taught from (`simulators.study`): a case begins with what a
detector knew of the home at the midnight before its onset, which is the home's own past, two months at least.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.slots import SLOTS_PER_DAY
from simulators.empty import study
from simulators.histories import Home, strip_of, usable
from simulators.people import Rng
from simulators.phonelife import Person, phone_life, weekday_of
from simulators.splice import (
    AWAY,
    EMERGENCIES,
    FULL_STOP,
    GAP,
    LEFT_ON,
    PHONE_LOST,
    Case,
    Reach,
    cases,
    fold_of,
    rng_of,
)  # fmt: skip
from simulators.study import HOURS, Column, Lived, hours_to_onset, live, spliced
from simulators.variants import vary
from stream.rules import Rules
from stream.settings import Settings

Codes = NDArray[np.uint8]
Say = Callable[[str], None]
WARM_DAYS = 60
"""Days of a home before its alerts count and before a case may begin."""
LEAST_DAYS = 150
_AFTER_DAYS, _FOLDS = 5, 5
_TRIED = {FULL_STOP: 16, LEFT_ON: 12, AWAY: 6, PHONE_LOST: 2, GAP: 2}
_TAUGHT = {FULL_STOP: 8, LEFT_ON: 6, AWAY: 3, PHONE_LOST: 1, GAP: 1}
"""Cases a home: those tried on are of its days after the warm-up, those that are only taught from of all its year."""


@dataclass(frozen=True, slots=True)
class Strips:
    """Codes (days, 96, n) of meter and phone, and which days (days, n) are of a weekend."""

    meter: Codes
    phone: Codes
    weekend: NDArray[np.bool_]

    def take(self, columns: NDArray[np.intp]) -> "Strips":
        """These columns."""
        return Strips(self.meter[:, :, columns], self.phone[:, :, columns], self.weekend[:, columns])


@dataclass(frozen=True, slots=True)
class Trial:
    """``years``: n home-years; ``after``: the days of k emergencies from the midnight before the onset. ``of``,
    ``day`` (k,): column and day of each; ``onset`` (k,): hours from that midnight; ``kind`` (k,): its scenario.
    ``lasts`` (n,): days of each home's record; after it there are no codes.

    ``x`` (hours, n, features), ``case_x`` (hours, k, features): what anbu's learned model is told, NaN where it is not
    asked. ``lived``, ``columns``, ``fold``: all that a model may be taught from, and the fold of each column;
    ``tried`` (n,), ``told`` (k,): which of these columns and of their cases are tried on.
    """

    years: Strips
    after: Strips
    of: NDArray[np.intp]
    day: NDArray[np.intp]
    onset: NDArray[np.float64]
    kind: NDArray[np.str_]
    lasts: NDArray[np.intp]
    x: NDArray[np.float32]
    case_x: NDArray[np.float32]
    lived: Lived
    columns: Sequence[Column]
    fold: NDArray[np.intp]
    tried: NDArray[np.intp]
    told: NDArray[np.intp]


def columns_of(
    homes: Sequence[Home], persons: Sequence[Person], seed: int, variants: int = 0
) -> tuple[list[Column], NDArray[np.intp]]:
    """A column for each usable home of 150 days; where there are ``variants``, so many more of each, and the homes that
    are not usable, to be taught from only. And the fold of each column: whole homes and whole persons are in one."""
    homes = [h for h in homes if h.days >= LEAST_DAYS]
    fold = fold_of([h.household_id for h in homes], _FOLDS)  # of all of them: who lives where is always the same
    homes = [h for h in homes if variants or usable(h, LEAST_DAYS)]
    of_person = fold_of([p.person_id for p in persons], _FOLDS)
    found, folds = [], []
    for home in homes:
        own = fold[home.household_id]
        near = [p for p in persons if of_person[p.person_id] == own] or list(persons)
        for copy in range(1 + variants):
            rng = rng_of(seed, home.household_id, str(copy))
            found.append(_column(home, near, copy, rng))
            folds.append(own)
    return found, np.array(folds, np.intp)


def _column(home: Home, persons: Sequence[Person], copy: int, rng: Rng) -> Column:
    """One home's year with one of these persons in it; a copy is changed. Only taught from: cases of all the year."""
    fit = copy > 0 or not usable(home, LEAST_DAYS)
    empty = study(vary(home, rng) if copy else home)
    life = phone_life(persons[int(rng.integers(len(persons)))], home.first, home.slots, rng)
    counts, context = (_TAUGHT, 10) if fit else (_TRIED, WARM_DAYS + 2)
    return Column(empty, life, fit, cases(empty, life, rng, counts, Reach(context, _AFTER_DAYS)))


def trial_of(columns: Sequence[Column], fold: NDArray[np.intp], say: Say = lambda line: None) -> Trial:
    """Live the years and fork the cases, by anbu's own run without a learned model."""
    rules = Rules.of(Settings())
    lived = live(columns, rules, lambda done, of: say(f"lived {done} of {of} days") if done % 60 == 0 else None)
    tried = np.array([i for i, c in enumerate(columns) if not c.fit], np.intp)
    firsts = np.array([c.empty.home.first for c in columns], np.int64)
    emergency = np.array([case.scenario in EMERGENCIES for case in lived.each], bool)
    told = np.flatnonzero(emergency & np.isin(lived.of, tried))
    each, of = [lived.each[k] for k in told.tolist()], lived.of[told]
    onset = np.array([hours_to_onset(case, int(firsts[i])) for case, i in zip(each, of, strict=True)])
    day = np.array([(case.onset - firsts[i]) // SLOTS_PER_DAY for case, i in zip(each, of, strict=True)], np.intp)
    days, after = len(lived.years) // HOURS, len(lived.cases) // HOURS
    years = _strips([columns[i] for i in tried], days)
    return Trial(
        years, _cases(each, of, day, firsts, after), np.searchsorted(tried, of), day, onset,
        np.array([case.scenario for case in each]), np.array([columns[i].empty.home.days for i in tried], np.intp),
        lived.years[:, tried], lived.cases[:, told], lived, columns, fold,
        tried, told,
    )  # fmt: skip


def _strips(columns: Sequence[Column], days: int) -> Strips:
    homes = [c.empty.home for c in columns]
    meter = [_padded(strip_of(h.wh, h.minutes), days) for h in homes]
    phone = [_padded(c.life.codes if c.life is not None else np.zeros(0, np.uint8), days) for c in columns]
    return Strips(_days(meter), _days(phone), np.stack([_weekend(h.first, days) for h in homes], axis=1))


def _cases(
    each: Sequence[Case], of: NDArray[np.intp], day: NDArray[np.intp], firsts: NDArray[np.int64], days: int
) -> Strips:
    meter, phone, weekend = [], [], []
    for case, column, since in zip(each, of.tolist(), day.tolist(), strict=True):
        first = int(firsts[column])
        codes, used = spliced(case, first, days)
        meter.append(codes)
        phone.append(used)
        weekend.append(_weekend(first + since * SLOTS_PER_DAY, days))
    return Strips(_days(meter), _days(phone), np.stack(weekend, axis=1))


def _padded(codes: Codes, days: int) -> Codes:
    out = np.zeros(days * SLOTS_PER_DAY, np.uint8)
    out[: len(codes)] = codes[: len(out)]
    return out


def _days(strips: Sequence[Codes]) -> Codes:
    return np.stack(strips, axis=1).reshape(-1, SLOTS_PER_DAY, len(strips))


def _weekend(midnight: int, days: int) -> NDArray[np.bool_]:
    return (weekday_of(midnight) + np.arange(days)) % 7 >= 5
