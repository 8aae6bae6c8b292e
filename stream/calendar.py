"""Local time of a deployment, in slots: which two hours of the day a slot is, and where days begin."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from models.slots import SLOT_SECONDS, SLOTS_PER_DAY, SLOTS_PER_HOUR


class Calendar:
    """Slots of one time zone. Days are 96 slots long, from midnight by standard time, summer or winter; the hour of
    the day, which habits follow, is that of the clock on the wall."""

    def __init__(self, tz: str) -> None:
        self.zone = ZoneInfo(tz)
        january = [datetime(2026, m, 1, tzinfo=UTC).astimezone(self.zone).utcoffset() for m in (1, 7)]
        standard = min(o for o in january if o is not None)
        self._standard = int(standard.total_seconds()) // SLOT_SECONDS
        self.hour = lru_cache(maxsize=4096)(self._hour)
        self.blocks = lru_cache(maxsize=32)(self._blocks)
        self.hours = lru_cache(maxsize=32)(self._hours)

    def day_start(self, slot: int) -> int:
        """First slot of the local day that holds ``slot``."""
        return slot - (slot + self._standard) % SLOTS_PER_DAY

    def ends_hour(self, slot: int) -> bool:
        """Whether an hour of local standard time ends with ``slot``."""
        return (slot + 1 + self._standard) % SLOTS_PER_HOUR == 0

    def block(self, slot: int) -> int:
        """Two-hour block (0-11) of the local day."""
        return int(self.hour(slot // SLOTS_PER_HOUR)) // 2

    def entered(self, slot: int) -> tuple[int | None, int]:
        """The block that ended just before ``slot`` (None: its own began earlier), and slots of its own before it.

        Where clocks change a block is an hour longer or shorter.
        """
        block, into = self.block(slot), 0
        while self.block(slot - into - 1) == block and into < SLOTS_PER_DAY:
            into += 1
        return (None if into else self.block(slot - 1)), into

    def closes(self, first: int, last: int) -> bool:
        """Whether a block ends just before any of the slots [first, last)."""
        return last - first >= SLOTS_PER_DAY or any(self.entered(slot)[0] is not None for slot in range(first, last))

    def _blocks(self, first: int, count: int) -> NDArray[np.intp]:
        """``blocks``: two-hour blocks of ``count`` slots from ``first``, (count,); not to be written to."""
        return np.array([self.block(s) for s in range(first, first + count)], np.intp)

    def _hours(self, first: int, count: int) -> NDArray[np.intp]:
        """``hours``: two-hour blocks of ``count`` hours from slot ``first``, (count,); not to be written to."""
        return np.array([self.block(first + h * SLOTS_PER_HOUR) for h in range(count)], np.intp)

    def time(self, slot: int) -> datetime:
        """The moment at which a slot begins, in local time."""
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=slot * SLOT_SECONDS)).astimezone(self.zone)

    def _hour(self, hour: int) -> int:
        return datetime.fromtimestamp(hour * 3600, UTC).astimezone(self.zone).hour


def slot_at(time: datetime) -> int:
    """The slot that holds a moment (aware)."""
    return int(time.timestamp()) // SLOT_SECONDS


def slot_from(time: datetime) -> int:
    """The first slot that begins at a moment (aware) or later."""
    return -(-int(time.timestamp()) // SLOT_SECONDS)
