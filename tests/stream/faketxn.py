"""A producer that stands in for aiokafka's: commits what it took and no more, as aiokafka does, and numbers records."""

import asyncio
from collections import defaultdict
from types import SimpleNamespace
from typing import Any, ClassVar

from aiokafka import TopicPartition
from aiokafka.errors import OutOfOrderSequenceNumber
from aiokafka.structs import RecordMetadata


class FakeProducer:
    """Topics in ``refuses`` are refused with their error. ``committed``: (topic, key, value) of all transactions."""

    made: ClassVar[list["FakeProducer"]] = []

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.refuses: dict[str, Exception] = {}
        self.committed: list[list[tuple[str, bytes | None, bytes]]] = []
        self.aborted = 0
        self.numbers: dict[TopicPartition, int] = defaultdict(int)
        self._txn_manager = SimpleNamespace(_sequence_numbers=self.numbers)
        self._broker: dict[TopicPartition, int] = defaultdict(int)
        self._open: list[tuple[str, bytes | None, bytes]] = []
        FakeProducer.made.append(self)

    async def start(self) -> None:
        """Nothing to connect to."""

    async def stop(self) -> None:
        """Nothing to disconnect from."""

    async def flush(self) -> None:
        """All is answered at once."""
        await asyncio.sleep(0)

    async def begin_transaction(self) -> None:
        """Start anew."""
        self._open = []

    async def commit_transaction(self) -> None:
        """Commit what was taken, whatever was refused: as aiokafka does."""
        self.committed.append(self._open)

    async def abort_transaction(self) -> None:
        """Drop it."""
        self.aborted += 1

    async def send(self, topic: str, value: bytes, key: bytes | None, partition: int | None, headers: Any) -> Any:
        """A future with what the broker says."""
        tp = TopicPartition(topic, partition or 0)
        future: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
        number, self.numbers[tp] = self.numbers[tp], self.numbers[tp] + 1
        if topic in self.refuses:
            future.set_exception(self.refuses[topic])
        elif number != self._broker[tp]:
            future.set_exception(OutOfOrderSequenceNumber())
        else:
            self._broker[tp] += 1
            self._open.append((topic, key, value))
            future.set_result(RecordMetadata(topic, tp.partition, tp, number, 0, 0, 0))
        return future
