"""Logging in at a broker byte by byte: who is refused is told so at once, where clients try for seconds."""

import socket
import struct
from contextlib import closing

from kafka.net.sasl.scram import ScramClient

FETCH, METADATA, HANDSHAKE, AUTHENTICATE, DESCRIBE_QUORUM = 1, 3, 17, 36, 55
LIMIT_S = 10


class Raw:
    """A connection to a port of the broker."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
        self._stream = self._socket.makefile("rb")

    def ask(self, kind: int, version: int, body: bytes) -> bytes | None:
        """The body of the answer to a request; None where it hangs up."""
        request = struct.pack(">hhih", kind, version, 1, -1) + body
        try:
            self._socket.sendall(struct.pack(">i", len(request)) + request)
            size = self._stream.read(4)
            return self._stream.read(struct.unpack(">i", size)[0])[4:] if len(size) == 4 else None
        except (ConnectionError, TimeoutError):
            return None

    def close(self) -> None:
        """Hang up."""
        self._stream.close()
        self._socket.close()


def served(port: int) -> bool:
    """Whether somebody who has not logged in is told of the cluster."""
    with closing(Raw(port)) as raw:
        return raw.ask(METADATA, 1, struct.pack(">i", 0)) is not None


def logs_in(port: int, mechanism: str, user: str, password: str) -> bool:
    """Whether this login is taken."""
    with closing(Raw(port)) as raw:
        return _log_in(raw, mechanism, user, password)


def fetched(port: int, user: str, password: str, topic: str) -> int:
    """Error (0: none) with which a user is answered who asks for what partition 0 of a topic holds."""
    name = struct.pack(">h", len(topic)) + topic.encode()
    asked = struct.pack(">iiiibi", -1, 100, 1, 1 << 20, 0, 1) + name + struct.pack(">iiqi", 1, 0, 0, 1 << 20)
    with closing(Raw(port)) as raw:
        assert _log_in(raw, "SCRAM-SHA-512", user, password)
        said = raw.ask(FETCH, 4, asked)
        assert said is not None
        return int(struct.unpack_from(">h", said, 8 + len(name) + 8)[0])


def _log_in(raw: Raw, mechanism: str, user: str, password: str) -> bool:
    name = mechanism.encode()
    said = raw.ask(HANDSHAKE, 1, struct.pack(">h", len(name)) + name)
    if said is None or struct.unpack(">h", said[:2])[0]:
        return False
    if mechanism == "PLAIN":
        return _token(raw, f"\0{user}\0{password}".encode()) is not None
    scram = ScramClient(user, password, mechanism)
    first = _token(raw, scram.first_message())
    if not first:
        return False
    scram.process_server_first_message(first)
    return _token(raw, scram.final_message()) is not None


def _token(raw: Raw, token: bytes) -> bytes | None:
    said = raw.ask(AUTHENTICATE, 0, struct.pack(">i", len(token)) + token)
    if said is None or struct.unpack(">h", said[:2])[0]:
        return None
    at = 4 + max(struct.unpack(">h", said[2:4])[0], 0)
    return said[at + 4 :]
