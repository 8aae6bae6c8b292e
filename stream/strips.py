"""The strips of up to 1,024 households: a ring of slots, one byte a slot for the meter, two bits for the phone.

The ring spans the last 7 days, today and some hours ahead. Slots lie side by side, so that one slot of all
households is one contiguous column: the unit that is judged and the unit that is written to the changelog.
Writing takes the larger code: order and repetition do not matter.
"""

import numpy as np
from numpy.typing import NDArray

from models.slots import SLOTS_PER_DAY, SLOTS_PER_HOUR

ROWS = 1024
HOURS = 8 * 24 + 5
SLOTS = HOURS * SLOTS_PER_HOUR
"""7 days that late data may still mend, today, and five hours of data ahead of the clock."""
LATE_DAYS = 7
AHEAD = SLOTS - (LATE_DAYS + 1) * SLOTS_PER_DAY

_SHIFTS = np.arange(0, 2 * SLOTS_PER_HOUR, 2, dtype=np.uint8)[:, None]
_TWO_BITS = np.uint8(3)
_LAST = np.zeros((SLOTS, ROWS), np.int32)


class Strips:
    """Meter and phone rings of one block. ``dirty_meter``, ``dirty_phone``: slots and hours changed since stored."""

    def __init__(self, capacity: int = ROWS) -> None:
        self.meter = np.zeros((SLOTS, capacity), np.uint8)
        self.phone = np.zeros((HOURS, capacity), np.uint8)
        self.dirty_meter: set[int] = set()
        self.dirty_phone: set[int] = set()

    def write_meter(
        self, rows: NDArray[np.int64], slots: NDArray[np.int64], codes: NDArray[np.uint8]
    ) -> NDArray[np.bool_]:
        """Write codes (n,) of rows (n,) at slots (n,). Returns which changed something, (n,)."""
        column = slots % SLOTS
        news = codes > self.meter[column, rows]
        if news.any():
            np.maximum.at(self.meter, (column[news], rows[news]), codes[news])
            self.dirty_meter.update(np.unique(slots[news]).tolist())
            order = np.arange(len(slots), dtype=np.int32)
            _LAST[column[news], rows[news]] = order[news]  # of repetitions within one call, one counts as news
            news &= _LAST[column, rows] == order
        return news

    def write_phone(
        self, rows: NDArray[np.int64], slots: NDArray[np.int64], codes: NDArray[np.uint8]
    ) -> NDArray[np.bool_]:
        """Write phone codes (n,) of rows (n,) at slots (n,). Returns which changed something, (n,)."""
        order = np.lexsort((codes, rows, slots))
        last = np.ones(len(order), bool)
        last[:-1] = (np.diff(slots[order]) != 0) | (np.diff(rows[order]) != 0)  # the largest code of each slot
        pick = order[last]
        hour, shift = slots[pick] // SLOTS_PER_HOUR, (slots[pick] % SLOTS_PER_HOUR * 2).astype(np.uint8)
        column = hour % HOURS
        news = np.zeros(len(slots), bool)
        for quarter in range(SLOTS_PER_HOUR):  # one quarter at a time: no two writes meet in a byte
            q = shift == quarter * 2
            c, r, code = column[q], rows[pick][q], codes[pick][q]
            held = self.phone[c, r]
            more = code > (held >> (quarter * 2) & 3)
            self.phone[c[more], r[more]] = (held[more] & ~np.uint8(3 << quarter * 2)) | code[more] << quarter * 2
            news[pick[q]] = more
            self.dirty_phone.update(np.unique(hour[q][more]).tolist())
        return news

    def read(
        self, first: int, count: int, rows: slice | NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Meter and phone codes of ``count`` slots from ``first``: (count, rows) each; not to be written to."""
        hour, skip = first // SLOTS_PER_HOUR, first % SLOTS_PER_HOUR
        hours = (skip + count + SLOTS_PER_HOUR - 1) // SLOTS_PER_HOUR
        meter = _columns(self.meter, first % SLOTS, count, rows)
        packed = _columns(self.phone, hour % HOURS, hours, rows)
        if hours == 1:
            return meter, packed >> _SHIFTS[skip : skip + count] & _TWO_BITS
        phone = (packed[:, None, :] >> _SHIFTS & _TWO_BITS).reshape(hours * SLOTS_PER_HOUR, -1)
        return meter, phone[skip : skip + count]

    def slot(self, number: int, n: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Meter and phone codes of one slot for the first n rows, (n,) each; not to be written to."""
        packed = self.phone[number // SLOTS_PER_HOUR % HOURS, :n]
        return self.meter[number % SLOTS, :n], packed >> np.uint8(number % SLOTS_PER_HOUR * 2) & _TWO_BITS

    def clear(self, first: int, count: int) -> None:
        """Empty the columns of whole hours that leave the ring."""
        self.meter[np.arange(first, first + count) % SLOTS] = 0
        hours = np.arange(first // SLOTS_PER_HOUR, (first + count) // SLOTS_PER_HOUR)
        self.phone[hours % HOURS] = 0

    def erase(self, row: int) -> None:
        """Empty one row."""
        self.meter[:, row] = 0
        self.phone[:, row] = 0


def _columns(ring: NDArray[np.uint8], first: int, count: int, rows: slice | NDArray[np.int64]) -> NDArray[np.uint8]:
    """``count`` columns of a ring from ``first``, (count, rows): a view where they lie side by side."""
    end = first + count
    if isinstance(rows, slice):
        if end <= len(ring):
            return ring[first:end, rows]
        return np.concatenate([ring[first:, rows], ring[: end - len(ring), rows]])
    return ring[(np.arange(first, end) % len(ring))[:, None], rows]
