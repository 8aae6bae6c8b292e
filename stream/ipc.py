"""What an Arrow stream says of itself, read before any of it is decoded: a few bytes can say ten million rows.

Only the messages' metadata is read (flatbuffers, as in Arrow's Message.fbs and Schema.fbs). What passes holds no more
rows than bytes, nothing compressed, and no buffer that is not its own, so that decoding takes no more memory than it.
"""

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from stream import bounds
from stream.fault import FrameError
from stream.records import Reason

_DEEPEST = 8
"""Levels of nested columns."""
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3


def look(stream: Any, rows: int | None = None, messages: int | None = None) -> int:
    """The rows that a stream (a buffer, or a file mapped into memory) says it has.

    Raises FrameError: over ``rows``, over ``messages`` batches and dictionaries, compressed, or not what it can be.
    """
    total, size, packed = 0, 0, False
    for before, (metadata, body) in enumerate(_messages(stream)):
        if messages is not None and before > messages:
            raise FrameError(Reason.too_large, f"over {messages} record batches and dictionaries: send one batch")
        if len(metadata) > bounds.METADATA_BYTES:
            raise FrameError(Reason.too_large, f"a schema or header of {len(metadata)} bytes: send flat columns")
        try:
            found, compressed = _rows(metadata, body)
        except (struct.error, IndexError, ValueError, OverflowError) as e:
            raise FrameError(Reason.truncated, f"not a readable Arrow stream: {type(e).__name__} in a header") from e
        total, size, packed = total + found, size + body, packed or compressed
    said = f"{total} rows in {size} bytes"
    if packed:
        raise FrameError(Reason.compressed, f"compressed Arrow ({said}) is not unpacked: send it without compression")
    if rows is not None and total > rows:
        raise FrameError(Reason.too_large, f"{said}: send at most {rows} rows in one")
    return total


def _messages(stream: Any) -> Iterator[tuple[bytes, int]]:
    """Metadata of each message, and the bytes of its body."""
    try:
        for message in pa.ipc.MessageReader.open_stream(stream):
            yield message.metadata.to_pybytes(), 0 if message.body is None else message.body.size
    except (pa.ArrowException, OSError, EOFError, ValueError, MemoryError) as e:
        said = (str(e).splitlines() or [type(e).__name__])[0][:200]
        raise FrameError(Reason.truncated, f"not a readable Arrow stream: {said}") from e


def _rows(metadata: bytes, body: int) -> tuple[int, bool]:
    """Rows of a message's record batch, 0 of another message; and whether it is compressed."""
    kind, header = _message(metadata)
    if kind == _SCHEMA:
        _check_schema(metadata)
        return 0, False
    if kind == _DICTIONARY and (data := header.table(1)) is not None:
        return 0, _check_batch(data, body)[1]
    if kind == _BATCH:
        return _check_batch(header, body)
    raise FrameError(Reason.wrong_type, "an Arrow message that is no schema, record batch or dictionary")


def _message(metadata: bytes) -> tuple[int, "_Table"]:
    """Kind and header."""
    message = _Table(metadata, _at(metadata, 0, "<I"))
    kind, header = message.number(1, "<B"), message.table(2)
    if header is None:
        raise ValueError
    return kind, header


@lru_cache(maxsize=32)  # of a megabyte at most each: those of a sender's messages are all the same
def _check_schema(metadata: bytes) -> None:
    """Columns, with those within them, are few and not deep."""
    level, count = list(_message(metadata)[1].tables(1)), 0
    for _ in range(_DEEPEST):
        count += len(level)
        if count > bounds.COLUMNS:
            raise FrameError(Reason.too_large, f"over {bounds.COLUMNS} columns: send those that are asked for")
        if not level:
            return
        level = [child for field in level for child in field.tables(5)]
    raise FrameError(Reason.too_large, f"columns over {_DEEPEST} levels deep: send flat columns")


def _check_batch(batch: "_Table", body: int) -> tuple[int, bool]:
    """Rows of a batch that can be decoded in the bytes that are there; and whether it is compressed, which cannot."""
    count = batch.number(0, "<q")
    if batch.table(3) is not None:
        return count, True
    lengths, buffers = batch.pairs(1)[:, 0], batch.pairs(2)
    if count < 0 or (lengths < 0).any() or (buffers < 0).any():
        raise FrameError(Reason.truncated, "not a readable Arrow stream: a negative length")
    if count > body or (lengths > 8 * body).any():
        values = max(count, int(lengths.max(initial=0)))
        raise FrameError(Reason.truncated, f"not a readable Arrow stream: {values} values in {body} bytes")
    if (buffers.sum(axis=1) > body).any() or buffers[:, 1].sum() > body:
        raise FrameError(Reason.truncated, f"not a readable Arrow stream: buffers beyond its {body} bytes, or shared")
    return count, False


class _Table:
    """A table of a flatbuffer. Fields are known by their number; one that is not there is 0, None or empty.

    Raises struct.error, ValueError or IndexError where the bytes are no such table.
    """

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at
        self._fields = at - _at(data, at, "<i")
        self._size = _at(data, self._fields, "<H")

    def number(self, field: int, form: str) -> int:
        """A number."""
        at = self._place(field)
        return _at(self._data, at, form) if at else 0

    def table(self, field: int) -> "_Table | None":
        """A table within this one."""
        at = self._place(field)
        return _Table(self._data, at + _at(self._data, at, "<I")) if at else None

    def tables(self, field: int) -> Iterator["_Table"]:
        """A list of tables, of ``bounds.COLUMNS`` and one more at most."""
        begin, count = self._list(field)
        for at in range(begin, begin + 4 * min(count, bounds.COLUMNS + 1), 4):
            yield _Table(self._data, at + _at(self._data, at, "<I"))

    def pairs(self, field: int) -> Any:
        """A list of pairs of numbers, int64 (n, 2)."""
        begin, count = self._list(field)
        if count > 8 * bounds.COLUMNS:
            raise FrameError(Reason.too_large, f"{count} buffers in one batch: send flat columns")
        return np.frombuffer(self._data, "<i8", 2 * count, begin).reshape(-1, 2) if count else np.zeros((0, 2), "<i8")

    def _place(self, field: int) -> int:
        entry = 4 + 2 * field
        offset = _at(self._data, self._fields + entry, "<H") if entry < self._size else 0
        return self._at + offset if offset else 0

    def _list(self, field: int) -> tuple[int, int]:
        at = self._place(field)
        if not at:
            return 0, 0
        begin = at + _at(self._data, at, "<I")
        return begin + 4, _at(self._data, begin, "<I")


def _at(data: bytes, at: int, form: str) -> int:
    if at < 0:  # which would count from the end
        raise IndexError
    return int(struct.unpack_from(form, data, at)[0])
