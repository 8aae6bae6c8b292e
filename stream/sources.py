"""Rows of CSV, JSON lines, JSON, Parquet and Arrow data as raw columns, block by block, with their line numbers.

Nothing is judged here but the shape of a line: a line that is no row is reported and the others go on. Values become
readings and events in ``cells``.
"""

import gzip
import io
import zlib
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stream import arrow, bounds, csvrows, encodings, ipc, parquetpages
from stream.badrows import CODES, BadRows
from stream.columns import Raw
from stream.fault import FileError, FrameError, OversizeError
from stream.records import Reason

Format = Literal["csv", "jsonl", "json", "parquet", "arrow"]
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrows": "arrow",
}
BYTES_PER_ROW = 48
"""About the length of a CSV line: turns rows a batch into bytes a block."""


_COMMAS = 100
"""Most commas a JSON record has, as a rule."""
_SAID = 1_000
"""Lines of a block that are no record, in words."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from: a file, or the bytes of a request. ``name`` is for messages.

    ``rows``: more are not read of it (None: as many as a file of its size can hold); ``unpacked``: nor more bytes.
    """

    name: str
    format: Format
    data: Path | bytes
    rows: int | None = None
    unpacked: int | None = None


def source_of(path: Path | Source) -> Source:
    """A file as a source, its format told by its name (``.csv``, ``.csv.gz``, ``.jsonl``, ``.parquet`` ...)."""
    if isinstance(path, Source):
        return path
    suffix = Path(path.stem).suffix if path.suffix.lower() == ".gz" else path.suffix
    known = SUFFIXES.get(suffix.lower())
    if known is None:
        raise FileError(f"{path}: unknown kind of file {suffix!r}: save it as, or name it, {', '.join(SUFFIXES)}")
    return Source(str(path), known, path)


def names(source: Source) -> list[str]:
    """Column names of a source, in lower case; of JSON the keys of the first hundred records."""
    if source.format == "csv":
        with _open(source) as file:
            return csvrows.header_of(file).names
    if source.format == "parquet":
        with pq.ParquetFile(_footed(source)) as file:
            return [name.lower() for name in file.schema_arrow.names]
    if source.format == "arrow":
        return [name.lower() for name in arrow.schema_of(_arrow(source)).names]
    records = (_record(line)[0] for _, line in islice(json_lines(source), 100))
    return list(dict.fromkeys(key for record in records for key in record or {}))


def encoding(source: Source) -> str:
    """What a text is written in."""
    with _opened(source) as file:
        return encodings.encoding_of(file.read(encodings.HEAD))


def read(source: Source, wanted: Sequence[str], rows: int) -> Iterator[Raw]:
    """Blocks of about ``rows`` rows with the columns ``wanted`` (lower-case names that ``names`` gave)."""
    if source.format == "csv":
        with _open(source) as file:
            yield from csvrows.read(file, wanted, rows * BYTES_PER_ROW)
    elif source.format == "parquet":
        yield from _read_parquet(source, wanted, rows)
    elif source.format == "arrow":
        yield from _read_arrow(source, wanted, rows)
    else:
        yield from _read_json(source, wanted, rows)


def _read_parquet(source: Source, wanted: Sequence[str], rows: int) -> Iterator[Raw]:
    buffer = _footed(source)
    with pq.ParquetFile(buffer) as file:
        real = {name.lower(): name for name in reversed(file.schema_arrow.names)}
        columns = [real[name] for name in wanted]
        most = bounds.unpacked(buffer.size) if source.unpacked is None else source.unpacked
        parquetpages.look(memoryview(buffer).cast("B"), file.schema, columns, source.rows, most)
        texts = [name for name in columns if _is_bytes(file.schema, name)]
    with pq.ParquetFile(buffer, read_dictionary=texts) as file:  # a text that repeats is kept once
        at = 0
        for batch in file.iter_batches(rows, columns=columns, use_threads=False):
            batch.validate(full=True)  # no number of a text is beyond the texts there are
            yield _numbered(_chosen(batch, wanted), at)
            at += len(batch)


