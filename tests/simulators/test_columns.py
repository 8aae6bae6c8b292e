"""Homes and persons dealt into folds and settled together."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.columns import HOLES, LIVES, SHORT, Chosen, choose, deal, settle
from simulators.histories import Home
from simulators.phonelife import Person
from simulators.splice import EMERGENCIES

FIRST = (date(2026, 3, 2) - date(1970, 1, 1)).days * 96


def home(name: str, days: int = 170, seed: int = 1) -> Home:
    """Half hours of somebody who sleeps at night: 40 W, and by day now and then up to 500 W more."""
    rng = np.random.default_rng([seed, *name.encode()])
    hour = np.arange(days * 48) % 48 / 2
    up = (hour > 6) & (hour < 23) & (rng.random(days * 48) < 0.5)
    return Home(name, FIRST, 30, (20 + rng.normal(0, 2, days * 48) + up * rng.uniform(20, 250, days * 48)).astype("f4"))


def person(name: str, days: int = 20) -> Person:
    """Somebody who calls at 9 and at 18 each day."""
    second = np.tile([9 * 3600, 18 * 3600], days)
    return Person(
        name, np.arange(days) % 7, np.arange(days + 1) * 2, second, np.zeros(2 * days, np.uint8),
        np.full(2 * days, 60, np.float32), np.zeros(2 * days, bool), np.tile([0, 1], days),
    )  # fmt: skip


@given(st.integers(2, 6), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_folds_are_even(folds: int, more: int, odd: int, people: int) -> None:
    """Every home and person has one fold, and each fold as many as the others, of homes that are scored as well."""
    homes = [replace(home("h", 1), household_id=f"h{i}") for i in range(folds + more + odd)]
    chosen = Chosen(homes[: folds + more], homes[folds + more :], choose([]).left)
    of_home, of_person = deal(chosen, [person(f"p{i}", 1) for i in range(folds + people)], folds)
    assert of_home.keys() == {h.household_id for h in homes}
    for dealt in ([of_home[h.household_id] for h in chosen.scored], list(of_person.values())):
        many = np.bincount(dealt, minlength=folds)
        assert len(many) == folds
        assert many.max() - many.min() <= 1


def test_folds_share_no_home_and_no_person() -> None:
    """Whatever is made of a home is in its fold, and only persons of that fold live there."""
    chosen = choose([home(f"h{i}") for i in range(6)])
    persons = [person(f"p{i}") for i in range(7)]
    settled = settle(chosen, persons, 3, seed=1, varied=1)
    of_home, of_person = deal(chosen, persons, 3)
    assert len(settled.columns) == 6 * (LIVES + 1)
    seen = set()
    for column, fold in zip(settled.columns, settled.fold.tolist(), strict=True):
        assert of_home[column.empty.home.household_id] == fold
        if column.life is not None:
            assert of_person[column.life.person_id] == fold
            seen.add(column.life.person_id)
        assert {c.household_id for c in column.cases} == {column.empty.home.household_id}
    assert len(seen) > 3


def test_real_homes_are_scored_and_changed_ones_taught_from() -> None:
    """Copies that were varied never count in a score; every column has emergencies in it."""
    settled = settle(choose([home("a"), home("b")]), [person("p"), person("q")], 2, seed=1, varied=2)
    assert [c.fit for c in settled.columns] == [False, False, True, True] * 2
    assert settled.scored.tolist() == [0, 1, 4, 5]
    for column in settled.columns:
        assert sum(c.scenario in EMERGENCIES for c in column.cases) >= 10


def test_the_same_again_and_another_seed() -> None:
    """A seed settles homes in one way, whatever order they come in."""
    homes, persons = [home("a"), home("b")], [person("p"), person("q")]
    once, again, other = (
        settle(choose(h), persons, 2, seed, 1) for h, seed in ((homes, 1), (homes[::-1], 1), (homes, 2))
    )
    onsets = [[c.onset for column in s.columns for c in column.cases] for s in (once, again, other)]
    assert onsets[0] == onsets[1] != onsets[2]


@pytest.mark.parametrize(
    ("given_home", "why"),
    [
        (home("short", 120), SHORT),
        (replace(home("holes"), wh=np.where(np.arange(170 * 48) % 5 < 3, np.nan, home("holes").wh)), HOLES),
    ],
)
def test_what_cannot_be_used_is_counted(given_home: Home, why: str) -> None:
    """Too short or too full of holes: neither scored nor taught from, and said why."""
    chosen = choose([given_home, home("good")])
    assert [h.household_id for h in chosen.scored] == ["good"]
    assert chosen.odd == []
    assert chosen.left == {why: 1}


def test_odd_homes_are_only_taught_from() -> None:
    """A home that uses 24 kWh a day is shown, not scored."""
    big = home("big")
    chosen = choose([replace(big, wh=big.wh * 8), home("good")])
    assert [h.household_id for h in chosen.odd] == ["big"]
    settled = settle(chosen, [person("p")], 1, seed=1, varied=0)
    assert [c.fit for c in settled.columns] == [True] * LIVES + [False] * LIVES
