"""A broker that refuses some of a transaction: none of it is committed, it is told, and nothing is lost."""

import asyncio
import time
from collections.abc import Callable

import pytest
from aiokafka.errors import ProducerFenced

from deploy.kafka.broker import LocalBroker
from stream import refusals, topics
from stream.producer import FrameProducer
from stream.records import ALERTS, DEAD_LETTERS, METER, STATE, Reason
from stream.settings import Settings
from stream.store import Store
from stream.transactions import LARGEST, Out
from tests.broker.onbroker import configure, dead_letters, records
from tests.stream.streaming import T, readings

pytestmark = pytest.mark.broker


@pytest.fixture
def settings(broker: LocalBroker, make_settings: Callable[..., Settings]) -> Settings:
    """Topics of one partition, of this test's own."""
    made = make_settings(broker, partitions=1)
    topics.ensure(made)
    return made


@pytest.fixture
async def store(settings: Settings):
    """A partition's store, open."""
    made = Store(settings, "0")
    await made.open()
    yield made
    await made.close()


def row(settings: Settings, value: bytes) -> Out:
    """A row of the state."""
    return Out(settings.topic(STATE), b"k", value, 0)


def alert(settings: Settings, value: bytes) -> Out:
    """What goes to ``alerts``, all to one partition."""
    return Out(settings.topic(ALERTS), b"h", value, 0)


async def values(settings: Settings, topic: str) -> list[bytes]:
    """Committed values of a topic."""
    return [r.value for r in await records(settings, topic)]


async def refused(store: Store) -> None:
    """Wait until the broker has refused."""
    async with asyncio.timeout(20):
        while not store.refusal:
            await asyncio.sleep(0.02)


async def test_nothing_is_committed_while_one_record_is_refused(settings: Settings, store: Store) -> None:
    """State and offsets wait for the alerts; mended, all of it stands once, and what follows too."""
    await store.write([row(settings, b"0"), alert(settings, b"a0")])
    configure(settings, ALERTS, max_message_bytes="100")
    writing = asyncio.create_task(
        store.write([row(settings, b"1"), *(alert(settings, b"a%d" % i + b"." * 200) for i in range(3))])
    )
    await refused(store)
    assert "MessageSizeTooLargeError" in store.refusal
    assert settings.topic(ALERTS) in store.refusal
    assert await values(settings, STATE) == [b"0"]
    assert not writing.done()
    configure(settings, ALERTS, max_message_bytes=str(4 << 20))
    await writing
    assert store.refusal == ""
    for i in range(2, 5):
        await store.write([row(settings, b"%d" % i), alert(settings, b"b%d" % i)])
    assert await values(settings, STATE) == [b"0", b"1", b"2", b"3", b"4"]
    assert [v[:2] for v in await values(settings, ALERTS)] == [b"a0", b"a0", b"a1", b"a2", b"b2", b"b3", b"b4"]
    assert await values(settings, DEAD_LETTERS) == []


async def test_an_alert_refused_for_its_size_for_long_is_set_aside(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only it, and what no topic takes: those that were in its batch stand, the dead letters hold what it says."""
    monkeypatch.setattr(refusals, "PATIENCE_S", 0.0)
    configure(settings, ALERTS, max_message_bytes="1000")
    values_of = (b"a", b"L" * 2000, b"b", b"x" * LARGEST)
    await store.write([row(settings, b"1"), *(alert(settings, value) for value in values_of)])
    assert await values(settings, STATE) == [b"1"]
    assert await values(settings, ALERTS) == [b"a", b"b"]
    long, larger = await dead_letters(settings)
    assert (long.topic, long.reason, long.sample) == (ALERTS, Reason.refused, "L" * 2000)
    assert "MessageSizeTooLargeError" in long.detail
    assert larger.sample.startswith("xxx")


async def test_a_successor_still_fences_one_that_was_refused(settings: Settings, store: Store) -> None:
    """Trying again does not take the partition back."""
    configure(settings, ALERTS, max_message_bytes="100")
    writing = asyncio.create_task(store.write([row(settings, b"1"), alert(settings, b"a" * 200)]))
    await refused(store)
    successor = Store(settings, "0")
    await successor.open()
    try:
        with pytest.raises(ProducerFenced):
            await writing
        await successor.write([row(settings, b"2")])
    finally:
        await successor.close()
    assert await values(settings, STATE) == [b"2"]


async def test_a_sender_goes_on_after_a_refusal(settings: Settings) -> None:
    """What was refused is told; the next frames of the same partition are taken."""
    async with FrameProducer(settings) as producer:
        configure(settings, METER, max_message_bytes="100")
        with pytest.raises(Exception, match="MessageSizeTooLargeError"):
            await producer.send_meter(readings(["a"], [T]))
        configure(settings, METER, max_message_bytes=str(4 << 20))
        for _ in range(3):
            assert await producer.send_meter(readings(["a"], [T])) == 1
    assert len(await records(settings, METER)) == 3


async def test_records_are_stamped_by_the_broker(settings: Settings, store: Store) -> None:
    """Topics of an earlier version, on which a clock that runs ahead is refused, are mended by `anbu topics`."""
    configure(settings, STATE, message_timestamp_type="CreateTime")
    assert [p.topic for p in topics.check(settings)] == [settings.topic(STATE)]
    assert topics.ensure(settings) == []
    producer = store._producer
    await producer.begin_transaction()
    ahead = int(time.time() * 1000) + 9 * 3_600_000
    stamped = await (await producer.send(settings.topic(STATE), b"2", b"k", 0, timestamp_ms=ahead))
    await producer.commit_transaction()
    assert stamped.timestamp < ahead - 8 * 3_600_000
