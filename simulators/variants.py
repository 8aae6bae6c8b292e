"""The same home as another meter, another utility or another climate would tell it.

Each is a function of the readings of whole days from a local midnight on, Wh float32 (n,), the minutes of an interval
and random numbers; it gives readings and minutes. ``vary`` puts some together. A collapse is spliced in afterwards, so
that the empty home tells the same way as the lived-in one.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from models.slots import SLOTS_PER_DAY
from simulators.empty import quiet_limit
from simulators.histories import Home, step_of
from simulators.meters import counted, cycling, wandering
from simulators.people import Floats, Rng

Readings = NDArray[np.float32]
Told = tuple[Readings, int]
Variant = Callable[[Readings, int, Rng], Told]

_YEAR, _COLDEST = 365.25, 20  # days; the coldest day of the northern year is about the 20th
_MONTH = 30.0


def in_steps(wh: Readings, minutes: int, rng: Rng, step: float = 10.0) -> Told:
    """By a register that shows whole ``step`` Wh; the total is kept within a step."""
    return counted(wh, step, rng.random()), minutes


def merged(wh: Readings, minutes: int, rng: Rng, to: int = 60) -> Told:
    """By intervals of ``to`` minutes; one of which a part is missing is missing. The total of the others is kept."""
    if to <= minutes:
        return wh, minutes
    return wh.reshape(-1, to // minutes).sum(axis=1), to


def halved(wh: Readings, minutes: int, rng: Rng) -> Told:
    """By intervals half as long: most share their energy about evenly, those above the usual less so. Totals kept to
    the watt-hour; 15-minute readings stay."""
    if minutes <= 15:
        return wh, minutes
    lived = wh > 2 * np.nanmedian(wh) if not np.isnan(wh).all() else np.zeros(len(wh), bool)
    form = np.where(lived, 2.0, 10.0)
    first = (wh * rng.beta(form, form)).astype(np.float32)
    whole = np.rint(first)
    first = np.where((wh == np.rint(wh)) & (whole <= wh), whole, first)
    return np.stack([first, wh - first], axis=1).ravel(), minutes // 2


def with_gaps(
    wh: Readings, minutes: int, rng: Rng, singles: float = 3.0, some_hours: float = 1.0, days: float = 0.2
) -> Told:
    """With readings missing: so many times a month one, one to twelve hours, a day or two."""
    gone = _stretches(len(wh), minutes, rng, singles, (minutes / 60, minutes / 60))
    gone |= _stretches(len(wh), minutes, rng, some_hours, (1, 12))
    gone |= _stretches(len(wh), minutes, rng, days, (20, 48))
    return np.where(gone, np.float32(np.nan), wh), minutes


def estimated(wh: Readings, minutes: int, rng: Rng, a_month: float = 1.0) -> Told:
    """With values the utility made up for hours or a day and does not say so: the energy of the stretch spread evenly
    in steps of the meter, its total kept; where a part of it is not known, nothing is made up."""
    wh, step = wh.copy(), step_of(wh)
    for begin, end in _spans(len(wh), minutes, rng, a_month, (2, 30)):
        if not np.isnan(wh[begin:end]).any():
            wh[begin:end] = counted(np.full(end - begin, wh[begin:end].mean(), np.float32), step)
    return wh, minutes


def outages(wh: Readings, minutes: int, rng: Rng, a_month: float = 0.2) -> Told:
    """With power cuts that the meter tells as exactly nothing used, half an hour to eight hours long."""
    out = _stretches(len(wh), minutes, rng, a_month, (max(0.5, minutes / 60), 8)) & ~np.isnan(wh)
    return np.where(out, np.float32(0), wh), minutes


def scaled(wh: Readings, minutes: int, rng: Rng, least: float = 0.5, most: float = 2.0) -> Told:
    """A home that uses half to twice as much."""
    return wh * np.float32(np.exp(rng.uniform(np.log(least), np.log(most)))), minutes


def constant(wh: Readings, minutes: int, rng: Rng, least: float = 5.0, most: float = 120.0) -> Told:
    """With something more that is always on, watts: a router, a pump, a tank of fish."""
    watts = np.exp(rng.uniform(np.log(least), np.log(most)))
    return wh + np.float32(watts * minutes / 60), minutes


def fridge(wh: Readings, minutes: int, rng: Rng) -> Told:
    """With one more refrigerator or freezer: 60 to 180 W for a quarter to three quarters of cycles of 25 to 110
    minutes."""
    share = cycling(len(wh), minutes, rng.uniform(25, 110), rng.uniform(0.25, 0.75), rng)
    return wh + (rng.uniform(60, 180) * minutes / 60 * share).astype(np.float32), minutes


def heated(wh: Readings, minutes: int, rng: Rng, first: int = 0, summer: bool = False) -> Told:
    """With electric heating (or, in ``summer``, an air conditioner) of 200 to 1200 W that follows the season from slot
    ``first`` on, the weather of the day and the hour.

    Half of them run by a thermostat, whoever is there; the others only while the load shows somebody.
    """
    need = _need(len(wh), 1440 // minutes, rng, first, summer)
    share = need * wandering(len(wh), rng, spread=0.15)
    if rng.random() < 0.5:
        share = share * _lived(wh, minutes)
    return wh + (rng.uniform(200, 1200) * minutes / 60 * share).astype(np.float32), minutes


def vary(home: Home, rng: Rng) -> Home:
    """The home with some of all that, at random: other loads, then another interval, another register, faults. Its id
    stays, so that what is made of one home is left out together."""
    wh, minutes = home.wh, home.minutes
    for chance, variant in _loads(home):
        if rng.random() < chance:
            wh, minutes = variant(wh, minutes, rng)
    step = float(rng.choice([10, 10, 100])) if rng.random() < 0.3 else step_of(home.wh)
    wh, minutes = in_steps(wh, minutes, rng, step)
    for chance, variant in _FAULTS:
        if rng.random() < chance:
            wh, minutes = variant(wh, minutes, rng)
    return replace(home, minutes=minutes, wh=wh.astype(np.float32))


def _loads(home: Home) -> list[tuple[float, Variant]]:
    """Chances of what comes before the register."""
    return [
        (0.5, scaled),
        (0.25, constant),
        (0.25, fridge),
        (0.2, partial(heated, first=home.first)),
        (0.2, partial(heated, first=home.first, summer=True)),
        (0.25, halved),
        (0.25, merged),
    ]


_FAULTS: list[tuple[float, Variant]] = [(0.1, estimated), (0.1, outages), (0.2, with_gaps)]


def _spans(count: int, minutes: int, rng: Rng, a_month: float, hours: tuple[float, float]) -> list[tuple[int, int]]:
    """Random stretches [begin, end) of intervals, so many a month, of so many hours (log-uniform)."""
    many = rng.poisson(count * minutes / 1440 / _MONTH * a_month)
    length = np.exp(rng.uniform(np.log(hours[0]), np.log(hours[1]), many)) * 60 / minutes
    begin = rng.integers(0, count, many)
    end = np.minimum(begin + np.maximum(1, np.rint(length)).astype(np.int64), count)
    return list(zip(begin.tolist(), end.tolist(), strict=True))


def _stretches(count: int, minutes: int, rng: Rng, a_month: float, hours: tuple[float, float]) -> NDArray[np.bool_]:
    mask = np.zeros(count, bool)
    for begin, end in _spans(count, minutes, rng, a_month, hours):
        mask[begin:end] = True
    return mask


def _need(count: int, per_day: int, rng: Rng, first: int, summer: bool) -> Floats:
    """How much heating or cooling is called for, 0 to 1, (count,): none in half of the year, most at the hours when it
    is coldest (about five) or warmest (about sixteen)."""
    day = (first + SLOTS_PER_DAY // 2) / SLOTS_PER_DAY + np.arange(count) / per_day
    warmest = -np.cos(2 * np.pi * (day - _COLDEST) / _YEAR)
    weather = np.repeat(wandering(-(-count // per_day), rng, spread=0.25, memory=0.8) - 1, per_day)[:count]
    hour = np.arange(count) % per_day * 24 / per_day
    clock = 0.25 * np.cos(2 * np.pi * (hour - 16) / 24)
    warmth = warmest + weather + clock
    return np.clip(warmth if summer else -warmth, 0, 1)


def _lived(wh: Readings, minutes: int) -> NDArray[np.bool_]:
    """Whether somebody showed in the two hours up to an interval, (n,)."""
    busy = wh > quiet_limit(wh, 1440 // minutes)
    lately = np.cumsum(busy)
    back = 120 // minutes
    before = np.concatenate([np.zeros(back, lately.dtype), lately[:-back]])[: len(wh)]
    return np.asarray(lately - before > 0)
