"""Files of meter readings, phone events and enrolments: CSV, JSON lines, JSON, Parquet, told by their columns.

    household_id, timestamp|start|at, kwh[, minutes, quality]        meter
    household_id, timestamp|at, kind[, duration_s]                   phone
    household_id, since, ...                                         households (JSON lines)

Column names are read in any case, others are ignored. Naive times are in ``tz``. An empty ``kwh`` is quality missing.
Without a column ``minutes`` the interval is each household's most common step. Bad rows carry their line in the file
and never stop the good ones; a file that cannot be used at all raises ``FileError``.
"""

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Literal, TypeVar, cast

import msgspec
import numpy as np
import pyarrow as pa

from stream import arrow, cells, enrolment, frames, jsonrows, sources, warned
from stream.columns import BadRow, MeterColumns, PhoneColumns
from stream.fault import FrameError
from stream.intervals import Intervals
from stream.records import AreaWarning, Household, Reason
from stream.sources import FileError, Raw, Source
from stream.validate import check_meter, check_phone

__all__ = [
    "Batch",
    "FileError",
    "load_households",
    "load_meter",
    "load_phone",
    "load_warnings",
    "read_households",
    "read_meter",
    "read_phone",
    "read_warnings",
    "signal_of",
]

BATCH_ROWS = 65_536
C = TypeVar("C", MeterColumns, PhoneColumns)
R = TypeVar("R", Household, AreaWarning)


@dataclass(frozen=True, slots=True)
class Batch(Generic[C]):
    """Good rows of a piece of a file, and (line, fault) of its bad ones; ``BadRow.row`` is the line as well."""

    columns: C
    bad: list[tuple[int, BadRow]]


def signal_of(source: Source | Path) -> Literal["meter", "phone", "households", "warnings"]:
    """What a file holds, by its columns."""
    source = _source(source)
    with _readable(source):
        found = sources.names(source)
    if "kwh" in found:
        return "meter"
    if {"area", "level", "until"} <= set(found) and "household_id" not in found:
        return "warnings"
    if "kind" in found:
        return "phone"
    if "household_id" in found and "since" in found:
        return "households"
    got = ", ".join(name[:40] for name in found[:20]) or "none"
    raise FileError(f"{source.name}: columns are {got}: there must be kwh (meter), kind (phone), since (households) "
        "or area and level (warnings)")


def read_meter(
    path: Source | Path, tz: str, batch_rows: int = BATCH_ROWS, now: int | None = None
) -> Iterator[Batch[MeterColumns]]:
    """Readings of a file, about ``batch_rows`` at a time; read twice where the interval has to be inferred."""
    source = _source(path)
    with _readable(source):
        wanted = _wanted(source, ("kwh",), ("minutes", "quality"))
        intervals = None
        if "minutes" not in wanted:
            intervals = Intervals()
            light = [name for name in wanted if name not in ("kwh", "quality")]
            for raw in sources.read(source, light, batch_rows):
                found = cells.meter_cells(raw.columns | {"kwh": pa.nulls(len(raw.lines))}, tz).columns
                intervals.update(found.household_id, found.start)
        for raw in sources.read(source, wanted, batch_rows):
            yield _meter_batch(raw, cells.meter_cells(raw.columns, tz), intervals, now)


def read_phone(
    path: Source | Path, tz: str, batch_rows: int = BATCH_ROWS, now: int | None = None
) -> Iterator[Batch[PhoneColumns]]:
    """Events of a file, about ``batch_rows`` at a time."""
    source = _source(path)
    with _readable(source):
        for raw in sources.read(source, _wanted(source, ("kind",), ("duration_s",)), batch_rows):
            found = cells.phone_cells(raw.columns, tz)
            good, bad = check_phone(found.columns, now)
            yield Batch(good, _by_line(raw, found.describe(bad)))


def load_meter(path: Source | Path, tz: str) -> tuple[MeterColumns, list[tuple[int, BadRow]]]:
    """All readings of a file in its order, and (line, fault) of the bad rows; the file is read once."""
    source = _source(path)
    with _readable(source):
        wanted = _wanted(source, ("kwh",), ("minutes", "quality"))
        intervals = None if "minutes" in wanted else Intervals()
        parts: list[tuple[Raw, cells.Cells]] = []
        for raw in sources.read(source, wanted, 1 << 20):
            found = cells.meter_cells(raw.columns, tz)
            if intervals is not None:
                intervals.update(found.columns.household_id, found.columns.start)
            parts.append((replace(raw, columns={}), found))
    batches = [_meter_batch(raw, found, intervals, None) for raw, found in parts]
    return _joined(batches, cast(MeterColumns, frames.empty("meter")))


def load_phone(path: Source | Path, tz: str) -> tuple[PhoneColumns, list[tuple[int, BadRow]]]:
    """All events of a file in its order, and (line, fault) of the bad rows."""
    return _joined(list(read_phone(path, tz, 1 << 20)), cast(PhoneColumns, frames.empty("phone")))


def load_households(path: Path) -> list[Household]:
    """Enrolments of a JSON-lines file; the first bad line raises FileError, for an enrolment must not go missing."""
    return _all_good(path, read_households(path))


