"""Raw columns of a file, of whatever types, as readings and events: times in their zone, texts as numbers and codes.

A cell that cannot be read becomes a value that the row checks refuse, and ``said`` keeps the words for it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t
from numpy.typing import NDArray

from stream import bounds, cellnumbers, celltimes
from stream.badrows import BadRows
from stream.celltimes import NO_TIME
from stream.columns import MeterColumns, PhoneColumns
from stream.fault import FileError
from stream.intervals import MINUTES
from stream.kinds import ANDROID, PhoneKinds
from stream.records import KINDS, QUALITIES, Quality, Reason
from stream.shape import shape

TIMES = ("start", "timestamp", "at")
"""Names a column of times may have. Where ``start`` is there it is the time: others are of receiving or sending."""
STARTS = re.compile(
    r"((interval|period|reading|slot)[ _-]?)?(start|begin|beginning)([ _-]?(time|at|timestamp|datetime))?"
)
"""Names other than ours of columns that hold the beginnings."""
UNSAID, UNREADABLE = 0, 255
"""What stands for the minutes of a reading whose cell is empty, and of one whose cell is no interval."""

_KINDS: dict[PhoneKinds, dict[str, int]] = {
    "names": {k.value: i for i, k in enumerate(KINDS)},
    "android": {str(number): KINDS.index(k) for number, k in ANDROID.items()},
}
_MEASURED, _MISSING = QUALITIES.index(Quality.measured), QUALITIES.index(Quality.missing)


@dataclass(frozen=True, slots=True)
class Saying:
    """Words for the cells of rows ``at`` (sorted, int64) that could not be read: ``say`` gives those of a row."""

    reason: Reason
    at: NDArray[np.int64]
    say: Callable[[int], str]

    def of(self, row: int) -> str | None:
        """The words for a row, None where its cell was read."""
        i = int(np.searchsorted(self.at, row))
        return self.say(row) if i < len(self.at) and self.at[i] == row else None

    def behind(self, rows: int) -> "Saying":
        """The same behind so many other rows."""
        return Saying(self.reason, self.at + rows, lambda row: self.say(row - rows))


Said = list[Saying]
_NO_CELL = "\N{REPLACEMENT CHARACTER}"
"""Stands for a cell that is too long to be looked at, and is no time, no number and no name."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Unchecked columns, and what to say of cells that could not be read: the first that knows a row counts.

    ``to_midnight``: whether a day's last time is written 24:00.
    """

    columns: Any
    said: Said
    to_midnight: bool = False

    def describe(self, bad: BadRows) -> BadRows:
        """Bad rows, in the words of the cell's own fault where there is one."""
        said = self.said

        def words(row: int, reason: Reason) -> str | None:
            return next((text for one in said if one.reason is reason and (text := one.of(row))), None)

        return bad.reworded(words)


def meter_cells(raw: Mapping[str, pa.Array], tz: str) -> Cells:
    """Readings of raw columns; ``minutes`` is one of ``intervals.MINUTES``, ``UNSAID`` or ``UNREADABLE``."""
    said: Said = []
    count = len(raw["household_id"])
    kwh, null = _numbers(raw["kwh"], "kwh", Reason.bad_energy, np.inf, said)
    quality = np.full(count, _MEASURED, np.uint8)
    if "quality" in raw:
        places = {q.value: i for i, q in enumerate(QUALITIES)}
        quality = _places(raw["quality"], "quality", places | {"": _MEASURED}, Reason.bad_quality, said)
    else:
        null |= np.isnan(kwh)
    with np.errstate(over="ignore"):  # too large for float32 becomes infinite, which the row checks refuse
        energy = kwh.astype(np.float32)
    start, to_midnight = _times(raw, tz, said)
    quality = np.where(null, np.uint8(_MISSING), quality)
    minutes = _minutes(raw["minutes"], said) if "minutes" in raw else np.full(count, UNSAID, np.uint8)
    return Cells(MeterColumns(_ids(raw), start, energy, minutes, quality), said, to_midnight)


def _minutes(array: pa.Array, said: Said) -> NDArray[np.uint8]:
    values, empty = _numbers(array, "minutes", Reason.bad_interval, UNREADABLE, said)
    empty, known = empty | np.isnan(values), np.isin(values, MINUTES)
    at = np.flatnonzero(~known & ~empty)
    said.append(Saying(Reason.bad_interval, at, lambda i: f"minutes is {values[i]:g}: send 15, 30 or 60"))
    return np.where(empty, UNSAID, np.where(known, values, UNREADABLE)).astype(np.uint8)


def phone_cells(raw: Mapping[str, pa.Array], tz: str, kinds: PhoneKinds = "names") -> Cells:
    """Events of raw columns; ``duration_s`` is 0 where it is empty or there is no such column.

    ``kinds``: how the column says what the phone did, as our names or by another's table of numbers.
    """
    said: Said = []
    duration = np.zeros(len(raw["household_id"]))
    if "duration_s" in raw:
        values, null = _numbers(raw["duration_s"], "duration_s", Reason.bad_duration, np.inf, said)
        duration = np.where(null, 0.0, values)
    column = raw["kind"]
    if kinds == "android" and t.is_integer(column.type):
        column = column.cast(pa.string())
    numbers = kinds == "names" and t.is_integer(column.type)
    hint = "; a file of Android's numbers: --phone-kinds android" if numbers else ""
    kind = _places(column, "kind", _KINDS[kinds], Reason.bad_kind, said, hint)
    with np.errstate(over="ignore"):
        seconds = duration.astype(np.float32)
    return Cells(PhoneColumns(_ids(raw), _times(raw, tz, said)[0], kind, seconds), said)


