"""Row checks of readings and events: pure, vectorised, and cheap when every row is good (the usual frame).

Each check gives a mask of bad rows. A row has the reason of the first check it fails, in the order of the tables
below; sentences are written only of those that are asked for.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.slots import SLOT_SECONDS
from stream.badrows import CODES, NONE, BadRows
from stream.columns import MeterColumns, PhoneColumns
from stream.ids import ASK_ID, MAX_ID, id_fault
from stream.records import KINDS, QUALITIES, Kind, Quality, Reason

MAX_KW = 30.0
"""Average power above which a home's reading is absurd (a home's main fuse is far below it)."""
MAX_DURATION_S = 86_400.0
EARLIEST = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
LATEST = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())
"""Times outside these are damaged whatever the clock says; within them every time fits a datetime."""
FUTURE_S = 600
"""A time this many seconds ahead of our clock is clock skew, beyond it a wrong clock."""
NOISE_KWH = 1e-6
"""Differences of a meter's register in floats come out this far below zero; they are zero."""

Mask = NDArray[np.bool_]
Check = tuple[Mask, Reason, Callable[[int], str]]

_MISSING = QUALITIES.index(Quality.missing)
_ANSWERED = KINDS.index(Kind.call_answered)
_MINUTES = np.array([15, 30, 60])
_MINUTES_OK = np.isin(np.arange(256), _MINUTES)
_LIMIT_KWH = (np.arange(256) * MAX_KW / 60 * (1 + 1e-6)).astype(np.float32)
_ID_BYTES = np.array([chr(b).isascii() and (chr(b).isalnum() or chr(b) in "._:-") for b in range(256)])


def check_meter(columns: MeterColumns, now: int | None) -> tuple[MeterColumns, BadRows]:
    """The good rows of n readings and why the others are not.

    ``now``: UTC seconds, or None to accept any time up to the year 2200. A missing value becomes NaN whatever number
    was sent with it. Returns the same columns, uncopied, when there is nothing to change.
    """
    start, kwh, minutes, quality = columns.start, columns.kwh, columns.minutes, columns.quality
    missing = quality == _MISSING
    checks: list[Check] = [
        (~valid_ids(columns.household_id), Reason.bad_household, _say_id(columns.household_id)),
        *_time_checks(start, now, "start"),
        (~_MINUTES_OK[minutes], Reason.bad_interval, lambda i: f"minutes is {minutes[i]}: send 15, 30 or 60"),
        (start % SLOT_SECONDS != 0, Reason.bad_time, lambda i: _say_unaligned(int(start[i]), int(minutes[i]))),
        (
            quality >= len(QUALITIES),
            Reason.bad_quality,
            lambda i: f"quality is no name we know: send one of {', '.join(QUALITIES)}",
        ),
        (
            ~((kwh >= -NOISE_KWH) & (kwh <= _LIMIT_KWH[minutes]) | missing),
            Reason.bad_energy,
            lambda i: _say_energy(float(columns.kwh[i]), int(minutes[i])),
        ),
    ]
    keep, bad = _verdict(checks)
    if missing.any() or (kwh < 0).any():
        kwh = np.where(missing, np.float32(np.nan), np.maximum(kwh, np.float32(0)))
    if keep is None:
        return columns if kwh is columns.kwh else MeterColumns(columns.household_id, start, kwh, minutes, quality), bad
    ids = columns.household_id.filter(pa.array(keep))
    return MeterColumns(ids, start[keep], kwh[keep], minutes[keep], quality[keep]), bad


def check_phone(columns: PhoneColumns, now: int | None) -> tuple[PhoneColumns, BadRows]:
    """The good rows of n phone events and why the others are not; ``now`` as in ``check_meter``."""
    at, kind, duration = columns.at, columns.kind, columns.duration_s
    checks: list[Check] = [
        (~valid_ids(columns.household_id), Reason.bad_household, _say_id(columns.household_id)),
        *_time_checks(at, now, "at"),
        (
            kind >= len(KINDS),
            Reason.bad_kind,
            lambda i: f"kind is no name we know: send one of {', '.join(KINDS)}",
        ),
        (
            ~((duration >= 0) & (duration <= MAX_DURATION_S)),
            Reason.bad_duration,
            lambda i: f"duration_s is {duration[i]:g}: send seconds from 0 to {MAX_DURATION_S:.0f}",
        ),
        (
            (kind == _ANSWERED) & (duration == 0),
            Reason.bad_duration,
            lambda i: f"duration_s of {Kind.call_answered} is 0: send its seconds, or {Kind.call_in}",
        ),
    ]
    keep, bad = _verdict(checks)
    if keep is None:
        return columns, bad
    return PhoneColumns(columns.household_id.filter(pa.array(keep)), at[keep], kind[keep], duration[keep]), bad


