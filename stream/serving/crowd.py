"""All connections of one listener: how many there may be, who makes room for the next, who has taken too long.

A new connection is always taken. Where there are too many, one that has not asked anything yet makes room: the oldest
of whoever has the most. So who comes once is answered while another holds hundreds open; and one address may have many,
as a proxy in front of us does, as long as there is room. Where little is left none is kept for a next request, so that
nobody holds a place by asking without end.
"""

import time
from collections.abc import Callable, Iterator
from typing import Protocol

from stream.serving.limits import Limits, Refused, Stage

MOST_STEP_S = 2.0
"""Time in which this process did not run is nobody's delay."""
KEEPING = 0.75
"""Part of the connections above which none is kept after its answer."""


class Member(Protocol):
    """A connection."""

    group: str
    """Whose it is."""

    def at(self) -> tuple[Stage, object]:
        """What it is at, and of which request."""

    def received(self) -> int:
        """How many bytes came since that was asked last."""

    def end(self, stage: Stage) -> None:
        """End it: it was too slow."""

    def cut(self) -> None:
        """End it without a word."""


class Standing:
    """How long a connection has been at what it is at."""

    __slots__ = ("at", "received", "since")

    def __init__(self, at: tuple[Stage, object], since: float) -> None:
        self.at, self.since, self.received = at, since, 0


class Crowd:
    """The connections of one listener. ``refused`` counts; ``sweep`` is to be called about every second."""

    def __init__(self, limits: Limits, refused: Refused, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._refused, self._monotonic = limits, refused, monotonic
        self._seen = monotonic()
        self._now = 0.0
        self._members: dict[Member, Standing] = {}
        self._groups: dict[str, dict[Member, None]] = {}

    def __len__(self) -> int:
        return len(self._members)

    @property
    def crowded(self) -> bool:
        """Whether there is little room left: nobody keeps a connection for the next request then."""
        return len(self) > self._limits.connections * KEEPING

    def enter(self, member: Member) -> bool:
        """One more; whether there is room, or was made."""
        self._members[member] = Standing(member.at(), self._now)
        self._groups.setdefault(member.group, {})[member] = None
        if len(self) <= self._limits.connections:
            return True
        oldest = next((one for one in self._by_turn() if one is not member and _makes_room(one)), None)
        self._refused("full" if oldest is None else "crowded")
        self.leave(oldest or member)
        if oldest is not None:
            oldest.cut()
        return oldest is not None

    def leave(self, member: Member) -> None:
        """It is gone."""
        if self._members.pop(member, None) is not None:
            group = self._groups[member.group]
            del group[member]
            if not group:
                del self._groups[member.group]

    def sweep(self) -> None:
        """End what has taken too long."""
        was, self._seen = self._seen, self._monotonic()
        self._now += min(self._seen - was, MOST_STEP_S)
        for member, standing in list(self._members.items()):
            at = member.at()
            if at != standing.at:
                standing.at, standing.since, standing.received = at, self._now, 0
            standing.received += member.received()
            stage = at[0]
            if self._limits.late(stage, self._now - standing.since, standing.received):
                standing.since = self._now
                if stage is not Stage.idle:
                    self._refused(stage.value)
                member.end(stage)

    def _by_turn(self) -> Iterator[Member]:
        """The groups with most first, in each the oldest first."""
        for group in sorted(self._groups.values(), key=len, reverse=True):
            yield from list(group)


def _makes_room(member: Member) -> bool:
    """Whether we wait for it, not it for us."""
    return member.at()[0] is not Stage.answering
