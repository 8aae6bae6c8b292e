"""A simulated town as files, with the truth beside: meter.parquet, phone.parquet, households.jsonl, truth.csv."""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simulators.events import Event, EventKind, apply
from simulators.plans import enrolments
from simulators.town import Day, Town, local_seconds
from stream import spreadsheet
from stream.records import KINDS, QUALITIES

METER_FILE, PHONE_FILE, HOUSEHOLDS_FILE, TRUTH_FILE = (
    "meter.parquet", "phone.parquet", "households.jsonl", "truth.csv",
)
TRUTH_COLUMNS = ("household_id", "area", "kind", "start", "until", "details")

_METER = pa.schema([
    ("household_id", pa.string()), ("timestamp", pa.timestamp("ms")), ("kwh", pa.float32()), ("minutes", pa.uint8()),
    ("quality", pa.string()),
])
_PHONE = pa.schema([
    ("household_id", pa.string()), ("timestamp", pa.timestamp("ms")), ("kind", pa.string()),
    ("duration_s", pa.float32()),
])


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: rows of each file."""

    readings: int
    phone_events: int
    households: int
    truths: int


def write(
    town: Town, days: range, events: Sequence[Event], out: Path, progress: Callable[[int, int], None] | None = None
) -> Written:
    """The days of a town with these events, as files in ``out`` (made if need be, files there are replaced).

    Times in the Parquet files are naive, in the town's time zone; ``timestamp`` of a reading is the start of its
    interval. ``progress`` is called with the days done and the days in all. A row group is a day: memory stays small.
    """
    out.mkdir(parents=True, exist_ok=True)
    readings = calls = 0
    with pq.ParquetWriter(out / METER_FILE, _METER) as meter, pq.ParquetWriter(out / PHONE_FILE, _PHONE) as phone:
        for done, index in enumerate(days, 1):
            day = apply(town, town.day(index), events)
            meter.write_table(_meter_table(town, day))
            phone.write_table(_phone_table(town, day))
            readings, calls = readings + len(day.meter), calls + len(day.phone)
            if progress is not None:
                progress(done, len(days))
    final = {household.household_id: household for _, household in enrolments(town, events)}
    (out / HOUSEHOLDS_FILE).write_bytes(b"".join(msgspec.json.encode(h) + b"\n" for h in final.values()))
    return Written(readings, calls, len(final), write_truth(town, events, out / TRUTH_FILE))


def write_truth(town: Town, events: Iterable[Event], file: Path) -> int:
    """Events as CSV, one line per household or area; times in the town's zone, details as JSON. Returns the lines."""
    rows = [
        (household, event.area, event.kind.value, _iso(town, event.start), _iso(town, event.until),
         json.dumps(dict(event.details), sort_keys=True))
        for event in events
        for household in (event.households or ("",))
    ]
    with file.open("w", newline="", encoding="utf-8") as f:
        writer = spreadsheet.Writer(f, "\n")
        writer.row(TRUTH_COLUMNS)
        for row in rows:
            writer.row(row)
    return len(rows)


def read_truth(file: Path) -> list[Event]:
    """Events of a truth file, one for each of its lines."""
    with file.open(newline="", encoding="utf-8") as f:
        return [
            Event(EventKind(row["kind"]), _seconds(row["start"]), _seconds(row["until"]) if row["until"] else None,
                  (row["household_id"],) if row["household_id"] else (), row["area"], json.loads(row["details"]))
            for row in ({name: spreadsheet.read(cell) for name, cell in line.items()} for line in csv.DictReader(f))
        ]


def _iso(town: Town, seconds: int | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, town.tz).isoformat()


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _stamps(town: Town, day: Day, at: NDArray[np.int64]) -> Any:
    return pa.array(local_seconds(town, day, at) * 1000, pa.timestamp("ms"))


def _meter_table(town: Town, day: Day) -> Any:
    m = day.meter
    kwh = pa.array(m.kwh, mask=np.isnan(m.kwh))
    quality = pa.array([q.value for q in QUALITIES]).take(pa.array(m.quality))
    return pa.table([m.household_id, _stamps(town, day, m.start), kwh, pa.array(m.minutes), quality], schema=_METER)


def _phone_table(town: Town, day: Day) -> Any:
    p = day.phone
    kind = pa.array([k.value for k in KINDS]).take(pa.array(p.kind))
    return pa.table([p.household_id, _stamps(town, day, p.at), kind, pa.array(p.duration_s)], schema=_PHONE)
