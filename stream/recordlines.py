"""Files of enrolments and of warnings: JSON lines, one record each; a bad line is told and the others go on."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from stream import bounds, consent, enrolment, jsonrows, warned
from stream.badrows import BadRow
from stream.fault import FileError
from stream.records import AreaWarning, Household, Reason
from stream.sources import Source, json_lines, readable, source_of

R = TypeVar("R", Household, AreaWarning)


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


def read_warnings(path: Source | Path, now: float | None = None) -> Iterator[tuple[int, AreaWarning | BadRow]]:
    """Line and warning, or line and what is wrong with it. ``now`` (UTC seconds) bounds times from above."""
    source = source_of(path)
    with readable(source):
        if source.format not in ("jsonl", "json"):
            raise FileError("warnings are JSON lines: one record of an area a line, as in docs/topics.md")
        for number, line in json_lines(source):
            if len(line) > bounds.RECORD_BYTES:
                yield number, _too_long(number, line)
                continue
            try:
                warning = msgspec.json.decode(line, type=AreaWarning)
            except Exception as e:  # msgspec, Unicode and recursion errors
                yield number, BadRow(number, *jsonrows.fault_of(e))
                continue
            fault = warned.fault_of(warning, now)
            yield number, warning if fault is None else BadRow(number, *fault)


def read_households(path: Source | Path, now: float | None = None) -> Iterator[tuple[int, Household | BadRow]]:
    """Line and enrolment, or line and what is wrong with it. ``now`` (UTC seconds) bounds times from above."""
    source = source_of(path)
    with readable(source):
        if source.format not in ("jsonl", "json"):
            raise FileError("enrolments are JSON lines: one households record a line, as in docs/topics.md")
        for number, line in json_lines(source):
            yield number, _household(line, number, now)


def _too_long(number: int, line: bytes) -> BadRow:
    return BadRow(number, Reason.too_large, f"a record of {len(line)} bytes: send at most {bounds.RECORD_BYTES}")


def _household(line: bytes, number: int, now: float | None) -> Household | BadRow:
    """One enrolment from JSON, all its times with a zone."""
    if len(line) > bounds.RECORD_BYTES:
        return _too_long(number, line)
    try:
        household = msgspec.json.decode(line, type=Household)
    except Exception as e:  # msgspec, Unicode and recursion errors
        return BadRow(number, *jsonrows.fault_of(e))
    times = [household.since, household.risk_since, household.withdrawn]
    times += [time for absence in household.absences for time in (absence.from_, absence.until)]
    if any(time is not None and time.tzinfo is None for time in times):
        return BadRow(number, Reason.bad_time, "a time without a time zone: send one, such as +09:00")
    fault = enrolment.fault_of(household, now)
    if fault is None and now is not None:
        fault = consent.fault_of(household, datetime.fromtimestamp(now, UTC))
    return household if fault is None else BadRow(number, *fault)
