"""Who is watched when, and whose meter is due: what is fixed about n households, made ready for whole arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.slots import SLOTS_PER_HOUR

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


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one household for a time only, in slots: absences [from, until), and since when its risk."""

    absences: tuple[tuple[int, int], ...] = ()
    risk_since: int = 0

    def absent(self, first: int, last: int) -> bool:
        """Whether any slot of [first, last) lies in an absence."""
        return any(a < last and first < b for a, b in self.absences)


class Watch:
    """Looked up slot after slot for ``who`` (n,) and their ``terms``; made anew when either changes.

    ``width`` (n,): slots per meter interval, 0 where there is no meter; whatever it is before a meter's first reading
    changes nothing. ``offset`` (4, n): slots since the last interval's end, by the slot modulo 4.
    """

    def __init__(self, who: NDArray[np.void], terms: dict[int, Terms]) -> None:
        self.since = who["since"].astype(np.int32)
        self.phone_feed = who["phone_feed"].astype(np.intp)
        self.risk = who["risk"].astype(np.intp)
        step = np.where(who["step"] == 0, SLOTS_PER_HOUR, who["step"]).astype(np.int32)
        self.metered = who["meter_feed"] > 0
        self.width = np.where(self.metered, step, 0).astype(np.uint16)
        slots = np.arange(SLOTS_PER_HOUR, dtype=np.int32)[:, None]
        self.offset = (slots + 1 - who["phase"].astype(np.int32)) % step
        self.due = (self.offset == 0) & self.metered
        away = [(row, a, b) for row, t in terms.items() for a, b in t.absences]
        self._away = np.array(away, np.int64).reshape(-1, 3).T
        changes = [(row, t.risk_since) for row, t in terms.items() if t.risk_since]
        self._risk_row, self._risk_since = np.array(changes, np.int64).reshape(-1, 2).T
        self.risk_until = int(self._risk_since.max(initial=0))

    def enrolled(self, first: int, count: int) -> Mask:
        """Who is enrolled by each of ``count`` slots from ``first``, (count, n)."""
        return self.since <= np.arange(first, first + count, dtype=np.int32)[:, None]

    def absent(self, first: int, count: int) -> Mask | None:
        """Who is registered as absent in each of ``count`` slots, (count, n); None: nobody in any."""
        rows, from_, until = self._away
        touched = np.flatnonzero((from_ < first + count) & (until > first))
        if not len(touched):
            return None
        out = np.zeros((count, len(self.since)), np.bool_)
        for row, a, b in zip(rows[touched].tolist(), from_[touched].tolist(), until[touched].tolist(), strict=True):
            out[max(a - first, 0) : b - first, row] = True
        return out

    def intervals_end(self, first: int, count: int) -> Mask:
        """Whose meter interval ends with each of ``count`` slots from ``first``, (count, n)."""
        if count == 1:
            at = first % SLOTS_PER_HOUR
            return self.due[at : at + 1]
        return self.due[np.arange(first, first + count) % SLOTS_PER_HOUR]

    def risks(self, slot: int) -> NDArray[np.intp]:
        """Risk group of each household in a slot, (n,)."""
        if slot >= self.risk_until:
            return self.risk
        risk = self.risk.copy()
        risk[self._risk_row[slot < self._risk_since]] = 0
        return risk
