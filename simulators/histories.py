"""Real homes' histories as arrays: one home's readings from a local midnight on, whatever country's meter told them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.slots import ESTIMATED, MISSING, SLOT_SECONDS, SLOTS_PER_DAY, encode_energy
from stream.calendar import Calendar
from stream.columns import MeterColumns
from stream.records import QUALITIES, Quality

_MEASURED = QUALITIES.index(Quality.measured)


@dataclass(frozen=True, slots=True)
class Home:
    """One home's readings, whole days. ``first``: slot (UTC seconds // 900) of a local midnight, standard time, or of
    the first interval after it; ``minutes``: 15, 30 or 60; ``wh``: float32 (n,) energy an interval, NaN where nothing
    was measured."""

    household_id: str
    first: int
    minutes: int
    wh: NDArray[np.float32]

    @property
    def width(self) -> int:
        """Slots an interval."""
        return self.minutes // 15

    @property
    def per_day(self) -> int:
        """Intervals a day."""
        return 1440 // self.minutes

    @property
    def days(self) -> int:
        return len(self.wh) // self.per_day

    @property
    def slots(self) -> int:
        return len(self.wh) * self.width


def homes_of(columns: MeterColumns, tz: str) -> list[Home]:
    """Homes in readings, by id, each cut to whole local days by its most common interval; those without a whole day
    are left out. A reading told twice is as told last."""
    calendar, found = Calendar(tz), []
    kwh = np.where(columns.quality == _MEASURED, columns.kwh, np.float32(np.nan))
    for name, rows in by_household(columns.household_id):
        home = _home(name, columns.start[rows] // SLOT_SECONDS, columns.minutes[rows], kwh[rows], calendar)
        if home is not None:
            found.append(home)
    return found


def usable(
    home: Home,
    least_days: int = 150,
    daily_kwh: tuple[float, float] = (1.0, 15.0),
    most_missing: float = 0.1,
    most_zero: float = 0.05,
    zero_hours: float = 6.0,
) -> bool:
    """Whether a history is long and whole enough, and its use such as a person living alone may have.

    ``most_zero``: share of intervals in stretches of ``zero_hours`` and more without use, of an empty or dead meter;
    one that counts in 100 Wh tells 0 for some hours on end, and so does a home whose refrigerator rests.
    """
    if home.days < least_days or np.isnan(home.wh).mean() > most_missing:
        return False
    low, high = daily_kwh
    if not low < np.nanmean(home.wh) * home.per_day / 1000 < high:
        return False
    zero = np.diff(runs(home.wh == 0), axis=1)
    return bool(zero[zero * home.minutes >= zero_hours * 60].sum() <= most_zero * len(home.wh))


def strip_of(wh: NDArray[np.float32], minutes: int, estimated: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
    """Wh an interval (n,) -> meter codes a slot (n * minutes / 15,), as the stream writes them.

    ``estimated`` (n,): values that the utility made up.
    """
    width = minutes // 15
    codes = encode_energy(np.nan_to_num(wh, nan=0.0) / np.float32(width))
    codes[np.isnan(wh)] = MISSING
    if estimated is not None:
        codes[estimated] = ESTIMATED
    return np.repeat(codes, width)


def by_household(ids: pa.Array) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Household and its rows in their order, by id."""
    if isinstance(ids, pa.ChunkedArray):
        ids = ids.combine_chunks()
    coded = ids if pa.types.is_dictionary(ids.type) else ids.dictionary_encode()
    names, number = coded.dictionary.to_pylist(), coded.indices.to_numpy(zero_copy_only=False)
    order = np.argsort(number, kind="stable")
    bounds = np.searchsorted(number[order], np.arange(len(names) + 1))
    for i in sorted(range(len(names)), key=names.__getitem__):
        if bounds[i + 1] > bounds[i]:
            yield names[i], order[bounds[i] : bounds[i + 1]]


def runs(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Stretches of True in (n,) as [begin, end) pairs (k, 2)."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return edges.reshape(-1, 2)


def step_of(wh: NDArray[np.float32]) -> float:
    """The step in which a meter counts: 100, 10 or 1 Wh, 0 for finer; the coarsest that all readings are a whole
    number of."""
    seen = wh[~np.isnan(wh)].astype(np.float64)
    for step in (100.0, 10.0, 1.0):
        if np.all(np.abs(seen - np.rint(seen / step) * step) < 0.01 + 1e-6 * seen):
            return step
    return 0.0


def _home(
    name: str, slots: NDArray[np.int64], minutes: NDArray[np.uint8], kwh: NDArray[np.float32], calendar: Calendar
) -> Home | None:
    common = int(np.argmax(np.bincount(minutes)))
    slots, kwh, width = slots[minutes == common], kwh[minutes == common], common // 15
    midnight = calendar.day_start(int(slots.min()))
    phase = int(np.argmax(np.bincount((slots - midnight) % width)))
    first = midnight + phase
    if first < slots.min():
        first += SLOTS_PER_DAY
    at, off = np.divmod(slots - first, width)
    per_day = SLOTS_PER_DAY // width
    count = (int(at.max()) + 1) // per_day * per_day
    if count <= 0:
        return None
    wh, inside = np.full(count, np.nan, np.float32), (at >= 0) & (at < count) & (off == 0)
    wh[at[inside]] = kwh[inside] * np.float32(1000)
    return Home(name, first, common, wh)
