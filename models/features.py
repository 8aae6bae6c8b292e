"""What the learned model is told of a household at one moment: some seventy figures, none of them in kWh.

Everything is relative to the home's own quiet load, its own day and its own records, so that a flat of 80 W and a house
of 800 W look alike. Whole numbers, table look-ups and divisions only: the same bits whatever the arrays' sizes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import evidence
from models.lately import JOINT, LOW, MEAN, RANGE, RANGE_BLOCKS, STIR, TOP, joint_code
from models.slots import BLOCKS_PER_DAY, STEPS, decode_energy
from models.state import UNIT, Heads

F32 = np.float32
Array = NDArray[np.float32]
WINDOWS = (2, 3, 6, 11, 12)
"""Blocks of two hours that a window reaches back, beside the present one."""
MATCHED = (3, 6, 9, 12)
"""Windows over which the load is matched with the home's own day."""
_WH = np.maximum(np.nan_to_num(decode_energy(np.arange(256, dtype=np.uint8))), 0).astype(F32)
_FLAT = F32(16)  # variance of a profile (codes^2) that counts as none


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is: ``block`` of two hours, ``part`` of it that is over (0 to 1], slot ``number``."""

    block: int
    part: float
    number: int


@dataclass(slots=True)
class Usual:
    """What is looked up all day of n households: ``profile`` (12, n) codes; ``quiet`` (3, n) codes at 10, 50 and 90 %
    of the quiet nights; ``told`` (12, n) nats of evidence that an empty home would give in a reading of each block;
    ``habits`` (k, n): the rest."""

    profile: Array
    quiet: Array
    told: Array
    habits: Array


_HABITS = ("worst", "joint", "stretch", "record", "phone", "phone_record", "callers", "wait", "wait_record")


def told_empty(habit: NDArray[np.void], tables: evidence.Tables) -> Array:
    """Nats of evidence that an empty home would give in a reading, (12, n) by two-hour block of the day, of ``habit``
    (n,): the mean over its quiet nights' bins of ln(P(bin | quiet) / P(bin | living, block)); 0 where none is known."""
    active = evidence.activity(habit["active"].T)
    quiet = tables.quiet / F32(UNIT)
    p = np.exp(quiet)
    idle, busy = p[:, : evidence.ACTIVE], p[:, evidence.ACTIVE :]
    own = (p * quiet).sum(axis=1) - (idle * tables.idle).sum(axis=1) - (busy * tables.busy).sum(axis=1)
    told = (own - idle.sum(axis=1) * np.log1p(-active) - busy.sum(axis=1) * np.log(active)) * tables.known
    return _fixed(told)


def usual(habit: NDArray[np.void], tables: evidence.Tables) -> Usual:
    """Made from the habits (n,) once a day."""
    days = habit["calls_days"].astype(F32)
    rate = habit["calls"].sum(axis=1, dtype=np.int32) / np.maximum(days, 1)
    habits = np.stack([*(habit[name].astype(F32) for name in _HABITS), days, rate, np.minimum(habit["days"], 60)])
    edges = tables.edges[[0, 2, 4]].astype(F32)
    return Usual(habit["profile"].T.astype(F32), edges, told_empty(habit, tables), _fixed(habits))


def _fixed(x: NDArray[np.generic]) -> Array:
    """Rounded to 1/1024, so that no last bit of a logarithm decides anything."""
    return (np.rint(np.asarray(x, np.float64) * 1024) / 1024).astype(F32)


def features(heads: Heads, lately: NDArray[np.void], u: Usual, now: Moment, rows: NDArray[np.intp]) -> Array:
    """Features of ``rows`` (k,) of n households, in the order of `NAMES`: (features, k), never NaN."""
    own = lately[rows]
    habits = dict(zip((*_HABITS, "listened", "calls", "days"), u.habits[:, rows], strict=True))
    order = (now.block - 1 - np.arange(BLOCKS_PER_DAY)) % BLOCKS_PER_DAY  # newest first, to this block yesterday
    past = np.ascontiguousarray(own["blocks"].transpose(1, 2, 0)[:, order]).astype(F32)
    quiet, profile = u.quiet[:, rows], u.profile[:, rows]
    told = u.told[:, rows]
    out = [
        *_silence(heads, own, habits, now, rows),
        *_windows(own, past, quiet, F32(now.part)),
        *_matched(own, past, profile[order], profile[now.block], F32(now.part)),
        *_marks(own, past, now),
        told[now.block], told[(now.block + 1) % BLOCKS_PER_DAY], told[now.block - 1], told.sum(axis=0),
        np.full(len(rows), now.block + now.part, F32),
    ]  # fmt: skip
    return np.stack(out).astype(F32, copy=False)


def _silence(
    heads: Heads, own: NDArray[np.void], habits: dict[str, Array], now: Moment, rows: NDArray[np.intp]
) -> list[Array]:
    """Evidence and silences, against this person's own."""
    nats = F32(1 / UNIT)
    joint, phone = own["joint"] * nats, heads.phone[rows] * nats
    silent, unused = heads.silent[rows] / F32(4), own["unused"] / F32(4)
    life = np.minimum(now.number - heads.life[rows], 4 * 24 * 14).astype(F32) / 4
    callers, waiting = own["callers"].astype(F32), own["waiting"].astype(F32)
    return [
        heads.score[rows] * nats, joint, heads.meter[rows] * nats, phone, own["before"] * nats, silent, unused, life,
        callers, waiting,
        joint / (3 + habits["joint"]), silent / np.maximum(habits["stretch"] / 4, 1),
        silent / np.maximum(habits["record"] / 4, 1), phone / (1 + habits["phone"]),
        phone / (1 + habits["phone_record"]), callers / (1 + habits["callers"]), waiting / (2 + habits["wait"]),
        waiting / (2 + habits["wait_record"]),
        habits["worst"], habits["joint"], habits["calls"], habits["listened"], habits["days"],
    ]  # fmt: skip


