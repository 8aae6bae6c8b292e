"""The producer helper: every row in the frame of its partition, and completeness promised where it holds."""

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream import frames
from stream.columns import MeterColumns
from stream.kafka import partition_of
from stream.producer import FrameProducer, Packer
from stream.settings import BrokerSettings, Settings

T = 1_767_225_600  # 2026-01-01T00:00:00Z


def meter(ids, dictionary=False) -> MeterColumns:
    """A reading of each id; the value tells its position."""
    n = len(ids)
    array = pa.array(ids, pa.string())
    return MeterColumns(
        array.dictionary_encode() if dictionary else array,
        np.full(n, T, np.int64),
        np.arange(n, dtype=np.float32) / 1000,
        np.full(n, 15, np.uint8),
        np.zeros(n, np.uint8),
    )


def unpack(packed):
    """(partition, frame) of each packed message."""
    return [(p.partition, frames.decode("meter", p.value, p.headers)) for p in packed]


@given(
    st.lists(st.text("abc019", min_size=1, max_size=6), max_size=60),
    st.integers(1, 7),
    st.integers(1, 9),
    st.booleans(),
    st.booleans(),
)
def test_every_row_arrives_once_in_its_households_partition(ids, partitions, rows, dictionary, as_json):
    """Frames hold all rows, each in Kafka's default partition of its household, in order, never more than allowed."""
    packed = Packer(partitions, rows, as_json).pack(meter(ids, dictionary), "kepco")
    arrived = defaultdict(list)
    for partition, frame in unpack(packed):
        assert 1 <= len(frame.columns) <= rows
        assert frame.feed == "kepco"
        for household, kwh in zip(frame.columns.household_id.to_pylist(), frame.columns.kwh.tolist(), strict=True):
            assert partition_of(household, partitions) == partition
            arrived[household].append(round(kwh * 1000))
    sent = defaultdict(list)
    for position, household in enumerate(ids):
        sent[household].append(position)
    assert arrived == sent


@given(st.lists(st.text("abc019", min_size=1, max_size=3), max_size=40))
def test_completeness_is_in_the_last_frame_of_every_partition(ids):
    """A promise before the rows it speaks of would be wrong; a partition without rows gets a frame of its own."""
    partitions = 4
    packed = unpack(Packer(partitions, 3).pack(meter(ids), complete_until=T))
    of_partition = defaultdict(list)
    for partition, frame in packed:
        of_partition[partition].append(frame.complete_until)
    assert set(of_partition) == set(range(partitions))
    for promises in of_partition.values():
        assert promises == [None] * (len(promises) - 1) + [T]


def test_no_rows_and_no_promise_are_no_frames():
    """Nothing to say is nothing sent."""
    assert list(Packer(4).pack(meter([]))) == []


def test_a_large_batch_is_cut_into_frames_of_two_thousand():
    """The default frame holds 2,000 rows."""
    sizes = Counter(len(frame.columns) for _, frame in unpack(Packer(1).pack(meter(["h"] * 4500))))
    assert sizes == {2000: 2, 500: 1}


async def test_a_producer_that_was_not_started_says_so():
    """Sending without `async with` is a mistake with one clear line."""
    producer = FrameProducer(Settings(broker=BrokerSettings(bootstrap="127.0.0.1:1")))
    with pytest.raises(RuntimeError, match="async with"):
        await producer.send_meter(meter(["h"]))
