"""Files of meter readings and phone events: CSV, JSON lines, JSON, Parquet, told by their columns.

    household_id, start|timestamp|at, kwh[, minutes, quality]        meter
    household_id, start|timestamp|at, kind[, duration_s]             phone
    household_id, since, ...                                         households (``recordlines``)

Column names are read in any case, others are ignored. Naive times are in ``tz``. An empty ``kwh`` is quality missing.
Without a column ``minutes`` the interval is the step to the household's next reading. Bad rows carry their line in the
file and never stop the good ones; what is suspected of a household (``suspicion``) holds its rows back unless that is
forced. A file that cannot be used at all raises ``FileError``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, cast

from stream import cells, frames, pieces, sources
from stream.badrows import BadRows, joined
from stream.columns import MeterColumns, PhoneColumns
from stream.fault import FileError
from stream.frames import Signal
from stream.pieces import Batch, How
from stream.sources import Source, readable, source_of

__all__ = ["Batch", "FileError", "How", "load", "load_meter", "load_phone", "read", "signal_of"]

PIECE_ROWS = 4_000_000
"""Rows that are looked at together. Households of a longer file are judged by what a piece holds of them."""
BLOCK_ROWS = 131_072
KNOWN = {
    "household_id", *cells.TIMES, "kwh", "minutes", "quality", "kind", "duration_s", "since", "area", "level", "until",
}  # fmt: skip
"""Names of columns that we know. No other is repeated to anyone: where a file has no header they are cells."""


def signal_of(path: Source | Path) -> Literal["meter", "phone", "households", "warnings"]:
    """What a file holds, by its columns."""
    source = source_of(path)
    with readable(source):
        found = sources.names(source)
    if "kwh" in found:
        return "meter"
    if {"area", "level", "until"} <= set(found) and "household_id" not in found:
        return "warnings"
    if "kind" in found:
        return "phone"
    if "household_id" in found and "since" in found:
        return "households"
    raise FileError(f"{source.name}: no column kwh (meter), kind (phone), since (households) or area and level "
        f"(warnings); {_got(source, found)}")


def read(
    path: Source | Path, signal: Signal, how: How, rows: int = PIECE_ROWS, block: int = BLOCK_ROWS
) -> Iterator[Batch]:
    """Rows of a file, about ``rows`` at a time: those are looked at together."""
    source = source_of(path)
    with readable(source):
        wanted = _wanted(source, signal)
        for piece in pieces.read(source, wanted, signal, how, rows, block):
            yield pieces.meter(piece, how) if signal == "meter" else pieces.phone(piece, how)


def load(path: Source | Path, signal: Signal, how: How) -> Batch:
    """All rows of a file in its order."""
    batches = list(read(path, signal, how))
    parts = [batch.columns for batch in batches if len(batch.columns)]
    told = {suspicion.key: suspicion for batch in batches for suspicion in batch.suspicions}
    return Batch(
        cast(Any, frames.concat(parts) if parts else frames.empty(signal)),
        joined([batch.bad for batch in batches]),
        list(told.values()),
    )


def load_meter(path: Source | Path, tz: str) -> tuple[MeterColumns, BadRows]:
    """All readings of a file whatever is suspected of them, and the bad rows by line."""
    batch = load(path, "meter", How(tz, force=True))
    return cast(MeterColumns, batch.columns), batch.bad


def load_phone(path: Source | Path, tz: str) -> tuple[PhoneColumns, BadRows]:
    """All events of a file whatever is suspected of them, and the bad rows by line."""
    batch = load(path, "phone", How(tz, force=True))
    return cast(PhoneColumns, batch.columns), batch.bad


def _wanted(source: Source, signal: Signal) -> list[str]:
    """Names of the columns to read."""
    found = sources.names(source)
    needed, optional = ("kwh", ["minutes", "quality"]) if signal == "meter" else ("kind", ["duration_s"])
    times = [name for name in cells.TIMES if name in found]
    missing = [name for name in ("household_id", needed) if name not in found]
    if not times:
        missing.append(" or ".join(cells.TIMES))
    if missing:
        raise FileError(f"{source.name}: no column {', '.join(missing)}; {_got(source, found)}")
    if len(times) > 1 and times[0] != "start":
        raise FileError(f"{source.name}: two columns of times, {' and '.join(times)}: name the one that counts start")
    begins = [] if times[0] == "start" else [name for name in found if cells.STARTS.fullmatch(name)]
    if begins:  # then ours is another time, of the end or of receiving
        both = f"{times[0]} and {begins[0]}"
        raise FileError(f"{source.name}: two columns of times, {both}: name the one that counts start")
    if source.format not in ("jsonl", "json"):  # a key of JSON may come later than the first records
        optional = [name for name in optional if name in found]
    wanted = ["household_id", times[0], needed, *optional]
    twice = [name for name in wanted if found.count(name) > 1]
    if twice:
        raise FileError(f"{source.name}: a column is there twice: {', '.join(twice)}: keep one")
    return wanted


def _got(source: Source, found: list[str]) -> str:
    """Which of our columns are there; a first line without any is no header, and is not repeated."""
    known = [name for name in found if name in KNOWN]
    if known:
        return f"got {', '.join(known)}" + (" and others" if len(known) < len(found) else "")
    if source.format == "csv":
        return (f"line 1 is no header that is known (the text is {sources.encoding(source).upper()}): "
            "begin with a line such as household_id,timestamp,kwh")
    return "got none that is known"
