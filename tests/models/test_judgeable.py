"""How much homes can tell, and why."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models import evidence, judge, state
from models.judgeable import CAP, NAMES, Judgeable, judged
from models.levels import Thresholds
from models.slots import BLOCKS_PER_DAY, SLOTS_PER_DAY, SLOTS_PER_HOUR
from models.state import NIGHTS


def habits(n: int, seed: int) -> NDArray[np.void]:
    """Homes of many kinds, learned for weeks."""
    rng = np.random.default_rng(seed)
    habit = state.fresh(np.zeros(n, np.int64)).habit
    habit["nights"] = rng.integers(50, 70, (n, NIGHTS, 8))
    habit["active"] = rng.integers(0, 200, (n, BLOCKS_PER_DAY))
    habit["bins"] = 65_535 * rng.dirichlet(np.ones(10), n)
    habit["calls"], habit["calls_days"] = rng.integers(0, 60, (n, 6)), 20
    habit["days"], habit["stretch"] = rng.integers(7, 200, n), 4 * rng.uniform(2, 30, n)
    habit["worst"] = rng.uniform(0, 30, n)
    return habit


def of(habit: NDArray[np.void], meter: int = 2, phone: bool = True, thresholds: Thresholds = Thresholds()) -> Judgeable:
    """What can be told of homes that all have such feeds."""
    n = len(habit)
    return judged(habit, evidence.tables(habit), np.full(n, meter), np.full(n, phone), thresholds)


def named(told: Judgeable) -> list[str]:
    """Reasons by name."""
    return [NAMES[r] for r in told.reason.tolist()]


SEEDS = st.integers(0, 10_000)


@pytest.mark.slow
@given(SEEDS, st.integers(0, 5))
def test_more_phone_use_never_takes_longer(seed: int, block: int) -> None:
    """Who uses the phone more in some hours is missed no later, by the phone alone and in all."""
    habit = habits(20, seed)
    more = habit.copy()
    more["calls"][:, block] += 20
    for before, after in zip((of(habit).hours, of(habit).by_phone), (of(more).hours, of(more).by_phone), strict=True):
        assert (after <= before + 1e-3).all()
    assert (of(more).by_phone < of(habit).by_phone - 0.1).any() or (of(habit).by_phone == CAP).all()


@given(SEEDS)
def test_more_visible_life_never_takes_longer(seed: int) -> None:
    """A home more of whose time is plainly lived in is told no later."""
    habit = habits(20, seed)
    few = np.array([3000] * 6 + [11_000] * 4, np.uint16)
    habit["bins"], habit["active"] = few, np.minimum(habit["active"], 150) // 2 + 60
    more = habit.copy()
    more["active"] += 60
    assert (of(more).hours <= of(habit).hours + 1e-3).all()
    assert (of(more).hours < of(habit).hours).any()


@given(SEEDS)
def test_longer_usual_silences_take_longer(seed: int) -> None:
    """A home often silent for hours is told by as much later."""
    habit = habits(20, seed)
    longer = habit.copy()
    longer["stretch"] += 8
    a, b = of(habit).hours, of(longer).hours
    assert np.allclose(np.minimum(a + 2, CAP), b, atol=0.05)


@given(SEEDS, st.sampled_from([0, 1, 2, 4]), st.booleans())
def test_both_tell_no_later_than_either(seed: int, meter: int, phone: bool) -> None:
    """Two sources tell no later than the better of them, and no figure lies outside its bounds."""
    told = of(habits(20, seed), meter, phone)
    assert (told.hours <= np.minimum(told.by_meter, told.by_phone) + 1e-3).all()
    for figure in (told.hours, told.by_meter, told.by_phone):
        assert ((figure >= 0) & (figure <= CAP)).all()
    assert (told.able == (told.hours < 48)).all()
    if not meter:
        assert (told.by_meter == CAP).all()
    if not phone:
        assert (told.by_phone == CAP).all()


@pytest.mark.slow
@given(SEEDS, st.integers(1, 30))
def test_one_home_is_many(seed: int, n: int) -> None:
    """What is told of a home does not depend on which homes lie beside it."""
    habit = habits(n, seed)
    many = of(habit)
    for i in range(n):
        one = of(habit[i : i + 1])
        assert (one.hours[0], one.reason[0], one.able[0]) == (many.hours[i], many.reason[i], many.able[i])


def test_nothing_is_changed() -> None:
    """The habits are only read."""
    habit = habits(5, 1)
    before = habit.copy()
    of(habit)
    assert (habit == before).all()


def lively(n: int = 1) -> NDArray[np.void]:
    """Homes lived in from morning to night, whose phones are used every day, and which are never silent for long."""
    habit = habits(n, 1)
    habit["active"], habit["bins"] = 150, [3000] * 6 + [11_000, 11_000, 11_000, 14_535]
    habit["calls"], habit["stretch"], habit["days"] = 30, 4 * 5, 60
    return habit


def test_each_reason_is_found_in_its_home() -> None:
    """Well judged; not learned; without feeds; quiet for long; a load that hides life, with and without a phone."""
    well, new, quiet, hidden = lively(), lively(), lively(), lively()
    new["days"] = 6
    quiet["stretch"] = 4 * 30
    hidden["active"], hidden["bins"] = 1, [10_000] * 6 + [1500, 1500, 1500, 1035]
    rare = hidden.copy()
    rare["calls"] = 0
    dark = lively()
    dark["nights"], dark["calls"] = 0, 1
    assert named(of(well)) == ["well"]
    assert named(of(new)) == ["learning"]
    assert named(of(well, 0, False)) == ["no_feeds"]
    assert named(of(quiet)) == ["quiet"]
    hidden["calls"] = 3
    assert [named(of(h, 2, p))[0] for h, p in ((hidden, True), (rare, True), (hidden, False))] == [
        "load_hidden", "phone_rare", "no_phone",
    ]  # fmt: skip
    assert named(of(dark)) == ["no_readings"]
    assert named(of(dark, 0)) == ["no_meter"]


@pytest.mark.parametrize(("meter", "phone"), [(2, True), (0, False)])
def test_what_is_not_learned_or_not_heard_is_never_told(meter: int, phone: bool) -> None:
    """A home in its first days, or without feeds, has the fixed limits and no hours."""
    habit = lively(3)
    habit["days"] = [0, 6, 6]
    told = of(habit, meter, phone)
    assert (told.hours == CAP).all()
    assert not told.able.any()


def test_whom_the_fixed_limit_finds_sooner_is_not_judged() -> None:
    """The fixed limit of normal risk is what a home's hours must be below."""
    habit = lively()
    hours = float(of(habit).hours[0])
    for limit, able in ((hours - 0.1, False), (hours + 0.1, True)):
        assert of(habit, thresholds=Thresholds(limit_hours=(limit, 10, 5))).able[0] == able


