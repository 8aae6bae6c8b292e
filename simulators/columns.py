"""The homes a model is taught from and scored on: real ones with somebody's phone in them, and varied copies.

Homes and persons are dealt into the same folds, and the homes of a fold are lived in by its persons only, so that a
fold left out is whole homes and whole persons that the model has never met.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.empty import study
from simulators.histories import Home, usable
from simulators.people import Rng
from simulators.phonelife import Person, phone_life
from simulators.splice import AWAY, FULL_STOP, GAP, LEFT_ON, PHONE_LOST, Reach, cases, draw_onset, fold_of, rng_of
from simulators.study import Column
from simulators.variants import vary

LEAST_DAYS = 150
"""Of a record: the longest that a detector remembers of a home, and a month beside."""
LIVES = 2
"""Times that a home is lived in as it is, by somebody else each time."""
COUNTS: Mapping[str, int] = {FULL_STOP: 16, LEFT_ON: 12, AWAY: 6, PHONE_LOST: 2, GAP: 2}
"""Cases of each kind, each time."""
REACH = Reach(context_days=10, after_days=5)

_NO_PHONE = 0.08  # of the varied homes, taught from only
_UNASKED = 1.2  # a day, texts and calls that nobody asked for, on average, of the varied homes' phones
_MISSING, _HOLES = 0.03, 0.5  # shares of readings: above the first a home is not scored, above the second not used

SHORT, HOLES = "short", "holes"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Homes that are scored, odd ones that are only taught from, and how many can be neither, by why."""

    scored: list[Home]
    odd: list[Home]
    left: Counter[str]


@dataclass(frozen=True, slots=True)
class Settled:
    """Columns and the ``fold`` (columns,) of each."""

    columns: list[Column]
    fold: NDArray[np.intp]

    @property
    def scored(self) -> NDArray[np.intp]:
        """Numbers of the columns that count in scores: real homes as they are."""
        return np.flatnonzero([not c.fit for c in self.columns])


def choose(homes: Sequence[Home]) -> Chosen:
    """Homes by what they are good for."""
    found = Chosen([], [], Counter())
    for home in homes:
        if home.days < LEAST_DAYS:
            found.left[SHORT] += 1
        elif np.isnan(home.wh).mean() > _HOLES or draw_onset(study(home), np.random.default_rng(0), REACH) is None:
            found.left[HOLES] += 1
        elif usable(home, LEAST_DAYS, most_missing=_MISSING):
            found.scored.append(home)
        else:
            found.odd.append(home)
    return found


def deal(chosen: Chosen, persons: Sequence[Person], folds: int) -> tuple[dict[str, int], dict[str, int]]:
    """Fold of each home and of each person, by their names; each fold gets its share of homes that are scored."""
    of_home: dict[str, int] = {}
    for homes in (chosen.scored, chosen.odd):
        of_home |= fold_of([h.household_id for h in homes], folds)
    return of_home, fold_of([p.person_id for p in persons], folds)


def settle(chosen: Chosen, persons: Sequence[Person], folds: int, seed: int, varied: int) -> Settled:
    """Every home `LIVES` times as it is and ``varied`` times changed, with persons of its fold, and with cases.

    Every fold must have a person. What a home gets depends on its name and the seed, not on which others there are
    beside the persons of its fold.
    """
    of_home, of_person = deal(chosen, persons, folds)
    columns, fold = [], []
    scored = {h.household_id for h in chosen.scored}
    for home in sorted([*chosen.scored, *chosen.odd], key=lambda h: h.household_id):
        mine = [p for p in persons if of_person[p.person_id] == of_home[home.household_id]]
        for number in range(LIVES + varied):
            as_it_is = number < LIVES
            columns.append(
                _column(home, mine, rng_of(seed, home.household_id, str(number)), as_it_is, home.household_id in scored)
            )
            fold.append(of_home[home.household_id])
    return Settled(columns, np.array(fold, np.intp))


def _column(home: Home, persons: Sequence[Person], rng: Rng, as_it_is: bool, scored: bool) -> Column:
    home = home if as_it_is else vary(home, rng)
    life = None
    if as_it_is or rng.random() >= _NO_PHONE:
        person = persons[int(rng.integers(len(persons)))]
        unasked = 0.0 if as_it_is else float(rng.exponential(_UNASKED))
        life = phone_life(person, home.first, home.slots, rng, unasked)
    empty = study(home)
    return Column(empty, life, not (as_it_is and scored), cases(empty, life, rng, COUNTS, REACH))
