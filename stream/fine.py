"""Readings shorter than the detector's intervals, summed to one of them; a sum with a part missing is missing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.columns import MeterColumns
from stream.frames import take
from stream.records import QUALITIES, Quality

WHOLE = np.array([900, 1800, 3600])
"""Seconds of the detector's intervals."""
_WHOLE_OF = np.array([0] + [next((int(w) for w in WHOLE if w % (m * 60) == 0), 0) for m in range(1, 61)])
_MISSING = QUALITIES.index(Quality.missing)


def whole_of(step: NDArray[np.int64]) -> NDArray[np.int64]:
    """The shortest of the detector's intervals (n,) that n steps of whole minutes, up to 60, fill; 0 of 0."""
    return _WHOLE_OF[step // 60]


@dataclass(frozen=True, slots=True)
class Summed:
    """Readings of whole intervals, the first row that went into each, and which of them lack a part."""

    columns: MeterColumns
    first: NDArray[np.int64]
    lacking: NDArray[np.bool_]


def summed(columns: MeterColumns, code: NDArray[np.int64], step: NDArray[np.int64]) -> Summed:
    """Whole intervals of n readings of ``step`` seconds; ``code`` is the number of the household, ``minutes`` unused.

    A part sent twice counts once, with its greater value. Energy is missing where a part is.
    """
    whole = whole_of(step)
    begin = columns.start - columns.start % whole
    order = np.lexsort((-np.nan_to_num(columns.kwh, nan=-1.0), columns.start, begin, code))
    c, t, b, w, s = code[order], columns.start[order], begin[order], whole[order], step[order]
    again = np.append(False, (c[1:] == c[:-1]) & (t[1:] == t[:-1]))
    order, c, b, w, s = order[~again], c[~again], b[~again], w[~again], s[~again]
    group = np.cumsum(np.append(True, (c[1:] != c[:-1]) | (b[1:] != b[:-1]) | (w[1:] != w[:-1]))) - 1
    head = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    lacking = np.bincount(group, s) < w[head]
    kwh = np.bincount(group, columns.kwh[order]).astype(np.float32)
    kwh[lacking] = np.nan
    quality = np.maximum.reduceat(columns.quality[order], head)  # the worst of its parts
    quality = np.where(np.isnan(kwh), np.uint8(_MISSING), quality)
    first = np.minimum.reduceat(order, head)
    ids = take(columns, order[head]).household_id
    back = np.argsort(first, kind="stable")  # in the order of the file
    made = MeterColumns(ids, b[head], kwh, (w[head] // 60).astype(np.uint8), quality)
    return Summed(take(made, back), first[back], lacking[back])
