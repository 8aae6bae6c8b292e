"""The demonstration from nothing: it ends well with a worker killed, and leaves nothing behind whenever stopped."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.broker.running import Running

pytestmark = pytest.mark.broker
SMALL = ("--households", "60", "--days", "16", "--pace", "0")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all runs: none may trip over the one before."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
def demo(folder: Path) -> Iterator[Callable[..., Running]]:
    """``demo(*args)`` starts one; it is gone after the test."""
    started: list[Running] = []

    def start(*args: str) -> Running:
        started.append(Running(folder, "demo", *args, ANBU_METRICS_PORT="0"))
        return started[-1]

    yield start
    for running in started:
        running.end()


def test_stopped_while_the_broker_starts(demo: Callable[..., Running]) -> None:
    """Ctrl-C before there is a broker: exit code 130, and its Java has ended too."""
    running = demo(*SMALL)
    running.until(lambda: running.children("kafka"))
    assert running.interrupt() == 130
    assert running.left() == []
    assert "Traceback" not in running.text


def test_stopped_while_it_replays(demo: Callable[..., Running]) -> None:
    """Ctrl-C in the middle of the weeks: broker, workers and sender end."""
    running = demo("--households", "300", "--days", "60")
    running.until(lambda: len(running.children("anbu worker")) == 2 and "%" in running.text)
    assert running.interrupt() == 130
    assert running.left() == []
    assert "stopped, nothing is left running" in running.text
    assert "Traceback" not in running.text


def test_played_to_the_end_with_a_worker_killed(demo: Callable[..., Running]) -> None:
    """After interrupted runs a whole one: a worker killed with -9 is started again, alerts come, a summary ends it."""
    running = demo(*SMALL, "--no-stay")
    running.until(lambda: len(running.children("anbu worker")) == 2)
    running.until(lambda: "days judged" in running.text)
    running.children("anbu worker")[0].kill()
    assert running.ended() == 0, running.text
    text = running.text
    assert "with signal 9: started again" in text
    assert "쓰러진 사람 · who collapsed" in text
    assert "헛경보 · in vain" in text
    assert "주의 caution" in text
    assert running.left() == []


def test_a_taken_port_is_one_line(demo: Callable[..., Running]) -> None:
    """The port, and what to do; exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running = demo(*SMALL, "--port", str(port))
        assert running.ended() == 2
    (line,) = [line for line in running.text.splitlines() if line.startswith("anbu: ")]
    assert f"port {port} is taken" in line
    assert "Traceback" not in running.text
