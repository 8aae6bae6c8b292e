"""Frames: one Kafka message is a batch of readings or events, as an Arrow stream or as JSON, told apart by a header.

``decode`` gives the good rows as columns and the bad ones with their reasons; a message that cannot be used as a
whole, or holds more than is read of one (``bounds``), raises ``FrameError`` and nothing else, whatever the bytes.
``encode`` is its inverse.

Headers: ``schema`` = "1", ``content-type`` = ``records.ARROW`` or ``records.JSON``, optional ``feed`` (who sends;
"meter" or "phone" by default), optional ``complete-until`` (RFC 3339: this feed has sent everything of this partition
up to then). A frame of no rows with ``complete-until`` is a heartbeat.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, TypeVar

import numpy as np
import pyarrow as pa

from stream import arrow, bounds, jsonrows
from stream.badrows import NONE, BadRow, BadRows, joined
from stream.columns import MeterColumns, PhoneColumns
from stream.fault import FrameError
from stream.records import ARROW, JSON, SCHEMA_VERSION, Reason
from stream.validate import check_meter, check_phone, time_fault, valid_ids

__all__ = [
    "Columns",
    "Frame",
    "FrameError",
    "Headers",
    "Signal",
    "concat",
    "decode",
    "empty",
    "encode",
    "feed_of",
    "parse_complete_until",
    "take",
]

Signal = Literal["meter", "phone"]
Columns = MeterColumns | PhoneColumns
Headers = Mapping[str, bytes] | Iterable[tuple[str, bytes]] | None
C = TypeVar("C", bound=Columns)

HEADER_ROW = -1
"""``BadRow.row`` of a fault in a header that leaves the rows usable."""

_SCHEMA, _ARROW, _JSON = str(SCHEMA_VERSION).encode(), ARROW.encode(), JSON.encode()


@dataclass(frozen=True, slots=True)
class Frame:
    """What one message holds: the good rows, the bad ones, who sent it, and up to when (UTC seconds) it is complete."""

    columns: Columns
    bad: BadRows
    feed: str
    complete_until: int | None


def decode(signal: Signal, value: bytes | None, headers: Headers, now: int | None = None) -> Frame:
    """The frame in one message of ``meter.readings`` or ``phone.events``.

    ``now`` (UTC seconds) bounds times from above; None leaves them unbounded. Raises FrameError only.
    """
    try:
        return _decode(signal, value, headers, now)
    except FrameError:
        raise
    except Exception as e:  # whatever a library does with damaged bytes, the stream goes on
        raise FrameError(Reason.truncated, f"cannot be read: {type(e).__name__}: {str(e)[:200]}") from e


def encode(
    columns: Columns, feed: str | None = None, complete_until: int | None = None, as_json: bool = False
) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Value and headers of a message with these rows; ``complete_until`` in UTC seconds."""
    headers = [("schema", _SCHEMA), ("content-type", _JSON if as_json else _ARROW)]
    if feed is not None:
        headers.append(("feed", feed.encode()))
    if complete_until is not None:
        headers.append(("complete-until", datetime.fromtimestamp(complete_until, UTC).isoformat().encode()))
    return (jsonrows if as_json else arrow).write(columns), headers


