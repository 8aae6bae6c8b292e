"""Rows of CSV as raw columns, block by block: where the header is, and what becomes of a line that is no row."""

import csv
import re
import unicodedata
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from stream import bounds
from stream.badrows import CODES, NONE, BadRows
from stream.columns import Raw
from stream.fault import FileError, OversizeError
from stream.records import Reason

HEADER_WITHIN = 50
"""Lines among which the header is looked for: a portal's file has some of its own above it."""
_NEM12 = re.compile(rb"\s*\"?100\"?\s*,\s*\"?NEM1[23]|\s*\"?200\"?\s*,[^,\n]*,[^,\n]*,")


@dataclass(frozen=True, slots=True)
class Header:
    """The line of a CSV file that names its columns, counted from 1; the names are in lower case."""

    line: int
    names: list[str]
    delimiter: str


def header_of(file: BinaryIO) -> Header:
    """The first line that names a household's column, among the first ``HEADER_WITHIN``; the file is read past it."""
    first = None
    for line in range(1, HEADER_WITHIN + 1):
        text = file.readline(bounds.LINE_BYTES + 1)
        if len(text) > bounds.LINE_BYTES:
            raise OversizeError(f"line {line} is over {bounds.LINE_BYTES} bytes: this is no CSV")
        if first is None:
            if _NEM12.match(text):
                raise FileError("this is an AEMO meter data file (NEM12 or NEM13), which cannot be read yet: "
                    "make it lines of household_id,timestamp,kwh,minutes")
            first = _header(text, line)
        if not text:
            break
        found = _header(text, line)
        if "household_id" in found.names:
            return found
    return first or Header(1, [], ",")


def _header(text: bytes, line: int) -> Header:
    delimiter = max((",", ";", "\t"), key=lambda d: text.count(d.encode()))
    if text.count(delimiter.encode()) >= bounds.COLUMNS:
        raise OversizeError(f"line {line} has over {bounds.COLUMNS} columns: send those that are asked for")
    names = [unicodedata.normalize("NFKC", name).strip().lower() for name in _fields(text, delimiter)]
    return Header(line, names, delimiter)


def read(file: BinaryIO, wanted: Sequence[str], block: int) -> Iterator[Raw]:
    """Blocks of about ``block`` bytes of a file at its beginning, with the columns ``wanted``."""
    header = header_of(file)
    width, index = len(header.names), [header.names.index(name) for name in wanted]
    line, rest = header.line + 1, b""
    while chunk := file.read(block):
        end = chunk.rfind(b"\n") + 1
        if not end:
            rest += chunk
            if len(rest) > bounds.LINE_BYTES:
                raise OversizeError(f"line {line} is over {bounds.LINE_BYTES} bytes: this is no CSV")
            continue
        data, rest = rest + chunk[:end], chunk[end:]
        yield _block(data, line, header.delimiter, width, index, wanted)
        line += data.count(b"\n")
    if rest.strip():
        yield _block(rest + b"\n", line, header.delimiter, width, index, wanted)


def _block(data: bytes, line: int, delimiter: str, width: int, index: list[int], wanted: Sequence[str]) -> Raw:
    """Whole lines of CSV, the first of which is number ``line``.

    Arrow reads them where it is safe: a quote left open would make it swallow the lines that follow, and it cannot
    report a ragged line that is no UTF-8. Such blocks are read line by line.
    """
    ragged, skipped = _Ragged(width), array("q")

    def report(row: Any) -> str:
        if row.text.strip():
            ragged.add(line + row.number - 1, row.actual_columns)
        skipped.append(row.number - 1)
        return "skip"

    if b'"' in data or not _is_utf8(data):
        return _lines(data, line, delimiter, width, index, wanted)
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
        return _lines(data, line, delimiter, width, index, wanted)
    lines = np.delete(np.arange(line, line + count), np.array(skipped, np.int64))
    columns = {name: _one(table.column(str(i))) for name, i in zip(wanted, index, strict=True)}
    return _without_blank(Raw(columns, lines, ragged.rows()))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lines(data: bytes, line: int, delimiter: str, width: int, index: list[int], wanted: Sequence[str]) -> Raw:
    """As ``_block``, line by line."""
    rows: list[list[str]] = []
    lines: list[int] = []
    ragged = _Ragged(width)
    for number, text in enumerate(data.split(b"\n")[:-1], line):
        fields = _fields(text, delimiter)
        if len(fields) == width:
            rows.append(fields)
            lines.append(number)
        elif text.strip():
            ragged.add(number, len(fields))
    columns = {name: pa.array([row[i] for row in rows], pa.string()) for name, i in zip(wanted, index, strict=True)}
    return _without_blank(Raw(columns, np.array(lines, dtype=np.int64), ragged.rows()))


def _without_blank(raw: Raw) -> Raw:
    """Without rows in which every column is empty: a line of nothing is no row, and no fault."""
    full = np.zeros(len(raw.lines), dtype=np.bool_)
    for column in raw.columns.values():
        full |= np.diff(np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, column.offset * 4)) > 0
    if full.all():
        return raw
    keep = pa.array(full)
    return Raw({name: column.filter(keep) for name, column in raw.columns.items()}, raw.lines[full], raw.bad)


class _Ragged:
    """Lines with more or fewer fields than the header."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._lines, self._got = array("q"), array("q")

    def add(self, line: int, got: int) -> None:
        """A line and the number of its fields."""
        self._lines.append(line)
        self._got.append(got)

    def rows(self) -> BadRows:
        """All of them."""
        if not self._lines:
            return NONE
        at, got, width = np.array(self._lines, np.int64), self._got, self._width
        code = np.full(len(at), CODES[Reason.truncated], np.uint8)
        return BadRows(at, code, lambda k: f"{got[k]} fields where the header has {width}: send all, quote commas")


def _fields(line: bytes, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.decode("utf-8-sig", "replace").rstrip("\r\n")], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return []


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [pa.array([], column.type)])
