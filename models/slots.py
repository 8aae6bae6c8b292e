"""Slots of 15 minutes, and how a slot's energy and phone activity are coded in a byte or less."""

import numpy as np
from numpy.typing import NDArray

SLOT_SECONDS = 900
SLOTS_PER_DAY = 96
SLOTS_PER_HOUR = 4
BLOCKS_PER_DAY = 12
"""Two-hour blocks of the day, the resolution of habits."""

MISSING, ESTIMATED, ZERO = 0, 1, 2
"""Meter codes: no reading, a value the utility made up, and the code of 0 Wh. Larger is more, so that the
larger of two codes is the better knowledge: writing is taking the maximum, in any order, any number of times."""

NOTHING, DATA, INCOMING, OWN = 0, 1, 2, 3
"""Phone codes of a slot, two bits: silent, data only, somebody tried to reach the resident, the resident used it."""

STEPS = 25.5
"""Codes per e-fold of energy: a code is 4 % wide, 1 Wh to 20 kWh a slot fit in a byte."""


def slot_of(seconds: NDArray[np.int64]) -> NDArray[np.int64]:
    """UTC seconds (n,) -> slot numbers (n,) since 1970."""
    return seconds // SLOT_SECONDS


def encode_energy(wh: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Wh per slot (any shape, >= 0) -> meter codes: 2 + 25.5 ln(1 + Wh), at most 255."""
    scaled: NDArray[np.float32] = np.float32(STEPS) * np.log1p(wh.astype(np.float32))
    return np.minimum(np.rint(scaled) + ZERO, 255).astype(np.uint8)


def decode_energy(code: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Meter codes (any shape) -> Wh per slot, NaN where there is no measured value."""
    return _DECODED[code]


def _decoded() -> NDArray[np.float32]:
    wh = np.expm1((np.arange(256) - ZERO) / STEPS).astype(np.float32)
    wh[:ZERO] = np.nan
    return wh


_DECODED = _decoded()


def code_of_watts(watts: float) -> int:
    """The meter code of a steady load."""
    return int(encode_energy(np.array([watts * SLOT_SECONDS / 3600], np.float32))[0])
