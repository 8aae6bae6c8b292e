"""People living alone: when they sleep, eat and go out. Hours are local; an hour above 24 belongs to the next day."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rng = np.random.Generator


class Rhythm(IntEnum):
    """How a life is laid out over the day."""

    early = 0
    worker = 1
    homebody = 2
    owl = 3
    irregular = 4


SHARES = (0.45, 0.22, 0.15, 0.10, 0.08)
_WAKE = np.array([5.8, 6.8, 7.6, 10.3, 8.5])
_BED = np.array([21.8, 23.4, 22.8, 26.3, 24.5])
_SPREAD = np.array([0.4, 0.5, 0.7, 1.0, 3.0])
_OUT = np.array([0.65, 0.92, 0.35, 0.55, 0.65])
_OUT_AT = np.array([9.5, 8.2, 13.5, 15.0, 12.0])
_OUT_HOURS = np.array([2.2, 9.6, 1.2, 4.0, 7.5])


_DAY_SPREAD = 0.1
_MOOD_SPREAD = 0.2
_MOOD_DAYS = 4
"""How much livelier a day is than others, and some days in a row than others: standard deviations of the log. In
real homes what is used in the morning and in the evening of a day correlates by 0.1 to 0.2, and one day with the next
by as much: less in common within a day than one may think, and more from day to day."""


@dataclass(frozen=True, slots=True)
class People:
    """n people, each field of shape (n,). ``spread``: standard deviation of waking and sleeping, in hours;
    ``weekend_late``: hours later at weekends; ``meals``: (n, 3) chance of breakfast, lunch, dinner at home."""

    rhythm: NDArray[np.int64]
    wake: Floats
    bed: Floats
    spread: Floats
    weekend_late: Floats
    out_chance: Floats
    out_at: Floats
    out_hours: Floats
    second_out: Floats
    meals: Floats


@dataclass(frozen=True, slots=True)
class Habits:
    """One day of n people. ``awake_until``: hour up to which the night before went on (0: asleep at midnight);
    ``wake``, ``bed``: (n,); ``out_from``, ``out_until``: (n, 2), equal where there was no outing; ``meals``: (n, 3)
    hours, NaN where not eaten at home; ``vigour``: (n,) around 1, how much of everything."""

    awake_until: Floats
    wake: Floats
    bed: Floats
    out_from: Floats
    out_until: Floats
    meals: Floats
    vigour: Floats


def draw_people(rng: Rng, n: int) -> People:
    """n people, drawn from a mixture of rhythms."""
    rhythm = rng.choice(len(SHARES), size=n, p=SHARES)
    return People(
        rhythm=rhythm,
        wake=_WAKE[rhythm] + rng.normal(0, 0.8, n),
        bed=_BED[rhythm] + rng.normal(0, 0.8, n),
        spread=_SPREAD[rhythm] * rng.lognormal(0, 0.3, n),
        weekend_late=np.where(rhythm == Rhythm.worker, rng.uniform(0.5, 2.5, n), rng.uniform(0, 0.5, n)),
        out_chance=np.clip(_OUT[rhythm] + rng.normal(0, 0.15, n), 0.02, 0.98),
        out_at=_OUT_AT[rhythm] + rng.normal(0, 0.8, n),
        out_hours=_OUT_HOURS[rhythm] * rng.lognormal(0, 0.2, n),
        second_out=rng.uniform(0.05, 0.4, n),
        meals=np.clip(rng.normal([0.75, 0.7, 0.85], 0.2, (n, 3)), 0.05, 0.98),
    )


def draw_habits(rng: Rng, people: People, before: Floats | None, weekend: bool, mood: Floats) -> Habits:
    """One day's habits. ``before``: yesterday's hour of going to bed, (n,), from ``sleep_hours``; ``mood``: (n,) as
    from `mood_of`."""
    n = len(people.wake)
    wake, bed = sleep_hours(rng, people, weekend)
    awake_until = np.zeros(n) if before is None else np.clip(before - 24, 0, np.maximum(wake - 3, 0))
    out_from, out_until = _outings(rng, people, wake, bed, weekend)
    vigour = np.exp(mood) * rng.lognormal(0, _DAY_SPREAD, n)
    return Habits(awake_until, wake, bed, out_from, out_until,
                  _meals(rng, people, wake, bed, out_from, out_until), vigour)


def mood_of(draw: Callable[[int], Rng], day: int, n: int) -> Floats:
    """Log of how lively n people are in the days around a date's ordinal, (n,): what is drawn once in `_MOOD_DAYS`
    days by ``draw`` of a number, and changes evenly in between."""
    number, into = divmod(day, _MOOD_DAYS)
    here, next_ = (draw(number + i).normal(0, _MOOD_SPREAD, n) for i in (0, 1))
    return np.asarray(here + (next_ - here) * into / _MOOD_DAYS)


def sleep_hours(rng: Rng, people: People, weekend: bool) -> tuple[Floats, Floats]:
    """Hours of waking and of going to bed, (n,) each: the first draws of a day, so that the next day can ask again."""
    n = len(people.wake)
    noise = rng.normal(0, 1, (2, n)) * people.spread
    late = people.weekend_late * weekend
    wake = np.clip(people.wake + late + noise[0], 2.5, 15)
    bed = np.clip(people.bed + late + noise[1], wake + 9, 29)
    return wake, bed


def _outings(rng: Rng, people: People, wake: Floats, bed: Floats, weekend: bool) -> tuple[Floats, Floats]:
    """Start and end of up to two outings, (n, 2) each; the second follows the first."""
    n = len(wake)
    free = weekend & (people.rhythm == Rhythm.worker)
    chance = np.where(free, 0.55, people.out_chance)
    at = np.where(free, 13.0, people.out_at) + rng.normal(0, 1, n) * np.minimum(people.spread, 1.5)
    hours = np.where(free, 3.0, people.out_hours) * rng.lognormal(0, 0.3, n)
    at = np.maximum(at, wake + 0.6)
    went = rng.random(n) < chance
    end = np.where(went, np.minimum(at + hours, bed - 0.4), at)
    end = np.maximum(end, at)
    again = end + rng.uniform(0.8, 4, n)
    again_end = np.minimum(again + rng.uniform(0.4, 1.8, n), bed - 0.4)
    again_end = np.where((rng.random(n) < people.second_out) & (again_end > again), again_end, again)
    return np.stack([at, again], 1), np.stack([end, again_end], 1)


def _meals(rng: Rng, people: People, wake: Floats, bed: Floats, out_from: Floats, out_until: Floats) -> Floats:
    n = len(wake)
    at = np.stack([wake + rng.uniform(0.3, 1.2, n),
                   np.maximum(12.3 + rng.normal(0, 0.5, n), wake + 2.5),
                   np.maximum(18.4 + rng.normal(0, 0.7, n), wake + 7)], 1)
    # Whoever is out at dinner time eats when home again.
    home = np.where((at[:, 2] > out_from[:, 0]) & (at[:, 2] < out_until[:, 0]), out_until[:, 0] + 0.5, at[:, 2])
    at[:, 2] = home
    eaten = (rng.random((n, 3)) < people.meals) & ~is_out(out_from, out_until, at) & (at < bed[:, None] - 0.3)
    return np.where(eaten, at, np.nan)


def is_out(out_from: Floats, out_until: Floats, at: Floats) -> NDArray[np.bool_]:
    """Whether each hour of ``at`` (n, k) falls in one of the outings (n, 2)."""
    hour = at[:, :, None]
    return np.asarray(((hour >= out_from[:, None, :]) & (hour < out_until[:, None, :])).any(axis=2))


def is_awake(habits: Habits, at: Floats) -> NDArray[np.bool_]:
    """Whether the person is awake at each hour of ``at`` (n, k), hours of this day."""
    woken = (at >= habits.wake[:, None]) & (at < habits.bed[:, None])
    return np.asarray(woken | (at < habits.awake_until[:, None]))


def waking_hour(habits: Habits, u: Floats) -> Floats:
    """Hour of this day at which a share ``u`` (n, k) of the day's waking time has passed."""
    early = habits.awake_until[:, None]
    wake, end = habits.wake[:, None], np.minimum(habits.bed, 24)[:, None]
    spent = u * (early + end - wake)
    return np.asarray(np.where(spent < early, spent, wake + spent - early))
