"""One partition's place on the broker: what it writes, all of it or none, and its state read back.

Starting the producer fences whoever wrote for this partition before; only then is the state read, so that a
predecessor who wakes up late cannot add a row that is not seen.
"""

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import ProducerFenced

from stream import refusals
from stream.kafka import client_options
from stream.metrics import Metrics
from stream.patience import patiently
from stream.records import Reason
from stream.settings import Settings
from stream.transactions import LARGEST, Out, RefusedError, Transactions

__all__ = ["Out", "RefusedError", "Store", "end_of", "read_all"]

log = structlog.get_logger()
TIMEOUT_S = 60.0
"""The broker ends a transaction that is open for so long."""
SAY_S = 30.0
_PAUSES_S = (0.2, 0.5, 1.0)
_POLL_MS = 500
_ROWS = 5000


class Store:
    """Writes records in transactions under one ``transactional_id``.

    ``refusal``: why the broker does not take what is being written, empty while it does. ``stopping``: asked between
    two attempts; where it says so a refused write is given up.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        stopping: Callable[[], bool] = lambda: False,
        metrics: Metrics | None = None,
    ) -> None:
        self.refusal = ""
        self._settings = settings
        self._name = name
        self._stopping = stopping
        self._metrics = metrics
        self._producer = AIOKafkaProducer(
            **client_options(settings),
            transactional_id=f"{settings.topic_prefix}anbu-{name}",
            acks="all",
            linger_ms=1,
            max_batch_size=1024 * 1024,
            max_request_size=LARGEST,
            transaction_timeout_ms=int(TIMEOUT_S * 1000),
        )
        self._transactions = Transactions(self._producer)

    async def open(self) -> None:
        """Connect, waiting for a broker that is away, and fence the predecessor."""
        await patiently(self._producer.start)

    async def close(self) -> None:
        """Disconnect; an open transaction is aborted by the broker."""
        await self._producer.stop()

    async def write(self, records: Iterable[Out]) -> float:
        """Write all records or none; returns when the broker has every one of them. Returns seconds taken.

        What the broker refuses is told, and tried again until it is taken. An alert refused for its own fault (size,
        time) goes to the dead letters instead, and the rest goes on.

        Raises ``aiokafka.errors.ProducerFenced`` when a successor has taken over, other ``KafkaError`` when it is not
        known what is stored, ``RefusedError`` when it is stopping: either way this process must end.
        """
        began = time.monotonic()
        try:
            await self._until_taken(list(records), began)
        except ProducerFenced as e:
            if time.monotonic() - began < TIMEOUT_S:
                raise
            raise TimeoutError(f"the broker did not take a transaction in {TIMEOUT_S:.0f} s and has ended it") from e
        return time.monotonic() - began

    async def _until_taken(self, rows: list[Out], began: float) -> None:
        alone: set[str] = set()
        said, attempt = None, 0
        while True:
            try:
                await self._transactions.commit(rows, alone)
                break
            except RefusedError as e:
                now = time.monotonic()
                self._told(e)
                if said is None or now - said >= SAY_S:
                    said = now
                    log.error(
                        "the broker refuses records: nothing is written until it takes them", store=self._name,
                        why=self.refusal, waited_s=round(now - began),
                        do=refusals.what_to_do(e.refused, self._settings),
                    )  # fmt: skip
                if self._stopping():
                    raise
                hopeless = refusals.hopeless(e.refused, alone, now - began)
                rows, aside = refusals.set_aside(rows, hopeless, self._settings)
                if aside:
                    self._told_aside(aside)
                alone |= {out.topic for out, _ in e.refused}
            await asyncio.sleep(_PAUSES_S[min(attempt, len(_PAUSES_S) - 1)])
            attempt += 1
        if said is not None:
            self.refusal = ""
            log.warning("the broker has taken all records", store=self._name, after_s=round(time.monotonic() - began))

    def _told(self, e: RefusedError) -> None:
        self.refusal = str(e)
        if self._metrics is not None:
            for topic, why in sorted({(out.topic, type(error).__name__) for out, error in e.refused}):
                plain = topic.removeprefix(self._settings.topic_prefix)
                self._metrics.writes_refused.labels(plain, why).inc()

    def _told_aside(self, count: int) -> None:
        log.error("what the broker never takes goes to the dead letters", store=self._name, count=count,
                  why=self.refusal)  # fmt: skip
        if self._metrics is not None:
            self._metrics.dead_letters.labels(Reason.refused.value).inc(count)


async def read_all(settings: Settings, topic: str, partition: int):  # type: ignore[no-untyped-def]
    """Committed records (key, value) of one partition of a topic from its beginning to its present end, in lists."""
    async with _Reading(settings, topic, partition) as reading:
        await reading.consumer.seek_to_beginning(reading.tp)
        async for records in reading.to_end():
            yield [(r.key, r.value) for r in records]


async def end_of(settings: Settings, topic: str, partition: int, start: int) -> int:
    """The offset after the last record of a partition from ``start`` on; ``start`` where there is none.

    Of a compacted topic that may be before its end: the last records may have been deleted.
    """
    async with _Reading(settings, topic, partition) as reading:
        end = await reading.end()
        for back in (1, 1000, end):
            if end <= start:
                break
            reading.consumer.seek(reading.tp, max(end - back, start))
            last = None
            async for records in reading.to_end():
                last = records[-1].offset
            if last is not None:
                return int(last) + 1
        return start


async def ends_of(settings: Settings, topics: Iterable[str], partition: int) -> dict[str, int]:
    """Where topics end in a partition now, committed or not, by plain name."""
    consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False)
    try:
        await patiently(consumer.start)
        tps = {topic: TopicPartition(settings.topic(topic), partition) for topic in topics}
        ends = await patiently(lambda: consumer.end_offsets(list(tps.values())))
        return {topic: int(ends[tp]) for topic, tp in tps.items()}
    finally:
        await consumer.stop()


class _Reading:
    """A reader of committed records of one partition, which waits for a broker that is away."""

    def __init__(self, settings: Settings, topic: str, partition: int) -> None:
        self.tp = TopicPartition(settings.topic(topic), partition)
        self.consumer = AIOKafkaConsumer(
            **client_options(settings),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=8 * 1024 * 1024,
            fetch_max_bytes=32 * 1024 * 1024,
        )

    async def __aenter__(self) -> "_Reading":
        try:
            await patiently(self.consumer.start)
        except BaseException:
            await self.consumer.stop()
            raise
        self.consumer.assign([self.tp])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.consumer.stop()

    async def end(self) -> int:
        """The partition's present end."""
        return int((await patiently(lambda: self.consumer.end_offsets([self.tp])))[self.tp])

    async def to_end(self):  # type: ignore[no-untyped-def]
        """Records from the position to the partition's present end, in lists that are not empty."""
        end = await self.end()
        while await self.consumer.position(self.tp) < end:
            for records in (await self.consumer.getmany(self.tp, timeout_ms=_POLL_MS, max_records=_ROWS)).values():
                if records:
                    yield records
