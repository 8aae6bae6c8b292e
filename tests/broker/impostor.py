"""Somebody who listens at the broker's port while it is down, and plays its part as far as one can without its
passwords: answers what a client asks, takes its login, says that it is welcome."""

import base64
import contextlib
import socket
import struct
import threading
from typing import Self

from tests.broker.rawlogin import AUTHENTICATE, HANDSHAKE, METADATA

API_VERSIONS = 18
_VERSIONS = {0: 7, 1: 11, 2: 2, METADATA: 5, 10: 1, 19: 4, 22: 1, HANDSHAKE: 1, API_VERSIONS: 0, AUTHENTICATE: 0}


class Impostor:
    """``offers``: the ways to log in that he names. ``said``: all that he has heard; ``asked``: kinds of requests."""

    def __init__(self, port: int, offers: tuple[str, ...]) -> None:
        self.said, self.asked = b"", set[int]()
        self._offers = offers
        self._server = socket.create_server(("127.0.0.1", port), reuse_port=False)
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, struct.error), client.makefile("rb") as stream:
            while head := stream.read(4):
                body = stream.read(struct.unpack(">i", head)[0])
                self.said += body
                kind, version, number = struct.unpack(">hhi", body[:8])
                self.asked.add(kind)
                answer = self._answer(kind, version, body)
                client.sendall(struct.pack(">ii", len(answer) + 4, number) + answer)

    def _answer(self, kind: int, version: int, body: bytes) -> bytes:
        if kind == API_VERSIONS:
            keys = b"".join(struct.pack(">hhh", key, 0, most) for key, most in _VERSIONS.items())
            return struct.pack(">hi", 35 if version else 0, len(_VERSIONS)) + keys
        if kind == HANDSHAKE:
            names = b"".join(struct.pack(">h", len(name)) + name.encode() for name in self._offers)
            return struct.pack(">hi", 0, len(self._offers)) + names
        if kind == AUTHENTICATE:
            token = self._token(body)
            return struct.pack(">hhi", 0, -1, len(token)) + token
        return b""

    @staticmethod
    def _token(body: bytes) -> bytes:
        """His part of SCRAM: any salt, and for a signature whatever comes to his mind. Of PLAIN: welcome."""
        if b"n,,n=" in body:
            nonce = body.partition(b",r=")[2]
            return b"r=" + nonce + b"impostor,s=" + base64.b64encode(b"salt" * 8) + b",i=4096"
        return b"v=" + base64.b64encode(b"\0" * 64) if b",p=" in body else b""
