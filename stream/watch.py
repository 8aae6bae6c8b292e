"""Who is watched when, and whose meter is due: what is fixed about n households, made ready for whole arrays."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.slots import MISSING, NOTHING, OWN, SLOTS_PER_HOUR

WHO = np.dtype(
    [
        ("since", "<i4"),  # slot from which the household is watched; FREE: nobody in this row
        ("area", "<u2"),
        ("dong", "<u2"),
        ("meter_feed", "u1"),  # 0: none
        ("phone_feed", "u1"),
        ("step", "u1"),  # slots per meter interval, 0 until the first reading
        ("risk", "u1"),
        ("phase", "u1"),  # slot number, modulo step, at which its intervals begin (time zones of :30, other clocks)
    ]
)
FREE = np.iinfo(np.int32).max

Mask = NDArray[np.bool_]
Codes = NDArray[np.uint8]
Span = tuple[int, int]
"""Slots [from, until)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one household for a time only, in slots: absences, and since when its risk.

    ``known_from``: the clock when the household was enrolled with a ``since`` of before: what came until then was
    dropped, so nothing is missed of that time, and a phone that is silent in it says nothing. ``proofs``: slots in
    which somebody met or heard the resident. In ``phone_out`` the phone is not listened to, in ``meter_out`` readings
    are as none at all. An absence until FREE: the resident moved or died.
    ``without_consent``: from a withdrawal until it was undone: nothing is known of that time, and nothing is missed.
    """

    absences: tuple[Span, ...] = ()
    risk_since: int = 0
    proofs: tuple[int, ...] = ()
    phone_out: tuple[Span, ...] = ()
    meter_out: tuple[Span, ...] = ()
    known_from: int = 0
    without_consent: tuple[Span, ...] = ()

    def absent(self, first: int, last: int) -> bool:
        """Whether any slot of [first, last) lies in an absence."""
        return any(a < last and first < b for a, b in self.absences)

    def gone(self, slot: int) -> bool:
        """Whether the resident had moved or died by a slot."""
        return any(a <= slot and b == FREE for a, b in self.absences)

    def without_phone(self, slot: int) -> bool:
        """Whether the phone is known to have had a problem in a slot."""
        return any(a <= slot < b for a, b in self.phone_out)

    def measured(self, first: int, codes: Codes) -> Codes:
        """Meter codes (count,) from slot ``first`` as far as they are believed."""
        codes = codes.copy()
        for a, b in self.meter_out:
            codes[max(a - first, 0) : max(b - first, 0)] = MISSING
        return codes


NO_TERMS = Terms()


class Shorter(NamedTuple):
    """In slots [first, last) an area's limits are multiplied by ``factor``, for a warning of this kind."""

    first: int
    last: int
    factor: float
    kind: str


Warned = Mapping[int, Sequence[Shorter]]
"""What holds of areas, by their number."""


def strictest(warned: Warned, area: int, slot: int) -> Shorter | None:
    """The warning that shortens the limits of an area most in a slot."""
    return min((s for s in warned.get(area, ()) if s.first <= slot < s.last), key=lambda s: s.factor, default=None)


class _Spans:
    """Spans of slots of some of n rows, (row, from, until) each, asked for many slots at once."""

    def __init__(self, spans: Iterable[tuple[int, int, int]], n: int) -> None:
        self.n = n
        self._rows, self._from, self._until = np.array(list(spans), np.int64).reshape(-1, 3).T

    def mask(self, first: int, count: int) -> Mask | None:
        """Whose spans hold in each of ``count`` slots, (count, n); None: nobody's in any."""
        if not len(self._rows):
            return None
        touched = np.flatnonzero((self._from < first + count) & (self._until > first))
        if not len(touched):
            return None
        out = np.zeros((count, self.n), np.bool_)
        at = (self._rows[touched].tolist(), self._from[touched].tolist(), self._until[touched].tolist())
        for row, a, b in zip(*at, strict=True):
            out[max(a - first, 0) : b - first, row] = True
        return out


