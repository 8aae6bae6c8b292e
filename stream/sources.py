"""Rows of CSV, JSON lines, JSON, Parquet and Arrow data as raw columns, block by block, with their line numbers.

Nothing is judged here but the shape of a line: a line that is no row is reported and the others go on. Values become
readings and events in ``cells``.
"""

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stream import arrow
from stream.columns import BadRow
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
MAX_LINE = 16 * 1024 * 1024
BYTES_PER_ROW = 48
"""About the length of a CSV line: turns rows a batch into bytes a block."""


class FileError(Exception):
    """A file that cannot be used at all; the message is one line for the person who gave it."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from: a file, or the bytes of a request. ``name`` is for messages."""

    name: str
    format: Format
    data: Path | bytes


@dataclass(frozen=True, slots=True)
class Raw:
    """Rows as they are: columns by lower-case name, the line of each row, and (line, fault) of lines that are no row.

    A line is counted from 1 with the header; in Parquet, Arrow and JSON arrays it is the row counted from 1.
    """

    columns: dict[str, pa.Array]
    lines: NDArray[np.int64]
    bad: list[tuple[int, BadRow]] = field(default_factory=list)


def source_of(path: Path) -> Source:
    """A file as a source, its format told by its name (``.csv``, ``.csv.gz``, ``.jsonl``, ``.parquet`` ...)."""
    suffix = Path(path.stem).suffix if path.suffix.lower() == ".gz" else path.suffix
    known = SUFFIXES.get(suffix.lower())
    if known is None:
        raise FileError(f"{path}: unknown kind of file {suffix!r}: name it {', '.join(SUFFIXES)}")
    return Source(str(path), known, path)


def names(source: Source) -> list[str]:
    """Column names of a source, in lower case; of JSON the keys of the first hundred records."""
    if source.format == "csv":
        with _open(source) as file:
            header = file.readline()
        return [name.strip().lower() for name in _fields(header, _delimiter(header))]
    if source.format == "parquet":
        with _parquet(source) as file:
            return [name.lower() for name in file.schema_arrow.names]
    if source.format == "arrow":
        return [name.lower() for name in arrow.read(_bytes(source)).schema.names]
    records = (_record(line)[0] for _, line in islice(json_lines(source), 100))
    return list(dict.fromkeys(key for record in records for key in record or {}))


def read(source: Source, wanted: Sequence[str], rows: int) -> Iterator[Raw]:
    """Blocks of about ``rows`` rows with the columns ``wanted`` (lower-case names that ``names`` gave)."""
    if source.format == "csv":
        yield from _read_csv(source, wanted, rows * BYTES_PER_ROW)
    elif source.format == "parquet":
        yield from _read_parquet(source, wanted, rows)
    elif source.format == "arrow":
        batch = arrow.read(_bytes(source))
        for at in range(0, len(batch), rows):
            yield _numbered(_chosen(batch[at : at + rows], wanted), at)
    else:
        yield from _read_json(source, wanted, rows)


def _read_csv(source: Source, wanted: Sequence[str], block: int) -> Iterator[Raw]:
    with _open(source) as file:
        header = file.readline()
        delimiter = _delimiter(header)
        fields = [name.strip().lower() for name in _fields(header, delimiter)]
        index = [fields.index(name) for name in wanted]
        line, rest = 2, b""
        while chunk := file.read(block):
            end = chunk.rfind(b"\n") + 1
            if not end:
                rest += chunk
                if len(rest) > MAX_LINE:
                    raise FileError(f"{source.name}: line {line} is over {MAX_LINE} bytes: this is no CSV")
                continue
            data, rest = rest + chunk[:end], chunk[end:]
            yield _csv_block(data, line, delimiter, len(fields), index, wanted)
            line += data.count(b"\n")
        if rest.strip():
            yield _csv_block(rest + b"\n", line, delimiter, len(fields), index, wanted)


def _csv_block(data: bytes, line: int, delimiter: str, width: int, index: list[int], wanted: Sequence[str]) -> Raw:
    """Whole lines of CSV, the first of which is number ``line``.

    Arrow reads them where it is safe: a quote left open would make it swallow the lines that follow, and it cannot
    report a ragged line that is no UTF-8. Such blocks are read line by line.
    """
    faults: list[tuple[int, BadRow]] = []

    def report(row: Any) -> str:
        if row.text.strip():
            faults.append(_ragged(line + row.number - 1, row.actual_columns, width))
        skipped.append(row.number - 1)
        return "skip"

    skipped: list[int] = []
    if b'"' in data or not _is_utf8(data):
        return _csv_lines(data, line, delimiter, width, index, wanted)
    table = pacsv.read_csv(
        pa.BufferReader(data),
        read_options=pacsv.ReadOptions(
            use_threads=False, block_size=len(data) + 1, column_names=[str(i) for i in range(width)]
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=delimiter, quote_char=False, invalid_row_handler=report, ignore_empty_lines=False
        ),
        convert_options=pacsv.ConvertOptions(
            check_utf8=False,
            column_types={str(i): pa.binary() for i in index},
            include_columns=[str(i) for i in index],
        ),
    )
    count = data.count(b"\n")
    if len(table) + len(skipped) != count:  # a lone carriage return, which Arrow takes for the end of a line
        return _csv_lines(data, line, delimiter, width, index, wanted)
    lines = np.delete(np.arange(line, line + count), skipped)
    columns = {name: _one(table.column(str(i))) for name, i in zip(wanted, index, strict=True)}
    return _without_blank(Raw(columns, lines, faults))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _csv_lines(data: bytes, line: int, delimiter: str, width: int, index: list[int], wanted: Sequence[str]) -> Raw:
    """As ``_csv_block``, line by line."""
    rows: list[list[str]] = []
    lines: list[int] = []
    faults: list[tuple[int, BadRow]] = []
    for number, text in enumerate(data.split(b"\n")[:-1], line):
        fields = _fields(text, delimiter)
        if len(fields) == width:
            rows.append(fields)
            lines.append(number)
        elif text.strip():
            faults.append(_ragged(number, len(fields), width))
    columns = {name: pa.array([row[i] for row in rows], pa.string()) for name, i in zip(wanted, index, strict=True)}
    return _without_blank(Raw(columns, np.array(lines, dtype=np.int64), faults))


