"""What uses electricity in a home: what runs on its own, and what only runs because somebody lives there.

Energy comes in local slots of 15 minutes, 96 a day, in kWh, as arrays (n households, 96).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.people import Floats, Habits, People, Rhythm, Rng, is_out, waking_hour

SLOTS = 96
_EDGES = np.arange(SLOTS + 1, dtype=np.float64) * 15
"""Minutes of the day at which slots begin and end."""


@dataclass(frozen=True, slots=True)
class Cycling:
    """Something that switches by itself, for n homes: watts while on, minutes of a cycle, share of it that is on.
    Watts are 0 where the home has none."""

    watts: Floats
    minutes: Floats
    duty: Floats
    phase: Floats


@dataclass(frozen=True, slots=True)
class Appliances:
    """The appliances of n homes. Watts (n,), 0 where there is none; chances per day or per meal (n,)."""

    standby: Floats
    fridge: Cycling
    kimchi_fridge: Cycling
    defrost: Cycling
    tank: Cycling
    boiler: Cycling
    panel: Cycling
    timer: Floats
    keep_warm: Floats
    keeps_always: NDArray[np.bool_]
    storage: Floats
    storage_from: Floats
    kettle: Floats
    microwave: Floats
    rice: Floats
    induction: NDArray[np.bool_]
    air_fryer: Floats
    tv: Floats
    tv_always: NDArray[np.bool_]
    pc: Floats
    light: Floats
    dryer: Floats
    shower: Floats
    washing: Floats
    blanket: Floats
    heater: Floats
    fan: Floats
    cooler: Floats
    visible: Floats


def _some(rng: Rng, n: int, share: float, low: float, high: float) -> Floats:
    """Uniform watts for a share of n homes, 0 for the others."""
    return np.where(rng.random(n) < share, rng.uniform(low, high, n), 0.0)


def _cycling(rng: Rng, watts: Floats, minutes: tuple[float, float], duty: tuple[float, float]) -> Cycling:
    n = len(watts)
    return Cycling(watts, rng.uniform(*minutes, n), rng.uniform(*duty, n), rng.random(n))


def _fridge(rng: Rng, mean: Floats) -> Cycling:
    """Fridges by their mean watts: old ones switch on and off, those with an inverter hardly vary."""
    n = len(mean)
    duty = np.where(rng.random(n) < 0.5, rng.uniform(0.65, 0.95, n), rng.uniform(0.25, 0.45, n))
    return Cycling(mean / duty, rng.uniform(40, 110, n), duty, rng.random(n))


def draw_appliances(rng: Rng, people: People) -> Appliances:
    """What stands in the homes of these people."""
    n = len(people.wake)
    old = people.rhythm == Rhythm.early
    return Appliances(
        standby=np.clip(rng.lognormal(np.log(22), 0.6, n), 4, 110),
        fridge=_fridge(rng, rng.uniform(28, 55, n)),
        kimchi_fridge=_fridge(rng, _some(rng, n, 0.45, 12, 30)),
        defrost=_cycling(rng, rng.uniform(120, 220, n), (900, 1900), (0.010, 0.018)),
        tank=_cycling(rng, _some(rng, n, 0.10, 1200, 1800), (420, 900), (0.012, 0.03)),
        boiler=_cycling(rng, _some(rng, n, 0.60, 60, 110), (50, 110), (0.8, 1.2)),
        panel=_cycling(rng, _some(rng, n, 0.03, 400, 1000), (30, 60), (0.8, 1.2)),
        timer=_some(rng, n, 0.05, 30, 80),
        keep_warm=_some(rng, n, 0.70, 18, 42),
        keeps_always=rng.random(n) < 0.35,
        storage=_some(rng, n, 0.05, 1800, 3600),
        storage_from=rng.uniform(22.0, 23.5, n),
        kettle=rng.gamma(2.0, 1.2, n) * (rng.random(n) < 0.8),
        microwave=rng.uniform(0.1, 0.8, n) * (rng.random(n) < 0.85),
        rice=rng.uniform(0.3, 0.95, n),
        induction=rng.random(n) < 0.3,
        air_fryer=_some(rng, n, 0.5, 900, 1500),
        tv=_some(rng, n, 0.92, 60, 170),
        tv_always=rng.random(n) < np.where(old, 0.5, 0.2),
        pc=_some(rng, n, 0.3, 60, 200) * ~old,
        light=np.clip(rng.lognormal(np.log(45), 0.5, n), 12, 150),
        dryer=_some(rng, n, 0.55, 800, 1500),
        shower=_some(rng, n, 0.12, 1300, 2200),
        washing=rng.uniform(0.1, 0.5, n),
        blanket=_some(rng, n, 0.45, 50, 140),
        heater=_some(rng, n, 0.22, 500, 1200),
        fan=_some(rng, n, 0.8, 30, 50),
        cooler=_some(rng, n, 0.6, 450, 900),
        # A few homes show almost nothing of the life in them: gas, no television, one lamp.
        visible=np.where(rng.random(n) < 0.04, rng.uniform(0.02, 0.10, n), rng.lognormal(0.2, 0.35, n)),
    )


def cycle(unit: Cycling, day: int, duty: Floats | None = None) -> Floats:
    """Energy (n, 96) of something that switches by itself, without a seam at midnight. ``day``: the date's ordinal."""
    share = np.clip(unit.duty if duty is None else unit.duty * duty, 0, 1)[:, None]
    minute = (day % 4000) * 1440.0 + _EDGES
    turns = minute / unit.minutes[:, None] + unit.phase[:, None]
    # Real compressors do not keep time: the cycle runs a little fast and a little slow.
    turns = turns + 0.3 * np.sin(turns / 2.7 + 9 * unit.phase[:, None])
    whole = np.floor(turns)
    ran = (whole * share + np.minimum(turns - whole, share)) * unit.minutes[:, None]
    return np.asarray(np.diff(ran, axis=1) * unit.watts[:, None] / 60_000)


