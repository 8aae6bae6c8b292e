"""The last week as a person can look at it: kWh an hour against the person's own band."""

import numpy as np
from numpy.typing import NDArray

from models.evidence import Tables
from models.slots import OWN, SLOTS_PER_HOUR, decode_energy

LOWER, UPPER = 0.1, 0.9
_LEAST = 24  # slots of a two-hour block


def hourly_energy(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Meter codes of whole hours (4 h,) -> kWh per hour (h,), NaN where a slot of the hour is not measured."""
    return decode_energy(codes).astype(np.float64).reshape(-1, SLOTS_PER_HOUR).sum(axis=1) / 1000


def hourly_own_use(phone: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Phone codes of whole hours (4 h,) -> slots with own use per hour (h,)."""
    return (phone.reshape(-1, SLOTS_PER_HOUR) == OWN).sum(axis=1)


def usual_band(habit: NDArray[np.void], tables: Tables, row: int) -> NDArray[np.float64]:
    """kWh an hour between which this person usually is, per two hours of the day: (12, 2); NaN while unknown.

    The 10 % and 90 % points of the habit's bins, told by the bins' edges; of the lowest bin, by the lowest of the
    quiet nights. Unknown until a two-hour block has been seen for three days.
    """
    counts = habit["counts"][row].astype(np.float64)
    many = counts.sum(axis=1)
    if not tables.known[row]:
        return np.full((len(counts), 2), np.nan)
    nights = habit["nights"][row]
    codes = np.concatenate([nights[nights > 0].min(keepdims=True), tables.edges[:, row]])
    bounds = decode_energy(codes).astype(np.float64) * SLOTS_PER_HOUR / 1000
    bounds = np.append(bounds, bounds[-1] * 2)
    share = counts.cumsum(axis=1) / np.maximum(many, 1)[:, None]
    low = bounds[(share < LOWER).sum(axis=1)]
    high = bounds[np.minimum((share < UPPER).sum(axis=1) + 1, len(bounds) - 1)]
    band = np.stack([low, high], axis=1)
    band[many < _LEAST] = np.nan
    return band


def quiet_load(tables: Tables, row: int) -> float:
    """kW below which nine in ten slots of this home's quiet nights are."""
    return float(decode_energy(tables.edges[4:5, row])[0]) * SLOTS_PER_HOUR / 1000
