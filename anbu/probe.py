"""Does a process still answer? Asked again and again from a loop that must never wait.

A process that is frozen or stuck runs, for the kernel: its port takes connections, and nobody answers them.
"""

import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

EVERY_S = 5.0
WAIT_S = 5.0


@dataclass(slots=True)
class Probe:
    """Asks at ``address`` (host and port, or the path of a Unix socket) with ``request``; ``good`` tells a good answer
    by how it begins. ``limit_s``: silent for longer, it is stuck; ``start_limit_s``: the same before its first answer.

    Call ``stuck`` often, with a clock that never goes back. What counts is the time of questions that were asked: a
    machine that stood still for a while does not make its processes stuck.
    """

    address: tuple[str, int] | str
    request: bytes
    good: Callable[[bytes], bool]
    limit_s: float = 30.0
    start_limit_s: float = 180.0
    every_s: float = EVERY_S
    wait_s: float = WAIT_S
    _socket: socket.socket | None = field(default=None, init=False)
    _asked: float = field(default=0.0, init=False)
    _next: float = field(default=0.0, init=False)
    _silent_s: float = field(default=0.0, init=False)
    _answered: bool = field(default=False, init=False)
    _sent: bool = field(default=False, init=False)

    def forget(self) -> None:
        """Another process answers at the address from now on."""
        self._close()
        self._next, self._silent_s, self._answered = 0.0, 0.0, False

    def stuck(self, now: float) -> bool:
        """Ask where it is time, hear what there is to be heard, and say whether it has been silent for too long."""
        if self._socket is not None:
            self._hear(now)
        elif now >= self._next:
            self._ask(now)
        return self._silent_s >= (self.limit_s if self._answered else self.start_limit_s)

    def _ask(self, now: float) -> None:
        unix = isinstance(self.address, str)
        family = socket.AF_UNIX if unix else socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET
        self._socket, self._asked, self._sent = socket.socket(family, socket.SOCK_STREAM), now, False
        self._socket.setblocking(False)
        try:
            with contextlib.suppress(BlockingIOError):
                self._socket.connect(self.address)
        except OSError:
            self._heard(False, now)

    def _hear(self, now: float) -> None:
        assert self._socket is not None
        try:
            if not self._sent:
                self._socket.sendall(self.request)
                self._sent = True
            self._heard(self.good(self._socket.recv(64)), now)
        except BlockingIOError:  # not yet
            if now - self._asked > self.wait_s:
                self._heard(False, now)
        except OSError:
            self._heard(False, now)

    def _heard(self, good: bool, now: float) -> None:
        self._close()
        self._next = now + self.every_s
        if good:
            self._answered, self._silent_s = True, 0.0
        else:
            self._silent_s += min(now - self._asked, self.wait_s) + self.every_s

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def health_page(host: str, port: int) -> Probe | None:
    """A probe of the page /healthz of a process of ours; None where it has no port of its own (0)."""
    if not port:
        return None
    request = b"GET /healthz HTTP/1.0\r\n\r\n"
    return Probe((_reachable(host), port), request, lambda said: said.split(b" ", 2)[1:2] == [b"200"])


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- asked, not bound
