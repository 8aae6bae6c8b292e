"""Columns from and to an Arrow IPC stream: numpy views of the message's own bytes wherever types allow it."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as t
from numpy.typing import NDArray

from stream.columns import MeterColumns, PhoneColumns
from stream.fault import FrameError
from stream.records import QUALITIES, Quality, Reason

_SECONDS = pa.timestamp("s", tz="UTC")
_METER = (("start", _SECONDS), ("kwh", pa.float32()), ("minutes", pa.uint8()), ("quality", pa.uint8()))
_PHONE = (("at", _SECONDS), ("kind", pa.uint8()), ("duration_s", pa.float32()))
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_MEASURED, _MISSING = QUALITIES.index(Quality.measured), QUALITIES.index(Quality.missing)
_DAMAGED_TIME = np.iinfo(np.int64).min


def read(value: bytes) -> pa.RecordBatch:
    """All rows of an Arrow stream as one batch, checked so that no later access can leave the message's bytes."""
    if not value.endswith(_END):
        raise FrameError(Reason.truncated, f"no end-of-stream mark after {len(value)} bytes: send the whole stream")
    try:
        with pa.ipc.open_stream(pa.py_buffer(value)) as reader:
            batches = list(reader)
            schema = reader.schema
        for batch in batches:
            batch.validate(full=True)
    except Exception as e:  # Arrow meets damaged bytes with many types of error, MemoryError among them
        raise FrameError(Reason.truncated, f"not a readable Arrow stream: {one_line(e)}") from e
    if len(batches) == 1:
        return batches[0]
    table = pa.Table.from_batches(batches, schema).unify_dictionaries().combine_chunks()
    return table.to_batches()[0] if len(table) else pa.RecordBatch.from_pylist([], schema)


def meter_columns(batch: pa.RecordBatch) -> MeterColumns:
    """Meter columns of a batch; FrameError where a column is missing or of another type. Rows are not checked."""
    columns = _columns(batch, ("household_id", "start", "kwh", "minutes"))
    ids, kwh = _ids(columns["household_id"]), columns["kwh"]  # ids first: they bound the length by real bytes
    quality = (
        _codes(columns["quality"], "quality")
        if "quality" in columns
        else np.full(len(batch), _MEASURED, dtype=np.uint8)
    )
    if kwh.null_count:
        quality = np.where(kwh.is_valid().to_numpy(zero_copy_only=False), quality, np.uint8(_MISSING))
    return MeterColumns(
        household_id=ids,
        start=_times(columns["start"], "start"),
        kwh=_floats(kwh, "kwh", np.nan),
        minutes=_codes(columns["minutes"], "minutes"),
        quality=quality,
    )


def phone_columns(batch: pa.RecordBatch) -> PhoneColumns:
    """Phone columns of a batch; FrameError where a column is missing or of another type. Rows are not checked."""
    columns = _columns(batch, ("household_id", "at", "kind"))
    ids = _ids(columns["household_id"])
    duration = (
        _floats(columns["duration_s"], "duration_s", 0.0)
        if "duration_s" in columns
        else np.zeros(len(batch), dtype=np.float32)
    )
    return PhoneColumns(
        household_id=ids,
        at=_times(columns["at"], "at"),
        kind=_codes(columns["kind"], "kind"),
        duration_s=duration,
    )


def write(columns: MeterColumns | PhoneColumns) -> bytes:
    """The columns as an Arrow IPC stream of one batch."""
    ids = columns.household_id
    if isinstance(ids, pa.DictionaryArray) and len(ids.dictionary) * 2 > len(ids):
        ids = ids.cast(pa.string())  # a slice drags the whole dictionary along
    spec = _METER if isinstance(columns, MeterColumns) else _PHONE
    arrays = [ids, *(_from_numpy(getattr(columns, name), kind) for name, kind in spec)]
    batch = pa.RecordBatch.from_arrays(arrays, ["household_id", *(name for name, _ in spec)])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def _columns(batch: pa.RecordBatch, needed: tuple[str, ...]) -> dict[str, pa.Array]:
    names = batch.schema.names
    columns = dict(zip(names, batch.columns, strict=True))
    if len(columns) < len(names):
        raise FrameError(Reason.wrong_type, f"a column is there twice: {', '.join(map(repr, names[:20]))}")
    missing = [name for name in needed if name not in columns]
    if missing:
        got = ", ".join(repr(n[:40]) for n in names[:20]) or "none"
        raise FrameError(Reason.wrong_type, f"no column {', '.join(missing)}; got {got}")
    return columns


def _ids(array: pa.Array) -> pa.Array:
    kind = array.type
    if t.is_string(kind):
        return array
    if t.is_dictionary(kind):
        if t.is_string(kind.value_type):
            return array
        kind = kind.value_type
    if t.is_large_string(kind) or t.is_string_view(kind) or t.is_string(kind):
        return array.cast(pa.string())
    raise FrameError(Reason.wrong_type, f"column household_id is {array.type}: send utf8")


def _times(array: pa.Array, name: str) -> NDArray[np.int64]:
    """UTC seconds, rounded to the nearest; a null becomes a time no check lets through."""
    kind = array.type
    if not t.is_timestamp(kind) or kind.tz is None:
        raise FrameError(Reason.wrong_type, f"column {name} is {kind}: send a timestamp with time zone UTC")
    values = _view(array, np.int64)
    if kind.unit != "s":
        factor = _PER_SECOND[kind.unit]
        values = (values + factor // 2) // factor
    if array.null_count:
        values = np.where(array.is_valid().to_numpy(zero_copy_only=False), values, _DAMAGED_TIME)
    return values


def _floats(array: pa.Array, name: str, null: float) -> NDArray[np.float32]:
    kind = array.type
    if not (t.is_floating(kind) or t.is_integer(kind) or t.is_null(kind)):
        raise FrameError(Reason.wrong_type, f"column {name} is {kind}: send float32")
    if t.is_float32(kind) and not array.null_count:
        return _view(array, np.float32)
    if t.is_null(kind):
        return np.full(len(array), null, dtype=np.float32)
    values = array.to_numpy(zero_copy_only=False)
    if array.null_count:
        values = np.where(array.is_valid().to_numpy(zero_copy_only=False), values, null)
    with np.errstate(over="ignore"):  # too large for float32 becomes infinite, which the row checks refuse
        return values.astype(np.float32)


def _codes(array: pa.Array, name: str) -> NDArray[np.uint8]:
    """Small codes; what does not fit a byte, and null, become 255, which is no code and no interval."""
    if not t.is_integer(array.type):
        raise FrameError(Reason.wrong_type, f"column {name} is {array.type}: send uint8")
    if t.is_uint8(array.type) and not array.null_count:
        return _view(array, np.uint8)
    valid = array.is_valid().to_numpy(zero_copy_only=False)
    values = _view(array, array.type.to_pandas_dtype())
    return np.where(valid & (values >= 0) & (values <= 255), values, 255).astype(np.uint8)


def _view(array: pa.Array, dtype: Any) -> NDArray[Any]:
    """The values of a fixed-width array as numpy, without a copy; undefined where null."""
    data = array.buffers()[1]
    if data is None or len(array) == 0:
        return np.zeros(0, dtype=dtype)
    return np.frombuffer(data, dtype, len(array), array.offset * np.dtype(dtype).itemsize)


def _from_numpy(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def one_line(error: Exception) -> str:
    """The first line of an error's text, for messages of one line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
