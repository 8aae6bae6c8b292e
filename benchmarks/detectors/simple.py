"""Detectors of a few lines that are in use or first thought of: a timer, a usual day, a day's total.

Each keeps arrays of n households and moves them over a day at a time (`Rival`), so that a case goes on from a copy of
what was known at the midnight before it.
"""

import time
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.detectors.budget import Scored, Scores
from benchmarks.detectors.trial import Codes, Strips, Trial
from models.slots import OWN, SLOTS_PER_DAY, SLOTS_PER_HOUR, ZERO, decode_energy
from simulators.study import HOURS

F32 = np.float32
State = dict[str, NDArray[Any]]
Floats = NDArray[np.float32]
_NIGHT = slice(4, 20)  # 01:00 to 05:00
_NIGHTS, _DAYS = 14, 60
_LONG = 2  # usual longest silences of the phone that count: whoever has lost it would else be all there is


class Rival(Protocol):
    """A detector: ``calm`` as in `Scored`."""

    calm: float | None

    def fresh(self, n: int) -> State:
        """What is kept of n new households; (n, ...) each."""
        ...

    def day(self, s: State, meter: Codes, phone: Codes, weekend: NDArray[np.bool_]) -> Scores:
        """Move ``s`` over a day's codes (96, n) in place; scores (24, n) at the end of each hour."""
        ...


def run(rival: Rival, trial: Trial) -> Scored:
    """The years, and each case as a fork of its home's."""
    days, _, n = trial.years.meter.shape
    state, forks = rival.fresh(n), rival.fresh(len(trial.of))
    years = []
    for d in range(days):
        at = np.flatnonzero(trial.day == d)
        for name, kept in state.items():
            forks[name][at] = kept[trial.of[at]]
        years.append(rival.day(state, trial.years.meter[d], trial.years.phone[d], trial.years.weekend[d]))
    after = trial.after
    cases = [rival.day(forks, after.meter[d], after.phone[d], after.weekend[d]) for d in range(len(after.meter))]
    return Scored(np.concatenate(years), np.concatenate(cases), rival.calm)


def cost(rival: Rival, years: Strips, n: int = 1024, days: int = 10) -> tuple[float, int]:
    """Microseconds a slot and household, of ``n`` households at once, and bytes a household."""
    many = years.take(np.arange(n) % years.meter.shape[2])
    state = rival.fresh(n)
    began = time.process_time()
    for d in range(days):
        rival.day(state, many.meter[d], many.phone[d], many.weekend[d])
    took = time.process_time() - began
    return took / (n * days * SLOTS_PER_DAY) * 1e6, sum(kept.nbytes for kept in state.values()) // n


def wh_of(codes: Codes) -> tuple[Floats, NDArray[np.bool_]]:
    """Wh a slot, 0 where there is no reading, and whether there is one; the shape of ``codes``."""
    return np.nan_to_num(decode_energy(codes)), codes >= ZERO