def _windows(own: NDArray[np.void], past: Array, quiet: Array, part: F32) -> list[Array]:
    """Mean, highest, lowest, change, boundedness and range of the last hours, against the quiet load."""
    some = own["many"] > 0
    many = np.maximum(own["many"], 1).astype(F32)
    known = past[MEAN] > 0
    weight = np.concatenate([(some * part)[None], known.astype(F32)])
    mean = np.concatenate([(own["sum"] / many)[None], past[MEAN]])
    top = np.maximum.accumulate(np.concatenate([own["top"][None].astype(F32), past[TOP]]), axis=0)
    low = np.minimum.accumulate(
        np.concatenate([np.where(some, own["low"], 255)[None].astype(F32), np.where(known, past[LOW], 255)]), axis=0
    )
    stir = np.concatenate([(own["stir"] / many)[None], past[STIR]])
    sums, stirs = np.cumsum(weight * mean, axis=0, dtype=F32), np.cumsum(weight * stir, axis=0, dtype=F32)
    of = np.maximum(np.cumsum(weight, axis=0, dtype=F32), F32(0.01))
    out: list[Array] = []
    for j in WINDOWS:
        middle, high, least = sums[j] / of[j], top[j], np.minimum(low[j], top[j])
        wh = [_WH[np.rint(v).astype(np.uint8)] for v in (high, middle, least)]
        bounded = (wh[0] - wh[1] + 2) / np.maximum(wh[1] - wh[2] + 2, F32(0.5))
        out += [(middle - quiet[1]) / F32(STEPS), (high - quiet[2]) / F32(STEPS), (least - quiet[0]) / F32(STEPS),
                stirs[j] / of[j], bounded, high - least]  # fmt: skip
    now, before = np.where(some, mean[0], past[MEAN, 0]), past[MEAN, -1]
    both = (now > 0) & (before > 0)  # a load against nothing would tell how large the home is
    out.append((now - before) * both / F32(STEPS))
    return out


def _matched(own: NDArray[np.void], past: Array, profile: Array, here: Array, part: F32) -> list[Array]:
    """Slope of the load on the home's own day, how far it is from it, and how much that day varies."""
    many = np.maximum(own["many"], 1).astype(F32)
    weight = np.concatenate([((own["many"] > 0) * part)[None], (past[MEAN] > 0).astype(F32)])
    load = np.concatenate([(own["sum"] / many)[None], past[MEAN]])
    day = np.concatenate([here[None], profile])
    out: list[Array] = []
    for j in MATCHED:
        w = weight[: j + 1].copy()
        if j == BLOCKS_PER_DAY:
            w[j] *= 1 - part
        of = np.maximum(_total(w), F32(0.01))
        x, p = load[: j + 1], day[: j + 1]
        mean_x, mean_p = _total(w * x) / of, _total(w * p) / of
        varies = _total(w * (p - mean_p) ** 2) / of
        together = _total(w * (p - mean_p) * (x - mean_x)) / of
        out += [together / (varies + _FLAT), (mean_x - mean_p) / F32(STEPS), varies]
    return out


def _total(x: NDArray[Any]) -> NDArray[Any]:
    """Sum over the first axis, row by row: NumPy's own sum takes another order for a single household."""
    out = x[0].copy()
    for row in x[1:]:
        out += row
    return out


def _marks(own: NDArray[np.void], past: Array, now: Moment) -> list[Array]:
    """Joint evidence and range of the load against what is rather extreme, and was most extreme, at this hour."""
    part, before = F32(now.part), now.block - 1
    some = own["many"] > 0
    n = RANGE_BLOCKS - 1
    known = past[LOW, :n] > 0
    low = np.where(known, past[LOW, :n], 255).min(axis=0)
    top = np.maximum(past[TOP, :n].max(axis=0), own["top"])
    low = np.minimum(low, np.where(some, own["low"], 255))
    values = {JOINT: joint_code(own["joint"]).astype(F32), RANGE: np.maximum(top - low, 0)}
    out: list[Array] = []
    for mark in (JOINT, RANGE):
        for name in ("usual", "worst"):
            a, b = (own[name][:, mark, at].astype(F32) for at in (before, now.block))
            out.append(values[mark] - ((1 - part) * a + part * b))
    return out


NAMES = (
    "score", "joint", "meter", "phone", "joint before", "silent h", "unused h", "since life h", "callers", "waiting",
    "joint / usual", "silent / usual", "silent / record", "phone / usual", "phone / record", "callers / record",
    "waiting / usual", "waiting / record", "usual score", "usual joint", "calls a day", "days heard", "days",
    *(f"{what} {2 * j} h" for j in WINDOWS for what in ("mean", "top", "low", "stir", "bounded", "range")),
    "since yesterday",
    *(f"{what} {2 * j} h" for j in MATCHED for what in ("slope", "off", "varies")),
    "joint - high here", "joint - worst here", "range - low here", "range - worst here",
    "told here", "told next", "told before", "told a day", "time of day",
)  # fmt: skip
"""Names of the features, in order."""
