"""Ports on this machine: finding a free one, and saying clearly that one is taken."""

import errno
import random
import socket
import time

from deploy.kafka.errors import BrokerError

_LOW, _HIGH = 20_000, 32_000
"""Below the range from which the system gives ports to outgoing connections: a client that calls a broker which is
down for a moment could otherwise be given the broker's own port, and find itself talking to itself."""


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:``port`` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError as e:
            if e.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def free_port() -> int:
    """A port nobody listens on. Another process may take it before you do; that is then said clearly."""
    for port in random.sample(range(_LOW, _HIGH), 200):
        if is_free(port):
            return port
    raise BrokerError(f"no free port between {_LOW} and {_HIGH}: end some programs and run again")


def check_free(port: int, limit_s: float = 0.0) -> None:
    """Raise BrokerError when the port is taken, and still so after ``limit_s`` seconds."""
    until = time.monotonic() + limit_s
    while not is_free(port) and time.monotonic() < until:
        time.sleep(0.05)
    if not is_free(port):
        raise BrokerError(
            f"port {port} is taken by another program: end it, or choose another port, "
            f"for example ANBU_BROKER__BOOTSTRAP=127.0.0.1:{free_port()}"
        )