def test_a_phone_alone_is_told_when_the_plain_evidence_is_there() -> None:
    """Without a meter the hours are those after which the state machine itself raises caution, block by block."""
    habit = habits(40, 3)
    habit["stretch"] = 4
    told = of(habit, 0)
    took = np.zeros((BLOCKS_PER_DAY, len(habit)))
    day = judge.open_day(habit, Thresholds(), None)
    for begin in range(BLOCKS_PER_DAY):
        score, raised = np.zeros(len(habit)), np.full(len(habit), np.nan)
        for slot in range(int(CAP) * SLOTS_PER_HOUR):
            day.enter((begin * 8 + slot) % SLOTS_PER_DAY // 8)
            score += day.silence
            raised[np.isnan(raised) & (score >= day.steps.score[1])] = (slot + 1) / SLOTS_PER_HOUR
        took[begin] = np.nan_to_num(raised, nan=CAP)
    assert np.abs(told.hours - took.mean(axis=0)).max() < 0.5
    assert (told.hours < CAP).any()


def test_the_meter_s_interval_counts_as_it_does_in_judging() -> None:
    """Quarter-hours tell as much as half-hours an hour, and hours less."""
    habit = lively(10)
    fast, half, slow = (of(habit, width, False).by_meter for width in (1, 2, 4))
    assert (fast == half).all()
    assert (slow > half).all()
