"""A slot's evidence: how much likelier its energy is when nobody lives here than when this person does.

The home's **quiet load** is what its own quiet nights look like. Nine edges, at quantiles of those nights and at
multiples of them, sort energy into ten bins. Each bin has a probability when nothing happens (the quiet nights) and
one for these two hours of the day when the person lives (the counts); the logarithm of their ratio is the evidence.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.slots import ZERO, code_of_watts
from models.state import BINS, UNIT

QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
FACTORS = (1.25, 1.6, 2.4, 4.0)
"""Edges: quantiles of the quiet nights, then multiples of the last of them."""

LOW, HIGH = -3 * UNIT, 3 * UNIT // 2
"""One reading's evidence is clipped to this: no single reading decides, and life speaks louder than silence."""

_QUIET_TOLD = 2, 3
"""Of evidence for silence only two thirds count: a quiet home tells much the same slot after slot."""

PROOF = -3 * UNIT
"""Evidence as strong as this is a proof of life: load the quiet home practically never shows."""

SIGN, SIGN_NEW = -UNIT // 4, -UNIT
"""Evidence as strong as this (in the learning days: as the second) is a sign of life where all that spoke for silence
has been outweighed by now. The hours of silence count from the last proof or sign of life."""

_PSEUDO = 8.0  # slots of the home's own day that every two-hour table starts from
_SMOOTH = 0.02  # of the quiet nights' slots, one at least, added to every bin: what was not seen can still happen
_STEPS = 25.5
_DARK_EDGE = code_of_watts(8)
_LIVELY = code_of_watts(150)


@dataclass(slots=True)
class Tables:
    """What follows from the habits and is looked up for every slot; n households, made once a day.

    ``edges`` (9, n) codes; ``quiet`` (n, 10) log-probabilities in 1/64 nat; ``usual`` (n, 10) slots of the whole day
    per bin; ``known`` (n,) whether there is a quiet night to compare with.
    """

    edges: NDArray[np.uint8]
    quiet: NDArray[np.int16]
    usual: NDArray[np.uint16]
    known: NDArray[np.bool_]


def tables(habit: NDArray[np.void]) -> Tables:
    """Tables of ``habit`` (n,)."""
    nights = habit["nights"].reshape(len(habit), -1)
    seen = np.count_nonzero(nights, axis=1)
    nights = np.ascontiguousarray(np.sort(nights - np.uint8(1), axis=1).T)  # not seen yet, 0, goes last as 255
    rows = np.arange(len(habit))
    ranks = [np.maximum((q * (seen - 1)).astype(np.int64), 0) for q in QUANTILES]
    at = [np.minimum(nights[rank, rows], 253) + np.uint8(1) for rank in ranks]
    steps = [round(_STEPS * float(np.log(f))) for f in FACTORS]
    top = at[-1].astype(np.int32)
    edges = np.stack([*at, *(np.minimum(top + s, 254).astype(np.uint8) for s in steps)])
    below = [np.add.reduce(nights < edge, axis=0, dtype=np.int32) for edge in edges]  # code - 1 < edge
    upto = np.stack([np.zeros_like(below[0]), *below, seen], axis=1)
    full = np.maximum(seen, 1)[:, None]
    unseen = np.maximum(_SMOOTH * full, 1)
    share = (np.diff(upto, axis=1) + unseen) / (full + BINS * unseen)
    quiet = np.rint(UNIT * np.log(share.astype(np.float32))).astype(np.int16)
    return Tables(edges, quiet, usual(habit), seen >= 4)


def usual(habit: NDArray[np.void]) -> NDArray[np.uint16]:
    """Slots of the whole day per bin, (n, 10)."""
    return np.add.reduce(habit["counts"], axis=1, dtype=np.uint16)


def bins(codes: NDArray[np.uint8], edges: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Codes (n,) or (slots, n) and edges (9, n) -> the bin of each, 0 to 9."""
    out = np.zeros(codes.shape, np.uint8)
    for edge in edges:
        out += codes > edge
    return out


def ratios(habit: NDArray[np.void], t: Tables, block: int) -> NDArray[np.int16]:
    """Evidence of each bin in one two-hour block of the day: (n, 10), 1/64 nat; 0 where no quiet night is known.

    ln(P(bin | quiet) / P(bin | living, block)), clipped; the second shrinks to the home's whole day by 8 slots. What
    speaks for silence counts two thirds.
    """
    counts = habit["counts"][:, block, :].astype(np.int32)
    whole = (t.usual + np.float32(0.5)) / (t.usual.sum(axis=1, dtype=np.int32) + np.float32(5.0))[:, None]
    living = (counts + np.float32(_PSEUDO) * whole) / (counts.sum(axis=1) + np.float32(_PSEUDO))[:, None]
    ratio = t.quiet - np.rint(np.float32(UNIT) * np.log(living)).astype(np.int16)
    told, of = _QUIET_TOLD
    ratio = np.where(ratio > 0, ratio * told // of, ratio)
    ratio[~t.known] = 0
    return np.minimum(np.maximum(ratio, LOW), HIGH).astype(np.int16)


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

    p is the share of this block's slots with own use, shrunk to the person's whole day by 6 slots.
    """
    days = habit["calls_days"].astype(np.float32)
    whole = (habit["calls"].sum(axis=1, dtype=np.int32) + np.float32(0.5)) / (96 * days + np.float32(48))
    p = (habit["calls"][:, block] + 6 * whole) / (8 * days + np.float32(6))
    return np.rint(-UNIT * np.log1p(-np.minimum(p, np.float32(0.95)))).astype(np.int16)
