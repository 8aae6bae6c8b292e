"""The last day of a household in two-hour blocks, and what is usual of it at each end of a block.

What the learned model looks at is kept as it comes: the present block's readings so far, a few figures of each of the
last twelve blocks, the evidence since the phone was last used. Two **marks** are known for each block's end, from the
home's own past: the joint evidence, and the range of the load over eight hours; of each, what is rather extreme for
this hour and what was the most extreme lately.
"""

import numpy as np
from numpy.typing import NDArray

from models.slots import BLOCKS_PER_DAY, SLOTS_PER_DAY, ZERO
from models.state import CAP, UNIT, Heads

MEAN, TOP, LOW, STIR = range(4)
"""Figures of a block: mean, highest and lowest code, mean change from reading to reading."""
JOINT, RANGE = 0, 1
"""Marks: joint evidence (silence is high), range of the load (silence is low)."""
RANGE_BLOCKS = 4
BLOCK_SLOTS = SLOTS_PER_DAY // BLOCKS_PER_DAY
_SIGNS = (1, -1)
_UP, _DOWN = 4, 24  # parts of the way that `usual` goes towards what is more extreme, and back
_JOINT_STEP = 16
_JOINT_CODES = np.rint(16 * np.log1p(np.arange(CAP // _JOINT_STEP + 2) * _JOINT_STEP / UNIT)).astype(np.uint8)
_MOST = 255
_LONGEST = 60_000

Mask = NDArray[np.bool_]


def joint_code(joint: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Joint evidence (1/64 nat) as a code: 16 ln(1 + nats)."""
    return _JOINT_CODES[joint // _JOINT_STEP]


def close(lately: NDArray[np.void], block: int, learn: Mask) -> None:
    """Two-hour ``block`` of the day is over for ``lately`` (n,): its figures are kept, and the marks learn where
    ``learn`` (n,)."""
    many = lately["many"]
    some, of = many > 0, np.maximum(many, 1)
    for figure, value in (
        (MEAN, (lately["sum"] + of // 2) // of), (TOP, lately["top"]), (LOW, lately["low"]),
        (STIR, np.minimum((lately["stir"] + of // 2) // of, _MOST)),
    ):  # fmt: skip
        lately["blocks"][:, figure, block] = np.where(some, value, 0)
    for name in ("many", "sum", "stir", "top", "low"):
        lately[name] = 0
    last = np.arange(block - RANGE_BLOCKS + 1, block + 1) % BLOCKS_PER_DAY
    top, low = lately["blocks"][:, TOP, last], lately["blocks"][:, LOW, last]
    whole = (low > 0).all(axis=1)
    _learn(lately, JOINT, block, joint_code(lately["joint"]), learn)
    _learn(lately, RANGE, block, np.where(whole, top.max(axis=1) - low.min(axis=1), 0).astype(np.uint8), learn & whole)


def _learn(lately: NDArray[np.void], mark: int, block: int, today: NDArray[np.uint8], told: Mask) -> None:
    """``usual`` goes a quarter of the way to what is more extreme and 1/24 back: about one day in seven is beyond it
    (an expectile). ``worst`` forgets a code a day."""
    sign, value = _SIGNS[mark], np.maximum(today, 1).astype(np.int16)
    usual, worst = (lately[name][:, mark, block].astype(np.int16) for name in ("usual", "worst"))
    first = usual == 0
    beyond = sign * (value - usual)
    step = np.where(beyond > 0, -(-beyond // _UP), -(-beyond // _DOWN))
    step = np.where((beyond < 0) & (step == 0), -1, step)
    usual = np.clip(np.where(first, value, usual + sign * step), 1, _MOST)
    worst = sign * np.maximum(sign * value, sign * (worst - sign))
    for name, now in (("usual", usual), ("worst", np.where(first, value, np.clip(worst, 1, _MOST)))):
        lately[name][:, mark, block] = np.where(told, now, lately[name][:, mark, block])


def read(lately: NDArray[np.void], codes: NDArray[np.uint8], measured: Mask) -> None:
    """Take readings ``codes`` (n,) into the present block, where ``measured`` (n,)."""
    last = lately["last"]
    change = np.abs(codes.astype(np.int16) - last) * (measured & (last >= ZERO))
    lately["stir"] += change.astype(np.uint16)
    lately["sum"] += codes * measured
    lately["many"] += measured
    np.maximum(lately["top"], codes, out=lately["top"], where=measured)
    low = lately["low"]
    np.copyto(low, codes, where=measured & ((low == 0) | (codes < low)))
    np.copyto(last, codes, where=measured)


def add(
    lately: NDArray[np.void], heads: Heads, watched: Mask, own: Mask, heard: Mask, called: Mask,
    evidence: NDArray[np.int16] | None, half_hour: bool,
) -> None:  # fmt: skip
    """Add one slot's evidence (n,) (1/64 nat, meter and phone; None: nothing known) to the joint evidence of
    ``lately`` (n,); own phone use ends it.

    ``heard``: the phone feed tells of this slot; ``called``: somebody tried to reach the resident; ``half_hour``: a
    half hour ends with the slot. Nothing is kept of who is not ``watched``.
    """
    joint = lately["joint"]
    np.copyto(lately["before"], joint, where=own)
    now = joint.astype(np.int32) if evidence is None else joint + evidence.astype(np.int32)
    on = watched > own
    joint[:] = np.clip(now, 0, CAP) * on
    np.maximum(lately["joint_peak"], joint, out=lately["joint_peak"])
    np.maximum(lately["phone_peak"], heads.phone.astype(np.uint16), out=lately["phone_peak"])
    lately["unused"] = np.minimum(lately["unused"] + heard, _LONGEST) * on
    callers = lately["callers"]
    callers += called & (callers < _MOST)
    callers *= on
    np.maximum(lately["callers_peak"], callers, out=lately["callers_peak"])
    waiting = lately["waiting"]
    if half_hour:
        waiting += (callers > 0) & (waiting < _MOST)
    waiting *= on
    np.maximum(lately["waiting_peak"], waiting, out=lately["waiting_peak"])
