"""What is kept of a household beside its strip: the head (where the judgement stands) and the habit (what is usual).

Both are NumPy records, one row a household, so that a block of them is one array: copied, stored and restored as bytes.
While slots are judged, the heads are `Heads`: the same figures as one array a field, which NumPy is twice as fast on.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from models.slots import BLOCKS_PER_DAY

BINS = 10
NIGHTS = 9
NIGHT_SAMPLES = 8

UNIT = 64
"""Evidence is counted in 1/64 of a natural logarithm, whole numbers: sums come out the same in any order."""
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

HABIT = np.dtype(
    [
        ("nights", "u1", (NIGHTS, NIGHT_SAMPLES)),  # codes of the last quiet nights, 0 = none yet
        ("counts", "u1", (BLOCKS_PER_DAY, BINS)),  # slots seen per two hours of the day and bin, halved when full
        ("calls", "u1", (BLOCKS_PER_DAY,)),  # slots with own phone use per two hours of the day
        ("calls_days", "u1"),  # days behind `calls`
        ("night_at", "u1"),  # where the next quiet night goes
        ("night_usual", "<u2"),  # usual mean code of a night, in 1/16
        ("days", "<u2"),  # days learned
        ("worst", "<f4"),  # usual highest score of a day (nats)
        ("stretch", "<f2"),  # usual longest silence of a day (slots)
        ("record", "<u2"),  # longest silence known, slowly forgotten (slots)
        ("drift", DRIFT),  # where usage, rhythm, phone contacts and nights are drifting
    ]
)


def fresh(since: NDArray[np.int64]) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """Head and habit of newly enrolled households; ``since`` (n,): the slot from which they are watched."""
    head, habit = np.zeros(len(since), HEAD), np.zeros(len(since), HABIT)
    for name in ("onset", "life", "data"):
        head[name] = since - 1
    habit["worst"] = 6.0  # a home like any other until it has shown its own
    return head, habit


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