def load_warnings(path: Path) -> list[AreaWarning]:
    """Warnings of a JSON-lines file, in its order; the first bad line raises FileError."""
    return _all_good(path, read_warnings(path))


def _all_good(path: Path, lines: Iterable[tuple[int, R | BadRow]]) -> list[R]:
    """The records of all lines; the first bad one raises FileError."""
    records = []
    for line, found in lines:
        if isinstance(found, BadRow):
            raise FileError(f"{path}: line {line}: {found.detail}")
        records.append(found)
    return records


def read_warnings(path: Source | Path) -> Iterator[tuple[int, AreaWarning | BadRow]]:
    """Line and warning, or line and what is wrong with it."""
    source = _source(path)
    with _readable(source):
        if source.format not in ("jsonl", "json"):
            raise FileError("warnings are JSON lines: one record of an area a line, as in docs/topics.md")
        for number, line in sources.json_lines(source):
            try:
                warning = msgspec.json.decode(line, type=AreaWarning)
            except Exception as e:  # msgspec, Unicode and recursion errors
                yield number, BadRow(number, *jsonrows.fault_of(e))
                continue
            fault = warned.fault_of(warning)
            yield number, warning if fault is None else BadRow(number, *fault)


def read_households(path: Source | Path) -> Iterator[tuple[int, Household | BadRow]]:
    """Line and enrolment, or line and what is wrong with it."""
    source = _source(path)
    with _readable(source):
        if source.format not in ("jsonl", "json"):
            raise FileError("enrolments are JSON lines: one households record a line, as in docs/topics.md")
        for number, line in sources.json_lines(source):
            yield number, _household(line, number)


def _household(line: bytes, number: int) -> Household | BadRow:
    """One enrolment from JSON, all its times with a zone."""
    try:
        household = msgspec.json.decode(line, type=Household)
    except Exception as e:  # msgspec, Unicode and recursion errors
        return BadRow(number, *jsonrows.fault_of(e))
    times = [household.since, household.risk_since, household.withdrawn]
    times += [time for absence in household.absences for time in (absence.from_, absence.until)]
    if any(time is not None and time.tzinfo is None for time in times):
        return BadRow(number, Reason.bad_time, "a time without a time zone: send one, such as +09:00")
    fault = enrolment.fault_of(household)
    return household if fault is None else BadRow(number, *fault)


def _meter_batch(raw: Raw, found: cells.Cells, intervals: Intervals | None, now: int | None) -> Batch[MeterColumns]:
    columns: MeterColumns = found.columns
    if intervals is not None:
        columns = replace(columns, minutes=intervals.minutes(columns.household_id))
        found = replace(found, said=found.said | _unknown_intervals(columns))
    good, bad = check_meter(columns, now)
    return Batch(good, _by_line(raw, found.describe(bad)))


def _unknown_intervals(columns: MeterColumns) -> cells.Said:
    detail = "the interval cannot be told from so few readings: send a column minutes (15, 30 or 60)"
    unknown = np.flatnonzero(columns.minutes == 0).tolist()
    return {(i, Reason.bad_interval): detail for i in unknown}


def _joined(batches: list[Batch[C]], none: C) -> tuple[C, list[tuple[int, BadRow]]]:
    parts = [b.columns for b in batches if len(b.columns)]
    return (frames.concat(parts) if parts else none), [fault for b in batches for fault in b.bad]


def _by_line(raw: Raw, bad: list[BadRow]) -> list[tuple[int, BadRow]]:
    """Faults of cells and of lines, by line."""
    faults = [(int(raw.lines[b.row]), b) for b in bad]
    return sorted([*raw.bad, *((line, replace(b, row=line)) for line, b in faults)], key=lambda fault: fault[0])


def _wanted(source: Source, needed: tuple[str, ...], optional: tuple[str, ...]) -> list[str]:
    """Names of the columns to read."""
    found = sources.names(source)
    time = next((name for name in cells.TIMES if name in found), None)
    missing = [name for name in ("household_id", *needed) if name not in found]
    if time is None:
        missing.append(" or ".join(cells.TIMES))
    if missing or time is None:
        got = ", ".join(name[:40] for name in found[:20]) or "none"
        raise FileError(f"{source.name}: no column {', '.join(missing)}; got {got}")
    return ["household_id", time, *needed, *(name for name in optional if name in found)]


def _source(path: Source | Path) -> Source:
    return path if isinstance(path, Source) else sources.source_of(Path(path))


@contextmanager
def _readable(source: Source) -> Iterator[None]:
    """Whatever goes wrong in reading a file, as one line with its name."""
    try:
        yield
    except FileError as e:
        raise FileError(str(e) if str(e).startswith(source.name) else f"{source.name}: {e}") from e
    except FrameError as e:
        raise FileError(f"{source.name}: {e.detail}") from e
    except FileNotFoundError as e:
        raise FileError(f"{source.name}: no such file") from e
    except (OSError, EOFError, zlib.error, pa.ArrowException, ValueError, MemoryError) as e:
        raise FileError(f"{source.name}: cannot be read: {arrow.one_line(e)}") from e
