"""Raw columns of a file, of whatever types, as readings and events: times in their zone, texts as numbers and codes.

A cell that cannot be read becomes a value that the row checks refuse, and ``said`` keeps the words for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t
from numpy.typing import NDArray

from stream.columns import BadRow, MeterColumns, PhoneColumns
from stream.records import KINDS, QUALITIES, Quality, Reason
from stream.sources import FileError

TIMES = ("timestamp", "start", "at")
"""Names a column of times may have, the first found counts."""

Said = dict[tuple[int, Reason], str]
_NO_TIME = np.iinfo(np.int64).min
_NULLS = {"", "null", "none", "nan", "na", "n/a", "-"}
_MEASURED, _MISSING = QUALITIES.index(Quality.measured), QUALITIES.index(Quality.missing)


@dataclass(frozen=True, slots=True)
class Cells:
    """Unchecked columns and, by (row, reason), what to say of cells that could not be read."""

    columns: Any
    said: Said

    def describe(self, bad: list[BadRow]) -> list[BadRow]:
        """Bad rows, in the words of the cell's own fault where there is one."""
        return [BadRow(b.row, b.reason, self.said.get((b.row, b.reason), b.detail)) for b in bad]


def meter_cells(raw: Mapping[str, pa.Array], tz: str) -> Cells:
    """Readings of raw columns; ``minutes`` is 0 throughout where there is no such column."""
    said: Said = {}
    count = len(raw["household_id"])
    kwh, null = _numbers(raw["kwh"], "kwh", Reason.bad_energy, np.inf, said)
    quality = np.full(count, _MEASURED, np.uint8)
    if "quality" in raw:
        quality = _codes(raw["quality"], "quality", [q.value for q in QUALITIES], _MEASURED, Reason.bad_quality, said)
    else:
        null |= np.isnan(kwh)
    minutes = np.zeros(count, np.uint8)
    if "minutes" in raw:
        values, _ = _numbers(raw["minutes"], "minutes", Reason.bad_interval, 0, said)
        minutes = np.where(np.isin(values, (15, 30, 60)), values, 0).astype(np.uint8)
        for i in np.flatnonzero((minutes == 0) & ~np.isnan(values)).tolist():
            said.setdefault((i, Reason.bad_interval), f"minutes is {values[i]:g}: send 15, 30 or 60")
    with np.errstate(over="ignore"):  # too large for float32 becomes infinite, which the row checks refuse
        energy = kwh.astype(np.float32)
    start = _times(raw, tz, said)
    return Cells(MeterColumns(_ids(raw), start, energy, minutes, np.where(null, np.uint8(_MISSING), quality)), said)


def phone_cells(raw: Mapping[str, pa.Array], tz: str) -> Cells:
    """Events of raw columns; ``duration_s`` is 0 where it is empty or there is no such column."""
    said: Said = {}
    duration = np.zeros(len(raw["household_id"]))
    if "duration_s" in raw:
        values, null = _numbers(raw["duration_s"], "duration_s", Reason.bad_duration, np.inf, said)
        duration = np.where(null, 0.0, values)
    kind = _codes(raw["kind"], "kind", [k.value for k in KINDS], 255, Reason.bad_kind, said)
    with np.errstate(over="ignore"):
        seconds = duration.astype(np.float32)
    return Cells(PhoneColumns(_ids(raw), _times(raw, tz, said), kind, seconds), said)


def _ids(raw: Mapping[str, pa.Array]) -> pa.Array:
    """Ids as a dictionary of utf8: they repeat, and checks and partitions are then per household."""
    array = raw["household_id"]
    if t.is_integer(array.type):
        array = array.cast(pa.string())
    if not (_is_text(array.type) or t.is_null(array.type)):
        raise FileError(f"column household_id holds {array.type}: send text")
    encoded = array if t.is_dictionary(array.type) else array.dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.cast(pa.int32()), _text(encoded.dictionary))


def _times(raw: Mapping[str, pa.Array], tz: str, said: Said) -> NDArray[np.int64]:
    """UTC seconds of the time column. Naive times are in ``tz``: a doubled hour is its first, a skipped one its end."""
    name = next(name for name in TIMES if name in raw)
    array = raw[name]
    if _is_text(array.type):
        seconds = _by_value(array, lambda values: _parsed_times(values, tz), _NO_TIME)
    elif t.is_timestamp(array.type) or t.is_date(array.type):
        seconds = _instants(array if t.is_timestamp(array.type) else array.cast(pa.timestamp("s")), tz)
    elif t.is_null(array.type):
        seconds = np.full(len(array), _NO_TIME)
    else:
        raise FileError(f"column {name} holds {array.type}: send times such as 2026-01-31T14:15:00+09:00")
    for i in np.flatnonzero(seconds == _NO_TIME).tolist():
        said[i, Reason.bad_time] = f"{name} is {_shown(array, i)}: send 2026-01-31T14:15:00, with a zone or in {tz}"
    return seconds


