"""Partitions taken over while the group is rebalanced again and again."""

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from stream.intake import HEADERS_JSON, Message
from stream.kafka import partition_of
from stream.lanes import Lanes
from stream.metrics import Metrics
from stream.records import HOUSEHOLDS, WIDE_STATE, Household
from stream.settings import Settings
from stream.store import read_all

pytestmark = pytest.mark.broker


async def rows(settings: Settings, topic: str) -> int:
    """Committed records of a topic's first partition."""
    return sum([len(part) async for part in read_all(settings, topic, 0)])


@pytest.mark.parametrize("interrupted_after", [0.0, 0.02, 0.1, 0.3, 0.6])
async def test_taking_over_that_is_cut_off_leaves_nothing_half_open(settings: Settings, interrupted_after: float):
    """Cut off at any moment and begun again, every lane works and the judge of areas too."""
    lanes = Lanes(settings, Metrics(CollectorRegistry()))
    everything = set(range(settings.partitions))
    try:
        first = asyncio.create_task(lanes.take_over(everything, {}))
        await asyncio.sleep(interrupted_after)  # the moment is what is varied, nothing is awaited by it
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        offsets = await lanes.take_over(everything, {})
        assert set(offsets) == everything
        assert lanes.ready

        home = next(f"h{i}" for i in range(1000) if partition_of(f"h{i}", settings.partitions) == 0)
        value = msgspec.json.encode(Household(home, datetime(2026, 3, 1, tzinfo=UTC), area="a"))
        lane = lanes.get(0)
        assert lane is not None
        await lane.put(Message(HOUSEHOLDS, 0, value, home.encode(), HEADERS_JSON, 0.0))
        async with asyncio.timeout(20):
            while not await rows(settings, WIDE_STATE):
                await asyncio.sleep(0.1)
    finally:
        await lanes.close()
