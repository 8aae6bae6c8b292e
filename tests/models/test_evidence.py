"""Evidence of a slot, from what is known of a home."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models import evidence
from models.slots import ESTIMATED, MISSING, ZERO, code_of_watts
from models.state import BINS, HABIT, NIGHTS, UNIT


def habits(n: int, seed: int = 1, quiet: int = 60) -> NDArray[np.void]:
    """Homes with quiet nights around code ``quiet`` and evenings full of life."""
    rng = np.random.default_rng(seed)
    habit = np.zeros(n, HABIT)
    habit["nights"][:] = rng.integers(quiet - 5, quiet + 5, (n, NIGHTS, 8))
    habit["active"], habit["bins"] = 20, [1500, 1500, 1500, 1500, 500, 500, 500, 500, 28_000, 29_535]
    habit["active"][:, 9] = 230
    habit["calls"][:, 4] = rng.integers(0, 40, n)
    habit["calls_days"] = 20
    return habit


@pytest.mark.slow
@given(st.integers(1, 40), st.integers(0, 1000))
def test_tables_of_many_homes_are_those_of_each(n: int, seed: int) -> None:
    """What is looked up of a home does not depend on which homes lie beside it."""
    habit = habits(n, seed)
    habit["nights"][0] = 0
    many = evidence.tables(habit)
    for i in range(n):
        one = evidence.tables(habit[i : i + 1])
        assert (one.edges[:, 0] == many.edges[:, i]).all()
        assert (one.quiet[0] == many.quiet[i]).all()
        assert (one.known[0], evidence.floor(one)[0]) == (many.known[i], evidence.floor(many)[i])
        for block in (0, 9):
            alone = evidence.ratios(habit[i : i + 1], one, block)[0]
            assert (alone == evidence.ratios(habit, many, block)[i]).all()


@given(st.integers(0, 1000), st.integers(20, 250))
def test_edges_rise_and_evidence_is_bounded(seed: int, quiet: int) -> None:
    """Bins are in order of energy, and no reading says more than the bounds."""
    habit = habits(8, seed, min(quiet, 249))
    t = evidence.tables(habit)
    assert (np.diff(t.edges.astype(int), axis=0) >= 0).all()
    for block in range(12):
        ratios = evidence.ratios(habit, t, block)
        assert ratios.min() >= evidence.LOW
        assert ratios.max() <= evidence.HIGH


def test_life_speaks_against_silence_and_a_quiet_evening_for_it() -> None:
    """In the evening the load of a quiet night is evidence of silence, and a load far above it proof of life."""
    habit = habits(1)
    t = evidence.tables(habit)
    ratios = evidence.ratios(habit, t, 9)[0]
    quiet = evidence.bins(np.array([60], np.uint8), t.edges)[0]
    lively = evidence.bins(np.array([code_of_watts(2000)], np.uint8), t.edges)[0]
    assert ratios[quiet] > UNIT // 2
    assert evidence.LOW <= ratios[lively] <= evidence.PROOF


def test_before_a_quiet_night_is_known_there_is_no_evidence() -> None:
    """All bins of a new home say nothing."""
    habit = np.zeros(3, HABIT)
    t = evidence.tables(habit)
    assert not t.known.any()
    assert not evidence.ratios(habit, t, 5).any()


@pytest.mark.parametrize("code", [MISSING, ESTIMATED])
def test_nothing_measured_is_below_the_least_evidence(code: int) -> None:
    """Missing and estimated readings are no evidence in any home."""
    for habit in (np.zeros(1, HABIT), habits(1), habits(1, quiet=8)):
        assert code < evidence.floor(evidence.tables(habit))[0]


def test_exactly_nothing_is_no_power_only_where_something_always_draws() -> None:
    """Zero energy in a home with a fridge is a power cut; in a home that is often at zero it is a reading."""
    codes = np.array([ZERO, ZERO], np.uint8)
    habit = np.concatenate([habits(1, quiet=60), habits(1, quiet=7)])
    assert evidence.dark(codes, evidence.tables(habit)).tolist() == [True, False]


def test_the_phone_of_who_calls_more_says_more_by_its_silence() -> None:
    """Evidence of an empty slot grows with the share of slots used, and is never negative."""
    habit = habits(3)
    habit["calls"][:, 4] = (0, 10, 40)
    blocks = [evidence.phone_silence(habit, block) for block in range(12)]
    for silence in (blocks[8], blocks[9]):
        assert 0 <= silence[0] < silence[1] < silence[2]
    assert (blocks[7] < blocks[8])[1:].all(), "a silence at another time of the day says less"


def test_every_code_has_a_bin() -> None:
    """Any byte falls into one of the ten bins."""
    codes = np.arange(256, dtype=np.uint8)
    edges = np.repeat(evidence.tables(habits(1)).edges, 256, axis=1)
    assert set(evidence.bins(codes, edges).tolist()) <= set(range(BINS))
