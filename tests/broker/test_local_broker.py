"""The broker we start ourselves: it starts, survives, and says clearly why it cannot."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from anbu.servers import kept_broker
from deploy.kafka.broker import BrokerError, LocalBroker
from stream.kafka import admin_options
from stream.settings import BrokerSettings, Settings

pytestmark = pytest.mark.broker


def _options(broker: LocalBroker) -> dict[str, Any]:
    return admin_options(Settings(broker=BrokerSettings(**broker.login("admin"))))  # type: ignore[arg-type]


def _send(broker: LocalBroker, value: bytes) -> int:
    """Write one record and give its offset once the broker has it."""
    with KafkaProducer(**_options(broker), acks="all") as producer:
        return int(producer.send("kept", value=value, partition=0).get(timeout=20).offset)


def _read(broker: LocalBroker, count: int) -> list[bytes]:
    consumer = KafkaConsumer(**_options(broker), consumer_timeout_ms=20_000)
    try:
        consumer.assign([TopicPartition("kept", 0)])
        consumer.seek_to_beginning()
        return [next(consumer).value for _ in range(count)]
    finally:
        consumer.close()


def test_killed_with_9_and_started_again_it_has_what_it_had(own_broker: LocalBroker) -> None:
    """What was acknowledged before a -9 from outside is there after the next start, and writing goes on; the reason is
    the signal, and we do not stand in our own way."""
    with KafkaAdminClient(**_options(own_broker)) as admin:
        admin.create_topics({"kept": {"num_partitions": 1, "replication_factor": 1}})
        admin.wait_for_topics(["kept"])
    assert _send(own_broker, b"before") == 0
    assert own_broker.pid is not None
    os.kill(own_broker.pid, signal.SIGKILL)
    until = time.monotonic() + 20
    while own_broker.alive:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert "signal 9" in own_broker.reason()
    own_broker.start()
    assert _send(own_broker, b"after") == 1
    assert _read(own_broker, 2) == [b"before", b"after"]


def test_it_answers_the_question_of_those_who_keep_it(broker: LocalBroker) -> None:
    """`anbu up` asks as a client begins; what counts as silence is in tests/anbu/test_probe.py."""
    probe = kept_broker(broker).probe
    until = time.monotonic() + 20
    while not probe._answered:
        assert not probe.stuck(time.monotonic())
        assert time.monotonic() < until


def test_a_second_run_on_the_same_data_is_refused_while_the_first_lives(own_broker: LocalBroker) -> None:
    """The second says who owns the data, and the first goes on."""
    second = LocalBroker(own_broker.data_dir, 0)
    with pytest.raises(BrokerError, match=rf"in use by another run \(process {os.getpid()}\)"):
        second.start()
    assert own_broker.alive


_OWNER = """
import sys
from pathlib import Path
from deploy.kafka.broker import LocalBroker
broker = LocalBroker(Path(sys.argv[1]), int(sys.argv[2]), heap_mb=256)
broker.start()
print(broker.pid, flush=True)
sys.stdin.read()
"""


def _gone(pid: int, limit_s: float = 20) -> bool:
    """Wait until a process has ended (a zombie counts as ended)."""
    until = time.monotonic() + limit_s
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_it_dies_with_a_parent_that_was_killed_and_the_next_run_does_not_trip(tmp_path: Path) -> None:
    """kill -9 of the owner ends the broker; another run over the same data and port starts."""
    broker = LocalBroker(tmp_path, 0, heap_mb=256)
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(tmp_path), str(broker.port)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert psutil.pid_exists(pid)
        owner.send_signal(signal.SIGKILL)
        assert _gone(pid)
        with broker:
            assert broker.alive
    finally:
        owner.kill()
        owner.communicate()


def test_an_orphan_of_a_killed_run_is_ended(own_broker: LocalBroker) -> None:
    """A broker whose owner is gone (its lock is free) is found by its pid file and ended by the next run."""
    pid = own_broker.pid
    assert pid is not None
    own_broker._owner._lock.close()  # type: ignore[union-attr]  # what the kernel does when the owner dies
    with LocalBroker(own_broker.data_dir, own_broker.port, heap_mb=256) as second:
        assert second.alive
        assert _gone(pid)


def test_its_own_reason_is_in_the_error(tmp_path: Path) -> None:
    """When Kafka refuses to start, the line from its log is in the error, with the log's path."""
    broker = LocalBroker(tmp_path, 0, heap_mb=1)
    with pytest.raises(BrokerError, match=r"the broker did not .*(heap|memory).*kafka\.log"):
        broker.start()
    assert not broker.alive
