"""A real broker for the tests: one for all of them, and one of its own for a test that kills it."""

import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.kafka.broker import LocalBroker, fetch_jars, find_java
from stream import acls, topics
from stream.settings import BrokerSettings, Settings

QUICK = "-XX:TieredStopAtLevel=1"
"""The quick compiler alone: these brokers live for seconds, and the good one takes longer than they do."""


@pytest.fixture(scope="session", autouse=True)
def quick_java(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every Java from here on, of `anbu up` and `anbu demo` too, starts in half the time: with the quick compiler, and
    with Kafka's classes as another broker has left them in pytest's cache. Where they do not fit, Java reads its jars.
    """
    java, jars = find_java().resolve(), fetch_jars()
    which = hashlib.sha256(f"{java} {java.stat().st_mtime_ns} {jars}".encode()).hexdigest()[:12]
    archive = pytestconfig.cache.mkdir("java") / f"kafka-{which}.jsa"
    with pytest.MonkeyPatch.context() as patch:
        if not archive.exists():
            made = archive.with_suffix(f".{os.getpid()}")
            patch.setenv("JAVA_TOOL_OPTIONS", f"{QUICK} -XX:ArchiveClassesAtExit={made}")
            broker = LocalBroker(tmp_path_factory.mktemp("classes"), 0, heap_mb=256)
            broker.start()
            broker.stop(limit_s=120)
            made.replace(archive)
        patch.setenv("JAVA_TOOL_OPTIONS", f"{QUICK} -XX:SharedArchiveFile={archive}")
        yield


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
        return Settings(broker=BrokerSettings(**at.login("admin")), **values)  # type: ignore[arg-type]

    return make


def login(broker: LocalBroker, role: str) -> dict[str, str]:
    """How a command started by a test reaches a broker: its environment."""
    return {f"ANBU_BROKER__{name.upper()}": value for name, value in broker.login(role).items()}


@pytest.fixture
def settings(broker: LocalBroker, make_settings: Callable[..., Settings]) -> Settings:
    """Settings of the admin with a topic prefix of this test's own on the shared broker, 4 partitions, topics and
    rights made."""
    made = make_settings(broker)
    topics.ensure(made)
    acls.ensure(made)
    return made
