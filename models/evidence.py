"""A slot's evidence: how much likelier its energy is when nobody lives here than when this person does.

The home's **quiet load** is what its own quiet nights look like. Nine edges, at quantiles of those nights and at
multiples of them, sort energy into ten bins. Each bin has a probability when nothing happens (the quiet nights) and
one for these two hours of the day when the person lives: the home is active for this hour's share of the time, and
then as it is when active at any hour. The logarithm of their ratio is the evidence.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.slots import BLOCKS_PER_DAY, SLOTS_PER_DAY, STEPS, ZERO, code_of_watts
from models.state import BINS, CALL_BLOCKS, UNIT

QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
FACTORS = (1.25, 1.6, 2.4, 4.0)
"""Edges: quantiles of the quiet nights, then multiples of the last of them."""

LOW, HIGH = -4 * UNIT, 2 * UNIT
"""One reading's evidence is clipped to this: no single reading decides, and life speaks louder than silence."""

_QUIET_TOLD = 2, 3
"""Of evidence for silence only two thirds count: a quiet home tells much the same slot after slot."""

PROOF = -3 * UNIT
"""Evidence as strong as this is a proof of life: load the quiet home practically never shows."""

SIGN, SIGN_NEW = -UNIT // 4, -UNIT
"""Evidence as strong as this (in the learning days: as the second) is a sign of life where all that spoke for silence
has been outweighed by now. The hours of silence count from the last proof or sign of life."""

ACTIVE = 6
"""Bins from this one on are active: above 1.6 times the quiet load."""
_LEAST = np.float32(0.002)  # share of a bin or of activity: what was not seen can still happen
_SMOOTH = 0.02  # of the quiet nights' slots, one at least, added to every bin: what was not seen can still happen
_DARK_EDGE = code_of_watts(8)
_LIVELY = code_of_watts(150)


@dataclass(slots=True)
class Tables:
    """What follows from the habits and is looked up for every slot; n households, made once a day.

    ``edges`` (9, n) codes; ``quiet`` (n, 10) log-probabilities in 1/64 nat; ``idle``, ``busy`` (n, 6), (n, 4):
    log-probabilities (nats) of the bins when the home is not active and when it is; ``known`` (n,) whether there is a
    quiet night to compare with.
    """

    edges: NDArray[np.uint8]
    quiet: NDArray[np.int16]
    idle: NDArray[np.float32]
    busy: NDArray[np.float32]
    known: NDArray[np.bool_]

    def take(self, rows: slice) -> "Tables":
        """Those of some rows."""
        return Tables(self.edges[:, rows], self.quiet[rows], self.idle[rows], self.busy[rows], self.known[rows])


def tables(habit: NDArray[np.void]) -> Tables:
    """Tables of ``habit`` (n,)."""
    nights = habit["nights"].reshape(len(habit), -1)
    seen = np.count_nonzero(nights, axis=1)
    nights = np.ascontiguousarray(np.sort(nights - np.uint8(1), axis=1).T)  # not seen yet, 0, goes last as 255
    rows = np.arange(len(habit))
    ranks = [np.maximum((q * (seen - 1)).astype(np.int64), 0) for q in QUANTILES]
    at = [np.minimum(nights[rank, rows], 253) + np.uint8(1) for rank in ranks]
    steps = [round(STEPS * float(np.log(f))) for f in FACTORS]
    top = at[-1].astype(np.int32)
    edges = np.stack([*at, *(np.minimum(top + s, 254).astype(np.uint8) for s in steps)])
    below = [np.add.reduce(nights < edge, axis=0, dtype=np.int32) for edge in edges]  # code - 1 < edge
    upto = np.stack([np.zeros_like(below[0]), *below, seen], axis=1)
    full = np.maximum(seen, 1)[:, None]
    unseen = np.maximum(_SMOOTH * full, 1)
    share = (np.diff(upto, axis=1) + unseen) / (full + BINS * unseen)
    quiet = np.rint(UNIT * np.log(share.astype(np.float32))).astype(np.int16)
    return Tables(edges, quiet, *living(habit), seen >= 4)


def living(habit: NDArray[np.void]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Log-probabilities of the bins below `ACTIVE` when the home is idle, and of those above when it is busy."""
    share = habit["bins"] / np.float32(65_535) + _LEAST
    parts = share[:, :ACTIVE], share[:, ACTIVE:]
    idle, busy = (np.log(p / p.sum(axis=1, keepdims=True)) for p in parts)
    return idle, busy


def activity(active: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Shares of activity as habits keep them (1/255, any shape) as probabilities: neither 0 nor 1."""
    return np.clip(active / np.float32(255), 4 * _LEAST, 1 - 4 * _LEAST)


def bins(codes: NDArray[np.uint8], edges: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Codes (n,) or (slots, n) and edges (9, n) -> the bin of each, 0 to 9."""
    out = np.zeros(codes.shape, np.uint8)
    for edge in edges:
        out += codes > edge
    return out


def ratios(habit: NDArray[np.void], t: Tables, block: int) -> NDArray[np.int16]:
    """Evidence of each bin in one two-hour block of the day: (n, 10), 1/64 nat; 0 where no quiet night is known.

    ln(P(bin | quiet) / P(bin | living, block)), clipped.
    """
    active = activity(habit["active"][:, block])[:, None]
    living = np.concatenate([np.log1p(-active) + t.idle, np.log(active) + t.busy], axis=1)
    ratio = t.quiet - np.rint(np.float32(UNIT) * living).astype(np.int16)
    ratio[~t.known] = 0
    return np.minimum(np.maximum(ratio, LOW), HIGH).astype(np.int16)


def told(ratio: NDArray[np.int16]) -> NDArray[np.int16]:
    """Evidence of readings (any shape) as it counts where load may end a silence: for silence, two thirds of it."""
    part, of = _QUIET_TOLD
    return np.where(ratio > 0, ratio * part // of, ratio)


def floor(t: Tables) -> NDArray[np.uint8]:
    """The least code that is evidence, (n,): exactly nothing in a home that always draws something is no power."""
    return np.where(t.known & (t.edges[0] >= _DARK_EDGE), ZERO + 1, ZERO).astype(np.uint8)


def dark(codes: NDArray[np.uint8], t: Tables) -> NDArray[np.bool_]:
    """Exactly nothing in a home that always draws something: the power is off. Shape of ``codes`` (n,)."""
    return (codes == ZERO) & (floor(t) > ZERO)


def lively(t: Tables) -> NDArray[np.uint8]:
    """The code above which a home is plainly lived in, before its evidence means much, (n,): over 150 W, and over the
    highest edge where a quiet night is known."""
    return np.where(t.known, np.maximum(t.edges[-1], _LIVELY), _LIVELY).astype(np.uint8)


def phone_silence(habit: NDArray[np.void], block: int) -> NDArray[np.int16]:
    """Evidence of one slot without own phone use in this block: -ln(1 - p), (n,) in 1/64 nat.

    p is the share of these four hours' slots with own use, shrunk to the person's whole day by 6 slots.
    """
    days, many = habit["calls_days"].astype(np.float32), np.float32(SLOTS_PER_DAY / CALL_BLOCKS)
    whole = (habit["calls"].sum(axis=1, dtype=np.int32) + np.float32(0.5)) / (96 * days + np.float32(48))
    at = block * CALL_BLOCKS // BLOCKS_PER_DAY
    p = (habit["calls"][:, at] + 6 * whole) / (many * days + np.float32(6))
    return np.rint(-UNIT * np.log1p(-np.minimum(p, np.float32(0.95)))).astype(np.int16)