def _ids(raw: Mapping[str, pa.Array]) -> pa.Array:
    """Ids as a dictionary of utf8: they repeat, and checks and partitions are then per household."""
    array = raw["household_id"]
    if t.is_integer(array.type):
        array = array.cast(pa.string())
    if not (_is_text(array.type) or t.is_null(array.type)):
        raise FileError(f"column household_id holds {array.type}: send text")
    encoded = _encoded(array)
    return pa.DictionaryArray.from_arrays(encoded.indices.cast(pa.int32()), _text(encoded.dictionary))


def _times(raw: Mapping[str, pa.Array], tz: str, said: Said) -> tuple[NDArray[np.int64], bool]:
    """UTC seconds of the time column, and whether a day's last time is written 24:00.

    Naive times are in ``tz``: a doubled hour is its first, a skipped one its end.
    """
    name = next(name for name in TIMES if name in raw)
    array, to_midnight = raw[name], False
    if _is_text(array.type):

        def convert(values: pa.Array) -> NDArray[np.int64]:
            nonlocal to_midnight
            found, to_midnight = celltimes.seconds(values, tz)
            return found

        seconds = _by_value(array, convert, NO_TIME)
    elif t.is_timestamp(array.type) or t.is_date(array.type):
        seconds = celltimes.instants(array if t.is_timestamp(array.type) else array.cast(pa.timestamp("s")), tz)
    elif t.is_null(array.type):
        seconds = np.full(len(array), NO_TIME)
    else:
        raise FileError(f"column {name} holds {array.type}: send times such as 2026-01-31T14:15:00+09:00")
    ask = f"send 2026-01-31T14:15:00, with a zone or in {tz}"
    at = np.flatnonzero(seconds == NO_TIME)
    said.append(Saying(Reason.bad_time, at, lambda i: f"{name} {_shape(array, i)}: {ask}"))
    return seconds, to_midnight


def _numbers(
    array: pa.Array, name: str, reason: Reason, wrong: float, said: Said
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers, NaN where empty, ``wrong`` where unreadable; and which were empty."""
    if t.is_null(array.type):
        return np.full(len(array), np.nan), np.ones(len(array), np.bool_)
    if _is_text(array.type):
        pairs = _by_value(array, _complex, complex(np.nan, cellnumbers.EMPTY))
        numbers, what = pairs.real.copy(), pairs.imag

        def say(i: int) -> str:
            doubt = what[i] == cellnumbers.DOUBTFUL
            ask = "send a point for decimals, no comma (it may be a thousand)" if doubt else "send a number"
            return f"{name} {_shape(array, i)}: {ask}"

        said.append(Saying(reason, np.flatnonzero(what >= cellnumbers.NO_NUMBER), say))
        numbers[what >= cellnumbers.NO_NUMBER] = wrong
        return numbers, what == cellnumbers.EMPTY
    if not (t.is_integer(array.type) or t.is_floating(array.type) or t.is_decimal(array.type)):
        raise FileError(f"column {name} holds {array.type}: send numbers")
    null = array.is_null().to_numpy(zero_copy_only=False)
    return np.array(array.cast(pa.float64(), safe=False).fill_null(np.nan)), null


def _complex(values: pa.Array) -> NDArray[np.complex128]:
    """Numbers of texts as the real part, what each is as the imaginary one."""
    numbers, what = cellnumbers.numbers(values)
    return numbers + what * 1j


def _places(
    array: pa.Array, name: str, known: Mapping[str, int], reason: Reason, said: Said, hint: str = ""
) -> NDArray[np.uint8]:
    """Places of names in their list; 255 where unknown. ``known``: also of "", where nothing stands, if that is one.

    A number is no name: whose table it is from cannot be seen.
    """
    empty = known.get("", 255)
    if _is_text(array.type):
        places = _by_value(
            array, lambda v: np.array([known.get((s or "").strip().lower(), 255) for s in v.to_pylist()], int), empty
        )
    else:
        places = np.where(array.is_valid().to_numpy(zero_copy_only=False), 255, empty)
    ask = f"send one of {', '.join(filter(None, known))}{hint}"
    said.append(Saying(reason, np.flatnonzero(places == 255), lambda i: f"{name} {_shape(array, i)}: {ask}"))
    return places.astype(np.uint8)


def _by_value(array: pa.Array, convert: Callable[[pa.Array], NDArray[Any]], null: Any) -> NDArray[Any]:
    """``convert`` applied once to each distinct text, and ``null`` where there is none."""
    encoded = _encoded(array)
    texts = _text(encoded.dictionary)
    long = pc.greater(pc.binary_length(texts), bounds.CELL_BYTES)
    if pc.any(long).as_py():
        texts = pc.if_else(long, _NO_CELL, texts)
    values = np.append(convert(texts), null)
    return values[encoded.indices.cast(pa.int64()).fill_null(len(values) - 1).to_numpy()]


def _encoded(array: pa.Array) -> pa.DictionaryArray:
    return array if t.is_dictionary(array.type) else array.dictionary_encode()


def _is_text(kind: pa.DataType) -> bool:
    if t.is_dictionary(kind):
        return _is_text(kind.value_type)
    return any(is_(kind) for is_ in (t.is_string, t.is_large_string, t.is_string_view, t.is_binary, t.is_large_binary))


def _text(array: pa.Array) -> pa.Array:
    """Texts as utf8; bytes that are none are shown as such and refused by the checks."""
    try:
        return array.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([None if b is None else b.decode("utf-8", "replace") for b in array.to_pylist()], pa.string())


def _shape(array: pa.Array, i: int) -> str:
    """What a cell looks like, never what it says."""
    value = array[i].as_py()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if value is None or value == "":
        return "is missing"
    return f"looks like {shape(str(value))!r}"