def time_fault(time: int, now: int | None, name: str) -> tuple[Reason, str] | None:
    """Why one time (UTC seconds) cannot be used, or None; the same bounds as for rows."""
    for mask, reason, say in _time_checks(np.array([time], dtype=np.int64), now, name):
        if mask[0]:
            return reason, say(0)
    return None


def valid_ids(ids: pa.Array) -> Mask:
    """Which of n ids are household ids (1-64 of A-Z a-z 0-9 . _ : -); ``ids`` is utf8 or a dictionary of it.

    Looks each byte up in a table over the whole buffer at once: a frame of good ids needs no look at single rows.
    """
    if len(ids) == 0:
        return np.zeros(0, dtype=np.bool_)
    if isinstance(ids, pa.DictionaryArray):
        known = np.append(valid_ids(ids.dictionary), False)
        codes = ids.indices
        if codes.null_count:
            codes = codes.cast(pa.int64()).fill_null(len(ids.dictionary))
        return known[codes.to_numpy(zero_copy_only=False)]
    validity, offsets, data = ids.buffers()
    ends = np.frombuffer(offsets, np.int32, len(ids) + 1, ids.offset * 4)
    raw = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]] if data else np.zeros(0, np.uint8)
    length = np.diff(ends)
    ok = (length >= 1) & (length <= MAX_ID)
    good = _ID_BYTES[raw]
    if not good.all():
        before = np.concatenate(([0], np.cumsum(~good)))
        at = ends - ends[0]
        ok &= before[at[1:]] == before[at[:-1]]
    if validity is not None and ids.null_count:
        ok &= ids.is_valid().to_numpy(zero_copy_only=False)
    return ok


def _time_checks(time: NDArray[np.int64], now: int | None, name: str) -> list[Check]:
    """Damaged times, and times ahead of the clock."""
    damaged: Check = (
        (time < EARLIEST) | (time > LATEST),
        Reason.bad_time,
        lambda i: f"{name} is missing or {time[i]} s: send a time after 2000 with its time zone",
    )
    if now is None:
        return [damaged]
    return [
        damaged,
        (
            time > now + FUTURE_S,
            Reason.future,
            lambda i: f"{name} is {_iso(int(time[i]))}, {time[i] - now} s ahead of our clock: check the sender's clock",
        ),
    ]


def _verdict(checks: list[Check]) -> tuple[Mask | None, BadRows]:
    """Rows to keep (None: all) and each bad row with the first check it failed."""
    any_bad = np.logical_or.reduce([mask for mask, _, _ in checks])
    if not any_bad.any():
        return None, NONE
    at = np.flatnonzero(any_bad)
    failed = np.full(len(at), len(checks) - 1, np.uint8)
    for place in range(len(checks) - 2, -1, -1):  # the first check it failed is written last
        failed[checks[place][0][at]] = place
    reasons = np.array([CODES[reason] for _, reason, _ in checks], np.uint8)
    say = [words for _, _, words in checks]
    return ~any_bad, BadRows(at, reasons[failed], lambda k: say[failed[k]](int(at[k])))


def _say_id(ids: pa.Array) -> Callable[[int], str]:
    def say(i: int) -> str:
        return f"household_id {id_fault(ids[i].as_py())}: {ASK_ID}"

    return say


def _say_unaligned(start: int, minutes: int) -> str:
    return f"start is {_iso(start)}: send the start of the {minutes}-minute interval, at :00, :15, :30 or :45"


def _say_energy(kwh: float, minutes: int) -> str:
    if np.isnan(kwh):
        return "kwh is not a number: send quality missing where there is no value"
    if kwh < 0:
        return f"kwh is {kwh:g}: send the energy used in the interval, never below 0"
    return f"kwh is {kwh:g} in {minutes} minutes, over {MAX_KW:g} kW: send kWh of the interval, no Wh or register"


def _iso(time: int) -> str:
    if not EARLIEST <= time <= LATEST:
        return f"{time} s"
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
