"""A broker that is not there: everybody waits for it, says so now and then, and goes on when it comes."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.kafka.broker import LocalBroker
from stream import topics
from stream.settings import Settings
from tests.broker.workers import Worker, until

pytestmark = pytest.mark.broker
SAID = "the broker does not answer: waiting for it"


async def test_a_worker_that_starts_while_the_broker_is_away_waits_for_it(
    own_broker: LocalBroker, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    """Alive, not ready, one line; ready when the broker is there. One that goes away under it is waited for too,
    and SIGTERM ends it all the same."""
    settings = make_settings(own_broker, partitions=1, session_timeout_seconds=4)
    topics.ensure(settings)
    await asyncio.to_thread(own_broker.kill)
    worker, group = Worker(settings, 0, tmp_path), f"{settings.topic_prefix}anbu"
    try:
        await until(lambda: worker.said(SAID), "it says what it waits for")
        assert worker.get("/healthz")[0] == 200
        assert worker.get("/readyz")[0] == 503
        await asyncio.to_thread(own_broker.start)
        await until(lambda: worker.get("/readyz")[0] == 200, "it is ready")
        assert worker.code is None
        await asyncio.to_thread(own_broker.kill)
        await until(lambda: worker.said(f"Marking the coordinator dead (node 1)for group {group}."), "it has noticed")
        await asyncio.to_thread(own_broker.start)
        await until(lambda: worker.get("/readyz")[0] == 200, "it is ready again")
        assert worker.code is None
        await asyncio.to_thread(own_broker.kill)
        worker.terminate()
        await until(lambda: worker.code is not None, "it ends when it is told to, broker or not")
        assert worker.code == 0
        assert len(worker.text.splitlines()) < 60
    finally:
        worker.end()
