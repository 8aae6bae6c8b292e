"""Intervals that are not what the file says, or that change within it; nights without a reading."""

import numpy as np

from stream.suspicion.rows import Rows
from stream.suspicion.told import Suspicion, flagged

RUN = 8
"""Equal steps in a row that are the household's interval, and no readings that are missing or sent twice."""
OVERLAPPING, WIDER = 12, 24
"""Such steps that are shorter, or longer, than the readings are said to be."""
NIGHTS, NIGHTS_SHARE = 3, 0.2
"""Nights (00 to 06) without a reading between days with some."""
DAY_S, NIGHT_S = 86_400, 6 * 3600


def misread(rows: Rows) -> list[Suspicion]:
    """``minutes`` longer than the step to the next reading, or always shorter: energy is spread over the wrong time."""
    step = np.append(np.where(rows.follows, np.diff(rows.time), 0), 0)
    long = rows.step
    run = np.cumsum(np.append(True, (step[1:] != step[:-1]) | ~rows.follows)) - 1
    regular = np.bincount(run)[run] >= RUN
    found = []
    for name, mask, least in (
        ("overlap", regular & (step > 0) & (step < long), OVERLAPPING),
        ("holes", regular & np.isin(step, (1800, 3600)) & (step > long), WIDER),
    ):
        count, steps, first = rows.count(mask), rows.count(step > 0), rows.first(mask)
        for i in flagged(count >= least):
            at = first[i]
            found.append(
                Suspicion(
                    rows.names[i], name, "구간 길이가 맞지 않음 · intervals that cannot be",
                    f"{count[i]:,} of {steps[i]:,} readings are said to be of {long[at] // 60} minutes, but the next "
                    f"comes after {step[at] // 60}, first at {rows.when(int(rows.time[at]))}",
                    "minutes 열에 각 값의 실제 분(15, 30, 60)을 넣으십시오 · send the minutes that each reading covers",
                    True,
                )
            )  # fmt: skip
    return found


def changing(rows: Rows) -> list[Suspicion]:
    """Households whose interval changes, where the file does not say it."""
    if rows.said:
        return []
    change = np.append(False, rows.follows & (rows.step[1:] != rows.step[:-1]))
    count, first = rows.count(change), rows.first(change)
    found = []
    for i in flagged(count > 0):
        at = first[i]
        found.append(
            Suspicion(
                rows.names[i], "interval_changes", "구간 길이가 바뀜 · the interval changes",
                f"from {rows.step[at - 1] // 60} to {rows.step[at] // 60} minutes at "
                f"{rows.when(int(rows.time[at]))}" + (f", and {count[i] - 1:,} times more" if count[i] > 1 else ""),
                "각 값은 제 길이로 읽었습니다; 값이 빠진 것이면 minutes 열을 넣으십시오 · "
                "each reading is taken with its own step; if readings are missing there, send a column minutes",
                False,
            )
        )  # fmt: skip
    return found


def nights(rows: Rows) -> list[Suspicion]:
    """Nights of which nothing was measured, between days of which something was."""
    values = rows.values
    if not len(values.code):
        return []
    local = rows.local(values.time)
    day = local // DAY_S
    first = day.min()
    key = values.code * (day.max() - first + 1) + day - first
    head = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    home = values.code[head]
    dark = np.add.reduceat((local % DAY_S < NIGHT_S).astype(np.int64), head) == 0
    inner = np.append(False, home[1:] == home[:-1]) & np.append(home[1:] == home[:-1], False)
    days = np.bincount(home[inner], minlength=rows.homes)
    count = np.bincount(home[inner & dark], minlength=rows.homes)
    return [
        Suspicion(
            rows.names[i], "nights_missing", "밤 자료가 없음 · nights are missing",
            f"nothing measured from 00 to 06 on {count[i]:,} of {days[i]:,} days",
            "밤을 포함한 모든 시각을 보내십시오 · send the whole day", False,
        )
        for i in flagged((count >= NIGHTS) & (count >= NIGHTS_SHARE * days))
    ]  # fmt: skip


def ends(rows: Rows) -> list[Suspicion]:
    """Days that run to 24:00: as a rule such times are the ends of intervals."""
    if not rows.to_midnight:
        return []
    return [
        Suspicion(
            "", "to_midnight", "24:00으로 끝나는 시각 · days that run to 24:00",
            "24:00 was read as the next day's 00:00, the beginning of an interval",
            "구간의 끝 시각이면 --time-is end(HTTP: ?time=end)로 다시 보내십시오 · "
            "if these are the ends of intervals, send them with --time-is end (HTTP: ?time=end)", False,
        )
    ]  # fmt: skip
