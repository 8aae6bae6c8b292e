"""Batches that Kafka's producers compressed: what would burst its reader is not unpacked, and what follows is read."""

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from stream import bounds
from stream.faustapp import Standing
from stream.intake import Intake, Message
from stream.records import HOUSEHOLDS, METER, Household, Reason
from stream.unpacking import Unpacking
from tests.stream.streaming import HERE, SINCE, TWO, T, new_partition

_ATTRIBUTES = 22
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
BOMB = b"\0" * (bounds.BATCH_BYTES + 1)


def batch(values: list[bytes], codec: int, base: int) -> bytes:
    """A batch as it lies on the broker; of a codec but gzip it says so alone."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=min(codec, GZIP), is_transactional=False, producer_id=-1, producer_epoch=-1,
        base_sequence=-1, batch_size=2**30,
    )  # fmt: skip
    for offset, value in enumerate(values):
        builder.append(offset, 1, b"k", value, [])
    data = bytearray(builder.build())
    data[0:8] = base.to_bytes(8, "big")
    data[_ATTRIBUTES] = codec
    return bytes(data)


def read(kind: type[Unpacking], *batches: bytes) -> tuple[list, int]:
    """Records of a fetch, and the offset to fetch from next."""
    records = kind(TopicPartition(METER, 0), MemoryRecords(b"".join(batches)), [], 0, None, None, False, 0)
    return list(records), records.next_fetch_offset


@pytest.mark.parametrize("kind", [Unpacking, Standing])
@pytest.mark.parametrize(
    ("bomb", "reason"),
    [
        (batch([BOMB, b"x"], GZIP, 1), Reason.too_large),
        (batch([b"x"] * 2, ZSTD, 1), Reason.compressed),
        (batch([b"x"] * 2, LZ4, 1), Reason.compressed),
        (batch([b"x"] * 2, SNAPPY, 1), Reason.compressed),
    ],
    ids=["gzip", "zstd", "lz4", "snappy"],
)
def test_a_batch_that_is_not_unpacked_is_one_record_that_says_why(kind, bomb, reason):
    """It has the batch's last offset, the reader goes on behind it, and it is put aside whatever the topic."""
    found, following = read(kind, batch([b"a"], GZIP, 0), bomb, batch([b"b"], 0, 3))
    assert [(r.offset, r.key, r.value) for r in found] == [(0, b"k", b"a"), (2, None, None), (3, b"k", b"b")]
    assert following == 4
    for topic in (METER, HOUSEHOLDS):
        intake = Intake(new_partition(0, TWO), TWO, {})
        intake.put(Message(topic, 2, None, None, found[1].headers, 0.0))
        after = msgspec.json.encode(Household(HERE[0], SINCE))
        intake.put(Message(HOUSEHOLDS, 3, after, None, None, 0.0))
        letters = intake.take(10, T).dead
        assert [(d.topic, d.offset, d.reason) for d in letters] == [(topic, 2, reason)]
        assert "2 messages" in letters[0].detail
        assert len(intake.partition.members.directory) == 1


def test_a_batch_of_usual_size_is_read():
    """Up to the limit what is compressed by gzip is read as ever."""
    values = [b"v" * 1_000_000] * 30
    assert [r.value for r in read(Unpacking, batch(values, GZIP, 0))[0]] == values


def test_the_reader_says_where_it_stood_before_a_batch_that_is_not_unpacked():
    """So that the lane does not take it for a gap and ask for it again and again."""
    found, _ = read(Standing, batch([b"a"], 0, 0), batch([BOMB, b"x", b"y"], GZIP, 1), batch([b"b"], 0, 4))
    assert [(r.offset, r.checksum) for r in found] == [(0, None), (3, 1), (4, None)]
