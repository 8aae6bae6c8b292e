"""Texts of a column of times as UTC seconds: ISO 8601, and what spreadsheets and Korean exports write.

    2026-03-02T00:15:00+09:00   2026-03-02 0:15   2026/3/2 0:15   2026. 3. 2. 오후 1:15   202603020015

The year comes first: a day and a month that could change places are refused, not guessed. 2026-03-02 24:00 is the next
day's 00:00.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

NO_TIME = np.iinfo(np.int64).min
MICRO = 1_000_000
_ZONE = r"(?P<zone>[Zz]|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
_HALF = r"오전|오후|[AaPp]\.?[Mm]\.?"
_PARTED = (
    r"^\s*(?P<y>\d{4})\s*[-/.년]\s*(?P<m>\d{1,2})\s*[-/.월]\s*(?P<d>\d{1,2})\s*[.일]?"
    rf"(?:[T,\s]?\s*(?P<before>{_HALF})?\s*(?P<H>\d{{1,2}})\s*[:시]\s*(?:(?P<M>\d{{1,2}})\s*분?"
    rf"(?:\s*:?\s*(?P<S>\d{{1,2}})(?:[.,](?P<f>\d+))?\s*초?)?)?\s*(?P<after>{_HALF})?)?\s*{_ZONE}\s*$"
)
_COMPACT = (
    r"^\s*(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"
    rf"(?:[T\s]?(?P<H>\d{{2}}):?(?P<M>\d{{2}})(?::?(?P<S>\d{{2}})(?:[.,](?P<f>\d+))?)?)?\s*{_ZONE}\s*$"
)


def seconds(values: pa.Array, tz: str) -> tuple[NDArray[np.int64], bool]:
    """UTC seconds (n,) of n texts, ``NO_TIME`` where one is no time; those without a zone are in ``tz``.

    And whether one of them is written 24:00: such times are, as a rule, the ends of intervals.
    """
    for zone in (None, "UTC"):
        try:  # the usual case: all of one form
            return instants(values.cast(pa.timestamp("ns", tz=zone)), tz), False
        except pa.ArrowInvalid:
            continue
    values = pc.utf8_normalize(values, "NFKC")
    parted, compact = (_read(pc.extract_regex(values, pattern), tz) for pattern in (_PARTED, _COMPACT))
    to_midnight = pc.any(pc.match_substring_regex(values, r"^[^:]*[T\s]24:00|^\d{8}T?24:?00")).as_py()
    return np.where(parted == NO_TIME, compact, parted), bool(to_midnight)


def instants(array: pa.Array, tz: str) -> NDArray[np.int64]:
    """UTC seconds, to the nearest, of timestamps with or without a zone."""
    fine = array.cast(pa.timestamp("us", tz=array.type.tz), safe=False)
    if fine.type.tz is None:
        fine = pc.assume_timezone(fine, tz, ambiguous="earliest", nonexistent="earliest")
    micros = fine.cast(pa.int64())
    valid = micros.is_valid().to_numpy(zero_copy_only=False)
    return np.where(valid, (micros.fill_null(0).to_numpy() + MICRO // 2) // MICRO, NO_TIME)


def _read(parts: pa.StructArray, tz: str) -> NDArray[np.int64]:
    """UTC seconds of the parts of texts; ``NO_TIME`` where they are no date and time."""
    names = {field.name for field in parts.type}
    y, m, d, hour, minute, second = (_number(parts, name) for name in "ymdHMS")
    ok = (y >= 1) & (m >= 1) & (m <= 12) & (minute < 60) & (second < 60)
    month = np.where(ok, (y - 1970) * 12 + m - 1, 0).astype("datetime64[M]")
    ok &= (d >= 1) & (d <= ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64))
    if "before" in names:
        hour, ok = _half_days(parts, hour, ok)
    ok &= (hour < 24) | ((hour == 24) & (minute == 0) & (second == 0))
    fraction = pc.utf8_slice_codeunits(pc.utf8_rpad(parts.field("f"), 6, "0"), 0, 6)
    micros = (month.astype("datetime64[D]").astype(np.int64) + d - 1) * 86_400 + hour * 3600 + minute * 60 + second
    micros = np.where(ok, micros * MICRO + _int(fraction), 0)
    local = instants(pa.array(micros, pa.timestamp("us")), tz)
    zone = pc.replace_substring(parts.field("zone"), ":", "").fill_null("")
    aware = pc.not_equal(zone, "").to_numpy(zero_copy_only=False)
    offset = np.zeros(len(parts), np.int64)
    for text in pc.unique(zone).to_pylist():
        if text and text not in "Zz":
            there = pc.equal(zone, text).to_numpy(zero_copy_only=False)
            offset[there] = int(text[0] + "1") * (int(text[1:3]) * 3600 + int(text[3:5] or 0) * 60)
    utc = np.where(aware, (micros + MICRO // 2) // MICRO - offset, local)
    return np.where(ok, utc, NO_TIME)


def _half_days(
    parts: pa.StructArray, hour: NDArray[np.int64], ok: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Hours of 24 from those with 오전/오후, AM/PM before or after: 12:30 in the morning is 00:30."""
    said = pc.binary_join_element_wise(parts.field("before"), parts.field("after"), "").fill_null("")
    pm = pc.match_substring_regex(said, "오후|[Pp]").to_numpy(zero_copy_only=False)
    am = pc.match_substring_regex(said, "오전|[Aa]").to_numpy(zero_copy_only=False)
    ok = ok & ~(am & pm) & ~(am & (hour > 12)) & ~(pm & (hour > 23))
    return np.where(am & (hour == 12), 0, np.where(pm & (hour < 12), hour + 12, hour)), ok


def _number(parts: pa.StructArray, name: str) -> NDArray[np.int64]:
    return _int(parts.field(name))


def _int(texts: pa.Array) -> NDArray[np.int64]:
    """Numbers of digits; 0 for none."""
    texts = texts.fill_null("0")
    return np.asarray(pc.if_else(pc.equal(texts, ""), "0", texts).cast(pa.int64()).to_numpy(zero_copy_only=False))
