"""When a partition's clock begins: with the first data of all its feeds, not of whichever comes first to us.

What lies before the beginning is dropped, so it must not hang on the order in which topics are read.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Generic, Literal, Protocol, TypeVar

import numpy as np

from stream.columns import MeterColumns
from stream.frames import Frame, FrameError, feed_of
from stream.partition import Partition
from stream.settings import Settings
from stream.watermark import GRACE_SECONDS

Signal = Literal["meter", "phone"]


class Sent(Protocol):
    """A message that waits."""

    @property
    def headers(self) -> Any: ...


M = TypeVar("M", bound=Sent)


class Beginning(Generic[M]):
    """Decides once in a partition's life when its clock begins. ``read`` gives the frame in a message that waits."""

    def __init__(self, partition: Partition, settings: Settings, read: Callable[[M, float], Frame]) -> None:
        self._partition = partition
        self._settings = settings
        self._read = read
        self._waiting_since: float | None = None

    def absent(self) -> None:
        """We were not there to hear: what is waited for has all of its grace again."""
        self._waiting_since = None

    def reached(self, queues: Mapping[Signal, Collection[M]], now: float) -> bool:
        """Whether frames may be taken: the clock runs, or begins now, or there is nothing yet that it could begin with.

        Rows wait until each signal that watches somebody has been heard of, ``GRACE_SECONDS`` of wall clock ``now`` at
        most.
        """
        partition = self._partition
        if partition.start is not None or not partition.members.directory:
            return True
        own = {signal: self._own(signal, queue) for signal, queue in queues.items()}
        found = [self._first(signal, queue, now) for signal, queue in own.items()]
        rows = [first for first in found if first is not None]
        if not rows:
            return True
        if any(not own[signal] for signal in self._unheard()):
            if self._waiting_since is None:
                self._waiting_since = now
            if now - self._waiting_since < GRACE_SECONDS:
                return False
        first, lateness = min(rows, key=lambda r: r[0] - r[1])
        partition.begin(first, lateness)
        return True

    def _own(self, signal: Signal, queue: Collection[M]) -> list[M]:
        """Messages of feeds that watch somebody here by this signal: of others nothing is used, so they begin nothing,
        and nobody has been heard of by them."""
        watching = self._partition.watching[signal]
        return [message for message in queue if _sender(message, signal) in watching]

    def _unheard(self) -> list[Signal]:
        """Signals that watch at least one household and have not said a word yet."""
        heard = {name for name, source in self._partition.marks.sources.items() if source.until is not None}
        signals: tuple[Signal, ...] = ("meter", "phone")
        return [s for s in signals if (used := self._partition.watching[s]) and not used & heard]

    def _first(self, signal: Signal, queue: Collection[M], now: float) -> tuple[int, int] | None:
        """Time of the earliest row of a signal's first frame with rows, and its feed's lateness, in seconds."""
        for message in queue:
            try:
                frame = self._read(message, now)
            except FrameError:
                continue
            if len(frame.columns):
                time = frame.columns.start if isinstance(frame.columns, MeterColumns) else frame.columns.at
                return int(np.min(time)), round(self._settings.feed(frame.feed).lateness_minutes * 60)
        return None


def _sender(message: Sent, signal: Signal) -> str | None:
    try:
        return feed_of(message.headers, signal)
    except FrameError:
        return None
