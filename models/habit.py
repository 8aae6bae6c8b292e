"""What is usual for a household, learned a day at a time and forgotten slowly."""

import numpy as np
from numpy.typing import NDArray

from models import evidence
from models.slots import BLOCKS_PER_DAY, OWN, SLOTS_PER_HOUR, ZERO
from models.state import BINS, NIGHT_SAMPLES, NIGHTS, UNIT, Heads

NIGHT = slice(1 * SLOTS_PER_HOUR, 5 * SLOTS_PER_HOUR)
"""01:00-05:00 in the 96 slots of a day."""

_FULL = 60  # slots per two-hour table before it is halved: the last week counts as much as all before it
_CALL_DAYS = 24
_RECORD = 60 * 96  # slots; a half-float holds it, and no limit is so long
_MEMORY_DAYS = 20
_WORST = 90 * UNIT  # one day's score counts at most this much in the calibration


def learn_day(
    habit: NDArray[np.void],
    heads: Heads,
    codes: NDArray[np.uint8],
    phone: NDArray[np.uint8],
    blocks: NDArray[np.intp],
    heard: NDArray[np.bool_],
    there: NDArray[np.bool_],
    learn: NDArray[np.bool_],
    floor: NDArray[np.uint8],
) -> evidence.Tables:
    """Take one finished day into ``habit`` (n,), in place, and begin the day's peaks in ``heads`` anew.

    ``codes``, ``phone`` (96, n): the day's strip, from local midnight. ``blocks`` (96,): two-hour block of each slot.
    ``there`` (n,): enrolled and not absent; ``heard`` (n,): there, and the phone feed was complete all day; ``learn``
    (n,): there and not alarmed; ``floor`` (n,): the least code that is evidence, so that a night without power is not
    taken for a quiet one. Returns the tables that follow.
    """
    _learn_night(habit, codes[NIGHT], learn & (codes[NIGHT] >= floor).all(axis=0))
    tables = evidence.tables(habit)
    _learn_counts(habit, codes, blocks, learn & tables.known & (codes >= floor), tables.edges)
    tables.usual = evidence.usual(habit)
    _learn_calls(habit, phone, blocks, learn & heard)
    told = there & ((codes >= ZERO).any(axis=0) | heard)
    rate = 1 / np.minimum(habit["days"] + np.float32(11), np.float32(_MEMORY_DAYS))
    rate[~told | (habit["days"] == 0)] = 0  # the first day is half a day
    worst = np.minimum(heads.peak, _WORST) / np.float32(UNIT)
    habit["worst"] += rate * (worst - habit["worst"])
    _learn_silence(habit, heads.stretch, rate > 0)
    habit["days"] += told & (habit["days"] < 60_000)
    heads.peak, heads.stretch = heads.score.copy(), heads.silent.copy()
    return tables


def _learn_silence(habit: NDArray[np.void], longest: NDArray[np.uint16], told: NDArray[np.bool_]) -> None:
    """The day's longest silence (n,): its mean over three weeks, and the longest of all, forgotten by 1/32 a day."""
    usual = habit["stretch"].astype(np.float32)
    rate = 1 / np.clip(habit["days"], 1, 20).astype(np.float32)
    today = np.minimum(longest, _RECORD)
    habit["stretch"] = np.where(told, usual + rate * (today - usual), usual)
    record = habit["record"]
    habit["record"] = np.where(told, np.maximum(today, record - (record + 16) // 32), record)


def _learn_night(habit: NDArray[np.void], night: NDArray[np.uint8], whole: NDArray[np.bool_]) -> None:
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
    habit: NDArray[np.void],
    codes: NDArray[np.uint8],
    blocks: NDArray[np.intp],
    use: NDArray[np.bool_],
    edges: NDArray[np.uint8],
) -> None:
    n = len(habit)
    cell = evidence.bins(codes, edges) + (BINS * blocks).astype(np.int32)[:, None]
    cell += (BLOCKS_PER_DAY * BINS * np.arange(n, dtype=np.int32))[None, :]
    seen = np.bincount(cell[use], minlength=n * BLOCKS_PER_DAY * BINS)
    counts = habit["counts"] + seen.reshape(n, BLOCKS_PER_DAY, BINS).astype(np.uint8)  # 60 and 25 hours' slots: a byte
    counts >>= (np.add.reduce(counts, axis=2, dtype=np.int16) > _FULL).astype(np.uint8)[:, :, None]
    habit["counts"] = counts


def _learn_calls(
    habit: NDArray[np.void], phone: NDArray[np.uint8], blocks: NDArray[np.intp], learn: NDArray[np.bool_]
) -> None:
    calls = habit["calls"].astype(np.int32)
    own = phone == OWN
    for block in range(BLOCKS_PER_DAY):
        calls[:, block] += np.where(learn, np.add.reduce(own[blocks == block], axis=0, dtype=np.int32), 0)
    days = habit["calls_days"].astype(np.int32) + learn
    full = days > _CALL_DAYS
    calls[full] //= 2
    days[full] //= 2
    habit["calls"], habit["calls_days"] = np.minimum(calls, 255), days
