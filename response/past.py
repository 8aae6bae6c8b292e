"""Alerts of the past: a month of readings fed in, or what came while the workers or we were away. Pure.

An alert whose time is past is recorded, and acted on only if it still stands when the stream has caught up. The stream
says how far it is by the times of its alerts: while those leap towards the present it is catching up. Nothing is put
off for ever by that: silence that has not ended is acted on within the hour, whatever the stream does.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

LEAP = timedelta(hours=1)
"""A stream that comes nearer to the present by so much is catching up; in life it keeps its distance."""
LONGEST = 12
"""So many times ``settle`` an alert waits at most, while others still come in leaps."""


@dataclass(frozen=True, slots=True)
class Past:
    """``after``: an alert this much behind the clock is of the past. ``settle``: what still stands so long after the
    last leap is acted on."""

    after: timedelta = timedelta(hours=2)
    settle: timedelta = timedelta(minutes=5)

    def is_past(self, at: datetime, now: datetime) -> bool:
        """Whether an alert of a time, heard now, is of the past."""
        return at < now - self.after

    def act_at(self, first: datetime, last: datetime, leapt: datetime | None) -> datetime:
        """When alerts of one household that stand are acted on. ``first``, ``last``: when the first and the last of
        them was heard; ``leapt``: when the stream last leapt."""
        quiet = max(last, leapt or last) + self.settle
        return min(quiet, first + LONGEST * self.settle)

    def longest(self) -> timedelta:
        """Nothing waits longer."""
        return LONGEST * self.settle


DEFAULT = Past()
"""As the settings have it where nothing is set."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a partition of the stream comes on, by its alerts. ``behind``: by how much the last known one was behind the
    clock; ``leapt``: when it last came nearer by a leap."""

    behind: timedelta | None = None
    leapt: datetime | None = None

    def heard(self, at: datetime, now: datetime, past: Past) -> "Pace":
        """After an alert of time ``at``."""
        behind = now - at
        if self.behind is None or behind >= self.behind or not past.is_past(at, now):
            return Pace(behind, self.leapt)
        if self.behind - behind < LEAP:
            return self  # the distance that it had is kept, so that small steps add up to a leap
        return Pace(behind, now)
