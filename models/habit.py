"""What is usual for a household, learned a day at a time and forgotten slowly."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import evidence
from models.slots import BLOCKS_PER_DAY, OWN, SLOTS_PER_HOUR, ZERO
from models.state import BINS, CALL_BLOCKS, NIGHT_SAMPLES, NIGHTS, UNIT, Heads, State

NIGHT = slice(1 * SLOTS_PER_HOUR, 5 * SLOTS_PER_HOUR)
"""01:00-05:00 in the 96 slots of a day."""

_SHARE_DAYS, _PROFILE_DAYS = 20, 24  # memory of the shares of activity and bins, and of the profile
_STRANGE, _PATIENCE = 40 * UNIT, 21
_NIGHT_BITS, _STRANGE_SHIFT = 7, 3
_FORGET = np.float32(0.98)  # of a record, from one day to the next
_CALL_DAYS = 24
_RECORD = 60 * 96  # slots; a half-float holds it, and no limit is so long
_MEMORY_DAYS = 20
_WORST = 90 * UNIT  # one day's score counts at most this much in the calibration


def learn_day(
    state: State,
    heads: Heads,
    codes: NDArray[np.uint8],
    phone: NDArray[np.uint8],
    blocks: NDArray[np.intp],
    heard: NDArray[np.bool_],
    there: NDArray[np.bool_],
    learn: NDArray[np.bool_],
    floor: NDArray[np.uint8],
) -> evidence.Tables:
    """Take one finished day into ``state``'s habits (n,), in place, and begin the day's peaks anew.

    ``heads``: those of ``state``, as arrays. ``codes``, ``phone`` (96, n): the day's strip, from local midnight.
    ``blocks`` (96,): two-hour block of each slot. ``there`` (n,): enrolled and not absent; ``heard`` (n,): there, and
    the phone feed was complete all day; ``learn`` (n,): there and not alarmed; ``floor`` (n,): the least code that is
    evidence, so that a night without power is not taken for a quiet one. Returns the tables that follow.
    """
    habit = state.habit
    learn = learn & _teaches(habit, state.lately["joint_peak"], there)
    _learn_night(habit, codes[NIGHT], learn & (codes[NIGHT] >= floor).all(axis=0))
    tables = evidence.tables(habit)
    _learn_shares(habit, codes, blocks, learn & tables.known & (codes >= floor), tables)
    tables.idle, tables.busy = evidence.living(habit)
    _learn_calls(habit, phone, blocks, learn & heard)
    _learn_phone(habit, state.lately, learn & heard)
    told = there & ((codes >= ZERO).any(axis=0) | heard)
    rate = 1 / np.minimum(habit["days"] + np.float32(11), np.float32(_MEMORY_DAYS))
    rate[~told | (habit["days"] == 0)] = 0  # the first day is half a day
    for name, peak in (("worst", heads.peak), ("joint", state.lately["joint_peak"])):
        usual = habit[name].astype(np.float32)
        habit[name] = usual + rate * (np.minimum(peak, _WORST) / np.float32(UNIT) - usual)
    _learn_silence(habit, heads.stretch, rate > 0)
    habit["days"] += told & (habit["days"] < 60_000)
    heads.peak, heads.stretch = heads.score.copy(), heads.silent.copy()
    _begin_day(state.lately, heads)
    return tables


def _teaches(habit: NDArray[np.void], peak: NDArray[np.uint16], there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the day is one to learn from, (n,): not when so much spoke against life that it may be a time without
    any. What stays so for three weeks (a broken freezer, a guest, another heater) is the home as it is now."""
    strange = there & (peak >= _STRANGE)
    night, days = habit["night_at"] & _NIGHT_BITS, habit["night_at"] >> _STRANGE_SHIFT
    days = np.where(strange, np.minimum(days, _PATIENCE - 1) + 1, np.where(there, 0, days))
    habit["night_at"] = night | days << _STRANGE_SHIFT
    out: NDArray[np.bool_] = ~strange | (days >= _PATIENCE)
    return out


def _begin_day(lately: NDArray[np.void], heads: Heads) -> None:
    for peak, now in (("joint_peak", "joint"), ("callers_peak", "callers"), ("waiting_peak", "waiting")):
        lately[peak] = lately[now]
    lately["phone_peak"] = heads.phone


