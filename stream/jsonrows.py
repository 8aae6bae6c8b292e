"""Columns from and to JSON: one record of ``records.MeterReading`` / ``PhoneEvent``, or an array of them."""

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stream import bounds
from stream.badrows import BadRow
from stream.columns import MeterColumns, PhoneColumns
from stream.fault import FrameError
from stream.records import KINDS, QUALITIES, MeterReading, PhoneEvent, Quality, Reason

_QUALITY = {q: i for i, q in enumerate(QUALITIES)}
_KIND = {k: i for i, k in enumerate(KINDS)}
_REASONS = {
    "household_id": Reason.bad_household,
    "start": Reason.bad_time,
    "at": Reason.bad_time,
    "kwh": Reason.bad_energy,
    "minutes": Reason.bad_interval,
    "quality": Reason.bad_quality,
    "kind": Reason.bad_kind,
    "duration_s": Reason.bad_duration,
}

_COMMAS = 5
"""Of a record with all of its fields, and one behind it."""
Places = NDArray[np.int64]

_raw = msgspec.json.Decoder(list[msgspec.Raw])
_reading, _readings = msgspec.json.Decoder(MeterReading), msgspec.json.Decoder(list[MeterReading])
_event, _events = msgspec.json.Decoder(PhoneEvent), msgspec.json.Decoder(list[PhoneEvent])


def read_meter(value: bytes) -> tuple[MeterColumns, Places, list[BadRow]]:
    """Columns of the rows that have the right types, their positions in the message, and the rows that have not."""
    records, at, bad = _records(value, _reading, _readings, lambda r: r.start)
    return meter_columns(records), at, bad


def read_phone(value: bytes) -> tuple[PhoneColumns, Places, list[BadRow]]:
    """As ``read_meter``, of phone events."""
    records, at, bad = _records(value, _event, _events, lambda r: r.at)
    return phone_columns(records), at, bad


def meter_columns(records: Sequence[MeterReading]) -> MeterColumns:
    """Columns of typed readings. ``kwh`` None is quality missing, whatever the record says."""
    return MeterColumns(
        household_id=pa.array([r.household_id for r in records], pa.string()),
        start=np.array([_seconds(r.start) for r in records], dtype=np.int64),
        kwh=_float32([math.nan if r.kwh is None else r.kwh for r in records]),
        minutes=np.array([r.minutes for r in records], dtype=np.uint8),
        quality=np.array([_QUALITY[Quality.missing if r.kwh is None else r.quality] for r in records], dtype=np.uint8),
    )


def phone_columns(records: Sequence[PhoneEvent]) -> PhoneColumns:
    """Columns of typed events."""
    return PhoneColumns(
        household_id=pa.array([r.household_id for r in records], pa.string()),
        at=np.array([_seconds(r.at) for r in records], dtype=np.int64),
        kind=np.array([_KIND[r.kind] for r in records], dtype=np.uint8),
        duration_s=_float32([r.duration_s for r in records]),
    )


def write(columns: MeterColumns | PhoneColumns) -> bytes:
    """A JSON array of records, or one record where there is one row."""
    records: Sequence[MeterReading | PhoneEvent]
    records = meter_records(columns) if isinstance(columns, MeterColumns) else phone_records(columns)
    return msgspec.json.encode(records[0] if len(records) == 1 else records)


def meter_records(columns: MeterColumns) -> list[MeterReading]:
    """The rows as records, for those who want them one by one; not for the hot path."""
    return [
        MeterReading(i, datetime.fromtimestamp(s, UTC), None if math.isnan(k) else k, m, QUALITIES[q])
        for i, s, k, m, q in zip(
            columns.household_id.to_pylist(),
            columns.start.tolist(),
            columns.kwh.tolist(),
            columns.minutes.tolist(),
            columns.quality.tolist(),
            strict=True,
        )
    ]


def phone_records(columns: PhoneColumns) -> list[PhoneEvent]:
    """The rows as records, for those who want them one by one; not for the hot path."""
    return [
        PhoneEvent(i, datetime.fromtimestamp(s, UTC), KINDS[k], d)
        for i, s, k, d in zip(
            columns.household_id.to_pylist(),
            columns.at.tolist(),
            columns.kind.tolist(),
            columns.duration_s.tolist(),
            strict=True,
        )
    ]


def fault_of(error: Exception) -> tuple[Reason, str]:
    """Reason and one line for a record that msgspec refused."""
    text = (str(error).splitlines() or [type(error).__name__])[0][:200]
    text = re.sub(r"(?<=enum value) '.*'", "", text)  # the value itself may be anything that stood in the wrong place
    path = text.rpartition("`$")[2].rstrip("`").rpartition(".")[2]
    return _REASONS.get(path, Reason.wrong_type), text


def _records(
    value: bytes, one: msgspec.json.Decoder[Any], many: msgspec.json.Decoder[Any], time: Callable[[Any], datetime]
) -> tuple[list[Any], Places, list[BadRow]]:
    raws: list[Any] = [value]
    if value.count(b",") > _COMMAS * bounds.FRAME_ROWS:  # before there is an object for each
        raise FrameError(Reason.too_large, f"{len(value)} bytes of JSON with over {bounds.FRAME_ROWS} rows: send fewer")
    try:
        if value.lstrip()[:1] == b"[":
            raws = _raw.decode(value)
            if len(raws) > bounds.FRAME_ROWS:
                raise FrameError(Reason.too_large, f"{len(raws)} rows: send at most {bounds.FRAME_ROWS} in one")
            records = many.decode(value)
        else:
            records = [one.decode(value)]
    except FrameError:
        raise
    except msgspec.ValidationError:
        return _one_by_one(raws, one, time)
    except Exception as e:  # damaged JSON: msgspec, Unicode and recursion errors
        raise FrameError(Reason.truncated, f"not readable JSON: {fault_of(e)[1]}") from e
    if any(time(r).tzinfo is None for r in records):
        return _one_by_one(raws, one, time)
    return records, np.arange(len(records)), []


def _one_by_one(
    raws: Sequence[Any], one: msgspec.json.Decoder[Any], time: Callable[[Any], datetime]
) -> tuple[list[Any], Places, list[BadRow]]:
    """Each record for itself, so that a bad one does not stop the others."""
    good: list[Any] = []
    at: list[int] = []
    bad: list[BadRow] = []
    for i, raw in enumerate(raws):
        try:
            record = one.decode(raw)
        except Exception as e:  # a record that is not this type, or holds what JSON cannot
            bad.append(BadRow(i, *fault_of(e)))
            continue
        if time(record).tzinfo is None:
            detail = f"time {time(record).isoformat()} has no time zone: send one, such as +09:00 or Z"
            bad.append(BadRow(i, Reason.bad_time, detail))
            continue
        good.append(record)
        at.append(i)
    return good, np.array(at, np.int64), bad


def _seconds(time: datetime) -> int:
    return round(time.timestamp())


def _float32(values: list[float]) -> Any:
    with np.errstate(over="ignore"):  # too large for float32 becomes infinite, which the row checks refuse
        return np.array(values, dtype=np.float64).astype(np.float32)
