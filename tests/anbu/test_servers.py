"""Our own servers are started again, and what the children failed by meanwhile is forgotten then."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anbu.processes import Exit, Supervisor
from anbu.servers import PAUSE_S, Kept
from deploy.postgres.errors import PostgresError
from tests.stream.test_processes import SLEEP, until


class Server:
    """A server that ends when told, and starts when it can."""

    def __init__(self) -> None:
        self.alive, self.can_start, self.starts = True, True, 0

    def reason(self) -> str:
        return "it was ended by signal 9"

    def start(self, meanwhile: Callable[[], object]) -> None:
        self.starts += 1
        meanwhile()
        if not self.can_start:
            raise PostgresError("the disk is full")
        self.alive = True

    def kill(self) -> None:
        self.alive = False


class Answers:
    """A probe that knows."""

    def __init__(self) -> None:
        self.silent = False

    def stuck(self, now: float) -> bool:
        return self.silent

    def forget(self) -> None:
        self.silent = False


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def children() -> Supervisor:
    return Supervisor()


def kept(server: Any, probe: Any = None, clock: Callable[[], float] = lambda: 0.0) -> Kept:
    """A server that is kept, on a clock of the test's."""
    return Kept(server, probe or Answers(), clock)


def test_its_end_is_told_once_with_its_reason(
    server: Server, children: Supervisor, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line for the end, one for each start that fails, in pauses; then it is back."""
    now = [0.0]
    tended = kept(server, clock=lambda: now[0])
    server.alive = server.can_start = False
    tended.tend(children, children.poll)
    tended.tend(children, children.poll)  # the pause is not over
    now[0] += PAUSE_S
    tended.tend(children, children.poll)
    now[0] += PAUSE_S
    server.can_start = True
    for _ in range(3):
        tended.tend(children, children.poll)
    said = capsys.readouterr().err
    assert server.starts == 3
    assert (said.count("has ended"), said.count("signal 9"), said.count("the disk is full")) == (1, 1, 2)


def test_one_that_does_not_answer_is_killed_and_started_again(server: Server, children: Supervisor) -> None:
    """Frozen servers run, for the kernel."""
    probe = Answers()
    tended = kept(server, probe)
    tended.tend(children, children.poll)
    assert server.starts == 0
    probe.silent = True
    tended.tend(children, children.poll)
    tended.tend(children, children.poll)
    assert (server.starts, server.alive) == (1, True)


def test_children_that_failed_for_want_of_it_start_at_once(server: Server, tmp_path: Path) -> None:
    """However long their pause had grown: the server's return ends it, and their next pause is the first again."""
    exits: list[Exit] = []
    with Supervisor(first_backoff_s=500, most_backoff_s=9000, on_exit=exits.append) as children:
        wants = f"import pathlib, time\nif not pathlib.Path({str(tmp_path / 'back')!r}).exists(): raise SystemExit(1)\n"
        children.start("a", [sys.executable, "-c", wants + "time.sleep(600)"], log_path=tmp_path / "a.log")
        until(lambda: children.poll() or exits)
        assert children.pids == {}
        server.alive = False
        (tmp_path / "back").touch()
        kept(server).tend(children, children.poll)
        children.poll()
        assert list(children.pids) == ["a"]
        children.stop("a")
    assert [e.restart_in_s for e in exits] == [500]


def test_children_are_looked_after_while_it_starts(tmp_path: Path) -> None:
    """A start may take a minute: a child that ends meanwhile is noticed meanwhile."""
    exits: list[Exit] = []

    class Slow(Server):
        def start(self, meanwhile: Callable[[], object]) -> None:
            os.kill(children.pids["a"], signal.SIGKILL)
            until(lambda: meanwhile() or exits)
            self.alive = True

    with Supervisor(first_backoff_s=0.01, on_exit=exits.append) as children:
        children.start("a", SLEEP, log_path=tmp_path / "a.log")
        slow = Slow()
        slow.alive = False
        kept(slow).tend(children, children.poll)
    assert [e.name for e in exits] == ["a"]