def deposit(at: Floats, hours: Floats, watts: Floats) -> Floats:
    """Energy (n, 96) of uses (n, k): start hour, length in hours, watts. What lies outside the day is cut off."""
    n = len(at)
    begin = np.nan_to_num(np.clip(at * 4, 0, SLOTS)).ravel()
    end = np.nan_to_num(np.clip((at + hours) * 4, 0, SLOTS)).ravel()
    power = np.where(np.isnan(at), 0.0, np.broadcast_to(watts, at.shape)).ravel() * 0.25 / 1000
    row = np.repeat(np.arange(n) * (SLOTS + 2), at.shape[1])
    where, what = [], []
    # Power that starts in the middle of a slot fills the rest of it, and all the slots after, until it ends.
    for edge, sign in ((begin, 1.0), (end, -1.0)):
        slot = np.floor(edge).astype(np.int64)
        left = power * (1 - (edge - slot)) * sign
        where += [row + slot, row + slot + 1]
        what += [left, power * sign - left]
    steps = np.bincount(np.concatenate(where), np.concatenate(what), n * (SLOTS + 2)).reshape(n, SLOTS + 2)
    return np.asarray(np.maximum(np.cumsum(steps, axis=1)[:, :SLOTS], 0))


def alone(homes: Appliances, rng: Rng, day: int, celsius: float) -> Floats:
    """Energy (n, 96) that a home uses on its own, whether anybody lives in it or not."""
    n = len(homes.standby)
    cold = np.full(n, np.clip((17 - celsius) / 28, 0, 0.75))
    watts = homes.standby + homes.keep_warm * homes.keeps_always
    energy = np.repeat(watts[:, None] / 4000, SLOTS, axis=1)
    warm = np.full(n, 1 + np.clip((celsius - 12) / 60, -0.2, 0.35))
    for unit, duty in ((homes.fridge, warm), (homes.kimchi_fridge, warm), (homes.defrost, None), (homes.tank, None),
                       (homes.boiler, cold), (homes.panel, cold)):
        has = np.flatnonzero(unit.watts)
        part = Cycling(unit.watts[has], unit.minutes[has], unit.duty[has], unit.phase[has])
        energy[has] += cycle(part, day, None if duty is None else duty[has])
    # 심야전기: heat stored by night for the next day, hours of it as the cold asks.
    hours = np.full(n, np.clip((15 - celsius) * 0.35, 0.6, 7.0))
    nights = np.stack([homes.storage_from, homes.storage_from - 24], axis=1)
    energy += deposit(nights, hours[:, None], homes.storage[:, None])
    energy += deposit(np.full((n, 1), 8.0), np.full((n, 1), 12.0), homes.timer[:, None])
    noise = 1 + 0.02 * rng.standard_normal((n, SLOTS))
    return np.asarray(np.maximum(energy * noise + 0.0003 * rng.standard_normal((n, SLOTS)), 0.0002))


def lived(homes: Appliances, people: People, habits: Habits, rng: Rng, celsius: float) -> Floats:
    """Energy (n, 96) used because somebody lives there that day, on top of ``alone``."""
    home = presence(habits)
    energy = _uses(homes, people, habits, rng) + _comfort(homes, habits, rng, celsius)
    hour = np.arange(SLOTS) / 4
    dark = np.clip(np.maximum(8.0 - hour, hour - 16.8) / 1.5, 0.12, 1.0)
    flicker = rng.gamma(4.0, 0.25, (n := len(home), SLOTS))
    energy += homes.light[:, None] / 4000 * dark * flicker * home
    tv = np.where(homes.tv_always, 0.85 * homes.tv, 0.0)
    energy += tv[:, None] / 4000 * home * (rng.random((n, SLOTS)) < 0.9)
    # The rest of living: a door opened, a pump, a charger.
    energy += rng.exponential(0.006, (n, SLOTS)) * home
    return np.asarray(energy * homes.visible[:, None] * habits.vigour[:, None])


def presence(habits: Habits) -> Floats:
    """Share (n, 96) of each slot that the person is awake and at home."""
    n = len(habits.wake)
    late = deposit(np.zeros((n, 1)), habits.awake_until[:, None], np.full((n, 1), 4000.0))
    day = deposit(habits.wake[:, None], (habits.bed - habits.wake)[:, None], np.full((n, 1), 4000.0))
    out = deposit(habits.out_from, habits.out_until - habits.out_from, np.full((n, 2), 4000.0))
    return np.asarray(np.clip(late + day - out, 0, 1))


