"""Values that cannot be the use of one home: another unit, several meters under one id, a counter that stands still."""

import numpy as np
from numpy.typing import NDArray

from stream.suspicion.rows import Rows
from stream.suspicion.told import Suspicion, flagged

ENOUGH = 24
"""Values of a household below which nothing is said of them."""
DAY_S = 86_400
TOO_MUCH_KW = 8.0
"""Mean power of one person's home that no home has: watt hours, or the meter of a house."""
TOO_LITTLE_KW = 0.003
"""Power that a home never exceeds only when nobody lives there and the fridge is off, or in another unit."""
DIFFERING, DIFFERING_SHARE = 10, 0.05
"""Slots with several values from which on they are no corrections."""
TOTALS = 5
"""Such slots, all at one hour of the day, that are the totals of the days among the readings."""
ROUNDING_KWH = 0.0051
"""Difference up to which two values are one, written with other digits."""


def too_much(rows: Rows) -> list[Suspicion]:
    """Mean power beyond any home's."""
    values = rows.values
    energy = np.bincount(values.code, values.kwh, rows.homes)
    hours = np.bincount(values.code, values.step / 3600, rows.homes)
    count = np.bincount(values.code, minlength=rows.homes)
    mean = energy / np.maximum(hours, 1e-9)
    return [
        Suspicion(
            rows.names[i], "too_much", "한 집의 사용량으로는 너무 많음 · more than a home uses",
            f"{mean[i]:.1f} kW on average over {hours[i]:,.0f} hours",
            "단위를 확인하십시오(kWh, Wh 아님) · check the unit: kWh of each interval, no Wh and no counter", True,
        )
        for i in flagged((count >= ENOUGH) & (mean >= TOO_MUCH_KW))
    ]  # fmt: skip


def unchanging(rows: Rows) -> list[Suspicion]:
    """One value for a day and more, or hardly any: a vacant home, a meter that stands still, another unit."""
    values = rows.values
    if not len(values.code):
        return []
    count = np.bincount(values.code, minlength=rows.homes)
    head, last = values.head, values.last
    span, low, high = np.zeros(rows.homes), np.zeros(rows.homes), np.zeros(rows.homes)
    home = values.code[head]
    power = values.kwh * 3600 / values.step
    span[home] = values.time[last] - values.time[head] + values.step[last]
    low[home], high[home] = np.minimum.reduceat(values.kwh, head), np.maximum.reduceat(values.kwh, head)
    most = np.zeros(rows.homes)
    most[home] = np.maximum.reduceat(power, head)
    enough = (count >= ENOUGH) & (span >= DAY_S)
    still = enough & (high == low)
    return [
        Suspicion(
            rows.names[i], "unchanging", "값이 변하지 않음 · values that never change" if still[i] else
            "값이 거의 없음 · hardly any use",
            f"{count[i]:,} readings over {span[i] / DAY_S:,.0f} days, "
            + ("all of one value" if still[i] else f"never above {most[i] * 1000:.1f} W"),
            "빈집인지, 계량기와 단위가 맞는지 확인하십시오 · "
            "see whether somebody lives there, and check meter and unit",
            False,
        )
        for i in flagged(still | (enough & (most < TOO_LITTLE_KW)))
    ]  # fmt: skip


def several_a_slot(rows: Rows) -> list[Suspicion]:
    """Different measured values for one time of one household."""
    again = np.append(False, rows.follows & (rows.time[1:] == rows.time[:-1]))[: len(rows.code)]
    if not again.any():
        return []
    apart = np.abs(np.diff(rows.kwh)) > ROUNDING_KWH  # NaN, which is no value, differs from nothing
    differ = again & np.append(False, apart)
    slots, count, first = rows.count(~again), rows.count(differ), rows.first(differ)
    hour = rows.local(rows.time[differ]) // 3600 % 24
    by_hour = np.bincount(rows.code[differ] * 24 + hour, minlength=rows.homes * 24).reshape(-1, 24)
    totals = (by_hour.max(axis=1, initial=0) == count) & (_days(rows, differ) >= TOTALS)
    blinds = totals | ((count >= DIFFERING) & (count >= DIFFERING_SHARE * slots))
    return [
        Suspicion(
            rows.names[i], "several_values", "한 시각에 다른 값 · different values for one time",
            f"at {count[i]:,} of {slots[i]:,} times, first at {rows.when(int(rows.time[first[i]]))}",
            "가구마다 계량기 하나만 보내십시오(발전·무효전력·하루 합계 제외) · send one meter per household: no second "
            "meter, no feed-in, no reactive energy, no totals of days",
            bool(blinds[i]),
        )
        for i in flagged(count > 0)
    ]  # fmt: skip


def _days(rows: Rows, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """On how many local days each household has rows of a mask."""
    day = rows.local(rows.time[mask]) // DAY_S
    pairs = np.unique(np.stack([rows.code[mask], day]), axis=1)
    return np.bincount(pairs[0], minlength=rows.homes)
