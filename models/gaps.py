"""A household without valid data: "data silent" is another clock than "resident silent"."""

import numpy as np
from numpy.typing import NDArray

from models.judge import Told
from models.state import Heads

NONE, GAP, PERSON = 0, 1, 2

Moved = tuple[NDArray[np.intp], NDArray[np.uint8], NDArray[np.int32]]
"""Rows whose gap state changed, and what stood before: gap states and last slots with a reading."""


def advance(heads: Heads, told: Told, gap_slots: int, person_slots: int) -> Moved | None:
    """Move the gap clocks of ``heads`` (n,) over one slot, in place; after `judge.advance`. None: nothing changed.

    GAP after ``gap_slots`` without a measured reading; PERSON when for ``person_slots`` there was neither a reading
    nor a proof of life. A gap deepens or ends, and is looked at only when a meter's interval ends.
    """
    if told.measured is None:
        return None
    number, data = told.number, heads.data
    rows = np.flatnonzero(told.due & ((data <= number - gap_slots) | (heads.gap > NONE)))
    before, data_before = heads.gap[rows], data[rows]
    np.copyto(data, number, where=told.measured)
    if not len(rows):
        return None
    if (number + 1) % SLOTS_PER_HOUR:
        back = (head["gap"] > NONE) & (head["data"] == number)
        head["gap"][back] = NONE
        return before
    without = number - data[rows]
    unseen = number - np.maximum(data[rows], heads.life[rows])
    now = np.where(unseen >= person_slots, PERSON, np.maximum(before, GAP))
    now = np.where(without >= gap_slots, now, NONE).astype(np.uint8)
    heads.gap[rows] = now
    moved = now != before
    return (rows[moved], before[moved], data_before[moved]) if moved.any() else None
