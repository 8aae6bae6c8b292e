"""What the learned model is told: named figures, always numbers, the same in any company and size of home."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models import evidence, features, lately
from models.features import NAMES, Moment
from models.slots import ZERO
from models.state import CALL_BLOCKS, CAP, NIGHT_SAMPLES, NIGHTS, Heads, State, fresh

NUMBER = 10_000
seeds, blocks, parts = st.integers(0, 10**6), st.integers(0, 11), st.sampled_from([0.125, 0.25, 0.5, 0.625, 1.0])


def homes(n: int, seed: int, low: int = 40, high: int = 200, gaps: float = 0.2) -> State:
    """Homes in any state in which the model is asked: codes from ``low`` up to ``high``, a reading in the present block
    and a share ``gaps`` of the last ones without any."""
    rng = np.random.default_rng(seed)
    kept = fresh(np.zeros(n, np.int64))
    head, last, habit = kept.head, kept.lately, kept.habit
    for name in ("score", "meter", "phone"):
        head[name] = rng.integers(0, CAP, n)
    head["silent"], head["life"] = rng.integers(0, 2000, n), NUMBER - rng.integers(0, 3000, n)
    for name, most in (("joint", CAP), ("before", CAP), ("unused", 60_000), ("callers", 255), ("waiting", 255)):
        last[name] = rng.integers(0, most, n)
    blocks = np.sort(rng.integers(low, high, (n, 3, 12)), axis=1).astype(np.uint8)
    known = rng.random((n, 12)) >= gaps
    for figure, values in ((lately.LOW, blocks[:, 0]), (lately.MEAN, blocks[:, 1]), (lately.TOP, blocks[:, 2])):
        last["blocks"][:, figure] = values * known
    last["blocks"][:, lately.STIR] = rng.integers(0, 60, (n, 12)) * known
    reading(last, rng.integers(low, high, (int(rng.integers(1, 9)), n)).astype(np.uint8))
    for name in ("usual", "worst"):
        last[name] = rng.integers(0, 120, last[name].shape)
    habit["nights"] = rng.integers(low, low + 20, (n, NIGHTS, NIGHT_SAMPLES))
    habit["active"], habit["profile"] = rng.integers(0, 256, (n, 12)), rng.integers(low, high, (n, 12))
    habit["calls"], habit["calls_days"] = rng.integers(0, 255, (n, CALL_BLOCKS)), rng.integers(0, 25, n)
    habit["days"], habit["record"] = rng.integers(0, 500, n), rng.integers(0, 5000, n)
    for name in ("worst", "joint", "stretch", "phone", "phone_record"):
        habit[name] = rng.gamma(2, 5, n)
    return kept


def reading(last: NDArray[np.void], codes: NDArray[np.uint8]) -> None:
    """Readings (k, n) of the present block, each a measured one."""
    for code in codes:
        lately.read(last, code, np.ones(len(last), np.bool_))


def told(kept: State, block: int = 5, part: float = 0.5) -> NDArray[np.float32]:
    """Features of all homes."""
    usual = features.usual(kept.habit, evidence.tables(kept.habit))
    rows = np.arange(len(kept.head))
    return features.features(Heads.of(kept.head), kept.lately, usual, Moment(block, part, NUMBER), rows)


def test_every_figure_has_a_name_of_its_own() -> None:
    """As many names as rows, none twice."""
    assert told(homes(3, 1)).shape == (len(NAMES), 3)
    assert len(set(NAMES)) == len(NAMES)


@given(seeds, blocks, parts)
@settings(max_examples=40, deadline=None)
def test_figures_are_numbers_whatever_a_home_holds(seed: int, block: int, part: float) -> None:
    """Of any state, and of a new home: finite, of 32 bits."""
    for kept in (homes(9, seed, ZERO, 256), fresh(np.full(2, NUMBER, np.int64))):
        x = told(kept, block, part)
        assert x.dtype == np.float32
        assert np.isfinite(x).all()


@pytest.mark.parametrize("width", [1, 2, 4])
def test_meters_of_all_intervals_give_much_the_same(width: int) -> None:
    """A steady load and a regular day, read by 15, 30 or 60 minutes: the same figures but for counts of changes."""
    found = []
    for step in (1, width):
        kept = homes(1, 3)
        last = kept.lately = fresh(np.zeros(1, np.int64)).lately
        for block in range(12):
            for slot in range(8):
                lately.read(last, np.array([60 + 10 * block], np.uint8), np.array([(slot + 1) % step == 0]))
            lately.close(last, block, np.array([True]))
        for slot in range(4):
            lately.read(last, np.array([60], np.uint8), np.array([(slot + 1) % step == 0]))
        found.append(told(kept, 0))
    assert np.isfinite(found[1]).all()
    same = [not name.startswith("stir") for name in NAMES]
    np.testing.assert_allclose(found[1][same], found[0][same], atol=1e-4)


@given(seeds, blocks, parts, st.integers(1, 20))
@settings(max_examples=40, deadline=None)
def test_a_home_is_told_alike_alone_and_among_others(seed: int, block: int, part: float, n: int) -> None:
    """The same bits, whatever lies beside it, and for whichever rows are asked."""
    kept = homes(n, seed)
    many = told(kept, block, part)
    for row in {0, n // 2, n - 1}:
        alone = told(kept.take(np.array([row])), block, part)
        assert alone[:, 0].tobytes() == many[:, row].tobytes()
    usual = features.usual(kept.habit, evidence.tables(kept.habit))
    some = np.arange(n)[::-2]
    asked = features.features(Heads.of(kept.head), kept.lately, usual, Moment(block, part, NUMBER), some)
    assert asked.tobytes() == np.ascontiguousarray(many[:, some]).tobytes()


@pytest.mark.parametrize("gaps", [0, 0.2])
@given(seed=seeds, block=blocks, part=parts, by=st.integers(1, 50))
@settings(max_examples=40, deadline=None)
def test_a_larger_home_of_the_same_life_looks_alike(gaps: float, seed: int, block: int, part: float, by: int) -> None:
    """So many times the energy is so much more in every code: no figure moves, but for how bounded the load is, which
    is told in Wh; whatever is missing of the last day."""
    kept = homes(5, seed, 60, 140, gaps)
    larger = kept.copy()
    last, habit = larger.lately, larger.habit
    codes = last["blocks"][:, : lately.STIR]
    last["blocks"][:, : lately.STIR] = codes + by * (codes > 0).astype(np.uint8)
    for name in ("top", "low"):
        last[name] += np.uint8(by) * (last["many"] > 0)
    last["sum"] += (by * last["many"].astype(np.int32)).astype(np.uint16)
    habit["profile"] += np.uint8(by)
    habit["nights"] += np.uint8(by)
    assert (last["blocks"][:, : lately.STIR] != kept.lately["blocks"][:, : lately.STIR]).any()
    same = [not name.startswith("bounded") for name in NAMES]
    np.testing.assert_allclose(told(larger, block, part)[same], told(kept, block, part)[same], atol=2e-3)


def test_silence_and_callers_are_told_against_the_persons_own() -> None:
    """Twice the record of hours is twice the figure; callers beside the most known."""
    kept = homes(1, 5)
    kept.head["silent"], kept.habit["record"], kept.habit["callers"], kept.lately["callers"] = 80, 40, 4, 5
    x = dict(zip(NAMES, told(kept)[:, 0].tolist(), strict=True))
    assert (x["silent h"], x["silent / record"], x["callers / record"]) == (20, 2, 1)
    assert x["time of day"] == 5.5
