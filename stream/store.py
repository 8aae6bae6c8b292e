"""One partition's place on the broker: its transactional producer, and its state read back.

Starting the producer fences whoever wrote for this partition before; only then is the state read, so that a
predecessor who wakes up late cannot add a row that is not seen.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from stream.kafka import client_options
from stream.settings import Settings

_POLL_MS = 500
_ROWS = 5000


@dataclass(frozen=True, slots=True)
class Out:
    """A record to be written. ``partition`` None: by the key."""

    topic: str
    key: bytes | None
    value: bytes
    partition: int | None = None
    headers: list[tuple[str, bytes]] | None = None


class Store:
    """Writes records in transactions under one ``transactional_id``."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings = settings
        self._producer = AIOKafkaProducer(
            **client_options(settings),
            transactional_id=f"{settings.topic_prefix}anbu-{name}",
            acks="all",
            linger_ms=1,
            max_batch_size=1024 * 1024,
            max_request_size=4 * 1024 * 1024,
            transaction_timeout_ms=60_000,
        )

    async def open(self) -> None:
        """Connect and fence the predecessor."""
        await self._producer.start()

    async def close(self) -> None:
        """Disconnect; an open transaction is aborted by the broker."""
        await self._producer.stop()

    async def write(self, records: Iterable[Out]) -> float:
        """Write all records or none. Returns seconds taken.

        Raises ``aiokafka.errors.ProducerFenced`` when a successor has taken over, other ``KafkaError`` when the
        broker did not take it: either way this process no longer knows what is stored and must end.
        """
        began = time.monotonic()
        async with self._producer.transaction():
            for r in records:
                await self._producer.send(r.topic, r.value, r.key, r.partition, headers=r.headers)
        return time.monotonic() - began


async def read_all(settings: Settings, topic: str, partition: int):  # type: ignore[no-untyped-def]
    """Committed records (key, value) of one partition of a topic from its beginning to its present end, in lists."""
    async with _reading(settings) as consumer:
        tp = TopicPartition(settings.topic(topic), partition)
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        async for records in _to_end(consumer, tp):
            yield [(r.key, r.value) for r in records]


async def end_of(settings: Settings, topic: str, partition: int, start: int) -> int:
    """The offset after the last record of a partition from ``start`` on; ``start`` where there is none.

    Of a compacted topic that may be before its end: the last records may have been deleted.
    """
    async with _reading(settings) as consumer:
        tp = TopicPartition(settings.topic(topic), partition)
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        for back in (1, 1000, end):
            if end <= start:
                break
            consumer.seek(tp, max(end - back, start))
            last = None
            async for records in _to_end(consumer, tp):
                last = records[-1].offset
            if last is not None:
                return int(last) + 1
        return start


def _reading(settings: Settings) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **client_options(settings),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8 * 1024 * 1024,
        fetch_max_bytes=32 * 1024 * 1024,
    )


async def _to_end(consumer: AIOKafkaConsumer, tp: TopicPartition):  # type: ignore[no-untyped-def]
    """Records from the consumer's position to the partition's present end, in lists that are not empty."""
    end = (await consumer.end_offsets([tp]))[tp]
    while await consumer.position(tp) < end:
        for records in (await consumer.getmany(tp, timeout_ms=_POLL_MS, max_records=_ROWS)).values():
            if records:
                yield records
