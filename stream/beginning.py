"""When a partition's clock begins: with the first data of all its feeds, not of whichever comes first to us.

What lies before the beginning is dropped, so it must not hang on the order in which topics are read.
"""

from collections.abc import Collection, Mapping
from typing import Any, Literal, Protocol

import numpy as np

from stream import frames
from stream.columns import MeterColumns
from stream.frames import FrameError
from stream.partition import Partition
from stream.settings import Settings
from stream.watch import FREE
from stream.watermark import GRACE_SECONDS

Signal = Literal["meter", "phone"]


class Queued(Protocol):
    """A message that waits."""

    @property
    def value(self) -> bytes | None: ...

    @property
    def headers(self) -> Any: ...


class Beginning:
    """Decides once in a partition's life when its clock begins."""

    def __init__(self, partition: Partition, settings: Settings) -> None:
        self._partition = partition
        self._settings = settings
        self._waiting_since: float | None = None

    def reached(self, queues: Mapping[Signal, Collection[Queued]], now: float) -> bool:
        """Whether frames may be taken: the clock runs, or begins now, or there is nothing yet that it could begin with.

        Rows wait until each signal that watches somebody has been heard of, ``GRACE_SECONDS`` of wall clock ``now`` at
        most.
        """
        partition = self._partition
        if partition.start is not None or not partition.members.directory:
            return True
        found = [self._first(signal, queue, now) for signal, queue in queues.items()]
        rows = [first for first in found if first is not None]
        if not rows:
            return True
        if any(not queues[signal] for signal in self._unheard()):
            if self._waiting_since is None:
                self._waiting_since = now
            if now - self._waiting_since < GRACE_SECONDS:
                return False
        first, lateness = min(rows, key=lambda r: r[0] - r[1])
        partition.begin(first, lateness)
        return True

    def _unheard(self) -> list[Signal]:
        """Signals that watch at least one household and have not said a word yet."""
        members, sources = self._partition.members, self._partition.marks.sources
        heard = [n for n, s in sources.items() if s.until is not None]
        known = [members.feeds.number(name) for name in heard if name in members.feeds.names]
        here = [block.who[: block.n][block.who["since"][: block.n] != FREE] for block in members.blocks]
        signals: tuple[Signal, ...] = ("meter", "phone")
        feeds = {s: np.concatenate([who[f"{s}_feed"] for who in here]) for s in signals}
        return [s for s, used in feeds.items() if (used > 0).any() and not np.isin(used, known).any()]

    def _first(self, signal: Signal, queue: Collection[Queued], now: float) -> tuple[int, int] | None:
        """Time of the earliest row of a signal's first frame with rows, and its feed's lateness, in seconds."""
        for message in queue:
            try:
                frame = frames.decode(signal, message.value, message.headers, int(now))
            except FrameError:
                continue
            if len(frame.columns):
                time = frame.columns.start if isinstance(frame.columns, MeterColumns) else frame.columns.at
                return int(np.min(time)), round(self._settings.feed(frame.feed).lateness_minutes * 60)
        return None