def _uses(homes: Appliances, people: People, habits: Habits, rng: Rng) -> Floats:
    """Energy of single uses: kettle, meals, television, washing and the like."""
    n = len(people.wake)
    at, hours, watts = [], [], []

    def use(when: Floats, length: Floats, power: Floats | float, chance: Floats | float) -> None:
        done = rng.random(when.shape) < chance
        at.append(np.where(done, when, np.nan))
        hours.append(np.broadcast_to(length, when.shape))
        watts.append(np.broadcast_to(power, when.shape))

    anytime = waking_hour(habits, rng.random((n, 9)))
    anytime = np.where(is_out(habits.out_from, habits.out_until, anytime), np.nan, anytime)
    vigour = habits.vigour[:, None]
    use(anytime[:, :6], rng.uniform(0.04, 0.09, (n, 6)), 1750.0, homes.kettle[:, None] / 6 * vigour)
    use(habits.meals, rng.uniform(0.03, 0.12, (n, 3)), 1150.0, homes.microwave[:, None])
    stove = np.where(homes.induction, 1400.0, 55.0)[:, None]
    use(habits.meals, rng.uniform(0.15, 0.5, (n, 3)), stove, 0.6 * vigour)
    use(habits.meals, rng.uniform(0.15, 0.45, (n, 3)), homes.air_fryer[:, None], 0.3 * vigour)
    cooked = np.where(rng.random((n, 1)) < homes.rice[:, None], habits.meals[:, 2:] - 0.6, np.nan)
    use(cooked, np.full((n, 1), 0.5), 780.0, 1.0)
    use(cooked + 0.5, rng.uniform(1, 9, (n, 1)), (homes.keep_warm * ~homes.keeps_always)[:, None], 1.0)
    use(habits.wake[:, None] + 0.5, np.full((n, 1), 0.07), homes.dryer[:, None], 0.7)
    use(habits.wake[:, None] + 0.4, rng.uniform(0.3, 0.6, (n, 1)), homes.shower[:, None], 0.7)
    use(anytime[:, 6:7], rng.uniform(0.8, 1.3, (n, 1)), 320.0, homes.washing[:, None] * vigour)
    use(anytime[:, 7:8], rng.uniform(0.1, 0.3, (n, 1)), 650.0, 0.2 * vigour)
    use(rng.uniform(0.2, 1.0, (n, 2)) * habits.wake[:, None], np.full((n, 2), 0.1), 60.0, 0.35)
    sit = np.maximum(np.fmax(habits.meals[:, 2], habits.out_until.max(1)), 18.0) + rng.uniform(0, 0.6, n)
    tv = np.where(homes.tv_always, 0.0, homes.tv)[:, None]
    use(sit[:, None], np.maximum(habits.bed - sit - 0.3, 0.2)[:, None], tv, 0.9)
    use(np.zeros((n, 1)), np.maximum(habits.awake_until - 0.3, 0)[:, None], tv, 0.9)
    use(habits.meals[:, :1], rng.uniform(0.4, 2.5, (n, 1)), tv, 0.6)
    use(anytime[:, 8:9], rng.uniform(0.5, 4, (n, 1)), homes.pc[:, None], 0.8)
    return deposit(np.concatenate(at, 1), np.concatenate(hours, 1), np.concatenate(watts, 1))


def _comfort(homes: Appliances, habits: Habits, rng: Rng, celsius: float) -> Floats:
    """Energy of warming and cooling a person: 전기장판, heater, fan, air conditioning."""
    n = len(habits.wake)
    none = np.zeros((n, 1))
    bed, wake = habits.bed[:, None], habits.wake[:, None]
    asleep_from = np.where(habits.awake_until > 0, habits.awake_until, -1.0)[:, None]
    night = deposit(np.concatenate([asleep_from - 0.5, bed - 0.5], 1),
                    np.concatenate([wake - asleep_from + 0.5, none + 12], 1), np.full((n, 2), 1.0))
    home = presence(habits) / 4000
    energy = night * homes.blanket[:, None] * np.clip((14 - celsius) / 14, 0, 1)
    energy += night * homes.fan[:, None] * np.clip((celsius - 23) / 3, 0, 1)
    energy += home * homes.fan[:, None] * np.clip((celsius - 22) / 3, 0, 1)
    cold, hot = np.clip((7 - celsius) / 18, 0, 0.7), np.clip((celsius - 24.5) / 9, 0, 0.8)
    if cold + hot == 0:
        return np.asarray(energy)
    power = (homes.heater * cold + homes.cooler * hot)[:, None]
    # A thermostat: on in part of the slots, and not on every mood.
    energy += home * power * 1.6 * (rng.random((n, SLOTS)) < 0.6) * (rng.random((n, 1)) < 0.8)
    energy += night * (homes.cooler * np.clip((celsius - 27) / 6, 0, 0.5))[:, None] * (rng.random((n, 1)) < 0.7)
    return np.asarray(energy)