def _instants(array: pa.Array, tz: str) -> NDArray[np.int64]:
    """UTC seconds, to the nearest, of timestamps with or without a zone."""
    fine = array.cast(pa.timestamp("us", tz=array.type.tz), safe=False)
    if fine.type.tz is None:
        fine = pc.assume_timezone(fine, tz, ambiguous="earliest", nonexistent="earliest")
    micros = fine.cast(pa.int64())
    valid = micros.is_valid().to_numpy(zero_copy_only=False)
    seconds = (micros.fill_null(0).to_numpy() + 500_000) // 1_000_000
    return np.where(valid, seconds, _NO_TIME)


def _parsed_times(values: pa.Array, tz: str) -> NDArray[np.int64]:
    """UTC seconds of texts: all at once where they are of one form, else one by one."""
    for zone in (None, "UTC"):
        try:
            return _instants(values.cast(pa.timestamp("ns", tz=zone)), tz)
        except pa.ArrowInvalid:
            continue
    naive: list[datetime | None] = []
    aware: list[int | None] = []
    for text in values.to_pylist():
        try:
            time = datetime.fromisoformat((text or "").strip().replace("/", "-"))
            aware.append(None if time.tzinfo is None else round(time.timestamp()))
            naive.append(time if time.tzinfo is None else None)
        except (ValueError, OverflowError):
            aware.append(None)
            naive.append(None)
    local = _instants(pa.array(naive, pa.timestamp("us")), tz)
    return np.array([local[i] if a is None else a for i, a in enumerate(aware)], dtype=np.int64)


def _numbers(
    array: pa.Array, name: str, reason: Reason, wrong: float, said: Said
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers, NaN where empty, ``wrong`` where unreadable; and which were empty."""
    if t.is_null(array.type):
        return np.full(len(array), np.nan), np.ones(len(array), np.bool_)
    if _is_text(array.type):
        pairs = _by_value(array, _parsed_numbers, complex(np.nan, 1))
        numbers, state = pairs.real.copy(), pairs.imag
        for i in np.flatnonzero(state == 2).tolist():
            said[i, reason] = f"{name} is {_shown(array, i)}: send a number"
        numbers[state == 2] = wrong
        return numbers, state == 1
    if not (t.is_integer(array.type) or t.is_floating(array.type) or t.is_decimal(array.type)):
        raise FileError(f"column {name} holds {array.type}: send numbers")
    null = array.is_null().to_numpy(zero_copy_only=False)
    return np.array(array.cast(pa.float64(), safe=False).fill_null(np.nan)), null


def _parsed_numbers(values: pa.Array) -> NDArray[np.complex128]:
    """Numbers of texts as the real part; the imaginary part is 0 for a number, 1 for nothing, 2 for no number."""
    try:
        return values.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.complex128)
    except pa.ArrowInvalid:
        return np.array([_number(text) for text in values.to_pylist()], dtype=np.complex128)


def _number(text: str | None) -> complex:
    text = (text or "").strip().lower()
    if text in _NULLS:
        return complex(np.nan, 1)
    try:
        return complex(np.nan, 2) if "_" in text else complex(float(text), 0)
    except ValueError:
        return complex(np.nan, 2)


def _codes(array: pa.Array, name: str, known: list[str], empty: int, reason: Reason, said: Said) -> NDArray[np.uint8]:
    """Codes of names (or of codes, in an integer column); 255 where unknown, ``empty`` where there is nothing."""
    if t.is_null(array.type):
        codes = np.full(len(array), empty)
    elif t.is_integer(array.type):
        values = array.cast(pa.float64(), safe=False).fill_null(empty).to_numpy(zero_copy_only=False)
        codes = np.where((values >= 0) & (values < 255), values, 255)
    elif _is_text(array.type):
        table = {name: i for i, name in enumerate(known)} | {"": empty}
        codes = _by_value(
            array, lambda v: np.array([table.get((s or "").strip().lower(), 255) for s in v.to_pylist()], int), empty
        )
    else:
        raise FileError(f"column {name} holds {array.type}: send one of {', '.join(known)}")
    for i in np.flatnonzero(codes >= len(known)).tolist():
        said[i, reason] = f"{name} is {_shown(array, i)}: send one of {', '.join(known)}"
    return codes.astype(np.uint8)


def _by_value(array: pa.Array, convert: Callable[[pa.Array], NDArray[Any]], null: Any) -> NDArray[Any]:
    """``convert`` applied once to each distinct text, and ``null`` where there is none."""
    encoded = array if t.is_dictionary(array.type) else array.dictionary_encode()
    values = np.append(convert(_text(encoded.dictionary)), null)
    return values[encoded.indices.cast(pa.int64()).fill_null(len(values) - 1).to_numpy()]


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


def _shown(array: pa.Array, i: int) -> str:
    value = array[i].as_py()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return "missing" if value is None or value == "" else repr(value[:64] if isinstance(value, str) else value)
