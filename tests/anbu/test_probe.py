"""A process that does not answer any more is known from one that does, without waiting for either."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from anbu.probe import Probe, health_page
from anbu.processes import Exit, Supervisor
from deploy.kafka.ports import free_port

PAGE = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(sys.argv[2]) if self.path == "/healthz" else 404)
        self.end_headers()
    def log_message(self, *args): pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A server's socket that the kernel answers for; whether the server does is up to the test."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def probe_of(server: socket.socket) -> Probe:
    """Asks every second, waits two for an answer, gives up after six; after twelve where there never was one."""
    found = health_page(*server.getsockname())
    assert found is not None
    found.every_s, found.wait_s, found.limit_s, found.start_limit_s = 1.0, 2.0, 6.0, 12.0
    return found


def answer(server: socket.socket, probe: Probe, now: float, status: int) -> bool:
    """The server answers one question of the probe; what the probe says then."""
    assert not probe.stuck(now)
    with server.accept()[0] as client:
        until(lambda: probe.stuck(now) or b"healthz" in client.recv(100, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        client.sendall(b"HTTP/1.0 %d X\r\n\r\n" % status)
    heard = [False]

    def over() -> bool:
        heard[0] = probe.stuck(now)
        return probe._socket is None

    until(over)
    return heard[0]


def until(condition: Callable[[], object], limit_s: float = 20) -> None:
    """Wait for a condition; fail when it does not come."""
    end = time.monotonic() + limit_s
    while True:
        try:
            if condition():
                return
        except BlockingIOError:
            pass
        assert time.monotonic() < end, "did not come within the limit"
        time.sleep(0.005)


def silent_from(probe: Probe, start: float, step: float = 0.5) -> float:
    """Nobody answers: for how long the probe has patience."""
    now = start
    while not probe.stuck(now):
        now += step
        assert now < start + 100
    return now - start


def test_silence_after_an_answer_is_stuck_within_the_limit(listening: socket.socket) -> None:
    """Frozen: the kernel takes connections, nobody answers. Two questions of three seconds each are six."""
    probe = probe_of(listening)
    assert not answer(listening, probe, 0.0, 200)
    assert 4 < silent_from(probe, 1.0) <= 7


def test_a_slow_start_has_more_time(listening: socket.socket) -> None:
    """Before the first answer the longer limit holds."""
    assert 9 < silent_from(probe_of(listening), 0.0) <= 13


def test_an_answer_in_between_starts_the_count_anew(listening: socket.socket) -> None:
    """Slow now and then is not stuck."""
    probe = probe_of(listening)
    assert not answer(listening, probe, 0.0, 200)
    for n in range(1, 5):
        for at in (0.0, 1.0, 2.5):  # one question nobody answers
            assert not probe.stuck(n * 10 + at)
        listening.accept()[0].close()
        assert not answer(listening, probe, n * 10 + 5.0, 200)


def test_an_answer_of_not_well_counts_as_none(listening: socket.socket) -> None:
    """503: the process says itself that it is to be started again. Each such answer is worth the second it took."""
    probe = probe_of(listening)
    assert not answer(listening, probe, 0.0, 200)
    said = [answer(listening, probe, float(n), 503) for n in range(1, 7)]
    assert said == [False] * 5 + [True]


def test_a_machine_that_stood_still_makes_nobody_stuck(listening: socket.socket) -> None:
    """An hour between two looks is one question, not an hour of silence."""
    probe = probe_of(listening)
    assert not answer(listening, probe, 0.0, 200)
    assert not probe.stuck(10.0)
    listening.accept()[0].close()
    assert not probe.stuck(3610.0)
    assert not answer(listening, probe, 3620.0, 200)


def test_no_port_no_probe() -> None:
    """Where a process chooses its port itself, nobody can ask."""
    assert health_page("127.0.0.1", 0) is None


@pytest.mark.parametrize(("status", "freeze"), [("200", True), ("503", False)])
def test_a_child_that_does_not_answer_is_started_again(tmp_path: Path, status: str, freeze: bool) -> None:
    """Frozen (SIGSTOP), or stuck by its own word: it is ended, which is told, and another takes its place."""
    port = free_port()
    probe = health_page("127.0.0.1", port)
    assert probe is not None
    probe.every_s, probe.wait_s, probe.limit_s, probe.start_limit_s = 0.05, 0.3, 0.6, 20.0 if freeze else 3.0
    exits: list[Exit] = []
    with Supervisor(first_backoff_s=0.01, on_exit=exits.append) as children:
        argv = [sys.executable, "-c", PAGE, str(port), status]
        first = children.start("a", argv, log_path=tmp_path / "a.log", health=probe)
        if freeze:
            until(lambda: children.poll() or probe._answered)
            os.kill(first, signal.SIGSTOP)
        until(lambda: children.poll() or children.pids.get("a", first) != first)
        if freeze:  # the new one answers, and stays
            until(lambda: children.poll() or probe._answered)
    assert [(e.pid, e.code, e.stuck) for e in exits] == [(first, -signal.SIGKILL, True)]
    assert "did not answer any more" in str(exits[0])
