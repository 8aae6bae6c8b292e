"""A server that is really started, and clients that mean no good."""

import asyncio
import collections
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from stream.serving.guarded import Guarded
from stream.serving.limits import Limits
from stream.serving.server import server

LIMITS = Limits(
    body_bytes=10_000, bodies_bytes=100_000, connections=60, head_s=1.0, body_s=1.0, take_s=1.0, rest_s=1.0,
    idle_s=1.0, ending_s=1.0,
)  # fmt: skip
"""As in life, in a second."""


@dataclass
class Stand:
    """A server on a port of loopback, what it refused, its clients."""

    port: int
    refused: collections.Counter[str] = field(default_factory=collections.Counter)
    clients: ExitStack = field(default_factory=ExitStack)

    def client(self, said: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
        """A connection from an address of loopback that says this and no more."""
        made = socket.create_connection(("127.0.0.1", self.port), 20, source_address=(source, 0))
        self.clients.enter_context(made)
        made.settimeout(20)
        made.sendall(said)
        return made

    def get(self, path: str = "/", source: str = "127.0.0.1", seconds: float = 20.0) -> int:
        """An honest request; the status."""
        with socket.create_connection(("127.0.0.1", self.port), seconds, source_address=(source, 0)) as made:
            made.settimeout(seconds)
            made.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
            return status(answer(made))


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads a body to its end where the path is /read, answers with /large's many bytes, else with a word."""
    if scope["path"] == "/read":
        await Request(scope, receive).body()
    body = b"x" * 50_000_000 if scope["path"] == "/large" else b"ok"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def serving(app: ASGIApp = echo, limits: Limits = LIMITS, proxies: tuple[str, ...] = ()) -> Iterator[Stand]:
    """``app`` behind ``limits``, served from a thread with a loop of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stand = Stand(listener.getsockname()[1])
        guarded = Guarded(app, limits, lambda reason: stand.refused.update([reason]))
        made = server(guarded, "127.0.0.1", 0, proxies)
        thread = threading.Thread(target=lambda: asyncio.run(made.serve([listener])), daemon=True)
        thread.start()
        until(lambda: made.started)
        try:
            with stand.clients:
                yield stand
        finally:
            made.should_exit = True
            thread.join(20)


def until(done: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"not within {seconds:g} s"
        time.sleep(0.02)


def answer(client: socket.socket) -> bytes:
    """All that comes until the other side ends it."""
    said = b""
    with suppress(ConnectionError):
        while piece := client.recv(65536):
            said += piece
    return said


def status(said: bytes) -> int:
    """Of an answer; 0 where there is none."""
    return int(said.split(b" ", 2)[1]) if said.startswith(b"HTTP/1.1 ") else 0


def ended(client: socket.socket) -> bool:
    """Whether the other side has ended the connection. What it said before is thrown away."""
    client.setblocking(False)
    try:
        while client.recv(65536):
            pass
        return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