class Timer:
    """A dead-man timer: hours without own phone use and without a change of the load that is larger than those of the
    home's quiet nights, as a refrigerator makes them. ``quantile``: of the largest changes of the last 14 nights."""

    calm: float | None = 0.0

    def __init__(self, quantile: float) -> None:
        self.quantile = quantile

    def fresh(self, n: int) -> State:
        """Largest change of each night, the last reading, hours of silence."""
        return {"nights": np.full((n, _NIGHTS), np.nan, F32), "at": np.zeros(n, np.uint8), "last": np.zeros(n, F32),
                "silent": np.zeros(n, np.uint16)}  # fmt: skip

    def day(self, s: State, meter: Codes, phone: Codes, weekend: NDArray[np.bool_]) -> Scores:
        """Hours of silence, in steps of a quarter."""
        wh, known = wh_of(meter)
        nights, rows = s["nights"], np.arange(meter.shape[1])
        some = ~np.isnan(nights).all(axis=1)
        band = np.full(len(rows), np.inf, F32)
        band[some] = np.nanquantile(nights[some], self.quantile, axis=1)
        change, last = np.zeros_like(wh), s["last"].copy()
        for slot in range(len(wh)):
            change[slot] = np.abs(wh[slot] - last) * known[slot]
            last = np.where(known[slot], wh[slot], last)
        s["last"][:] = last
        alive = (change > band) | (phone == OWN)
        out, silent = np.empty((HOURS, len(rows)), F32), s["silent"].astype(np.int32)
        for slot in range(len(wh)):
            silent = np.where(alive[slot], 0, silent + known[slot])  # a gap of the data is no silence
            out[slot // SLOTS_PER_HOUR] = silent / SLOTS_PER_HOUR
        s["silent"][:] = np.minimum(silent, 60_000)
        whole = known[_NIGHT].all(axis=0)
        nights[rows[whole], s["at"][whole]] = change[_NIGHT][:, whole][1:].max(axis=0)
        s["at"][:] = (s["at"] + whole) % _NIGHTS
        return out


class Residual:
    """A usual day: mean and variance of the load (on a logarithmic scale) of each hour of a weekday and of a weekend,
    exponentially forgotten; how far the last ``window`` hours are below them, and how long the phone has been silent.

    ``weight``: of the hours without own phone use, in parts of the longest such time of this person's usual day (two at
    most), beside the mean shortfall in standard deviations. ``own``: own phone use ends the shortfall too.
    """

    calm: float | None = 0.1

    def __init__(self, weight: float, own: bool, window: int = HOURS) -> None:
        self.weight, self.own, self.window = weight, own, window

    def fresh(self, n: int) -> State:
        """Means, variances and days seen of each hour; the last day's shortfalls; hours unused, usual and today's."""
        return {"mean": np.zeros((n, 2, HOURS), F32), "var": np.full((n, 2, HOURS), 400, F32),
                "seen": np.zeros((n, 2), np.uint8), "below": np.zeros((n, self.window), F32),
                "unused": np.zeros(n, F32), "usual": np.full(n, 24, F32)}  # fmt: skip

    def day(self, s: State, meter: Codes, phone: Codes, weekend: NDArray[np.bool_]) -> Scores:
        """Mean shortfall of the last 24 hours and silence of the phone."""
        n = meter.shape[1]
        known = (meter >= ZERO).reshape(HOURS, SLOTS_PER_HOUR, n)
        many = known.sum(axis=1)
        load = (meter.reshape(known.shape) * known).sum(axis=1) / np.maximum(many, 1).astype(F32)
        rows, kind = np.arange(n), weekend.astype(np.intp)
        mean, var = s["mean"][rows, kind].T, s["var"][rows, kind].T
        z = np.clip((mean - load) / np.sqrt(var + 25), 0, 3) * ((many > 0) & (s["seen"][rows, kind] > 1))
        out = self._score(s, z.astype(F32), (phone == OWN).reshape(known.shape).any(axis=1))
        rate = np.maximum(1 / (s["seen"][rows, kind] + F32(1)), np.where(weekend, F32(0.1), F32(0.05)))
        off = np.where(many > 0, load - mean, 0)
        first = s["seen"][rows, kind] == 0
        s["mean"][rows, kind] = (mean + rate * off).T
        s["var"][rows, kind] = np.where(first, var, (1 - rate) * (var + rate * off**2)).T
        s["seen"][rows, kind] = np.minimum(s["seen"][rows, kind] + 1, 100)
        return out

    def _score(self, s: State, z: Floats, own: NDArray[np.bool_]) -> Scores:
        out, below, unused = np.empty(z.shape, F32), s["below"], s["unused"].copy()
        longest = np.zeros_like(unused)
        for hour in range(HOURS):
            unused = np.where(own[hour], 0, unused + 1)
            longest = np.maximum(longest, unused)
            below[:, hour % self.window] = z[hour]
            if self.own:
                below[own[hour]] = 0
            out[hour] = below.mean(axis=1) + self.weight * np.minimum(unused / np.maximum(s["usual"], 2), _LONG)
        s["unused"][:] = unused
        s["usual"] += F32(0.05) * (np.minimum(longest, 72) - s["usual"])
        return out


class Total:
    """What is in use: at eight in the morning, yesterday's total as a part of the 60 days before it."""

    calm: float | None = 0.0

    def __init__(self, median: bool) -> None:
        self.median = median

    def fresh(self, n: int) -> State:
        """60 daily totals, where the next goes, what was told last."""
        return {"totals": np.full((n, _DAYS), np.nan, F32), "at": np.zeros(n, np.uint8),
                "told": np.full(n, -np.inf, F32), "next": np.full(n, -np.inf, F32)}  # fmt: skip

    def day(self, s: State, meter: Codes, phone: Codes, weekend: NDArray[np.bool_]) -> Scores:
        """The part, negative: less is more silent."""
        n = meter.shape[1]
        out = np.where(np.arange(HOURS)[:, None] >= 7, s["next"], s["told"]).astype(F32)
        s["told"][:] = s["next"]
        wh, known = wh_of(meter)
        many = known.sum(axis=0)
        whole = many >= 0.8 * SLOTS_PER_DAY
        total = wh.sum(axis=0) / np.maximum(many, 1) * SLOTS_PER_DAY
        some = ~np.isnan(s["totals"]).all(axis=1)
        usual = np.full(n, np.nan, F32)
        usual[some] = (np.nanmedian if self.median else np.nanmean)(s["totals"][some], axis=1)
        part = np.where(whole & some & (usual > 0), -total / np.maximum(usual, F32(1e-6)), -np.inf)
        s["next"][:] = part
        s["totals"][np.flatnonzero(whole), s["at"][whole]] = total[whole]
        s["at"][:] = (s["at"] + whole) % _DAYS
        return out