def _is_bytes(schema: pq.ParquetSchema, name: str) -> bool:
    return any(c.path == name and c.physical_type == "BYTE_ARRAY" for c in map(schema.column, range(len(schema))))


def _read_arrow(source: Source, wanted: Sequence[str], rows: int) -> Iterator[Raw]:
    done = 0
    for batch in arrow.batches_of(_arrow(source)):
        for at in range(0, len(batch), rows):
            yield _numbered(_chosen(batch[at : at + rows], wanted), done + at)
        done += len(batch)


def _read_json(source: Source, wanted: Sequence[str], rows: int) -> Iterator[Raw]:
    lines = json_lines(source)
    while block := list(islice(lines, rows)):
        records: list[dict[str, Any]] = []
        numbers: list[int] = []
        bad = _BadLines()
        for number, line in block:
            record, fault = _record(line)
            if record is None:
                bad.add(number, *fault)
                continue
            records.append({name: record.get(name) for name in wanted})
            numbers.append(number)
        columns = {name: _values([record[name] for record in records], name) for name in wanted}
        yield Raw(columns, np.array(numbers, dtype=np.int64), bad.rows())


class _BadLines:
    """Lines of JSON that are no record; the first of them in words."""

    def __init__(self) -> None:
        self._lines, self._codes = array("q"), array("B")
        self._said: list[str] = []

    def add(self, line: int, reason: Reason, detail: str) -> None:
        """One more."""
        self._lines.append(line)
        self._codes.append(CODES[reason])
        if len(self._said) < _SAID:
            self._said.append(detail)

    def rows(self) -> BadRows:
        """All of them."""
        at, code, said = np.array(self._lines, np.int64), np.array(self._codes, np.uint8), self._said
        return BadRows(at, code, lambda k: said[k] if k < len(said) else f"as the {len(said)} lines told before")


def json_lines(source: Source) -> Iterator[tuple[int, bytes]]:
    """Line number and text of each record: lines, or the elements of one array."""
    if source.format == "json":
        data = _bytes(source)
        if data.lstrip()[:1] == b"[":
            if source.rows is not None and (objects := data.count(b"{")) > source.rows:
                raise OversizeError(f"{source.name}: {objects} objects: send at most {source.rows} rows in one")
            if data.count(b",") > _COMMAS * (data.count(b"{") + 1):  # before there is an object for each
                raise FileError(f"{source.name}: a JSON array of something else: send an array of objects")
            try:
                elements = msgspec.json.decode(data, type=list[msgspec.Raw])
            except (msgspec.MsgspecError, RecursionError) as e:
                raise FileError(f"{source.name}: not readable JSON: {arrow.one_line(e)}") from e
            yield from enumerate((bytes(element) for element in elements), 1)
            return
        if _record(data)[0] is not None:  # one object, over as many lines as its writer likes
            yield 1, data
            return
    with _open(source) as file:
        for number in count(1):
            line = file.readline(bounds.LINE_BYTES + 1)
            if len(line) > bounds.LINE_BYTES:
                said = f"line {number} is over {bounds.LINE_BYTES} bytes: send one record a line"
                raise OversizeError(f"{source.name}: {said}")
            if not line:
                return
            if line.strip():
                yield number, line


def _record(line: bytes) -> tuple[dict[str, Any] | None, tuple[Reason, str]]:
    """A JSON object with its keys in lower case, or why there is none."""
    if len(line) > bounds.RECORD_BYTES:
        return None, (Reason.too_large, f"a record of {len(line)} bytes: send at most {bounds.RECORD_BYTES}")
    try:
        record = msgspec.json.decode(line)
    except Exception as e:  # msgspec, Unicode and recursion errors
        return None, (Reason.truncated, f"not readable JSON: {arrow.one_line(e)}")
    if not isinstance(record, dict):
        return None, (Reason.wrong_type, f"a JSON {type(record).__name__}: send one object a line")
    lower = {key.strip().lower(): value for key, value in record.items()}
    if len(lower) < len(record):
        return None, (Reason.wrong_type, "a key is there twice, in another case: send it once")
    return lower, (Reason.empty, "")


