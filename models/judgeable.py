"""How much a home's meter and phone can tell: the hours that an end of life in it would need to be a `caution`.

    judged(habit, tables, meter, phone, thresholds) -> Judgeable(hours, by_meter, by_phone, reason, able)

It follows from the habits alone, is whole arrays, and is meant for once a day or for few homes. A home that the learned
model judges is called empty after

    usual longest silence of a day + WAIT + the hours in which an empty home would tell NEED nats,

the last being a mean over the times of day at which it may begin: silence says nothing before it is longer than this
home's usual one, the log-odds are a mean of some hours, and what an empty home tells in an hour, by the meter and by
the phone, is known (`evidence`). One that the plain evidence judges, as it has no meter, needs the score of `caution`.

``WAIT`` is the memory of the mean (`judge.PACES`). ``NEED`` was fitted to collapses spliced into real homes, once: of 3
to 13 nats, the one at which predicted and measured medians lie closest over fifths of the homes. Measured again by

    python -m benchmarks.judgeable --meter METER --phone PHONE

of homes left out of what judged them. The true hours differ more from day to day than from home to home: the figure
orders homes, it does not promise a time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models import evidence, levels
from models.features import told_empty
from models.judge import WEIGHT
from models.levels import Thresholds
from models.slots import BLOCKS_PER_DAY, SLOTS_PER_HOUR
from models.state import UNIT

F32 = np.float32
Array = NDArray[np.float32]

CAP = 96.0
"""Hours are counted up to here; as many stand for never."""
NEED, WAIT = F32(7), F32(4)  # nats; hours

WELL, QUIET, LOAD_HIDDEN, PHONE_RARE, NO_PHONE, NO_METER, NO_READINGS, LEARNING, NO_FEEDS = range(9)
NAMES = (
    "well", "quiet", "load_hidden", "phone_rare", "no_phone", "no_meter", "no_readings", "learning", "no_feeds",
)  # fmt: skip
"""Why the hours are as they are: told within a day; often quiet for long; the load of life is hardly above that of the
empty home (and the phone is hardly used, or not listened to); no meter; no night was measured yet; not learned yet."""

_WELL_HOURS = 24
_BLOCK_HOURS = 24 // BLOCKS_PER_DAY
_RARE = 1.0  # nats that a day of silence of the phone tells


@dataclass(frozen=True, slots=True)
class Judgeable:
    """Of n homes, (n,) each: ``hours`` until `caution` is expected, up to `CAP`; as many if only the meter, and if only
    the phone told; ``reason``: index in `NAMES`; ``able``: sooner than the fixed limit of normal risk. Who is not has
    the fixed limits."""

    hours: Array
    by_meter: Array
    by_phone: Array
    reason: NDArray[np.uint8]
    able: NDArray[np.bool_]


def judged(
    habit: NDArray[np.void],
    tables: evidence.Tables,
    meter: NDArray[np.integer],
    phone: NDArray[np.bool_],
    thresholds: Thresholds = Thresholds(),
) -> Judgeable:
    """What can be told of homes by their ``habit`` (n,) and its ``tables``. ``meter`` (n,): slots in an interval of the
    meter, 1, 2 or 4, and 0 where there is none; ``phone`` (n,): whether a phone feed listens."""
    ready = habit["days"] >= levels.LEARNING_DAYS
    load, silence = _by_load(habit, tables, meter), _by_phone(habit, phone)
    modelled = tables.known & (meter > 0)
    worst = habit["worst"].astype(F32)
    need = np.where(modelled, NEED, levels.score_at(thresholds.caution_days, worst) / F32(UNIT))
    quiet = habit["stretch"].astype(F32) / SLOTS_PER_HOUR
    before = np.where(modelled, quiet + WAIT, 0)

    def hours(rate: Array) -> tuple[Array, Array]:
        took = _hours(rate, need)
        return took, np.where(ready, np.minimum(before + took, F32(CAP)), F32(CAP)).astype(F32)

    took, both = hours(load + silence)
    able = both < thresholds.limit_hours[0]
    reason = _why(both, quiet >= took, modelled, silence.sum(axis=0) * _BLOCK_HOURS >= _RARE, meter > 0, phone, ready)
    return Judgeable(both, hours(load)[1], hours(silence)[1], reason, able)


def _why(
    hours: Array, quiet: NDArray[np.bool_], modelled: NDArray[np.bool_], used: NDArray[np.bool_],
    meter: NDArray[np.bool_], phone: NDArray[np.bool_], ready: NDArray[np.bool_],
) -> NDArray[np.uint8]:  # fmt: skip
    cases = {
        NO_FEEDS: ~meter & ~phone, LEARNING: ~ready, WELL: hours < _WELL_HOURS, NO_METER: ~meter,
        NO_READINGS: ~modelled, QUIET: quiet, NO_PHONE: ~phone, PHONE_RARE: ~used,
    }  # fmt: skip
    return np.select(list(cases.values()), list(cases), LOAD_HIDDEN).astype(np.uint8)


def _by_load(habit: NDArray[np.void], tables: evidence.Tables, meter: NDArray[np.integer]) -> Array:
    """Nats an hour that an empty home's load tells, (12, n) by two-hour block of the day."""
    counted = WEIGHT[meter] / np.maximum(meter, 1).astype(F32)  # readings an hour, each by what it counts
    return np.maximum(told_empty(habit, tables), 0) * counted


def _by_phone(habit: NDArray[np.void], phone: NDArray[np.bool_]) -> Array:
    """Nats an hour that a silent phone tells, (12, n)."""
    slot = np.stack([evidence.phone_silence(habit, block) for block in range(BLOCKS_PER_DAY)])
    return (slot * phone * F32(SLOTS_PER_HOUR / UNIT)).astype(F32)


def _hours(rate: Array, need: Array) -> Array:
    """Hours until ``rate`` (12, n) nats an hour, day after day, make ``need`` (n,) nats: mean over the blocks to begin
    in, each counted up to `CAP`; (n,)."""
    rate = rate.astype(np.float64)
    n, columns = len(need), np.arange(len(need))
    ends = np.concatenate([np.zeros((1, n)), np.cumsum(np.concatenate([rate, rate]) * _BLOCK_HOURS, axis=0)])
    day = ends[BLOCKS_PER_DAY]
    days = np.floor(need / np.maximum(day, 1e-9))
    rest = need - days * day
    total = np.zeros(n)
    for begin in range(BLOCKS_PER_DAY):
        upto = ends[begin] + rest
        full = np.clip((ends <= upto).sum(axis=0) - 1, begin, 2 * BLOCKS_PER_DAY - 1)
        part = (upto - ends[full, columns]) / np.maximum(rate[full % BLOCKS_PER_DAY, columns], 1e-9)
        took = 24 * days + _BLOCK_HOURS * (full - begin) + np.clip(part, 0, _BLOCK_HOURS)
        total += np.minimum(took, CAP)
    return (total / BLOCKS_PER_DAY).astype(F32)
