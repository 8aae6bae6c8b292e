"""The last week as a person can look at it: kWh an hour against the person's own band."""

import numpy as np
from numpy.typing import NDArray

from models.evidence import Tables
from models.slots import BLOCKS_PER_DAY, OWN, SLOTS_PER_HOUR, decode_energy

LOWER, UPPER = 0.1, 0.9
_LEAST_DAYS = 3


def hourly_energy(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Meter codes of whole hours (4 h,) -> kWh per hour (h,), NaN where a slot of the hour is not measured."""
    return decode_energy(codes).astype(np.float64).reshape(-1, SLOTS_PER_HOUR).sum(axis=1) / 1000


def hourly_own_use(phone: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Phone codes of whole hours (4 h,) -> slots with own use per hour (h,)."""
    return (phone.reshape(-1, SLOTS_PER_HOUR) == OWN).sum(axis=1)


def usual_band(habit: NDArray[np.void], tables: Tables, row: int) -> NDArray[np.float64]:
    """kWh an hour between which this person usually is, per two hours of the day: (12, 2); NaN while unknown.

    The 10 % and 90 % points of the habit's bins, told by the bins' edges; of the lowest bin, by the lowest of the
    quiet nights. Unknown for the first three days.
    """
    if not tables.known[row] or habit["days"][row] < _LEAST_DAYS:
        return np.full((BLOCKS_PER_DAY, 2), np.nan)
    nights = habit["nights"][row]
    codes = np.concatenate([nights[nights > 0].min(keepdims=True), tables.edges[:, row]])
    bounds = decode_energy(codes).astype(np.float64) * SLOTS_PER_HOUR / 1000
    bounds = np.append(bounds, bounds[-1] * 2)
    active = (habit["active"][row] / 255)[:, None]
    share = np.concatenate([(1 - active) * np.exp(tables.idle[row]), active * np.exp(tables.busy[row])], axis=1)
    share = share.cumsum(axis=1)
    low = bounds[(share < LOWER).sum(axis=1)]
    high = bounds[np.minimum((share < UPPER).sum(axis=1) + 1, len(bounds) - 1)]
    return np.stack([low, high], axis=1)


def quiet_load(tables: Tables, row: int) -> float:
    """kW below which nine in ten slots of this home's quiet nights are."""
    return float(decode_energy(tables.edges[4:5, row])[0]) * SLOTS_PER_HOUR / 1000