def _values(values: list[Any], name: str) -> pa.Array:
    """Values of one key: numbers or texts as they are, a mixture as texts. ``true`` is no number."""
    try:
        array = pa.array(values)
        if pa.types.is_floating(array.type) and any(isinstance(v, bool) for v in values):
            raise TypeError("Arrow takes true for 1.0 among fractions")
        if pa.types.is_primitive(array.type) or pa.types.is_string(array.type) or pa.types.is_null(array.type):
            return array
    except (pa.ArrowException, ValueError, OverflowError, TypeError):
        pass
    return pa.array([v if v is None or isinstance(v, str) else _written(v, name) for v in values])


def _written(value: Any, name: str) -> str:
    """A value as it was written in JSON; ``true`` and a fraction as an id in brackets, as they read like one."""
    text = msgspec.json.encode(value).decode()
    return f"[{text}]" if name == "household_id" and isinstance(value, bool | float) else text


def _chosen(batch: pa.RecordBatch, wanted: Sequence[str]) -> dict[str, pa.Array]:
    real = {name.lower(): i for i, name in reversed(list(enumerate(batch.schema.names)))}
    return {name: batch.column(real[name]) for name in wanted}


def _numbered(columns: dict[str, pa.Array], at: int) -> Raw:
    count = len(next(iter(columns.values())))
    return Raw(columns, np.arange(at + 1, at + 1 + count))


def _arrow(source: Source) -> pa.Buffer:
    """An Arrow stream that was looked at."""
    stream = arrow.whole(_buffer(source))
    ipc.look(stream, source.rows)
    return stream


def _footed(source: Source) -> pa.Buffer:
    """A Parquet file whose footer can be read."""
    buffer = _buffer(source)
    parquetpages.look_at_footer(memoryview(buffer).cast("B"))
    return buffer


def _buffer(source: Source) -> pa.Buffer:
    """All bytes: those of a file as it lies on the disk."""
    if isinstance(source.data, Path) and source.data.suffix.lower() != ".gz":
        return pa.memory_map(str(source.data)).read_buffer()
    return pa.py_buffer(_bytes(source))


def _open(source: Source) -> BinaryIO:
    """A text, as UTF-8."""
    return encodings.text_of(_opened(source))


def _opened(source: Source) -> BinaryIO:
    if isinstance(source.data, bytes):
        return io.BytesIO(source.data)
    if source.data.suffix.lower() != ".gz":
        return source.data.open("rb")
    size = source.data.stat().st_size
    return cast(BinaryIO, io.BufferedReader(_Bounded(gzip.open(source.data), size, bounds.unpacked(size))))


class _Bounded(io.RawIOBase):
    """A file that unpacks to no more than ``most`` bytes. Raises OversizeError where there are more."""

    def __init__(self, file: Any, size: int, most: int) -> None:
        self._file = file
        self._size = size
        self._most = most
        self._read = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Close the file as well."""
        self._file.close()
        super().close()

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer."""
        data = self._file.read(len(buffer))
        self._read += len(data)
        if self._read > self._most:
            raise OversizeError(f"{self._size} bytes unpack to over {self._most}: unpack it yourself, if it is good")
        buffer[: len(data)] = data
        return len(data)


def _bytes(source: Source) -> bytes:
    with _open(source) if source.format == "json" else _opened(source) as file:
        return file.read()


@contextmanager
def readable(source: Source) -> Iterator[None]:
    """Whatever goes wrong in reading a file, as one line with its name."""
    try:
        yield
    except FileError as e:
        raise type(e)(str(e) if str(e).startswith(source.name) else f"{source.name}: {e}") from e
    except FrameError as e:
        kind = OversizeError if e.reason is Reason.too_large else FileError
        raise kind(f"{source.name}: {e.detail}") from e
    except FileNotFoundError as e:
        raise FileError(f"{source.name}: no such file") from e
    except (OSError, EOFError, zlib.error, pa.ArrowException, ValueError, MemoryError) as e:
        raise FileError(f"{source.name}: cannot be read: {arrow.one_line(e)}") from e
