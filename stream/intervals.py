"""The interval of each reading, told from the step to the next one of its household where a file does not say it."""

import numpy as np
from numpy.typing import NDArray

MINUTES = np.array([1, 5, 10, 15, 30, 60])
"""Intervals that are understood: those of the detector, and shorter ones of which whole numbers fill one of them."""
SHORT_RUN, LONG_RUN = 4, 8
"""Equal steps in a row that make an interval. Where readings are missing here and there, the double of the true step
comes some times in a row as well: there it takes more."""
CLEAN = 0.9
"""Share of steps in runs above which a household's readings have hardly a gap."""

Seconds = NDArray[np.int64]


def steps(code: NDArray[np.int64], time: Seconds) -> Seconds:
    """Seconds of the interval of each of n readings, in any order: (n,); 0 where it cannot be told.

    ``code``: number of the household; ``time``: its beginning, UTC seconds (the ends, negated, do as well).
    A household may change its interval within the file. A reading before a gap has the interval of those before it;
    a household of one reading has that of the others.
    """
    if not len(code):
        return np.zeros(0, np.int64)
    order = sorted_order(code, time)
    code, time = code[order], time[order]
    again = np.append(False, (code[1:] == code[:-1]) & (time[1:] == time[:-1]))
    c, t = code[~again], time[~again]
    own = np.zeros(len(code), np.int64)
    own[order] = _own(c, t)[np.cumsum(~again) - 1]
    return own


def sorted_order(code: NDArray[np.int64], time: Seconds) -> NDArray[np.int64]:
    """Order by household, then time; files mostly are so already, or by time, which a stable sort uses."""
    if not (code[1:] < code[:-1]).any():
        if not ((time[1:] < time[:-1]) & (code[1:] == code[:-1])).any():
            return np.arange(len(code))
    elif not (time[1:] < time[:-1]).any():  # 16-bit keys are sorted by radix
        return np.argsort(code.astype(np.uint16) if code.max() < 65_536 else code, kind="stable")
    return np.lexsort((time, code))


def _own(code: NDArray[np.int64], time: Seconds) -> Seconds:
    """Intervals of readings sorted by household and time, none twice."""
    n, known = len(code), MINUTES * 60
    step = np.append(np.where(code[1:] == code[:-1], np.diff(time), 0), 0)
    level = np.minimum(np.searchsorted(known, step), len(known) - 1)
    usual = known[level] == step
    home = np.cumsum(np.append(True, code[1:] != code[:-1])) - 1
    counts = np.bincount((home * len(known) + level)[usual], minlength=(home[-1] + 1) * len(known))
    counts = counts.reshape(-1, len(known))
    default = _common(counts.sum(axis=0)[None])[0]
    base = np.where(counts.any(axis=1), _common(counts), default)[home]
    begins = np.append(True, (step[1:] != step[:-1]) | (home[1:] != home[:-1]))
    run = np.cumsum(begins) - 1
    length = np.bincount(run)[run]
    in_runs = np.bincount(home, usual & (length >= SHORT_RUN))
    clean = in_runs >= CLEAN * np.bincount(home, step > 0)
    solid = usual & (length >= np.where(clean, SHORT_RUN, LONG_RUN)[home])
    at = np.arange(n)
    before = np.maximum.accumulate(np.where(solid, at, -1))
    after = np.minimum.accumulate(np.where(solid, at, n)[::-1])[::-1]
    before_ok = (before >= 0) & (home[before] == home)
    after_ok = (after < n) & (home[np.minimum(after, n - 1)] == home)
    own = np.where(before_ok, step[before], np.where(after_ok, step[np.minimum(after, n - 1)], base))
    overlap = usual & (step >= 900) & (step < own)  # an interval ends where the next begins
    return np.where(overlap, step, own)


def _common(counts: NDArray[np.int64]) -> Seconds:
    """The most common step of each household, and the shorter one where two are about as common; 0 of none.

    A file with many gaps has the double and the fourfold of the true step about as often.
    """
    most = counts.max(axis=1, keepdims=True)
    return np.where(most[:, 0] > 0, (MINUTES * 60)[(counts * 2 >= most).argmax(axis=1)], 0)
