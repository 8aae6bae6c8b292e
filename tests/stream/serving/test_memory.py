"""What anybody may send to our real listeners takes neither memory nor files, nor the time of who comes honestly."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.stream.serving.attacking import Stand, answer, status, until

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
MB = 1 << 20
PIECE = b"%x\r\n" % MB + b"a" * MB + b"\r\n"
POSTS = {"page": ("/c/token/note", "/v1/none"), "ingest": ("/v1/readings", "/v1/none"), "health": ("/healthz",)}
"""What takes a body, and what is not there."""


@dataclass
class Child:
    """A listener as a process."""

    what: str
    stand: Stand
    process: psutil.Process

    def grown(self, since: int) -> float:
        """Megabytes that it has more than ``since`` bytes."""
        return (self.process.memory_info().rss - since) / MB


@pytest.fixture(scope="module", params=list(POSTS))
def child(request: pytest.FixtureRequest) -> Iterator[Child]:
    """Each of our listeners."""
    argv = [sys.executable, "-m", "tests.stream.serving.child", request.param]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            stand = Stand(int(process.stdout.readline()))
            until(lambda: stand.get("/healthz") == 200)
            yield Child(request.param, stand, psutil.Process(process.pid))
        finally:
            process.kill()


@pytest.fixture(autouse=True)
def ends(child: Child) -> Iterator[None]:
    """The clients of a test go with it."""
    with child.stand.clients:
        yield


def test_a_body_without_end_is_not_kept(child: Child) -> None:
    """200 MB in pieces, or said to be more, without token or key: a refusal, and nothing of it in memory."""
    was = child.process.memory_info().rss
    for path in POSTS[child.what]:
        for length in (b"Transfer-Encoding: chunked", b"Content-Length: 9999999999"):
            client = child.stand.client(b"POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n" % (path.encode(), length))
            with suppress(ConnectionError):
                for _ in range(50):
                    client.sendall(PIECE)
            assert child.grown(was) < 40


def test_a_body_too_large_is_told_so(child: Child) -> None:
    """Whoever reads the answer learns of the limit; on the ingest endpoint, whoever has a key."""
    path = POSTS[child.what][0].encode()
    client = child.stand.client(
        b"POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer kepco-key-of-the-tests\r\nContent-Type: text/csv\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" % path
    )
    with suppress(ConnectionError):
        for _ in range(10):
            client.sendall(PIECE)
    assert status(client.recv(100)) == (200 if child.what == "health" else 413)


def test_hundreds_that_ask_and_never_read_hold_nothing(child: Child) -> None:
    """Requests one behind the other on hundreds of connections, no answer taken: little memory, and an honest client is
    answered in two seconds."""
    was = child.process.memory_info().rss
    asked = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" * 100
    for n in range(400):
        with suppress(ConnectionError):
            child.stand.client(source=f"127.0.3.{n % 100 + 1}").sendall(asked)
    until(lambda: child.stand.get("/healthz", "127.0.0.9", 2.0) == 200, 30)
    assert child.grown(was) < 60


def test_hundreds_held_half_open_do_not_keep_out_who_asks(child: Child) -> None:
    """Seven hundred sockets with half a request: no more files than connections, and an answer in two seconds."""
    for n in range(700):
        child.stand.client(b"GET /healthz HTTP/1.1\r\nX-A: ", f"127.0.4.{n % 200 + 1}")
    at = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{child.stand.port}/healthz", timeout=2) as said:
        assert said.status == 200
    assert time.monotonic() - at < 2
    assert child.process.num_fds() < 560
    late = child.stand.client(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert status(answer(late)) == 200
