"""State of up to 1,024 households: its size, and rows that come and go."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models import state
from stream.block import BLOCKS, DRIFT, HABIT, HEAD, LATELY, SETTLED, WHO_ROW, Block
from stream.calendar import Calendar
from stream.life import Life
from stream.rules import Rules
from stream.settings import Settings
from stream.strips import LATE_DAYS, ROWS
from stream.watch import FREE, WHO

START = Calendar("Asia/Seoul").day_start(1_963_000)
HEARD = np.array([0, 0, FREE])


def block(n: int = 3, since: int = START) -> Block:
    """A block of n households with half-hourly meters."""
    who = np.zeros(n, WHO)
    who["meter_feed"], who["phone_feed"], who["step"] = 1, 2, 2
    made = Block(0)
    made.admit([f"h{i}" for i in range(n)], who, np.full(n, since), np.arange(n))
    made.dirty.clear()
    return made


def life() -> Life:
    """Rules as they are by default."""
    return Life(Rules.of(Settings()), Calendar("Asia/Seoul"))


def parts(kept: state.State) -> list[NDArray[np.void]]:
    """Its arrays: head, lately, habit."""
    return [kept.head, kept.lately, kept.habit]


def fill(made: Block, first: int, count: int) -> None:
    """Readings and calls of all rows."""
    rng = np.random.default_rng(first)
    for slot in range(first, first + count):
        rows, at = np.arange(made.n), np.full(made.n, slot)
        made.strips.write_meter(rows, at, rng.integers(2, 200, made.n).astype(np.uint8))
        made.strips.write_phone(rows, at, rng.integers(0, 4, made.n).astype(np.uint8))


def test_a_household_takes_at_most_one_and_a_half_kibibytes() -> None:
    """Strips, the state twice, drifts, and what is fixed: counted from the arrays of a full block."""
    made = Block(0)
    arrays = [made.strips.meter, made.strips.phone, made.who, made.drift, *parts(made.state), *parts(made.settled)]
    assert sum(a.nbytes for a in arrays) / ROWS <= 1536
    kept = sum(kind.itemsize for kind in (state.HEAD, state.LATELY, state.HABIT))
    assert sum(a.nbytes for a in parts(made.state)) == kept * ROWS


@pytest.mark.parametrize("pieces", [1, 4, 96])
def test_settling_comes_to_where_judging_came(pieces: int) -> None:
    """The day that leaves the ring, run again from the settled state, gives the state that was judged live."""
    made, runs = block(), life()
    fill(made, START, 96)
    for first in range(START, START + 96, 96 // pieces):
        made.judge(runs, first, first + 96 // pieces, HEARD)
    made.settle(runs, START, HEARD)
    for settled, running in zip(parts(made.settled), parts(made.state), strict=True):
        assert settled[:3].tobytes() == running[:3].tobytes()
    assert not made.strips.read(START, 96, slice(0, 3))[0].any()


def test_what_changed_is_what_is_to_be_stored() -> None:
    """Judging changes heads and the last hours, every two hours the blocks before, a midnight habits too, settling the
    settled state and the drifts; what is not said to have changed has not."""
    made, runs = block(), life()
    fill(made, START, 96)
    made.judge(runs, START, START + 1, HEARD)
    assert made.dirty == {HEAD, LATELY, BLOCKS}
    made.dirty.clear()
    before = made.state.lately.copy()
    made.judge(runs, START + 1, START + 8, HEARD)
    assert made.dirty == {HEAD, LATELY}
    assert all((before[name] == made.state.lately[name]).all() for name in ("blocks", "usual", "worst"))
    made.judge(runs, START + 8, START + 9, HEARD)
    assert made.dirty == {HEAD, LATELY, BLOCKS}
    assert (before["blocks"] != made.state.lately["blocks"]).any()
    made.judge(runs, START + 9, START + 96, HEARD)
    assert made.dirty == {HEAD, LATELY, BLOCKS, HABIT}
    made.dirty.clear()
    made.settle(runs, START, HEARD)
    assert made.dirty == {SETTLED, DRIFT}


def test_a_row_given_to_somebody_else_holds_nothing_of_the_first() -> None:
    """Dismissed and admitted again: as a new household in a new block."""
    made, runs, fresh = block(), life(), block(since=START + 96)
    fill(made, START, 96)
    made.judge(runs, START, START + 96, HEARD)
    made.settle(runs, START, HEARD)
    fill(made, START + 96, 96)
    made.dismiss(1)
    assert made.dirty >= {WHO_ROW, SETTLED, DRIFT, LATELY}
    assert not any(a[1].tobytes().strip(b"\0") for a in (made.drift, *parts(made.state), *parts(made.settled)))
    made.admit(["new"], fresh.who[1:2], np.array([START + 96]), np.array([1]))
    mine, new = ((b.drift, *parts(b.state), *parts(b.settled)) for b in (made, fresh))
    assert all(a[1] == b[1] for a, b in zip(mine, new, strict=True))
    assert not made.strips.meter[:, 1].any()
    assert made.ids[1] == "new"


def test_rows_of_a_block_do_not_touch_each_other() -> None:
    """What stands in one row is the same whatever the others hold."""
    made, other, runs = block(5), block(5), life()
    fill(made, START, 96)
    other.strips.meter[:, 2], other.strips.phone[:, 2] = made.strips.meter[:, 2], made.strips.phone[:, 2]
    for b in (made, other):
        b.judge(runs, START, START + 96, HEARD)
    for mine, beside in zip(parts(made.state), parts(other.state), strict=True):
        assert mine[2] == beside[2]
    assert LATE_DAYS == 7
