"""How far each feed of a partition is known to be complete, and the clock that follows from it.

A feed's watermark is what it says (``complete-until``), or its own latest data less its usual lateness. The clock,
up to which slots are judged, is the earliest watermark of the feeds that keep up: one that lags more than the wait
behind the others, and has not moved for a grace of wall-clock time, is not waited for. Its silence then says nothing
until it comes back. No wall clock moves a watermark, so a feed that stops stops its own clock.
"""

from dataclasses import dataclass, field

from models.slots import SLOT_SECONDS

GRACE_SECONDS = 30.0
MOST_STRANGERS = 256
"""So many feeds that watch nobody in a partition have a watermark all the same: they may come to watch somebody."""


@dataclass(slots=True)
class Source:
    """One feed in one partition. ``until``: complete up to this slot (exclusive), None before its first frame."""

    name: str
    lateness: int
    until: int | None = None
    lagging_since: float | None = None
    last_arrival: float = 0.0
    wanted: bool = False


@dataclass(slots=True)
class Watermarks:
    """The feeds of a partition by name, and its clock (a slot; slots before it are judged)."""

    wait: int
    sources: dict[str, Source] = field(default_factory=dict)
    clock: int | None = None
    begun: int | None = None

    def source(self, name: str, lateness_seconds: float | None = None) -> Source:
        """The feed of this name, made at its first mention; a lateness that is given holds from now on."""
        source = self.sources.setdefault(name, Source(name, 3600))
        if lateness_seconds is not None:
            source.lateness = round(lateness_seconds)
        return source

    def has_room(self, name: str) -> bool:
        """Whether the watermark of a feed that watches nobody here is kept: its name is whatever a sender wrote."""
        return name in self.sources or sum(not s.wanted for s in self.sources.values()) < MOST_STRANGERS

    def heard(self, name: str, latest_end: int | None, complete_until: int | None, now: float) -> None:
        """A frame of feed ``name`` came: its latest end of data and what it said (UTC seconds), ``now`` wall clock."""
        source = self.sources[name]
        source.last_arrival = now
        marks = [source.until] if source.until is not None else []
        if complete_until is not None:
            marks.append(complete_until // SLOT_SECONDS)
        elif latest_end is not None:
            marks.append((latest_end - source.lateness) // SLOT_SECONDS)
        if marks and (source.until is None or max(marks) > source.until):
            source.until = max(marks)
            source.lagging_since = None

    def absent(self) -> None:
        """We were not there to hear (frozen, or a broker that was away): what lags has all of its grace again."""
        for source in self.sources.values():
            source.lagging_since = None

    def target(self, now: float) -> int | None:
        """The slot up to which judging may go: the clock never goes back. ``now``: wall clock in seconds."""
        wanted = [s for s in self.sources.values() if s.wanted]
        marks = {s.name: self.begun if s.until is None else s.until for s in wanted}
        known = [m for m in marks.values() if m is not None]
        if not known:
            return self.clock
        leading = max(known)
        waited = []
        for source in wanted:
            mark = marks[source.name]
            if mark is not None and mark >= leading - self.wait:
                source.lagging_since = None
                waited.append(mark)
                continue
            if source.lagging_since is None:
                source.lagging_since = now
            if now - source.lagging_since < GRACE_SECONDS:
                waited.append(self.clock or 0 if mark is None else mark)
        goal = min(waited)
        return goal if self.clock is None else max(goal, self.clock)
