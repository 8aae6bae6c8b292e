"""Batches of Kafka's own compression, unpacked in bounds: forty kilobytes of gzip can be a gigabyte of one record.

The broker keeps them as they came and every reader unpacks them, before a record of them can be looked at. One that is
too large, or compressed in another way than we read, is not unpacked: a record without key and value stands for it, at
its last offset, and its header says why; who takes records puts it aside.
"""

import zlib
from collections.abc import Iterator
from typing import Any

import aiokafka.record._crecords.default_records as compiled
import aiokafka.record.default_records as plain
from aiokafka.consumer import fetcher
from aiokafka.errors import UnsupportedCodecError
from aiokafka.structs import ConsumerRecord

from stream import bounds
from stream.fault import FrameError
from stream.records import Reason

_UNREAD = "unread"
"""Header of the record that stands for a batch: reason and words."""
_GZIP = 16 + zlib.MAX_WBITS


class _TooLargeError(Exception):
    """A batch that unpacks to more than is read of one."""


def _gunzip(data: Any) -> bytes:
    """What a batch unpacks to: ``bounds.BATCH_BYTES`` at most."""
    one = zlib.decompressobj(_GZIP)
    unpacked = one.decompress(data, bounds.BATCH_BYTES + 1)
    if len(unpacked) > bounds.BATCH_BYTES:
        raise _TooLargeError
    return unpacked


compiled.gzip_decode = _gunzip
plain.gzip_decode = _gunzip


class _Batches:
    """Batches of a fetch, and the last one given."""

    def __init__(self, records: Any) -> None:
        self.has_next = records.has_next
        self._records = records
        self.last: Any = None

    def next_batch(self) -> Any:
        """The next one."""
        self.last = self._records.next_batch()
        return self.last


class Unpacking(fetcher.PartitionRecords):
    """Records of a fetch; one stands for each batch that is not unpacked."""

    def _unpack_records(self) -> Iterator[Any]:
        batches = self._records = _Batches(self._records)  # type: ignore[has-type]  # of aiokafka, untyped
        while True:
            try:
                yield from super()._unpack_records()
                return
            except (_TooLargeError, UnsupportedCodecError, zlib.error) as e:
                record = _standing_for(batches.last, self._tp, e)
            self.next_fetch_offset = batches.last.next_offset
            yield record


fetcher.PartitionRecords = Unpacking


def _standing_for(batch: Any, tp: Any, error: Exception) -> ConsumerRecord:
    many = batch.next_offset - batch.base_offset
    if isinstance(error, _TooLargeError):
        why = f"{Reason.too_large}:{many} messages in one batch unpack to over {bounds.BATCH_BYTES} bytes: not unpacked"
    else:
        why = f"{Reason.compressed}:{many} messages in a batch that is not unpacked: send it with gzip, or uncompressed"
    return ConsumerRecord(
        tp.topic, tp.partition, batch.next_offset - 1, batch.max_timestamp, batch.timestamp_type, None, None, None,
        -1, -1, ((_UNREAD, why.encode()),),
    )  # fmt: skip


def check(headers: Any) -> None:
    """Raises FrameError for a record that stands for a batch which was not unpacked."""
    said = dict(headers or ()).get(_UNREAD)
    if said is not None:
        reason, _, detail = said.decode("utf-8", "replace").partition(":")
        known = Reason.compressed if reason == Reason.compressed else Reason.too_large
        raise FrameError(known, detail[:200])