def concat(parts: Sequence[C]) -> C:
    """The rows of all parts in their order, as one."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        raise ValueError("concat of no columns: pass at least one, or use empty()")
    first, ids = parts[0], _concat_ids([p.household_id for p in parts])
    numbers = {name: np.concatenate([getattr(p, name) for p in parts]) for name in _numbers(first)}
    return type(first)(household_id=ids, **numbers)


def take(columns: C, index: slice | np.ndarray) -> C:
    """The rows at a slice or at positions, as columns of their own (a slice is a view)."""
    ids = columns.household_id
    part = ids[index] if isinstance(index, slice) else ids.take(pa.array(index))
    return replace(columns, household_id=part, **{name: getattr(columns, name)[index] for name in _numbers(columns)})


def empty(signal: Signal) -> Columns:
    """Columns of no rows."""
    ids, i8, f4 = pa.array([], pa.string()), np.zeros(0, np.uint8), np.zeros(0, np.float32)
    times = np.zeros(0, np.int64)
    return MeterColumns(ids, times, f4, i8, i8) if signal == "meter" else PhoneColumns(ids, times, i8, f4)


def feed_of(headers: Headers, signal: Signal) -> str:
    """Who sent a message, without a look into it. Raises FrameError where the header is no name of a feed."""
    return _feed(_found(headers).get("feed"), signal)


def _found(headers: Headers) -> dict[str, bytes]:
    return dict(headers.items() if isinstance(headers, Mapping) else headers or ())


def _decode(signal: Signal, value: bytes | None, headers: Headers, now: int | None) -> Frame:
    found = _found(headers)
    if found.get("schema") != _SCHEMA:
        raise FrameError(Reason.unknown_schema, f"header schema is {_show(found.get('schema'))}: send {SCHEMA_VERSION}")
    feed = _feed(found.get("feed"), signal)
    until_header = found.get("complete-until")
    until, header = (None, NONE) if until_header is None else parse_complete_until(until_header, now)
    if value is not None and len(value) > bounds.FRAME_BYTES:
        raise FrameError(Reason.too_large, f"{len(value)} bytes: send at most {bounds.FRAME_BYTES} in one message")
    columns, row_faults = _rows(signal, value or b"", found.get("content-type"), now)
    if len(columns) == 0 and until is None and not row_faults:
        if header:
            raise FrameError(header[0].reason, header[0].detail)
        raise FrameError(Reason.empty, "no rows and no complete-until header: send at least one of them")
    return Frame(columns, joined([header, row_faults]), feed, until)


def _rows(signal: Signal, value: bytes, content: bytes | None, now: int | None) -> tuple[Columns, BadRows]:
    """Good rows and bad rows of a value by its content type."""
    if not value:
        return empty(signal), NONE
    if content == _ARROW:
        batch = arrow.read(value)
        if signal == "meter":
            return check_meter(arrow.meter_columns(batch), now)
        return check_phone(arrow.phone_columns(batch), now)
    if content == _JSON:
        if signal == "meter":
            meter, at, untyped = jsonrows.read_meter(value)
            good, bad = check_meter(meter, now)
            return good, joined([BadRows.of(untyped), bad.moved(at[bad.at])])
        phone, at, untyped = jsonrows.read_phone(value)
        events, bad = check_phone(phone, now)
        return events, joined([BadRows.of(untyped), bad.moved(at[bad.at])])
    raise FrameError(Reason.unknown_content_type, f"header content-type is {_show(content)}: send {ARROW} or {JSON}")


@lru_cache(maxsize=1024)
def _feed(header: bytes | None, signal: Signal) -> str:
    if header is None:
        return signal
    name = header.decode("utf-8", "replace")
    if not valid_ids(pa.array([name]))[0]:
        raise FrameError(Reason.wrong_type, f"header feed is {_show(header)}: send 1 to 64 of A-Z a-z 0-9 . _ : -")
    return name


def parse_complete_until(header: bytes, now: int | None) -> tuple[int | None, BadRows]:
    """UTC seconds of a ``complete-until`` header, or None and what is wrong with it; the rows beside it stay usable."""
    try:
        time = datetime.fromisoformat(header.decode("ascii"))
        if time.tzinfo is None:
            raise ValueError("no time zone")
        # Down, not to the nearest: completeness is never promised beyond what was said.
        until = int(time.timestamp() // 1)
    except (ValueError, OverflowError):
        detail = f"header complete-until is {_show(header)}: send RFC 3339 with a time zone"
        return None, BadRows.of([BadRow(HEADER_ROW, Reason.bad_time, detail)])
    fault = time_fault(until, now, "header complete-until")
    return (None, BadRows.of([BadRow(HEADER_ROW, *fault)])) if fault else (until, NONE)


def _concat_ids(parts: list[pa.Array]) -> pa.Array:
    if all(isinstance(p, pa.DictionaryArray) for p in parts) and len({p.type for p in parts}) == 1:
        return pa.chunked_array(parts).unify_dictionaries().combine_chunks()
    return pa.concat_arrays([p.cast(pa.string()) if isinstance(p, pa.DictionaryArray) else p for p in parts])


def _numbers(columns: Columns) -> tuple[str, ...]:
    return ("start", "kwh", "minutes", "quality") if isinstance(columns, MeterColumns) else ("at", "kind", "duration_s")


def _show(header: bytes | None) -> str:
    return "missing" if header is None else repr(header[:64].decode("utf-8", "replace"))
