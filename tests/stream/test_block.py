"""State of up to 1,024 households: its size, and rows that come and go."""

import numpy as np
import pytest

from models.state import HABIT, HEAD
from stream.block import HABIT as HABIT_PART
from stream.block import HEAD as HEAD_PART
from stream.block import SETTLED, WHO_ROW, Block
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


def fill(made: Block, first: int, count: int) -> None:
    """Readings and calls of all rows."""
    rng = np.random.default_rng(first)
    for slot in range(first, first + count):
        rows, at = np.arange(made.n), np.full(made.n, slot)
        made.strips.write_meter(rows, at, rng.integers(2, 200, made.n).astype(np.uint8))
        made.strips.write_phone(rows, at, rng.integers(0, 4, made.n).astype(np.uint8))


def test_a_household_takes_at_most_one_and_a_half_kibibytes() -> None:
    """Strips, heads and habits twice, and what is fixed: counted from the arrays of a full block."""
    made = Block(0)
    arrays = (
        made.strips.meter,
        made.strips.phone,
        made.head,
        made.habit,
        made.settled_head,
        made.settled_habit,
        made.who,
    )
    assert sum(a.nbytes for a in arrays) / ROWS <= 1536
    assert HEAD.itemsize + HABIT.itemsize <= 268


@pytest.mark.parametrize("pieces", [1, 4, 96])
def test_settling_comes_to_where_judging_came(pieces: int) -> None:
    """The day that leaves the ring, run again from the settled state, gives the state that was judged live."""
    made, runs = block(), life()
    fill(made, START, 96)
    for first in range(START, START + 96, 96 // pieces):
        made.judge(runs, first, first + 96 // pieces, HEARD)
    made.settle(runs, START, HEARD)
    assert made.settled_head[:3].tobytes() == made.head[:3].tobytes()
    assert made.settled_habit[:3].tobytes() == made.habit[:3].tobytes()
    assert not made.strips.read(START, 96, slice(0, 3))[0].any()


def test_what_changed_is_what_is_to_be_stored() -> None:
    """Judging changes heads, a midnight habits too, settling the settled state."""
    made, runs = block(), life()
    made.judge(runs, START, START + 1, HEARD)
    assert made.dirty == {HEAD_PART}
    made.judge(runs, START + 1, START + 96, HEARD)
    assert made.dirty == {HEAD_PART, HABIT_PART}
    made.dirty.clear()
    made.settle(runs, START, HEARD)
    assert made.dirty == {SETTLED}


def test_a_row_given_to_somebody_else_holds_nothing_of_the_first() -> None:
    """Dismissed and admitted again: as a new household in a new block."""
    made, runs, fresh = block(), life(), block(since=START + 96)
    fill(made, START, 96)
    made.judge(runs, START, START + 96, HEARD)
    made.dismiss(1)
    assert made.dirty >= {WHO_ROW, SETTLED}
    made.admit(["new"], fresh.who[1:2], np.array([START + 96]), np.array([1]))
    for name in ("head", "habit", "settled_head", "settled_habit"):
        assert getattr(made, name)[1] == getattr(fresh, name)[1]
    assert not made.strips.meter[:, 1].any()
    assert made.ids[1] == "new"


def test_rows_of_a_block_do_not_touch_each_other() -> None:
    """What stands in one row is the same whatever the others hold."""
    made, other, runs = block(5), block(5), life()
    fill(made, START, 96)
    other.strips.meter[:, 2], other.strips.phone[:, 2] = made.strips.meter[:, 2], made.strips.phone[:, 2]
    for b in (made, other):
        b.judge(runs, START, START + 96, HEARD)
    assert made.head[2] == other.head[2]
    assert made.habit[2] == other.habit[2]
    assert LATE_DAYS == 7
