"""The producer helper: rows become frames per partition, and the broker has them before it says so.

    async with FrameProducer(settings) as producer:
        await producer.send_meter(columns, feed="kepco", complete_until=until)

Idempotent and acknowledged by all copies, not transactional: nothing here is written together with anything else.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from aiokafka import AIOKafkaProducer
from aiokafka.errors import BrokerResponseError
from numpy.typing import NDArray

from stream import bounds, frames
from stream.columns import MeterColumns, PhoneColumns
from stream.frames import Columns, Signal
from stream.kafka import client_options, partition_of, partitions_of
from stream.records import (
    DEAD_LETTERS,
    HOUSEHOLDS,
    JSON,
    METER,
    PHONE,
    SCHEMA_VERSION,
    AreaWarning,
    DeadLetter,
    Household,
)
from stream.settings import Settings
from stream.warned import Name, key_of

ROWS_PER_FRAME = 2_000
STOP_S = 10.0
TOPICS: dict[Signal, str] = {"meter": METER, "phone": PHONE}
HEADERS_JSON = [("schema", str(SCHEMA_VERSION).encode()), ("content-type", JSON.encode())]


class Packed(NamedTuple):
    """One frame, ready to be sent: Kafka message key None, partition given."""

    partition: int
    value: bytes
    headers: list[tuple[str, bytes]]


class Packer:
    """Packs rows into frames of one partition each, at most ``rows_per_frame`` rows."""

    def __init__(self, partitions: int, rows_per_frame: int = ROWS_PER_FRAME, as_json: bool = False) -> None:
        if rows_per_frame > bounds.FRAME_ROWS:
            raise ValueError(f"{rows_per_frame} rows a frame: at most {bounds.FRAME_ROWS} are read of one")
        self._partitions = partitions
        self._rows = rows_per_frame
        self._as_json = as_json

    def pack(self, columns: Columns, feed: str | None = None, complete_until: int | None = None) -> Iterator[Packed]:
        """Frames of n rows, those of a household in their order.

        ``complete_until`` (UTC seconds) goes into the last frame of every partition, an empty one where a partition
        has no rows: before that frame its promise would not hold.
        """
        of_row = _partition_of_rows(columns.household_id, self._partitions)
        order = np.argsort(of_row, kind="stable")  # 16-bit: by radix
        sorted_columns = frames.take(columns, order) if len(columns) else columns
        ends = np.cumsum(np.bincount(of_row, minlength=self._partitions)).tolist()
        for partition, (begin, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            starts = range(begin, end, self._rows)
            if not starts and complete_until is not None:
                starts = range(begin, begin + 1)
            for at in starts:
                part = frames.take(sorted_columns, slice(at, min(at + self._rows, end)))
                until = complete_until if at == starts[-1] else None
                yield Packed(partition, *frames.encode(part, feed, until, self._as_json))


class FrameProducer:
    """Sends rows, heartbeats and enrolments; each ``send`` returns when the broker has all of it.

    While the broker is away sends wait, at most ``answer_s`` seconds (None: for ever), then raise ``TimeoutError``;
    aiokafka's ``KafkaError`` is a refusal. What was handed over before an error may still arrive: sending it all
    again changes nothing downstream.
    """

    def __init__(
        self,
        settings: Settings,
        rows_per_frame: int = ROWS_PER_FRAME,
        as_json: bool = False,
        answer_s: float | None = None,
        client_id: str = "anbu-producer",
    ) -> None:
        self._settings = settings
        self._packer = Packer(settings.partitions, rows_per_frame, as_json)
        self._answer_s = answer_s
        self._client_id = client_id
        self._kafka: AIOKafkaProducer | None = None
        self._renewing = asyncio.Lock()

    async def __aenter__(self) -> "FrameProducer":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Connect; raises ``KafkaConnectionError`` where no broker answers."""
        self._kafka = await self._connected()

    async def _connected(self) -> AIOKafkaProducer:
        kafka = AIOKafkaProducer(
            **client_options(self._settings),
            client_id=self._client_id,
            enable_idempotence=True,
            acks="all",
            linger_ms=5,
            max_batch_size=512 * 1024,
        )
        try:
            await kafka.start()
        except BaseException:
            await kafka.stop()
            raise
        return kafka

    async def stop(self) -> None:
        """Send what is pending, in ``STOP_S`` seconds at most, and disconnect."""
        if self._kafka is not None:
            kafka, self._kafka = self._kafka, None
            await _stopped(kafka)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[AIOKafkaProducer]:
        """Bounds the wait for the broker's answer. After a refusal goes on with a new connection: aiokafka has numbered
        what was refused, and the broker would refuse all that comes after it as out of order, for ever."""
        kafka = self._started()
        try:
            async with asyncio.timeout(self._answer_s):
                yield kafka
        except BrokerResponseError:
            async with self._renewing:
                if self._kafka is kafka:  # the first of those who were refused together
                    self._kafka = await self._connected()
                    await _stopped(kafka)
            raise

    async def send_meter(
        self, columns: MeterColumns, feed: str | None = None, complete_until: int | None = None
    ) -> int:
        """Send readings; gives the number of frames the broker has."""
        return await self.send("meter", columns, feed, complete_until)

    async def send_phone(
        self, columns: PhoneColumns, feed: str | None = None, complete_until: int | None = None
    ) -> int:
        """Send events; gives the number of frames the broker has."""
        return await self.send("phone", columns, feed, complete_until)

    async def heartbeat(self, signal: Signal, feed: str | None, complete_until: int) -> int:
        """Say on every partition that this feed is complete up to then (UTC seconds)."""
        return await self.send(signal, frames.empty(signal), feed, complete_until)

    async def send_household(self, household: Household | str) -> None:
        """Send one enrolment, keyed by the household: the topic keeps the last. An id alone deletes the household."""
        key = household if isinstance(household, str) else household.household_id
        async with self._asking() as kafka:
            await kafka.send_and_wait(
                self._settings.topic(HOUSEHOLDS),
                value=None if isinstance(household, str) else msgspec.json.encode(household),
                key=key.encode(),
                partition=partition_of(key, self._settings.partitions),
                headers=HEADERS_JSON,
            )

    async def send_dead_letter(self, letter: DeadLetter) -> None:
        """Send what could not be used."""
        async with self._asking() as kafka:
            await kafka.send_and_wait(
                self._settings.topic(DEAD_LETTERS), value=msgspec.json.encode(letter), headers=HEADERS_JSON
            )

    async def send_warning(self, warning: AreaWarning | Name) -> None:
        """Tell every partition of a warning for an area: an area's homes are in all of them. Area and kind alone
        delete what was said of them. After an error send it again, the newest one last."""
        area, kind = (warning.area, warning.kind) if isinstance(warning, AreaWarning) else warning
        async with self._asking() as kafka:
            sent = [
                await kafka.send(
                    self._settings.topic(HOUSEHOLDS),
                    value=msgspec.json.encode(warning) if isinstance(warning, AreaWarning) else None,
                    key=key_of(area, kind).encode(),
                    partition=partition,
                    headers=HEADERS_JSON,
                )
                for partition in range(self._settings.partitions)
            ]
            await asyncio.gather(*sent)

    async def enqueue(
        self, signal: Signal, columns: Columns, feed: str | None = None, complete_until: int | None = None
    ) -> list[asyncio.Future[Any]]:
        """Hand frames over without waiting for the broker: one future a frame, for those who send ahead."""
        topic, kafka = self._settings.topic(TOPICS[signal]), self._started()
        return [
            await kafka.send(topic, value=packed.value, partition=packed.partition, headers=packed.headers)
            for packed in self._packer.pack(columns, feed, complete_until)
        ]

    async def flush(self) -> None:
        """Wait until the broker has answered for all that was enqueued; the futures tell how."""
        await self._started().flush()

    async def send(
        self, signal: Signal, columns: Columns, feed: str | None = None, complete_until: int | None = None
    ) -> int:
        """Send rows of either signal; gives the number of frames the broker has."""
        async with self._asking():
            futures = await self.enqueue(signal, columns, feed, complete_until)
            await asyncio.gather(*futures)
        return len(futures)

    def _started(self) -> AIOKafkaProducer:
        if self._kafka is None:
            raise RuntimeError("the producer is not started: use `async with FrameProducer(settings)`")
        return self._kafka


async def _stopped(kafka: AIOKafkaProducer) -> None:
    try:
        await asyncio.wait_for(kafka.stop(), STOP_S)
    except TimeoutError:
        # An idempotent producer never gives a batch up; with the broker gone its stop() would wait for ever.
        await kafka._sender.close()
        await kafka.client.close()


def _partition_of_rows(ids: pa.Array, partitions: int) -> NDArray[np.uint16]:
    """Partition of each row; of a dictionary each value is hashed once."""
    if isinstance(ids, pa.DictionaryArray):
        values = partitions_of(ids.dictionary.fill_null(""), partitions)
        return values[ids.indices.to_numpy(zero_copy_only=False)].astype(np.uint16)
    return partitions_of(ids, partitions).astype(np.uint16)
