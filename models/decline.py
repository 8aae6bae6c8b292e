"""Slow decline: a life that drifts over weeks, where no single day is alarming; and day turning into night.

Four daily signals, each from 0 to 255: how much of the day electricity is in use, how well the hour of the day tells
that use, in how many slots the phone was used, and how much of all activity falls into the night. Counts of slots, not
energy: a heater less in spring is fewer watts, not fewer hours lived. Each signal has a slow mean (eight weeks) and a
fast one (two weeks), both forgetful, and a spread. Its **drop** is (slow - fast) in spreads of a usual day.

A decline is two signals dropped together, or the phone alone dropped far; use and rhythm, which the season moves
together, must have dropped further when nothing else speaks. A reversal is the night's share risen far. Thresholds
are ours: round figures at which real homes are told of at most twice in 100 homes a month (`benchmarks/decline.py`).
"""

import numpy as np
from numpy.typing import NDArray

from models import evidence
from models.slots import BLOCKS_PER_DAY, OWN, SLOTS_PER_DAY, ZERO
from models.state import SIGNALS, UNIT

USE, RHYTHM, PHONE, NIGHT = range(SIGNALS)
METER_SIGNALS = (USE, RHYTHM, NIGHT)
DECLINE, REVERSAL = 0, 1
KINDS = ("decline", "reversal")

WINDOW_DAYS = 14
"""The fast mean's memory, and how long before it is told a drift is said to have begun."""
_SLOW_DAYS, _FAST_DAYS = 56, WINDOW_DAYS
_LEARNED = 42
"""Days a signal is learned before it speaks."""
_SUSTAINED = 7
"""Days on end (of those that count) that a drift must show before it is told."""
MONTH = 30
"""Days after an alert in which no other of its kind is raised; one that still stands is closed then."""

_TOGETHER = 0.5  # drop of use or rhythm, when the phone has dropped too
_PHONE = 0.25  # ... and that of the phone: contacts are few and scatter much, so theirs are smaller
_SEASONAL = 0.8  # drops of use and rhythm both, when the phone says nothing
_ALONE = 0.6  # drop of the phone alone
_LESS = 0.75  # of the usual, at most, that use, rhythm and phone contacts must be down to
_FEW = 0.5  # of the usual contacts, at most, for the phone to speak alone
_REVERSED, _MORE = -0.5, 2.0  # drop of the night's share, and how many times the usual it must be
_LEAST_NIGHT = 0.15  # share of all activity that the night must hold: all hours alike would give it 0.25
_LEAST_CALLS = 0.5  # slots with own use on a typical day: of who hardly uses the phone, it tells nothing
_BACK = 0.5  # part of these drops below which a drift is over

_STANDING, _CLEARED = 64, 128
"""`course`: 0 nothing, then days that a drift has shown on end; 64 + days since it was raised while the alert stands;
128 + days since it was raised when it is cleared already."""

_ACTIVE_EDGE = 6  # the edge of `evidence.Tables` above which a slot is active: 1.6 times the quiet load
_NIGHT_BLOCKS = 3  # 00:00-06:00
_MEASURED = 0.8  # of the day's slots, for the day to count
_NOBODY = 0.2  # of the usual use, below which a day is one on which nobody was there
_FULL_PHONE = 64  # slots with own use that are 255
_LEAST_SPREAD, _FIRST_SPREAD, _MOST_SPREAD, _SPREAD_STEPS = 32, 64, 160, 32  # codes of spread; the last: per e-fold
_MEDIAN = 1.4826  # standard deviations in a median absolute deviation

Moved = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.uint8]]
"""Rows whose alert was raised or cleared, of which kind, and their `course` before; (k,) each."""