def _learn_phone(habit: NDArray[np.void], lately: NDArray[np.void], told: NDArray[np.bool_]) -> None:
    """The day's longest phone silence as evidence, the callers it left in vain, and how long they waited."""
    silence = np.minimum(lately["phone_peak"], _WORST) / np.float32(UNIT)
    usual = habit["phone"].astype(np.float32)
    rate = 1 / np.minimum(habit["calls_days"] + np.float32(3), np.float32(_MEMORY_DAYS))
    habit["phone"] = np.where(told, usual + rate * (silence - usual), usual)
    habit["phone_record"] = np.where(told, np.maximum(_FORGET * habit["phone_record"], silence), habit["phone_record"])
    for record, peak in (("callers", "callers_peak"), ("wait_record", "waiting_peak")):
        kept = habit[record] - (habit[record] + 31) // 32
        habit[record] = np.where(told, np.maximum(kept, lately[peak]), habit[record])
    habit["wait"] = np.where(told, _towards(habit["wait"], lately["waiting_peak"], rate), habit["wait"])


def _towards(usual: NDArray[np.uint8], today: NDArray[Any], rate: NDArray[Any]) -> NDArray[np.uint8]:
    """A mean in whole numbers: moved by ``rate`` of the way, and by one at least, as a byte would else never move."""
    way = today.astype(np.float32) - usual
    step = np.rint(way * rate)
    step = np.where((step == 0) & (np.abs(way) >= 1), np.sign(way), step)
    return np.clip(usual + step, 0, 255).astype(np.uint8)


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
    kept = habit["night_at"][quiet]
    at = kept & _NIGHT_BITS
    habit["nights"][quiet, at] = night[1 :: len(night) // NIGHT_SAMPLES, quiet].T
    habit["night_at"][quiet] = (kept - at) + (at + 1) % NIGHTS
    drift = np.clip((mean - usual) // 2, -24, 24)
    habit["night_usual"] = np.where(whole, usual + drift, habit["night_usual"])


def _learn_shares(
    habit: NDArray[np.void],
    codes: NDArray[np.uint8],
    blocks: NDArray[np.intp],
    use: NDArray[np.bool_],
    tables: evidence.Tables,
) -> None:
    """Shares of the day's readings: per bin, and active per two hours; and the mean code of these."""
    n, days = len(habit), habit["days"].astype(np.float32)
    which = evidence.bins(codes, tables.edges)
    cell = which + (BINS * np.arange(n, dtype=np.int32))[None, :]
    seen = np.bincount(cell[use], minlength=n * BINS).reshape(n, BINS)
    many = seen.sum(axis=1)
    share = 65_535 * seen / np.maximum(many, 1)[:, None]
    rate = np.where(many > 0, 1 / np.minimum(days + 3, np.float32(_SHARE_DAYS)), 0)[:, None]
    habit["bins"] = np.rint(habit["bins"] + rate * (share - habit["bins"]))
    active = (which >= evidence.ACTIVE) & use
    slow = 1 / np.minimum(days + 1, np.float32(_PROFILE_DAYS))
    for block in range(BLOCKS_PER_DAY):
        at = blocks == block
        many = np.add.reduce(use[at], axis=0, dtype=np.int32)
        there, of = many > 0, np.maximum(many, 1).astype(np.float32)
        today = np.add.reduce(active[at], axis=0, dtype=np.int32) * np.float32(255) / of
        mean = np.add.reduce(codes[at] * use[at], axis=0, dtype=np.int32) / of
        for name, value, by in (("active", today, rate[:, 0]), ("profile", mean, slow)):
            habit[name][:, block] = np.where(there, _towards(habit[name][:, block], value, by), habit[name][:, block])


def _learn_calls(
    habit: NDArray[np.void], phone: NDArray[np.uint8], blocks: NDArray[np.intp], learn: NDArray[np.bool_]
) -> None:
    calls = habit["calls"].astype(np.int32)
    own = phone == OWN
    for block in range(CALL_BLOCKS):
        at = blocks * CALL_BLOCKS // BLOCKS_PER_DAY == block
        calls[:, block] += np.where(learn, np.add.reduce(own[at], axis=0, dtype=np.int32), 0)
    days = habit["calls_days"].astype(np.int32) + learn
    full = (days > _CALL_DAYS) | (calls.max(axis=1) > 255)
    calls[full] //= 2
    days[full] //= 2
    habit["calls"], habit["calls_days"] = np.minimum(calls, 255), days
