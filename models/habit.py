"""What is usual for a household, learned a day at a time and forgotten slowly."""

import numpy as np
from numpy.typing import NDArray

from models import evidence
from models.slots import BLOCKS_PER_DAY, OWN, SLOTS_PER_HOUR, ZERO
from models.state import NIGHT_SAMPLES, NIGHTS, UNIT

NIGHT = slice(1 * SLOTS_PER_HOUR, 5 * SLOTS_PER_HOUR)
"""01:00-05:00 in the 96 slots of a day."""

_FULL = 60  # slots per two-hour table before it is halved: half a fortnight counts as much as all before it
_CALL_DAYS = 24
_MEMORY_DAYS = 30
_WORST = 90 * UNIT  # one day's score counts at most this much in the calibration


def learn_day(
    habit: NDArray[np.void],
    head: NDArray[np.void],
    codes: NDArray[np.uint8],
    phone: NDArray[np.uint8],
    blocks: NDArray[np.intp],
    heard: NDArray[np.bool_],
    learn: NDArray[np.bool_],
) -> None:
    """Take one finished day into ``habit`` (n,), in place, and begin the day's peaks in ``head`` anew.

    ``codes``, ``phone`` (96, n): the day's strip, from local midnight. ``blocks`` (96,): two-hour block of each slot.
    ``heard`` (n,): the phone feed was complete all day. ``learn`` (n,): not absent, not alarmed.
    """
    _learn_night(habit, codes[NIGHT], learn)
    _learn_counts(habit, codes, blocks, learn)
    _learn_calls(habit, phone, blocks, learn & heard)
    rate = 1 / np.minimum(habit["days"] + np.float32(11), np.float32(_MEMORY_DAYS))
    rate[habit["days"] == 0] = 0  # the first day is half a day
    worst = np.minimum(head["peak"], _WORST) / np.float32(UNIT)
    habit["worst"] += rate * (worst - habit["worst"])
    habit["stretch"] += np.maximum(rate, np.float32(0.05)) * (head["stretch"] - habit["stretch"])
    habit["days"] += ((codes >= ZERO).any(axis=0) | heard) & (habit["days"] < 60_000)
    head["peak"], head["stretch"] = head["score"], head["silent"]


def _learn_night(habit: NDArray[np.void], night: NDArray[np.uint8], learn: NDArray[np.bool_]) -> None:
    whole = learn & (night >= ZERO).all(axis=0)
    mean = night.sum(axis=0, dtype=np.int32)  # 16 slots: the sum is the mean in 1/16
    usual = habit["night_usual"].astype(np.int32)
    usual = np.where(usual == 0, mean, usual)
    quiet = np.flatnonzero(whole & (mean <= usual))
    at = habit["night_at"][quiet]
    habit["nights"][quiet, at] = night[1 :: len(night) // NIGHT_SAMPLES, quiet].T
    habit["night_at"][quiet] = (at + 1) % NIGHTS
    drift = np.clip((mean - usual) // 2, -24, 24)
    habit["night_usual"] = np.where(whole, usual + drift, habit["night_usual"])


def _learn_counts(
    habit: NDArray[np.void], codes: NDArray[np.uint8], blocks: NDArray[np.intp], learn: NDArray[np.bool_]
) -> None:
    tables = evidence.tables(habit)
    in_bin = evidence.bins(codes, tables.edges)
    use = learn & tables.known
    for block in range(BLOCKS_PER_DAY):
        at = np.flatnonzero(blocks == block)
        counts = habit["counts"][:, block, :].astype(np.int32)
        for slot in at:
            rows = np.flatnonzero(use & (codes[slot] >= ZERO))
            counts[rows, in_bin[slot, rows]] += 1
        full = counts.sum(axis=1) > _FULL
        counts[full] //= 2
        habit["counts"][:, block, :] = counts


def _learn_calls(
    habit: NDArray[np.void], phone: NDArray[np.uint8], blocks: NDArray[np.intp], learn: NDArray[np.bool_]
) -> None:
    calls = habit["calls"].astype(np.int32)
    for block in range(BLOCKS_PER_DAY):
        calls[:, block] += np.where(learn, (phone[blocks == block] == OWN).sum(axis=0), 0)
    days = habit["calls_days"].astype(np.int32) + learn
    full = days > _CALL_DAYS
    calls[full] //= 2
    days[full] //= 2
    habit["calls"], habit["calls_days"] = np.minimum(calls, 255), days
