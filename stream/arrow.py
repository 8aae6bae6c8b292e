"""Columns from and to an Arrow IPC stream: numpy views of the message's own bytes wherever types allow it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as t
from numpy.typing import NDArray

from stream import bounds, ipc
from stream.columns import MeterColumns, PhoneColumns
from stream.fault import FrameError
from stream.records import KINDS, QUALITIES, Quality, Reason

_SECONDS = pa.timestamp("s", tz="UTC")
_NAMES = {"quality": pa.array([q.value for q in QUALITIES]), "kind": pa.array([k.value for k in KINDS])}
"""Columns that travel as names, in a dictionary: a bare number would mean whatever its sender's own table says."""
_METER = (("start", _SECONDS), ("kwh", pa.float32()), ("minutes", pa.uint8()), ("quality", None))
_PHONE = (("at", _SECONDS), ("kind", None), ("duration_s", pa.float32()))
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_MEASURED, _MISSING = QUALITIES.index(Quality.measured), QUALITIES.index(Quality.missing)
_DAMAGED_TIME = np.iinfo(np.int64).min


def read(value: bytes) -> pa.RecordBatch:
    """All rows of a message's Arrow stream as one batch, checked so that no later access can leave its bytes.

    It is looked at before it is decoded: FrameError where it says more than a message may hold.
    """
    buffer = whole(value)
    ipc.look(buffer, bounds.FRAME_ROWS, bounds.FRAME_BATCHES)
    batches = list(batches_of(buffer))
    if len(batches) == 1:
        return batches[0]
    schema = schema_of(buffer)
    table = pa.Table.from_batches(batches, schema).unify_dictionaries().combine_chunks()
    return table.to_batches()[0] if len(table) else pa.RecordBatch.from_pylist([], schema)


def whole(value: Any) -> pa.Buffer:
    """A stream's bytes as a buffer; FrameError where its end is missing."""
    buffer = pa.py_buffer(value)
    if buffer.slice(max(buffer.size - len(_END), 0)).to_pybytes() != _END:
        raise FrameError(Reason.truncated, f"no end-of-stream mark after {buffer.size} bytes: send the whole stream")
    return buffer


def schema_of(buffer: pa.Buffer) -> pa.Schema:
    """The columns of an Arrow stream that was looked at."""
    try:
        with pa.ipc.open_stream(buffer) as reader:
            return reader.schema
    except (pa.ArrowException, OSError, ValueError) as e:
        raise FrameError(Reason.truncated, f"not a readable Arrow stream: {one_line(e)}") from e


def batches_of(stream: Any) -> Iterator[pa.RecordBatch]:
    """The batches of an Arrow stream that was looked at (`ipc.look`), each checked in full."""
    try:
        with pa.ipc.open_stream(stream) as reader:
            views = [i for i, field in enumerate(reader.schema) if _is_views(field.type)]
            for batch in reader:
                batch.validate(full=True)
                for i in views:
                    _check_views(batch.column(i), batch.schema.names[i], batch.nbytes)
                yield batch
    except FrameError:
        raise
    except Exception as e:  # Arrow meets damaged bytes with many types of error, MemoryError among them
        raise FrameError(Reason.truncated, f"not a readable Arrow stream: {one_line(e)}") from e


def meter_columns(batch: pa.RecordBatch) -> MeterColumns:
    """Meter columns of a batch; FrameError where a column is missing or of another type. Rows are not checked."""
    columns = _columns(batch, ("household_id", "start", "kwh", "minutes"))
    ids, kwh = _ids(columns["household_id"]), columns["kwh"]  # ids first: they bound the length by real bytes
    quality = (
        _named(columns["quality"], "quality", Reason.bad_quality)
        if "quality" in columns
        else np.full(len(batch), _MEASURED, dtype=np.uint8)
    )
    if kwh.null_count:
        quality = np.where(kwh.is_valid().to_numpy(zero_copy_only=False), quality, np.uint8(_MISSING))
    return MeterColumns(
        household_id=ids,
        start=_times(columns["start"], "start"),
        kwh=_floats(kwh, "kwh", np.nan),
        minutes=_minutes(columns["minutes"]),
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
        kind=_named(columns["kind"], "kind", Reason.bad_kind),
        duration_s=duration,
    )


def write(columns: MeterColumns | PhoneColumns) -> bytes:
    """The columns as an Arrow IPC stream of one batch."""
    ids = columns.household_id
    if isinstance(ids, pa.DictionaryArray) and len(ids.dictionary) * 2 > len(ids):
        ids = ids.cast(pa.string())  # a slice drags the whole dictionary along
    spec = _METER if isinstance(columns, MeterColumns) else _PHONE
    arrays = [ids, *(_from_numpy(getattr(columns, name), name, kind) for name, kind in spec)]
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
        if _is_text(kind.value_type):  # the dictionary alone: each of its texts may stand in every row
            return pa.DictionaryArray.from_arrays(array.indices, array.dictionary.cast(pa.string()))
    if _is_text(kind):
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


def _named(array: pa.Array, name: str, reason: Reason) -> NDArray[np.uint8]:
    """Positions of names in their list; an unknown name, and null, become 255, which is none."""
    known, encoded = _NAMES[name], array
    if not t.is_dictionary(array.type):
        encoded = array.dictionary_encode() if _is_text(array.type) else array
    if not (t.is_dictionary(encoded.type) and _is_text(encoded.type.value_type)):
        raise FrameError(reason, f"column {name} is {array.type}: send names, utf8 or a dictionary of it, no numbers")
    if encoded.dictionary.equals(known) and t.is_uint8(encoded.indices.type) and not encoded.null_count:
        return _view(encoded.indices, np.uint8)
    places = {value: i for i, value in enumerate(known.to_pylist())}
    table = np.array([places.get(value, 255) for value in encoded.dictionary.to_pylist()] + [255], np.uint8)
    return table[encoded.indices.cast(pa.int64()).fill_null(len(table) - 1).to_numpy()]


def _check_views(array: pa.Array, name: str, most: int) -> None:
    """Views may all be of the same bytes: as texts of their own they would be any number of times as many."""
    if t.is_dictionary(array.type):
        array = array.dictionary
    lengths = _view(array, np.dtype((np.void, 16))).view(np.int32)[::4] if len(array) else np.zeros(0, np.int32)
    if (total := int(lengths.sum(dtype=np.int64))) > most:
        raise FrameError(Reason.too_large, f"column {name[:40]!r} has {total} bytes of text in {most}: not read")


def _is_views(kind: pa.DataType) -> bool:
    within = kind.value_type if t.is_dictionary(kind) else kind
    return bool(t.is_string_view(within) or t.is_binary_view(within))


def _is_text(kind: pa.DataType) -> bool:
    return bool(t.is_string(kind) or t.is_large_string(kind) or t.is_string_view(kind))


def _minutes(array: pa.Array) -> NDArray[np.uint8]:
    """Minutes; what does not fit a byte, and null, become 255, which is no interval."""
    if not t.is_integer(array.type):
        raise FrameError(Reason.wrong_type, f"column minutes is {array.type}: send uint8")
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


def _from_numpy(values: NDArray[Any], name: str, kind: pa.DataType | None) -> pa.Array:
    """Numbers as they are, without a copy; where ``kind`` is None, positions in a list as the names that stand there
    (null where there is none)."""
    if kind is None:
        known = _NAMES[name]
        out = values >= len(known)
        places = pa.array(values, pa.uint8(), mask=out if out.any() else None)
        return pa.DictionaryArray.from_arrays(places, known, safe=False)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def one_line(error: Exception) -> str:
    """The first line of an error's text, for messages of one line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
