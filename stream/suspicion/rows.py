"""What is judged: the good rows of a file by household and time, and what is known of the refused ones."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1
"""The household of a refused row that has none, and the time of one without."""


@dataclass(frozen=True)
class Refused:
    """Rows that were refused, but for those of the future, sorted by household: household (or ``UNKNOWN``), UTC seconds
    (or ``UNKNOWN``) and reason (place in ``badrows.REASONS``) of each (m,)."""

    code: NDArray[np.int64]
    time: NDArray[np.int64]
    reason: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.code)

    def of(self, home: int) -> slice:
        """Where the rows of a household are."""
        return slice(*np.searchsorted(self.code, [home, home + 1]).tolist())


@dataclass(frozen=True)
class Rows:
    """The good rows of a file, sorted by household (``code``) and time: (n,) each.

    ``time``: UTC seconds; ``step``: seconds of the interval; ``kwh``: NaN where nothing was measured. Of phone events
    ``step`` is 0 and ``kwh`` NaN throughout. ``said``: whether the file itself says its intervals.
    """

    names: list[str]
    code: NDArray[np.int64]
    time: NDArray[np.int64]
    step: NDArray[np.int64]
    kwh: NDArray[np.float32]
    refused: Refused
    tz: str
    said: bool = True
    to_midnight: bool = False

    @property
    def homes(self) -> int:
        """How many households there are names for."""
        return len(self.names)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Good rows of each household."""
        return self.count(np.ones(len(self.code), np.bool_))

    @cached_property
    def follows(self) -> NDArray[np.bool_]:
        """Whether each row but the first is of the same household as the one before: (n - 1,)."""
        return self.code[1:] == self.code[:-1]

    @cached_property
    def measured(self) -> NDArray[np.bool_]:
        """Which rows hold a measured value."""
        return ~np.isnan(self.kwh)

    @cached_property
    def values(self) -> "Values":
        """The measured values, each slot once."""
        keep = self.measured.copy()
        keep[1:] &= ~(self.follows & (self.time[1:] == self.time[:-1]) & keep[:-1])
        code, time, kwh = self.code[keep], self.time[keep], self.kwh[keep].astype(np.float64)
        return Values(code, time, self.step[keep], kwh)

    def count(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many rows of each household a mask has."""
        return np.bincount(self.code[mask], minlength=self.homes)

    def of(self, home: int) -> slice:
        """Where the rows of a household are."""
        return slice(*np.searchsorted(self.code, [home, home + 1]).tolist())

    def local(self, time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Local seconds of UTC seconds; the offset is looked up once an hour."""
        if not len(time):
            return time
        hour = time // 3600
        first = int(hour.min())
        hour -= first
        zone = ZoneInfo(self.tz)
        offset = np.zeros(int(hour.max()) + 1, np.int64)
        for there in np.flatnonzero(np.bincount(hour)).tolist():
            shift = datetime.fromtimestamp((first + there) * 3600, UTC).astimezone(zone).utcoffset()
            offset[there] = shift.total_seconds() if shift else 0
        return np.asarray(time + offset[hour])

    def first(self, mask: NDArray[np.bool_]) -> dict[int, int]:
        """Household -> the first of its rows that a mask has, of those that it has any of."""
        at = np.flatnonzero(mask)
        homes, first = np.unique(self.code[at], return_index=True)
        return dict(zip(homes.tolist(), at[first].tolist(), strict=True))

    def when(self, time: int) -> str:
        """A time as a person of the zone writes it."""
        return f"{datetime.fromtimestamp(time, ZoneInfo(self.tz)):%Y-%m-%d %H:%M}"


@dataclass(frozen=True)
class Values:
    """Measured values in the order of household and time: (k,) each."""

    code: NDArray[np.int64]
    time: NDArray[np.int64]
    step: NDArray[np.int64]
    kwh: NDArray[np.float64]

    @cached_property
    def head(self) -> NDArray[np.int64]:
        """Where the values of each household that has any begin."""
        return np.flatnonzero(np.append(np.ones(min(len(self.code), 1), np.bool_), self.code[1:] != self.code[:-1]))

    @cached_property
    def last(self) -> NDArray[np.int64]:
        """Where they end: the last value of each."""
        return np.append(self.head[1:], len(self.code))[: len(self.head)] - 1

    @cached_property
    def change(self) -> NDArray[np.float64]:
        """Difference of each value but the first to the one before; 0 where that is another household's: (k - 1,)."""
        return np.where(self.code[1:] == self.code[:-1], np.diff(self.kwh), 0.0)
