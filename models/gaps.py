"""A household without valid data: "data silent" is another clock than "resident silent"."""

import numpy as np
from numpy.typing import NDArray

from models.judge import Mask, Told
from models.state import Heads

NONE, GAP, PERSON = 0, 1, 2

Moved = tuple[NDArray[np.intp], NDArray[np.uint8], NDArray[np.int32]]
"""Rows whose gap state changed, and what stood before: gap states and last slots with a reading."""


def advance(
    heads: Heads, told: Told, asked: Mask | None, absent: Mask | None, gap_slots: int, person_slots: int
) -> Moved | None:
    """Move the gap clocks of ``heads`` (n,) over one slot, in place; after `judge.advance`. None: nothing changed.

    GAP after ``gap_slots`` without a measured reading; PERSON when for ``person_slots`` there was neither a reading
    nor a proof of life. ``asked`` (n,): watched by a meter; given once an hour, when a gap may begin or deepen,
    whether or not the meter's interval is known yet. A reading ends it at once. ``absent`` (n,): nobody waits for data
    of them, and their clocks begin anew when they are back.
    """
    number, data, gap = told.number, heads.data, heads.gap
    touched = np.zeros(len(gap), np.bool_) if asked is None else asked & ((data <= number - gap_slots) | (gap > NONE))
    for over in (told.measured, absent):
        if over is not None:
            touched |= over & (gap > NONE)
    rows = np.flatnonzero(touched)
    before, data_before = gap[rows], data[rows]
    for over in (told.measured, absent):
        if over is not None:
            np.copyto(data, number, where=over)
    if not len(rows):
        return None
    without = number - data[rows]
    unseen = number - np.maximum(data[rows], heads.life[rows])
    now = np.where(unseen >= person_slots, PERSON, np.maximum(before, GAP))
    now = np.where(without >= gap_slots, now, NONE).astype(np.uint8)
    gap[rows] = now
    moved = now != before
    return (rows[moved], before[moved], data_before[moved]) if moved.any() else None
