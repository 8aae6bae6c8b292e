"""What a Parquet file says of itself, footer and pages, read before any of it is unpacked.

A page of a few bytes can say that it unpacks to gigabytes, a run of bits that it is a billion rows, a shared prefix
that it is a million long texts. What passes unpacks to what its page headers say, which the readers hold to.
"""

from collections.abc import Collection, Iterator

import pyarrow.parquet as pq

from stream import bounds, thriftcompact
from stream.fault import FileError, OversizeError
from stream.thriftcompact import Struct

_MAGIC = b"PAR1"
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_ABOUT = {_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}
"""Field of a page's header that says more of each kind."""
_DELTA_BYTE_ARRAY = 7
_WIDEST = 32
"""Bytes of a number of fixed width."""
_OLD_WRITERS = 100
"""Bytes by which a column of an old writer may be longer than it says."""
_PAGE_BYTES = 64
"""A page and what the footer says of it are never fewer bytes."""


def look_at_footer(data: memoryview) -> Struct:
    """The footer. Raises FileError: no Parquet, or more columns or a longer footer than is read."""
    size = len(data)
    if size < 12 or bytes(data[-4:]) != _MAGIC:
        raise FileError("cannot be read: no Parquet, or its end is missing")
    length = int.from_bytes(data[-8:-4], "little")
    if length > max(bounds.METADATA_BYTES, size // _PAGE_BYTES):
        raise OversizeError(f"a footer of {length} bytes in a file of {size}: not read")
    if length > size - 8:
        raise FileError("cannot be read: its footer is longer than the file")
    footer = thriftcompact.read(data, size - 8 - length, length)[0]
    if len(footer.structs(2)) > bounds.COLUMNS:
        raise OversizeError(f"{len(footer.structs(2))} columns: send at most {bounds.COLUMNS}")
    return footer


def look(data: memoryview, schema: pq.ParquetSchema, wanted: Collection[str], rows: int | None, most: int) -> None:
    """Raises OversizeError where the columns ``wanted`` have over ``rows`` rows (None: over what a file of its size
    can have), or unpack to over ``most`` bytes; FileError where they are not what can be read in bounds.
    """
    footer, size = look_at_footer(data), len(data)
    limit = max(bounds.ROWS_A_BYTE * size, 1_000_000) if rows is None else rows
    places = _places(schema, wanted)
    pages, unpacked, total = size // _PAGE_BYTES + 8, 0, footer.number(3)
    if total > limit:
        raise OversizeError(f"{total} rows in {size} bytes: at most {limit} are read of it")
    for group in footer.structs(4):
        count, columns = group.number(3), group.structs(1)
        total -= count
        if total < 0 or len(columns) <= max(places):
            raise FileError("not readable Parquet: its parts are not those of the whole")
        for place in places:
            for page in _pages(data, columns[place].struct(3), count):
                pages, unpacked = pages - 1, unpacked + page
                if unpacked > most or pages < 0:
                    raise OversizeError(f"{size} bytes unpack to over {min(unpacked, most)}: at most {most} are read")


def _places(schema: pq.ParquetSchema, wanted: Collection[str]) -> list[int]:
    """Which columns are wanted. Raises FileError where one is not flat, or as wide as no number is."""
    places = []
    for place, column in enumerate(schema.column(i) for i in range(len(schema))):
        if column.path.partition(".")[0] not in wanted:
            continue
        if column.max_repetition_level or column.path not in wanted:
            raise FileError(f"column {column.path[:40]!r} is nested: send one value a row")
        if column.physical_type == "FIXED_LEN_BYTE_ARRAY" and column.length > _WIDEST:
            raise FileError(f"column {column.path[:40]!r} has values of {column.length} bytes: send numbers or text")
        places.append(place)
    return places


def _pages(data: memoryview, column: Struct, rows: int) -> Iterator[int]:
    """Bytes that each page of a column's part unpacks to."""
    at = min(column.number(field) for field in (9, 11) if column.get(field))
    end, values, total = at + column.number(7), 0, column.number(5)
    if not 0 < at <= end <= len(data) or total > rows:
        raise FileError("not readable Parquet: a column beyond the end of the file or of its rows")
    while values < total and at < end + _OLD_WRITERS:  # as far as Arrow reads it
        header, at = thriftcompact.read(data, at, bounds.METADATA_BYTES)
        kind, unpacked = header.number(1), header.number(2)
        if kind in _ABOUT:
            about = header.struct(_ABOUT[kind])
            count = about.number(1)
            if kind == _DICTIONARY and count > unpacked:
                raise FileError("not readable Parquet: a dictionary that cannot be")
            if kind != _DICTIONARY:
                if about.get(4 if kind == _DATA_V2 else 2) == _DELTA_BYTE_ARRAY:
                    raise FileError("texts as differences (DELTA_BYTE_ARRAY) are not read: write them plain")
                values += count
            if values > rows:
                raise FileError(f"not readable Parquet: over {rows} values in {rows} rows")
        yield unpacked
        at += header.number(3)
