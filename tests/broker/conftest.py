"""A real broker for the tests: one for all of them, and one of its own for a test that kills it."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.kafka.broker import LocalBroker
from stream import topics
from stream.settings import BrokerSettings, Settings


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """One broker that all tests share. Never stop it: take ``own_broker`` for that."""
    with LocalBroker(tmp_path_factory.mktemp("kafka"), 0) as running:
        yield running


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[LocalBroker]:
    """A running broker of this test alone, to be stopped, killed and started again."""
    with LocalBroker(tmp_path / "kafka", 0, heap_mb=256) as running:
        yield running


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings of a fresh namespace on a given broker: ``make_settings(broker, partitions=2, ...)``; no topics yet."""

    def make(at: LocalBroker, **values: object) -> Settings:
        prefix = f"t{uuid.uuid4().hex[:8]}."
        values = {"partitions": 4, "data_dir": tmp_path / "anbu", "topic_prefix": prefix, **values}
        return Settings(broker=BrokerSettings(bootstrap=at.bootstrap), **values)  # type: ignore[arg-type]

    return make


@pytest.fixture
def settings(broker: LocalBroker, make_settings: Callable[..., Settings]) -> Settings:
    """Settings with a topic prefix of this test's own on the shared broker, 4 partitions, topics created."""
    made = make_settings(broker)
    topics.ensure(made)
    return made
