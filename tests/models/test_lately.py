"""The last hours of a home, kept as they come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models import lately
from models.lately import JOINT, LOW, MEAN, RANGE, STIR, TOP
from models.slots import ESTIMATED, MISSING, ZERO
from models.state import CAP, UNIT, Heads, fresh

YES, NO = np.array([True]), np.array([False])
readings = st.lists(st.integers(0, 255), max_size=8)


def new(n: int = 1) -> NDArray[np.void]:
    """Of a home of which nothing is known."""
    return fresh(np.zeros(n, np.int64)).lately


def read(last: NDArray[np.void], *codes: int) -> None:
    """Readings of one slot each; what is not measured is none."""
    for code in codes:
        lately.read(last, np.array([code], np.uint8), np.array([code >= ZERO]))


def add(
    last: NDArray[np.void], evidence: int | None = 0, own: bool = False, watched: bool = True, called: bool = False,
    phone: int = 0, half_hour: bool = True,
) -> None:  # fmt: skip
    """One slot of which the phone feed tells."""
    heads = Heads.of(fresh(np.zeros(1, np.int64)).head)
    heads.phone[:] = phone
    told = None if evidence is None else np.array([evidence], np.int16)
    one = [np.array([x]) for x in (watched, own, watched, called)]
    lately.add(last, heads, *one, told, half_hour)


@given(readings)
def test_a_block_is_the_mean_top_low_and_change_of_its_readings(codes: list[int]) -> None:
    """Rounded to whole codes, and nothing where no reading was measured; then the next block begins empty."""
    last = new()
    read(last, *codes)
    lately.close(last, 7, YES)
    measured = np.array([c for c in codes if c >= ZERO])
    found = last["blocks"][0, :, 7].tolist()
    if not len(measured):
        assert found == [0, 0, 0, 0]
    else:
        assert found[TOP] == measured.max()
        assert found[LOW] == measured.min()
        assert abs(found[MEAN] - measured.mean()) <= 0.5
        assert abs(found[STIR] - np.abs(np.diff(measured)).sum() / len(measured)) <= 0.5
    assert all(last[name][0] == 0 for name in ("many", "sum", "stir", "top", "low"))
    assert not last["blocks"][0, :, :7].any()


@given(st.permutations([50, 60, 90, 200]))
def test_mean_and_range_do_not_depend_on_the_order_of_readings(codes: list[int]) -> None:
    """Only how much they change from one to the next does."""
    one, other = new(), new()
    read(one, 50, 60, 90, 200)
    read(other, *codes)
    assert all(one[name] == other[name] for name in ("many", "sum", "top", "low"))


@pytest.mark.parametrize("code", [MISSING, ESTIMATED])
def test_a_slot_that_was_not_measured_leaves_no_trace(code: int) -> None:
    """Between two readings, before them and after them: as if it had not been."""
    plain, gaps = new(), new()
    read(plain, 60, 90)
    read(gaps, code, 60, code, code, 90, code)
    assert plain.tobytes() == gaps.tobytes()


@pytest.mark.slow
@given(st.lists(st.tuples(readings, st.booleans()), min_size=1, max_size=14), st.integers(2, 9))
def test_one_home_comes_out_alone_as_among_others(blocks: list[tuple[list[int], bool]], n: int) -> None:
    """Byte for byte, whatever the others read."""
    rng, alone, many = np.random.default_rng(n), new(), new(n)
    for number, (codes, learn) in enumerate(blocks):
        for code in codes:
            read(alone, code)
            row = rng.integers(0, 256, n).astype(np.uint8)
            row[1] = code
            lately.read(many, row, row >= ZERO)
        lately.close(alone, number % 12, np.array([learn]))
        told = rng.random(n) < 0.5
        told[1] = learn
        lately.close(many, number % 12, told)
    assert many[1] == alone[0]


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(-300, 300), st.sampled_from(["", "", "", "own", "away"])), max_size=60))
def test_joint_evidence_lies_within_bounds_and_own_use_ends_it(slots: list[tuple[int, str]]) -> None:
    """A sum that stays between nothing and the cap; the phone used, or nobody watched: begun anew."""
    last, joint, peak = new(), 0, 0
    for evidence, what in slots:
        before = joint
        add(last, evidence, own=what == "own", watched=what != "away")
        joint = 0 if what else min(max(joint + evidence, 0), CAP)
        peak = max(peak, joint)
        assert (last["joint"][0], last["joint_peak"][0]) == (joint, peak)
        if what == "own":
            assert last["before"][0] == before


def test_callers_in_vain_are_counted_until_the_phone_is_used() -> None:
    """Slots with callers, half hours since the first, slots heard since the last use; what was the most stays."""
    last = new()
    for called in (False, True, False, True):
        add(last, called=called)
    names = ("unused", "callers", "waiting", "callers_peak", "waiting_peak")
    assert [int(last[name][0]) for name in names] == [4, 2, 3, 2, 3]
    add(last, half_hour=False)
    assert last["waiting"][0] == 3
    add(last, own=True)
    assert [int(last[name][0]) for name in names] == [0, 0, 0, 2, 3]
    for _ in range(300):
        add(last, called=True)
    assert [int(last[name][0]) for name in names] == [300, 255, 255, 255, 255]


def closed(last: NDArray[np.void], codes: tuple[int, ...], joint: int = 0, learn: NDArray[np.bool_] = YES) -> None:
    """A day of blocks of these readings, with this joint evidence."""
    last["joint"] = joint
    for block in range(12):
        read(last, *codes)
        lately.close(last, block, learn)


def marks(last: NDArray[np.void], mark: int) -> tuple[int, int]:
    """Usual and worst at the end of the block from six to eight."""
    return int(last["usual"][0, mark, 3]), int(last["worst"][0, mark, 3])


def test_marks_are_the_first_days_value_and_go_a_quarter_to_what_is_more_extreme() -> None:
    """Up by a quarter of the way, back by 1/24 and one at least; the worst at once, and back by one a day."""
    last = new()
    nats = [np.expm1(code / 16) * UNIT for code in (16, 48)]
    codes = [int(lately.joint_code(np.array([round(x)], np.uint16))[0]) for x in nats]
    closed(last, (60, 80), round(nats[0]))
    assert marks(last, JOINT) == (codes[0], codes[0])
    closed(last, (60, 80), round(nats[1]))
    up = codes[0] - (codes[0] - codes[1]) // 4
    assert marks(last, JOINT) == (up, codes[1])
    closed(last, (60, 80), round(nats[0]))
    assert marks(last, JOINT) == (up - max((up - codes[0]) // 24, 1), codes[1] - 1)


def test_of_the_range_the_narrow_is_extreme() -> None:
    """Silence is a load that hardly moves: the mark goes a quarter of the way down to it, and a little up."""
    last = new()
    closed(last, (60, 100))
    assert marks(last, RANGE) == (40, 40)
    closed(last, (60, 80))
    assert marks(last, RANGE) == (35, 20)
    closed(last, (60, 100))
    assert marks(last, RANGE) == (36, 21)


def test_marks_learn_only_where_they_may_and_of_whole_eight_hours() -> None:
    """An alarmed time leaves both, a block without a reading the range for the next eight hours."""
    last = new()
    closed(last, (60, 100), 640)
    before = marks(last, JOINT), marks(last, RANGE)
    closed(last, (60, 61), 9000, learn=NO)
    assert (marks(last, JOINT), marks(last, RANGE)) == before
    last = new()
    for block in range(8):
        read(last, *(() if block == 2 else (60, 100)))
        lately.close(last, block, YES)
    assert (last["usual"][0, RANGE, :8] > 0).tolist() == [False] * 6 + [True] * 2
    assert (last["usual"][0, JOINT, :8] > 0).all()


def test_the_code_of_evidence_keeps_its_order() -> None:
    """More evidence is never a smaller code, up to the cap."""
    codes = lately.joint_code(np.arange(CAP + 1, dtype=np.uint16)).astype(int)
    assert (np.diff(codes) >= 0).all()
    assert codes[0] == 0
    assert codes[-1] <= 255
