"""The state topic alone gives a partition back: after compaction, to another worker, and to one writer at a time."""

from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka.errors import ProducerFenced

from deploy.kafka.broker import LocalBroker
from simulators.replay import Delivery, ends
from stream import topics
from stream.records import METER, STATE
from stream.settings import Settings
from stream.store import Out, Store, end_of, read_all
from tests.broker.onbroker import (
    INPUTS,
    compacted,
    lasting,
    offsets_never_go_back,
    records,
    restored,
    same_as_undisturbed,
    send,
    until_included,
)  # fmt: skip
from tests.broker.workers import Workers, until
from tests.histories import eventful

pytestmark = pytest.mark.broker


async def write(store: Store, settings: Settings, *values: bytes) -> None:
    """One transaction of these values under one key in partition 0."""
    await store.write([Out(settings.topic(STATE), b"k", value, 0) for value in values])


async def values(settings: Settings) -> list[bytes | None]:
    """What a successor reads of partition 0."""
    return [value async for rows in read_all(settings, STATE, 0) for _, value in rows]


async def test_who_opens_a_store_shuts_its_predecessor_out(settings: Settings) -> None:
    """From then on the predecessor cannot add a row, whatever it thinks."""
    first, second = Store(settings, "0"), Store(settings, "0")
    await first.open()
    try:
        await write(first, settings, b"1", b"2")
        await second.open()
        assert await values(settings) == [b"1", b"2"]
        with pytest.raises(ProducerFenced):
            await write(first, settings, b"stale")
        await write(second, settings, b"3")
        assert await values(settings) == [b"1", b"2", b"3"]
    finally:
        await first.close()
        await second.close()


async def test_a_transaction_cut_off_is_never_read(settings: Settings) -> None:
    """Rows that were sent and not committed are gone when a successor opens, and do not hold it up."""
    first, second = Store(settings, "0"), Store(settings, "0")
    await first.open()
    await second.open()
    await second.close()
    third = Store(settings, "1")
    await third.open()
    try:
        await write(third, settings, b"whole")
        producer = third._producer
        await producer.begin_transaction()
        await producer.send_and_wait(settings.topic(STATE), b"half", b"k", 0)
        successor = Store(settings, "1")
        await successor.open()
        assert await values(settings) == [b"whole"]
        await successor.close()
    finally:
        await first.close()
        await third.close()


async def test_the_end_of_a_compacted_topic_is_its_last_record(settings: Settings) -> None:
    """A transaction's marker behind the last record is no record: nobody may wait for it."""
    store = Store(settings, "0")
    await store.open()
    assert await end_of(settings, STATE, 0, 0) == 0
    await write(store, settings, b"1", b"2")
    await store.close()
    last = [r.offset for r in await records(settings, STATE, [0])][-1]
    assert await end_of(settings, STATE, 0, 0) == last + 1
    assert await end_of(settings, STATE, 0, last + 1) == last + 1
    assert (await ends(settings, [METER]))[METER, 0] == 0


async def test_compaction_changes_nothing(
    broker: LocalBroker, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    """Outdated rows removed by the broker: the state is the same, and a worker that starts on it goes on from it."""
    settings = make_settings(broker, partitions=2, session_timeout_seconds=3, batch_frames=20)
    topics.ensure(settings)
    history, delivery = eventful(64, 8), Delivery(hours=6, lateness_minutes=45, rows_per_frame=100)
    await send(settings, history, delivery, slice(0, 24))
    async with Workers(settings, tmp_path) as workers:
        await until_included(settings)
        before = [lasting((await restored(settings, p))[0]) for p in (0, 1)]
        many = len(await records(settings, STATE))
        workers.restart = False
        workers[0].terminate()
        await until(lambda: workers.ended == [(0, 0)], "it has ended")
    stores = [Store(settings, f"nudge-{p}") for p in (0, 1)]
    for store in stores:
        await store.open()

    keep = {r.partition: r for r in await records(settings, STATE)}

    async def rewrite() -> None:
        for p, store in enumerate(stores):
            await store.write([Out(settings.topic(STATE), keep[p].key, keep[p].value, p)])

    await compacted(settings, STATE, rewrite)
    for store in stores:
        await store.close()
    assert len(await records(settings, STATE)) < many
    assert [lasting((await restored(settings, p))[0]) for p in (0, 1)] == before
    await send(settings, history, delivery, slice(24, None))
    async with Workers(settings, tmp_path, 1) as workers:
        await until_included(settings)
        assert workers.ended == []
    await same_as_undisturbed(settings)
    assert await offsets_never_go_back(settings) > 0
    assert sum((await ends(settings, INPUTS)).values()) > 0