class Watch:
    """Looked up slot after slot for ``who`` (n,), their ``terms`` and how their areas are ``warned``; made anew when
    any of these changes.

    ``width`` (n,): slots per meter interval, 0 where there is no meter; whatever it is before a meter's first reading
    changes nothing. By the slot modulo 4, (4, n): ``offset``, slots since the last interval's end; ``due``, whose
    interval ends; ``hourly``, whose interval ends that is the last of an hour by the meter's own clock.
    """

    def __init__(self, who: NDArray[np.void], terms: dict[int, Terms], warned: Warned | None = None) -> None:
        self.since = who["since"].astype(np.int32)
        self.phone_feed = who["phone_feed"].astype(np.intp)
        self.risk = who["risk"].astype(np.intp)
        step = np.where(who["step"] == 0, SLOTS_PER_HOUR, who["step"]).astype(np.int32)
        self.metered = who["meter_feed"] > 0
        self.width = np.where(self.metered, step, 0).astype(np.uint16)
        slots = np.arange(SLOTS_PER_HOUR, dtype=np.int32)[:, None]
        self.offset = (slots + 1 - who["phase"].astype(np.int32)) % step
        self.due = (self.offset == 0) & self.metered
        self.hourly = self.due & ((slots + 1 - who["phase"].astype(np.int32)) % SLOTS_PER_HOUR == 0)
        n, each = len(who), terms.items()
        self._away = _Spans(((row, a, b) for row, t in each for a, b in t.absences), n)
        self._proofs = _Spans(((row, slot, slot + 1) for row, t in each for slot in t.proofs), n)
        self._phone_out = _Spans(((row, a, b) for row, t in each for a, b in t.phone_out), n)
        self._meter_out = _Spans(((row, a, b) for row, t in each for a, b in t.meter_out), n)
        unknown = [(row, 0, t.known_from) for row, t in each if t.known_from]
        unknown += [(row, a, b) for row, t in each for a, b in t.without_consent]
        self._unknown = _Spans(unknown, n)
        changes = [(row, t.risk_since) for row, t in terms.items() if t.risk_since]
        self._risk_row, self._risk_since = np.array(changes, np.int64).reshape(-1, 2).T
        self.risk_until = int(self._risk_since.max(initial=0))
        areas = np.unique(who["area"]).tolist() if warned else []
        self._warned = [(s, np.flatnonzero(who["area"] == a)) for a in areas for s in (warned or {}).get(a, ())]
        self.limits_until = max(self.risk_until, *(s.last for s, _ in self._warned), 0)
        """From this slot on, limits are the same slot after slot."""

    def enrolled(self, first: int, count: int) -> Mask:
        """Who is enrolled by each of ``count`` slots from ``first``, (count, n)."""
        return self.since <= np.arange(first, first + count, dtype=np.int32)[:, None]

    def absent(self, first: int, count: int) -> Mask | None:
        """Who is registered as absent in each of ``count`` slots, (count, n); None: nobody in any."""
        return self._away.mask(first, count)

    def unknown(self, first: int, count: int) -> Mask | None:
        """Who was not enrolled, by the clock, in each of ``count`` slots, (count, n); None: everybody was in all."""
        return self._unknown.mask(first, count)

    def without_phone(self, first: int, count: int) -> Mask | None:
        """Whose phone is known to have had a problem in each of ``count`` slots, (count, n); None: nobody's in any."""
        return self._phone_out.mask(first, count)

    def measured(self, first: int, meter: Codes) -> Codes:
        """Meter codes (count, n) from slot ``first`` as far as they are believed: else as if no reading had come."""
        out = self._meter_out.mask(first, len(meter))
        return meter if out is None else np.where(out, np.uint8(MISSING), meter)

    def proven(self, first: int, phone: Codes) -> Codes:
        """Phone codes (count, n) from slot ``first`` as far as they are believed (who has a phone that is broken or
        lost is not known), with an own use wherever somebody met or heard the resident."""
        if (broken := self._phone_out.mask(first, len(phone))) is not None:
            phone = np.where(broken, np.uint8(NOTHING), phone)
        out = self._proofs.mask(first, len(phone))
        return phone if out is None else np.where(out, np.uint8(OWN), phone)

    def intervals_end(self, first: int, count: int) -> Mask:
        """Whose meter interval ends with each of ``count`` slots from ``first``, (count, n)."""
        if count == 1:
            at = first % SLOTS_PER_HOUR
            return self.due[at : at + 1]
        return self.due[np.arange(first, first + count) % SLOTS_PER_HOUR]

    def hours_end(self, first: int, count: int) -> Mask:
        """Whose hour by the meter's own clock ends with each of ``count`` slots from ``first``, (count, n)."""
        if count == 1:
            at = first % SLOTS_PER_HOUR
            return self.hourly[at : at + 1]
        return self.hourly[np.arange(first, first + count) % SLOTS_PER_HOUR]

    def risks(self, slot: int) -> NDArray[np.intp]:
        """Risk group of each household in a slot, (n,)."""
        if slot >= self.risk_until:
            return self.risk
        risk = self.risk.copy()
        risk[self._risk_row[slot < self._risk_since]] = 0
        return risk

    def shortened(self, slot: int) -> NDArray[np.float32] | None:
        """What each household's limit is multiplied by in a slot, (n,); None: nobody's area is warned."""
        out: NDArray[np.float32] | None = None
        for warning, rows in self._warned:
            if warning.first <= slot < warning.last:
                out = np.ones(len(self.since), np.float32) if out is None else out
                out[rows] = np.minimum(out[rows], np.float32(warning.factor))
        return out
