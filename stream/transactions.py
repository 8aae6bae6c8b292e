"""Transactions in which every record is known to be taken: aiokafka commits without those that the broker refused."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, OutOfOrderSequenceNumber, ProducerFenced

LARGEST = 4 * 1024 * 1024 - 4096
"""Bytes of a record with its key and headers: what is smaller fits each of our topics as it should be."""


@dataclass(frozen=True, slots=True)
class Out:
    """A record to be written. ``partition`` None: by the key. ``value`` None deletes what a key stands for."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None
    headers: list[tuple[str, bytes]] | None = None


Refused = Sequence[tuple[Out, BaseException]]


class TooLargeError(Exception):
    """A record that no topic of ours takes: it is not even sent."""


class RefusedError(Exception):
    """The broker did not take some records: the transaction is aborted, nothing of it stands, it may be tried again.

    ``refused``: each of them with the broker's reason; those refused only for one before them are left out.
    """

    def __init__(self, refused: Refused) -> None:
        out, error = refused[0]
        super().__init__(f"{len(refused)} records, first of {out.topic}: {name_of(error)}")
        self.refused = refused


class Transactions:
    """The transactions of a producer that has been started."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def commit(self, records: Iterable[Out], alone: Collection[str] = ()) -> None:
        """Write all records or none. Those of topics ``alone`` go one by one: a batch is refused as a whole.

        Raises:
            RefusedError: nothing was written, and this producer can go on.
            KafkaError: it is not known what was written, or a successor has taken over (``ProducerFenced``).
        """
        numbers = self._producer._txn_manager._sequence_numbers
        before = dict(numbers)
        await self._producer.begin_transaction()
        taken, refused = await self._send(records, alone)
        if not refused:
            await self._producer.commit_transaction()
            return
        _end_on_what_is_final([error for _, error in refused])
        await self._producer.abort_transaction()
        # aiokafka has numbered the refused records too; the broker expects the number after the last that it took.
        numbers.update({tp: before.get(tp, 0) + taken[tp] for tp in numbers})
        raise RefusedError([r for r in refused if not isinstance(r[1], OutOfOrderSequenceNumber)])

    async def _send(self, records: Iterable[Out], alone: Collection[str]) -> tuple[Counter[TopicPartition], Refused]:
        """Send, and wait for what became of each record: how many were taken per partition, and what was not."""
        producer = self._producer
        sent, refused = [], []
        try:
            for out in records:
                try:
                    future = await producer.send(out.topic, out.value, out.key, out.partition, headers=out.headers)
                except MessageSizeTooLargeError:
                    refused.append((out, TooLargeError(f"over {LARGEST} bytes")))
                    continue
                sent.append((out, future))
                if out.topic in alone:
                    await producer.flush()
        except KafkaError as e:  # such as a topic that this user may not write: the transaction can only be aborted
            refused.append((out, e))
        await producer.flush()
        refused += [(out, error) for out, future in sent if (error := future.exception()) is not None]
        return Counter(f.result().topic_partition for _, f in sent if f.exception() is None), refused


def name_of(error: BaseException) -> str:
    """The broker's reason in a word or two."""
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {said[0]}" if said else type(error).__name__


def _end_on_what_is_final(errors: Sequence[BaseException]) -> None:
    """Raise that after which this producer cannot go on. Out of order is what follows a refusal; alone it is final."""
    for error in errors:
        if isinstance(error, ProducerFenced) or not isinstance(error, KafkaError | TooLargeError):
            raise error
    if all(isinstance(error, OutOfOrderSequenceNumber) for error in errors):
        raise errors[0]