def _without_blank(raw: Raw) -> Raw:
    """Without rows in which every column is empty: a line of nothing is no row, and no fault."""
    full = np.zeros(len(raw.lines), dtype=np.bool_)
    for column in raw.columns.values():
        full |= np.diff(np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, column.offset * 4)) > 0
    if full.all():
        return raw
    keep = pa.array(full)
    return Raw({name: column.filter(keep) for name, column in raw.columns.items()}, raw.lines[full], raw.bad)


def _ragged(line: int, got: int, width: int) -> tuple[int, BadRow]:
    return line, BadRow(line, Reason.truncated, f"{got} fields where the header has {width}: send all, quote commas")


def _fields(line: bytes, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.decode("utf-8-sig", "replace").rstrip("\r\n")], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return []


def _delimiter(header: bytes) -> str:
    return max((",", ";", "\t"), key=lambda d: header.count(d.encode()))


def _read_parquet(source: Source, wanted: Sequence[str], rows: int) -> Iterator[Raw]:
    with _parquet(source) as file:
        real = {name.lower(): name for name in reversed(file.schema_arrow.names)}
        at = 0
        for batch in file.iter_batches(rows, columns=[real[name] for name in wanted], use_threads=False):
            yield _numbered(_chosen(batch, wanted), at)
            at += len(batch)


def _read_json(source: Source, wanted: Sequence[str], rows: int) -> Iterator[Raw]:
    lines = json_lines(source)
    while block := list(islice(lines, rows)):
        records: list[dict[str, Any]] = []
        numbers: list[int] = []
        bad: list[tuple[int, BadRow]] = []
        for number, line in block:
            record, fault = _record(line)
            if record is None:
                bad.append((number, BadRow(number, *fault)))
                continue
            records.append(record)
            numbers.append(number)
        columns = {name: _values([record.get(name) for record in records]) for name in wanted}
        yield Raw(columns, np.array(numbers, dtype=np.int64), bad)


def json_lines(source: Source) -> Iterator[tuple[int, bytes]]:
    """Line number and text of each record: lines, or the elements of one array."""
    if source.format == "json":
        data = _bytes(source)
        if data.lstrip()[:1] == b"[":
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
        yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())


def _record(line: bytes) -> tuple[dict[str, Any] | None, tuple[Reason, str]]:
    """A JSON object with its keys in lower case, or why there is none."""
    try:
        record = msgspec.json.decode(line)
    except Exception as e:  # msgspec, Unicode and recursion errors
        return None, (Reason.truncated, f"not readable JSON: {arrow.one_line(e)}")
    if not isinstance(record, dict):
        return None, (Reason.wrong_type, f"a JSON {type(record).__name__}: send one object a line")
    return {key.strip().lower(): value for key, value in record.items()}, (Reason.empty, "")


def _values(values: list[Any]) -> pa.Array:
    """Values of one key: numbers or texts as they are, a mixture as texts."""
    try:
        array = pa.array(values)
        if pa.types.is_primitive(array.type) or pa.types.is_string(array.type) or pa.types.is_null(array.type):
            return array
    except (pa.ArrowException, ValueError, OverflowError, TypeError):
        pass
    return pa.array([v if v is None or isinstance(v, str) else msgspec.json.encode(v).decode() for v in values])


def _chosen(batch: pa.RecordBatch, wanted: Sequence[str]) -> dict[str, pa.Array]:
    real = {name.lower(): i for i, name in reversed(list(enumerate(batch.schema.names)))}
    return {name: batch.column(real[name]) for name in wanted}


def _numbered(columns: dict[str, pa.Array], at: int) -> Raw:
    count = len(next(iter(columns.values())))
    return Raw(columns, np.arange(at + 1, at + 1 + count))


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [pa.array([], column.type)])


def _parquet(source: Source) -> Any:
    return pq.ParquetFile(pa.BufferReader(source.data) if isinstance(source.data, bytes) else source.data)


def _open(source: Source) -> BinaryIO:
    if isinstance(source.data, bytes):
        return io.BytesIO(source.data)
    return cast(BinaryIO, gzip.open(source.data) if source.data.suffix.lower() == ".gz" else source.data.open("rb"))


def _bytes(source: Source) -> bytes:
    with _open(source) as file:
        return file.read()
