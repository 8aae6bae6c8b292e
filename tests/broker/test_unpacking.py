"""A batch compressed to a bomb, on the real broker: it is put aside and the rest of its partition goes on."""

from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from stream import bounds, frames
from stream.kafka import client_options, partition_of
from stream.producer import FrameProducer
from stream.records import HOUSEHOLDS, METER, Feeds, Household, Reason
from stream.settings import Settings
from tests.broker.onbroker import dead_letters, restored, until_included
from tests.broker.workers import Workers
from tests.stream.streaming import SINCE, T, readings

pytestmark = pytest.mark.broker


async def test_a_batch_of_gzip_that_is_a_bomb_stops_nobody(settings: Settings, tmp_path: Path) -> None:
    """The broker takes some kilobytes of gzip; the worker does not unpack them, says so, and reads on."""
    home, here = "h0", partition_of("h0", settings.partitions)
    bomb = b"\0" * (bounds.BATCH_BYTES + 1)
    value, headers = frames.encode(readings([home], [T], [0.1]), "meter", T + 900)
    async with FrameProducer(settings) as producer:
        await producer.send_household(Household(home, SINCE, feeds=Feeds("meter", None)))
    async with AIOKafkaProducer(
        **client_options(settings), compression_type="gzip", max_request_size=2 * len(bomb)
    ) as outsider:
        for topic in (HOUSEHOLDS, METER):
            await outsider.send_and_wait(settings.topic(topic), bomb, b"h", partition=here)
        await outsider.send_and_wait(settings.topic(METER), value, partition=here, headers=headers)
    async with Workers(settings, tmp_path) as workers:
        await until_included(settings)
        assert workers.ended == []
    letters = await dead_letters(settings)
    assert {(d.topic, d.partition, d.reason) for d in letters} == {
        (METER, here, Reason.too_large), (HOUSEHOLDS, here, Reason.too_large),
    }  # fmt: skip
    partition, _ = await restored(settings, here)
    assert partition.marks.sources["meter"].until is not None
