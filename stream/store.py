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
    consumer = AIOKafkaConsumer(
        **client_options(settings),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8 * 1024 * 1024,
        fetch_max_bytes=32 * 1024 * 1024,
    )
    await consumer.start()
    try:
        tp = TopicPartition(settings.topic(topic), partition)
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        end = (await consumer.end_offsets([tp]))[tp]
        while await consumer.position(tp) < end:
            for records in (await consumer.getmany(tp, timeout_ms=_POLL_MS, max_records=_ROWS)).values():
                yield [(r.key, r.value) for r in records]
    finally:
        await consumer.stop()
