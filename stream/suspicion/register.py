"""A meter's counter sent as energy: it only rises, or falls to about nothing some times a day or at each hour.

Or what is left of a prepaid sum: it only falls, but for when it is filled up.
"""

import numpy as np
from numpy.typing import NDArray

from stream.suspicion.rows import Rows
from stream.suspicion.told import Suspicion, flagged

NOISE_KWH = 1e-6
RISES = 20
"""Rises without a fall that make a counter. The use of a home falls as often as it rises."""
CHANGES = 24
RISES_PER_FALL = 7
"""A counter that begins anew each midnight, read by the hour, rises some twenty times to a fall."""
FALLS_A_DAY = 1.2
RESETS_A_DAY = 5.0
"""Falls to about nothing of a counter that begins anew some times a day, by tariff or by shift."""
COARSE_RISES = 2
"""Rises to a fall of a counter in coarse steps that always falls at one time of the day, and never rises then."""
TO_NOTHING = 0.5
"""Part of the value before that is left after a fall to about nothing, at most."""
OFTEN = 0.8
STRAY = 0.02

_REMEDY = ("각 구간에 쓴 전력량(앞뒤 값의 차)을 보내십시오 · "
           "send the energy used in each interval (the difference of two readings), no counter")  # fmt: skip


def registers(rows: Rows) -> list[Suspicion]:
    """Counters that rise (or fall) for good, or are set back at most about once a day."""
    values = rows.values
    home = values.code[1:]
    rises, falls, far = _counts(rows, home, values.change, values.kwh[:-1])
    days = _days(rows)

    def one_way(way: NDArray[np.int64], back: NDArray[np.int64], a_day: float) -> NDArray[np.bool_]:
        most = np.maximum(a_day * days, 1)
        seldom = (way + back >= CHANGES) & (back * RISES_PER_FALL <= way) & (back <= most)
        return np.where(back == 0, way >= RISES, seldom)

    resets = far >= OFTEN * falls
    counter = one_way(rises, falls, RESETS_A_DAY) & resets
    coarse = _at_one_time(rows) & (rises >= COARSE_RISES * falls) & (rises + falls >= CHANGES) & resets
    left = one_way(falls, rises, FALLS_A_DAY)
    return [
        Suspicion(
            rows.names[i], "register", "누적 계량값 · a counter",
            f"its values rise {rises[i]:,} times and fall {falls[i]:,} times", _REMEDY, True,
        )
        for i in flagged(counter | coarse | left)
    ]  # fmt: skip


def hourly_registers(rows: Rows) -> list[Suspicion]:
    """Counters that are set back at each full hour: within the hour they only rise, and not always by the same."""
    values = rows.values
    near = (values.time[1:] - values.time[:-1] == values.step[1:]) & (values.step[1:] < 3600)
    change = np.where(near, values.change, 0.0)
    full = rows.local(values.time)[1:] % 3600 == 0
    home, before = values.code[1:], values.kwh[:-1]
    rises, falls, _ = _counts(rows, home, np.where(full, 0.0, change), before)
    back_up, back, _ = _counts(rows, home, np.where(full, change, 0.0), before)
    within = ~full & (change > NOISE_KWH)
    once, squared = (np.bincount(home[within], change[within] ** k, rows.homes) for k in (1, 2))
    varied = squared * rises > once**2 * (1 + 1e-6)
    only_up = (rises >= CHANGES) & (falls <= STRAY * rises) & varied
    found = only_up & (back >= CHANGES // 3) & (back_up <= (1 - OFTEN) * back)
    return [
        Suspicion(
            rows.names[i], "register", "누적 계량값 · a counter",
            f"within the hour its values rise {rises[i]:,} times and fall {falls[i]:,} times, at the full hour they "
            f"fall {back[i]:,} times", _REMEDY, True,
        )
        for i in flagged(found)
    ]  # fmt: skip


def _at_one_time(rows: Rows) -> NDArray[np.bool_]:
    """Households whose values fall on several days, and always at one hour of the day."""
    values = rows.values
    fall = values.change < -NOISE_KWH
    home, hour = values.code[1:][fall], rows.local(values.time)[1:][fall] // 3600 % 24
    by_hour = np.bincount(home * 24 + hour, minlength=rows.homes * 24).reshape(-1, 24)
    return (by_hour.max(axis=1, initial=0) >= 3) & (by_hour.max(axis=1, initial=0) == by_hour.sum(axis=1))


def _days(rows: Rows) -> NDArray[np.float64]:
    """Days from the first to the last value of each household."""
    values, days = rows.values, np.zeros(rows.homes)
    days[values.code[values.head]] = (values.time[values.last] - values.time[values.head]) / 86_400
    return days


def _counts(
    rows: Rows, home: NDArray[np.int64], change: NDArray[np.float64], before: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rises, falls, and falls to about nothing of each household."""
    fall = change < -NOISE_KWH
    far = fall & (before + change <= TO_NOTHING * before)

    def of(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(home[mask], minlength=rows.homes)

    return of(change > NOISE_KWH), of(fall), of(far)
