"""A message that kills its workers, on the real broker: after two deaths it is left unread, and the rest goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.kafka.broker import LocalBroker
from stream import topics
from stream.deaths import PREFIX
from stream.kafka import partition_of
from stream.mark import Mark
from stream.producer import FrameProducer
from stream.records import METER, STATE, Feeds, Household, Reason
from stream.settings import Settings
from tests.broker.onbroker import dead_letters, records, restored, until_included
from tests.broker.workers import Workers, until
from tests.stream.streaming import SINCE, T, readings

pytestmark = pytest.mark.broker

HOME = "h0"
POISON = next(name for i in range(99) if partition_of(name := f"poison{i}", 2) == partition_of(HOME, 2))
KILLED_BY_POISON = """
import os, signal, sys
from stream import frames
from stream.settings import Settings
from stream.worker import main
decode = frames.decode
def killed(kind, value, headers, now=None):
    if b"poison" in (value or b""):
        os.kill(os.getpid(), signal.SIGKILL)
    return decode(kind, value, headers, now)
frames.decode = killed
main(Settings(), int(sys.argv[1]))
"""


@pytest.fixture
def settings(broker: LocalBroker, make_settings: Callable[..., Settings]) -> Settings:
    """Two partitions of this test's own."""
    made = make_settings(broker, partitions=2, session_timeout_seconds=3)
    topics.ensure(made)
    return made


async def read(settings: Settings, home: str, slot: int) -> None:
    """Send a quarter-hour of a home, complete so far."""
    start = T + 900 * slot
    async with FrameProducer(settings) as producer:
        await producer.send_meter(readings([home], [start], [0.1]), "meter", start + 900)


@pytest.mark.parametrize("count", [1, 2])
async def test_a_message_during_which_two_workers_died_is_left_unread(
    settings: Settings, tmp_path: Path, count: int
) -> None:
    """By one worker twice, or by two of them: the others of its partition are written, and it is told."""
    async with FrameProducer(settings) as producer:
        await producer.send_household(Household(HOME, SINCE, feeds=Feeds("meter", None)))
    for slot, home in enumerate([HOME, HOME, POISON, HOME]):
        await read(settings, home, slot)
    async with Workers(settings, tmp_path, count, main=KILLED_BY_POISON) as workers:
        await until_included(settings)
        assert [code for _, code in workers.ended] == [-9, -9]
        alive = [workers[i] for i in range(count)]
        await until(
            lambda: sum(w.metric("anbu_dead_letters_total", reason="worker_died") for w in alive) == 1, "it is counted"
        )
        assert sum(w.total("anbu_died_at_message_total", topic=METER) for w in alive) >= 1
    letters = [letter for letter in await dead_letters(settings) if letter.reason is Reason.worker_died]
    assert [(letter.topic, letter.partition) for letter in letters] == [(METER, partition_of(HOME, 2))]
    partition, _ = await restored(settings, partition_of(HOME, 2))
    assert partition.marks.clock is not None
    assert partition.marks.clock * 900 == T + 4 * 900
    rows = {r.key: r.value for r in await records(settings, STATE, [partition_of(HOME, 2)])}
    assert [value for key, value in rows.items() if key.startswith(PREFIX)] == [None, None]


async def test_workers_killed_between_messages_cost_no_message(settings: Settings, tmp_path: Path) -> None:
    """Twice killed and once ended while nothing is to be done: every message is used, none is suspected."""
    async with FrameProducer(settings) as producer:
        await producer.send_household(Household(HOME, SINCE, feeds=Feeds("meter", None)))
    async with Workers(settings, tmp_path) as workers:
        for slot, end in enumerate(["kill", "kill", "terminate"]):
            await read(settings, HOME, slot)
            await until_included(settings)
            before, worker = len(workers.ended), workers[0]
            getattr(worker, end)()
            await until(lambda before=before: len(workers.ended) > before, "it has ended")  # type: ignore[misc]
        await read(settings, HOME, 3)
        await until_included(settings)
        assert await dead_letters(settings) == []
        assert workers[0].total("anbu_died_at_message_total") == 0
    assert Mark(settings.data_dir / "faust" / "anbu-worker-0" / f"{settings.topic_prefix}at").left is None
