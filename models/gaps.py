"""A household without valid data: "data silent" is another clock than "resident silent"."""

import numpy as np
from numpy.typing import NDArray

from models.slots import ZERO

NONE, GAP, PERSON = 0, 1, 2


def step(
    head: NDArray[np.void],
    number: int,
    codes: NDArray[np.uint8],
    due: NDArray[np.bool_],
    gap_slots: int,
    person_slots: int,
) -> NDArray[np.uint8]:
    """Move the gap clocks of ``head`` (n,) over one slot, in place. Returns the gap states before, (n,).

    ``due`` (n,): a meter's interval ends with this slot. GAP after ``gap_slots`` without a measured reading;
    PERSON when for ``person_slots`` there was neither a reading nor a proof of life.
    """
    before = head["gap"].copy()
    head["data"][due & (codes >= ZERO)] = number
    without = number - head["data"]
    unseen = number - np.maximum(head["data"], head["life"])
    gap = np.where(without >= gap_slots, np.where(unseen >= person_slots, PERSON, GAP), NONE)
    head["gap"] = np.where(due, np.where(gap == NONE, NONE, np.maximum(gap, before)), before)
    return before
