"""What the refused rows of a file say about the rest: a large share, or the same hours of every day."""

import numpy as np
from numpy.typing import NDArray

from stream.badrows import CODES, REASONS
from stream.records import Reason
from stream.suspicion.rows import UNKNOWN, Rows
from stream.suspicion.told import Suspicion, flagged

ENOUGH, SHARE = 10, 0.2
"""Refused rows, and their share, from which on a file is not what it seems; below it is a file with bad rows."""
AT_HOURS = 6
"""Refused rows of a household from which on their hours are looked at."""
HOUR_ROWS, HOUR_SHARE = 5, 0.75
"""Rows of an hour of the day, and the share of them refused, that make the hour one that is refused."""
HARDLY = 0.1
"""Part of the usual number of rows an hour up to which an hour is hardly there."""
DAYS, HOURS = 3, 6
"""Days of households, and hours of the day with good rows, without which an hour that is not there is no wonder."""
_REMEDY = ("줄마다 알린 이유를 고쳐 다시 보내십시오 · mend what is told of the rows, and send it again: "
           "what is left would show another life")  # fmt: skip


def refused(rows: Rows) -> list[Suspicion]:
    """Households of which a large share or certain hours were refused, and the file where that is not told of these."""
    bad = rows.refused
    if len(bad) < AT_HOURS:
        return []
    known = bad.code != UNKNOWN
    count = np.bincount(bad.code[known], minlength=rows.homes)
    total = count + rows.counts
    large = (count >= ENOUGH) & (count >= SHARE * total)
    found = [
        _of(rows.names[i], f"{count[i]:,} of {total[i]:,} rows were refused ({_reasons(bad.reason[bad.of(i)])})")
        for i in flagged(large)
    ]
    if rows.step.any():  # readings: of phone events no hour has its share
        found += _at_hours(rows, count, large)
    rest = ~np.append(large, False)[np.where(known, bad.code, rows.homes)]
    if (rows_all := len(bad) + len(rows.code)) and rest.sum() >= ENOUGH and rest.sum() >= SHARE * rows_all:
        found.append(_of("", f"{len(bad):,} of {rows_all:,} rows were refused ({_reasons(bad.reason[rest])})"))
    return found


def shapeless(rows: Rows) -> bool:
    """Whether so many lines are no rows of any household that the others cannot be trusted to be what they seem."""
    torn = int((rows.refused.reason == CODES[Reason.truncated]).sum())
    return torn >= ENOUGH and torn >= SHARE * (len(rows.refused) + len(rows.code))


def _at_hours(rows: Rows, count: NDArray[np.int64], large: NDArray[np.bool_]) -> list[Suspicion]:
    """Households of which certain hours were refused: of each for itself, else of all that the whole file's lack."""
    everywhere = _hours(rows, slice(None), slice(None))
    found = []
    for i in flagged((count > 0) & (rows.counts > 0) & ~large):
        hours = _hours(rows, rows.of(i), rows.refused.of(i)) if count[i] >= AT_HOURS else []
        if hours or everywhere:
            said = ", ".join(f"{h:02}" for h in hours or everywhere)
            reasons = _reasons(rows.refused.reason[rows.refused.of(i)])
            where = "" if hours else ", as in the whole file"
            evidence = f"{count[i]:,} rows were refused ({reasons}), all or most at hour {said}{where}"
            found.append(_of(rows.names[i], evidence))
    return found


def _hours(rows: Rows, good: slice, refused: slice) -> list[int]:
    """Local hours of the day of which some rows are refused, or are not there while some have no time."""
    bad_time, local = rows.refused.time[refused], rows.local(rows.time[good])
    at = np.bincount(local // 3600 % 24, minlength=24)
    if (at > 0).sum() < HOURS:
        return []
    timed = bad_time != UNKNOWN
    refused_at = np.bincount(rows.local(bad_time[timed]) // 3600 % 24, minlength=24)
    total = at + refused_at
    hours = (total >= HOUR_ROWS) & (refused_at >= HOUR_SHARE * total)
    day = np.diff(local // 86_400, prepend=-1) != 0
    days = int((day | (np.diff(rows.code[good], prepend=-1) != 0)).sum())  # of all households
    absent = at <= HARDLY * np.median(at[at > 0])
    if days >= DAYS and absent.any() and (~timed).sum() >= max(absent.sum() * days / 2, AT_HOURS):
        hours |= absent
    return flagged(hours)


def _of(household: str, evidence: str) -> Suspicion:
    return Suspicion(household, "refused", "거절된 행이 많음 · many rows refused", evidence, _REMEDY, True)


def _reasons(codes: NDArray[np.uint8]) -> str:
    """The reasons of some refused rows, the most frequent first."""
    first, many = np.unique(codes, return_index=True, return_counts=True)[1:]
    order = np.lexsort((first, -many))[:3]
    return ", ".join(REASONS[codes[first[i]]] for i in order)
