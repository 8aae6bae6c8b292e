"""The topics that the response follows."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from response import streams
from response.follow import TOPICS, Follower
from response.streams import Extent, RewoundError, Stream
from stream.kafka import BrokerUnreachableError, client_options
from stream.patience import is_away, patiently
from stream.records import HOUSEHOLDS
from stream.settings import Settings

log = structlog.get_logger()
MOST = 500
LOOK_S = 30.0
"""So often it is looked whether the topics are still those that were read, and still have what was read."""


class Reader:
    """Reads ``households`` and ``alerts`` of all partitions, committed records, from the offsets in the database."""

    def __init__(self, settings: Settings, follower: Follower, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._follower = follower
        self._clock = clock
        self._names = {settings.topic(name): name for name in TOPICS}
        self._kafka = AIOKafkaConsumer(
            **client_options(settings), isolation_level="read_committed", enable_auto_commit=False,
            auto_offset_reset="earliest", client_id="anbu-response",
        )  # fmt: skip
        self._partitions = [TopicPartition(name, n) for name in self._names for n in range(settings.partitions)]
        self._streams: dict[str, Stream] = {}
        self._next: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._looked = 0.0

    async def start(self, stopping: asyncio.Event | None = None) -> None:
        """Connect, and note how far the topics are now: see ``caught_up``. Waits for a broker that is away, until
        ``stopping`` is set (``StoppedError``)."""
        await patiently(self._kafka.start, stopping)
        self._kafka.assign(self._partitions)
        await patiently(self.look, stopping)
        self._ends = await patiently(lambda: self._kafka.end_offsets(self._partitions))

    async def look(self) -> bool:
        """See which topics these are and what they hold, and go to where each is to be read from, where that is not
        where we are: another topic of the name, a shorter one, or one asked for again. Whether any is."""
        moved = False
        found = await asyncio.to_thread(streams.look, self._settings, list(self._names))
        firsts = await self._kafka.beginning_offsets(self._partitions)
        ends = await self._kafka.end_offsets(self._partitions)
        for tp in self._partitions:
            topic = found[tp.topic]
            has = Extent(firsts[tp], ends[tp], topic.epochs.get(tp.partition))
            at = await asyncio.to_thread(
                self._follower.locate, self._names[tp.topic], tp.partition, topic.stream, has
            )
            if self._streams.get(tp.topic) != topic.stream or at < self._next.get(tp, at + 1):
                self._kafka.seek(tp, at)
                self._next[tp] = at
                moved = True
        self._streams = {name: topic.stream for name, topic in found.items()}
        self._looked = time.monotonic()
        return moved

    async def caught_up(self) -> bool:
        """Whether all that was on the topics at the start is taken: before that nobody is called, as what is still to
        be read may say that it is over."""
        for tp in list(self._ends):
            if await self._kafka.position(tp) >= self._ends[tp]:
                del self._ends[tp]
        return not self._ends

    async def round(self, timeout_s: float = 0.5) -> int:
        """Take what has come. Households go first: an alert may be of one that has just been enrolled."""
        if time.monotonic() - self._looked > LOOK_S:
            await self._look_again()
        batches = await self._kafka.getmany(timeout_ms=int(timeout_s * 1000), max_records=MOST)
        left = sorted(batches, key=lambda tp: (self._names[tp.topic] != HOUSEHOLDS, tp.partition))
        try:
            if any(batches[tp][0].offset < self._next[tp] for tp in left) and await self.look():
                return 0  # it began anew, as it is another: what has come is read again by what it is
            while left:
                tp = left[0]
                await asyncio.to_thread(
                    self._follower.take, self._names[tp.topic], tp.partition, batches[tp], self._clock(),
                    self._streams[tp.topic], self._next[tp],
                )  # fmt: skip
                self._next[tp] = batches[tp][-1].offset + 1
                left.pop(0)
        except RewoundError:
            await self.look()
        finally:
            for tp in left:  # not taken: they come again
                self._kafka.seek(tp, min(self._next[tp], batches[tp][0].offset))
        return sum(map(len, batches.values()))

    async def _look_again(self) -> None:
        try:
            await self.look()
        except Exception as e:
            if not (is_away(e) or isinstance(e, BrokerUnreachableError)):
                raise
            self._looked = time.monotonic()  # a broker that is away: what it had is looked at when it is back
            log.warning("the topics cannot be looked at", detail=f"{type(e).__name__}: {e}"[:200])

    async def close(self) -> None:
        """Disconnect."""
        await self._kafka.stop()