def signals(
    habit: NDArray[np.void], tables: evidence.Tables, codes: NDArray[np.uint8], phone: NDArray[np.uint8],
    blocks: NDArray[np.intp],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:  # fmt: skip
    """The day's signals (4, n), 0 to 255, and whether the meter tells its own (n,).

    ``codes``, ``phone`` (96, n), ``blocks`` (96,) as in `habit.learn_day`; ``habit``, ``tables``: those before the day.
    """
    measured = codes >= ZERO
    many = np.add.reduce(measured, axis=0, dtype=np.int32)
    own = phone == OWN
    active = measured & (codes > tables.edges[_ACTIVE_EDGE])
    use = np.add.reduce(active, axis=0, dtype=np.int32)
    alive = active | own
    night = np.add.reduce(alive[blocks < _NIGHT_BLOCKS], axis=0, dtype=np.int32)
    out = np.zeros((SIGNALS, len(habit)), np.float32)
    of = np.maximum(many, 1).astype(np.float32)
    out[USE] = _root(use / of)
    out[RHYTHM] = np.clip(64 + 256 / UNIT * (_rhythm(habit, tables, codes, blocks, measured) / of), 0, 255)
    out[PHONE] = _root(np.add.reduce(own, axis=0, dtype=np.int32) / np.float32(_FULL_PHONE))
    out[NIGHT] = _root((night + np.float32(0.5)) / (np.add.reduce(alive, axis=0, dtype=np.int32) + np.float32(2)))
    return out, tables.known & (many >= _MEASURED * SLOTS_PER_DAY)


def _root(share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shares on a scale on which counts scatter alike, 0 to 255."""
    return np.float32(255) * np.sqrt(np.minimum(share.astype(np.float32), np.float32(1)))


def _rhythm(
    habit: NDArray[np.void], tables: evidence.Tables, codes: NDArray[np.uint8], blocks: NDArray[np.intp],
    measured: NDArray[np.bool_],
) -> NDArray[np.int32]:  # fmt: skip
    """Sum over the day of ln(P(active or idle | block) / P(active or idle)), 1/64 nat, (n,): how much the hour tells.

    Pointwise mutual information under the home's own shares of activity: falls to 0 as the hours come to look alike,
    and below it on a day unlike the home's own; stays there, as the shares learn it.
    """
    share = np.clip(habit["active"] / np.float32(255), 0.01, 0.99)
    whole = share.mean(axis=1, keepdims=True)
    told = np.stack([np.log((1 - share) / (1 - whole)), np.log(share / whole)], axis=2)
    cell = 2 * (BLOCKS_PER_DAY * np.arange(len(habit))[None, :] + blocks[:, None])
    cell += evidence.bins(codes, tables.edges) >= evidence.ACTIVE
    points = np.rint(np.float32(UNIT) * told).astype(np.int16).ravel()
    out: NDArray[np.int32] = np.add.reduce(np.take(points, cell) * measured, axis=0, dtype=np.int32)
    return out


def learn_day(
    drift: NDArray[np.void], day: int, today: NDArray[np.float32], metered: NDArray[np.bool_],
    heard: NDArray[np.bool_], learn: NDArray[np.bool_],
) -> Moved:  # fmt: skip
    """Take one finished day into ``drift`` (n,), in place, and say whose alert was raised or cleared at its end.

    ``day``: its number, for rounding only. ``today`` (4, n), ``metered`` (n,) from `signals`; ``heard``, ``learn`` (n,)
    as in `habit.learn_day`. A day that teaches nothing neither begins nor ends a drift; the months run on.
    """
    there = today[USE] >= np.float32(_NOBODY**0.5) * drift["slow"][:, USE] / np.float32(256)
    told = np.empty((SIGNALS, len(drift)), np.bool_)
    told[list(METER_SIGNALS)] = metered & learn & there
    told[PHONE] = heard & learn
    for signal in range(SIGNALS):
        _learn(drift, signal, day, today[signal], told[signal])
    drift["days"] += (told[[USE, PHONE]].T & (drift["days"] < 255)).astype(np.uint8)
    shown, back = states(drift)
    before = drift["course"].copy()
    counted = (told[USE] | told[PHONE], told[NIGHT])
    for kind in (DECLINE, REVERSAL):
        drift["course"][:, kind] = _course(before[:, kind], shown[kind], back[kind], counted[kind])
    rows, kinds = np.nonzero(standing(before) != standing(drift["course"]))
    return rows, kinds, before[rows, kinds]


def _learn(drift: NDArray[np.void], signal: int, day: int, value: NDArray[np.float32], told: NDArray[np.bool_]) -> None:
    """One signal's means and spread. Bytes hold the fast mean and the spread: they are rounded up or down by turns
    (golden ratio), so that steps below one are not lost; the spread steps towards the median deviation."""
    days = drift["days"][:, int(signal == PHONE)].astype(np.float32) + 1
    slow, fast, spread = drift["slow"][:, signal], drift["fast"][:, signal], drift["spread"][:, signal]
    off = np.abs(value - fast) > _typical(spread)
    step = np.where(days < 28, 3, 1) * np.where(off, 1, -1)
    moved = np.where(days == 1, _FIRST_SPREAD, np.clip(spread.astype(np.int32) + step, _LEAST_SPREAD, _MOST_SPREAD))
    closer = fast + (value - fast) / np.minimum(days, np.float32(_FAST_DAYS))
    nearer = slow + (np.float32(256) * closer - slow) / np.minimum(days, np.float32(_SLOW_DAYS))
    closer += np.float32(day * 159 % 256 / 256)
    drift["slow"][:, signal] = np.where(told, np.minimum(np.rint(nearer), 65_535), slow)
    drift["fast"][:, signal] = np.where(told, np.clip(np.floor(closer), 0, 255), fast)
    drift["spread"][:, signal] = np.where(told, moved, spread)


def _typical(spread: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The median deviation that a spread's code stands for: 1.5 and more, e-fold per 32 codes."""
    return _TYPICAL[spread]


_TYPICAL = (1.5 * np.exp(np.arange(256) / _SPREAD_STEPS)).astype(np.float32)


def drops(drift: NDArray[np.void]) -> NDArray[np.float32]:
    """How far each signal's two weeks are below its eight, in standard deviations of a usual day, (4, n); 0 while it
    is being learned."""
    fallen = drift["slow"].T / np.float32(256) - drift["fast"].T
    known = drift["days"][:, [0, 0, 1, 0]].T >= _LEARNED
    out: NDArray[np.float32] = fallen / (np.float32(_MEDIAN) * _typical(drift["spread"].T)) * known
    return out


def left(drift: NDArray[np.void]) -> NDArray[np.float32]:
    """What the last two weeks have left of the usual, as a factor of each of `typical`: (4, n)."""
    usual, now = typical(drift)
    out: NDArray[np.float32] = now / np.maximum(usual, np.float32(1e-3))
    return out


def states(drift: NDArray[np.void]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each kind of drift shows, and whether everything is back: (2, n) each."""
    d, rest, (usual, _) = drops(drift), left(drift), typical(drift)
    use, rhythm, phone, _ = d * (rest <= _LESS)
    phone = phone * (usual[PHONE] >= _LEAST_CALLS)
    meter, both = np.maximum(use, rhythm), np.minimum(use, rhythm)
    alone = (phone >= _ALONE) & (rest[PHONE] <= _FEW)
    shown = (phone >= _PHONE) & (meter >= _TOGETHER) | (both >= _SEASONAL) | alone
    back = (phone < _BACK * _PHONE) & (meter < _BACK * _TOGETHER)
    awake = dropped(drift)[NIGHT]
    return np.stack([shown, awake]), np.stack([back, d[NIGHT] > _BACK * _REVERSED])


def dropped(drift: NDArray[np.void]) -> NDArray[np.bool_]:
    """Which signals have dropped far enough to be named as reasons (the night: risen), (4, n)."""
    d, rest, (usual, now) = drops(drift), left(drift), typical(drift)
    least = np.array([_TOGETHER, _TOGETHER, _PHONE, 0], np.float32)[:, None]
    out = (d >= least) & (rest <= _LESS)
    out[PHONE] &= usual[PHONE] >= _LEAST_CALLS
    out[NIGHT] = (d[NIGHT] <= _REVERSED) & (rest[NIGHT] >= _MORE) & (now[NIGHT] >= _LEAST_NIGHT)
    return out


def typical(drift: NDArray[np.void]) -> NDArray[np.float32]:
    """Usual (eight weeks) and present (two weeks) of a typical day, (2, 4, n): shares of the day in use and of the
    night in all activity, rhythm in nats, slots with own phone use."""
    means = np.stack([drift["slow"].T / np.float32(256), drift["fast"].T]).astype(np.float32)
    out: NDArray[np.float32] = np.square(means / np.float32(255))
    out[:, PHONE] *= _FULL_PHONE
    out[:, RHYTHM] = np.maximum(means[:, RHYTHM] - 64, 0) / np.float32(256)
    return out


def _course(
    course: NDArray[np.uint8], shown: NDArray[np.bool_], back: NDArray[np.bool_], counted: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """The next day's `course` (n,)."""
    idle = course < _STANDING
    on = np.where(counted, np.where(shown, course + 1, 0), course)
    on = np.where(idle & (on >= _SUSTAINED), _STANDING, on)
    age = np.where(idle, 0, course % _STANDING + 1)
    cleared = (course >= _CLEARED) | counted & back
    running = np.where(age >= MONTH, 0, np.where(cleared, _CLEARED, _STANDING) + age)
    return np.where(idle, on, running).astype(np.uint8)


def standing(course: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether an alert stands; any shape."""
    return (course >= _STANDING) & (course < _CLEARED)


def age(course: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Days since the alert that stands was raised; any shape."""
    return course.astype(np.int64) % _STANDING
