"""What is kept of a household beside its strip: the head (where the judgement stands) and the habit (what is usual).

Both are NumPy records, one row a household, so that a block of them is one array: copied, stored and restored as bytes.
While slots are judged, the heads are `Heads`: the same figures as one array a field, which NumPy is twice as fast on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from models.slots import BLOCKS_PER_DAY

BINS = 10
NIGHTS = 5
NIGHT_SAMPLES = 8
CALL_BLOCKS = 6
"""Four-hour blocks in which phone use is learned."""
MARKS = 2
"""Figures of the last hours whose usual and worst values are known for each block of the day, see `models.lately`."""

UNIT = 64
"""Evidence is counted in 1/64 of a natural logarithm, whole numbers: sums come out the same in any order."""
FLOOR = -5 * UNIT
"""The least log-odds that are counted: surer than this that somebody lives is no news."""
CAP = 500 * UNIT
"""Evidence beyond this is no longer counted: it is past every level, and one more slot still fits 16 bits."""

HEAD = np.dtype(
    [
        ("score", "<u2"),  # joint evidence that nobody lives here now, meter and phone (1/64 nat)
        ("meter", "<u2"),  # the meter's part
        ("phone", "<u2"),  # the phone's part: silence since the last own use
        ("silent", "<u2"),  # slots known to be without life since the last proof of life
        ("peak", "<u2"),  # today's highest score, for the calibration
        ("stretch", "<u2"),  # today's longest silence in slots
        ("onset", "<i4"),  # slot since which life is missing; meaningful while score or level > 0
        ("life", "<i4"),  # slot of the last proof of life
        ("data", "<i4"),  # last slot with a measured reading
        ("caution", "<i2"),  # the learned log-odds that nobody lives here, as a mean of the last hours (1/64 nat)
        ("serious", "<i2"),  # ... of a longer time, see `judge.PACES`
        ("level", "u1"),  # 0 none, 1 attention, 2 caution, 3 serious
        ("gap", "u1"),  # 0 data there, 1 data_gap, 2 data_gap that a person is to look at
    ]
)

SIGNALS = 4
"""Daily signals that drift is told by, in the order of `models.decline`: use, rhythm, phone, night."""

DRIFT = np.dtype(
    [
        ("slow", "<u2", (SIGNALS,)),  # each signal's mean over eight weeks, in 1/256
        ("fast", "u1", (SIGNALS,)),  # ... over two weeks
        ("spread", "u1", (SIGNALS,)),  # how far a usual day is from `fast`, on a logarithmic scale
        ("days", "u1", (2,)),  # days learned from the meter and from the phone, up to 255
        ("course", "u1", (2,)),  # where an alert on decline and one on reversal stand, see `models.decline`
    ]
)

LATELY = np.dtype(
    [
        ("joint", "<u2"),  # evidence of meter and phone since the last own phone use, not ended by load (1/64 nat)
        ("before", "<u2"),  # its value when the phone was last used
        ("joint_peak", "<u2"),  # today's highest
        ("phone_peak", "<u2"),  # today's highest evidence of the phone alone
        ("unused", "<u2"),  # slots heard since the last own phone use
        ("callers", "u1"),  # slots since then in which somebody tried to reach the resident
        ("callers_peak", "u1"),  # today's highest
        ("waiting", "u1"),  # half hours since the first of them
        ("waiting_peak", "u1"),  # today's longest
        ("last", "u1"),  # code of the last measured reading
        ("many", "u1"),  # readings of the present two-hour block so far,
        ("sum", "<u2"),  # ... the sum of their codes,
        ("stir", "<u2"),  # ... and of their changes,
        ("top", "u1"),  # ... their highest
        ("low", "u1"),  # ... and lowest code
        ("blocks", "u1", (4, BLOCKS_PER_DAY)),  # mean, highest, lowest code and mean change of the last day's blocks
        ("usual", "u1", (MARKS, BLOCKS_PER_DAY)),  # what is rather low (high) for a mark at the end of a block
        ("worst", "u1", (MARKS, BLOCKS_PER_DAY)),  # the lowest (highest) lately, forgotten by a code a day
    ]
)

HABIT = np.dtype(
    [
        ("nights", "u1", (NIGHTS, NIGHT_SAMPLES)),  # codes of the last quiet nights, 0 = none yet
        ("active", "u1", (BLOCKS_PER_DAY,)),  # share of readings above the quiet load by two hours, in 1/255
        ("bins", "<u2", (BINS,)),  # share of readings of the whole day per bin, in 1/65535
        ("profile", "u1", (BLOCKS_PER_DAY,)),  # usual mean code per two hours of the day
        ("calls", "u1", (CALL_BLOCKS,)),  # slots with own phone use per four hours of the day
        ("calls_days", "u1"),  # days behind `calls`
        ("night_at", "u1"),  # low 3 bits: where the next quiet night goes; above: days on end too strange to learn
        ("night_usual", "<u2"),  # usual mean code of a night, in 1/16
        ("days", "<u2"),  # days learned
        ("worst", "<f2"),  # usual highest score of a day (nats)
        ("joint", "<f2"),  # usual highest joint evidence of a day (nats)
        ("stretch", "<f2"),  # usual longest silence of a day (slots)
        ("record", "<u2"),  # longest silence known, slowly forgotten (slots)
        ("phone", "<f2"),  # usual highest evidence of the phone of a day (nats)
        ("phone_record", "<f2"),  # the highest known, slowly forgotten
        ("callers", "u1"),  # most callers in vain known, slowly forgotten
        ("wait", "u1"),  # usual longest time of a day until callers are answered (half hours)
        ("wait_record", "u1"),  # the longest known, slowly forgotten
    ]
)

_ACTIVE = (40, 30, 30, 60, 110, 120, 120, 120, 130, 150, 140, 90)
_BINS = (0.04, 0.08, 0.09, 0.09, 0.1, 0.1, 0.12, 0.13, 0.12, 0.13)
"""A home like any other, until it has shown its own: rounded means over real homes of several kinds."""


@dataclass(slots=True)
class State:
    """All that is kept of n households beside their strips; the arrays are moved in place."""

    head: NDArray[np.void]
    lately: NDArray[np.void]
    habit: NDArray[np.void]

    def take(self, rows: slice | NDArray[np.int64]) -> "State":
        """These rows: views for a slice, copies for numbers."""
        return State(self.head[rows], self.lately[rows], self.habit[rows])

    def put(self, rows: slice | NDArray[np.int64], other: "State") -> None:
        """Overwrite these rows."""
        self.head[rows], self.lately[rows], self.habit[rows] = other.head, other.lately, other.habit

    def copy(self) -> "State":
        """A copy of its own."""
        return State(self.head.copy(), self.lately.copy(), self.habit.copy())


def joined(parts: Sequence[State]) -> State:
    """Rows of several states, one after the other."""
    return State(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("head", "lately", "habit")))


def fresh(since: NDArray[np.int64]) -> State:
    """State of newly enrolled households; ``since`` (n,): the slot from which they are watched."""
    n = len(since)
    head, lately, habit = np.zeros(n, HEAD), np.zeros(n, LATELY), np.zeros(n, HABIT)
    for name in ("onset", "life", "data"):
        head[name] = since - 1
    head["caution"] = head["serious"] = FLOOR
    habit["worst"], habit["joint"], habit["phone"], habit["phone_record"] = 6, 8, 2, 4
    habit["callers"], habit["wait"], habit["wait_record"] = 2, 8, 16
    habit["active"], habit["bins"] = _ACTIVE, [round(65_535 * share) for share in _BINS]
    return State(head, lately, habit)


@dataclass(slots=True)
class Heads:
    """The fields of n heads as arrays (n,) of their own, moved in place; see `HEAD` for what they mean."""

    score: NDArray[np.int16]
    meter: NDArray[np.int16]
    phone: NDArray[np.int16]
    silent: NDArray[np.uint16]
    peak: NDArray[np.int16]
    stretch: NDArray[np.uint16]
    onset: NDArray[np.int32]
    life: NDArray[np.int32]
    data: NDArray[np.int32]
    caution: NDArray[np.int16]
    serious: NDArray[np.int16]
    level: NDArray[np.uint8]
    gap: NDArray[np.uint8]

    @classmethod
    def of(cls, head: NDArray[np.void]) -> "Heads":
        """Copies of the fields of ``head`` (n,)."""
        return cls(*(head[name].astype(kind) for name, kind in _KINDS.items()))

    def store(self, head: NDArray[np.void]) -> None:
        """Write the fields back into ``head`` (n,)."""
        for name in _KINDS:
            head[name] = getattr(self, name)


_SIGNED = ("score", "meter", "phone", "peak")  # they stay below CAP, and evidence is signed
_KINDS = {f.name: np.dtype("<i2") if f.name in _SIGNED else HEAD[f.name] for f in fields(Heads)}
