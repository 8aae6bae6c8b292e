"""The topics that the response follows."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition

from response.follow import TOPICS, Follower
from stream.kafka import client_options
from stream.records import HOUSEHOLDS
from stream.settings import Settings

MOST = 500


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
        self._ends: dict[TopicPartition, int] = {}

    async def start(self) -> None:
        """Connect, and note how far the topics are now: see ``caught_up``."""
        await self._kafka.start()
        partitions = [TopicPartition(name, n) for name in self._names for n in range(self._settings.partitions)]
        self._kafka.assign(partitions)
        for tp in partitions:
            begin = await asyncio.to_thread(self._follower.begin, self._names[tp.topic], tp.partition)
            if begin is None:
                await self._kafka.seek_to_beginning(tp)
            else:
                self._kafka.seek(tp, begin)
        self._ends = await self._kafka.end_offsets(partitions)

    async def caught_up(self) -> bool:
        """Whether all that was on the topics at the start is taken: before that nobody is called, as what is still to
        be read may say that it is over."""
        for tp in list(self._ends):
            if await self._kafka.position(tp) >= self._ends[tp]:
                del self._ends[tp]
        return not self._ends

    async def round(self, timeout_s: float = 0.5) -> int:
        """Take what has come. Households go first: an alert may be of one that has just been enrolled."""
        batches = await self._kafka.getmany(timeout_ms=int(timeout_s * 1000), max_records=MOST)
        left = sorted(batches, key=lambda tp: (self._names[tp.topic] != HOUSEHOLDS, tp.partition))
        try:
            while left:
                tp = left[0]
                await asyncio.to_thread(
                    self._follower.take, self._names[tp.topic], tp.partition, batches[tp], self._clock()
                )
                left.pop(0)
        finally:
            for tp in left:  # not taken: they come again
                self._kafka.seek(tp, batches[tp][0].offset)
        return sum(map(len, batches.values()))

    async def close(self) -> None:
        """Disconnect."""
        await self._kafka.stop()
