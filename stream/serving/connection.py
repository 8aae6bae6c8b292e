"""One connection: uvicorn's, with a place in the crowd, an end for whoever is too slow, and one form of refusal."""

import asyncio
from contextlib import suppress
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from stream.serving.crowd import Crowd
from stream.serving.guarded import HEADERS
from stream.serving.limits import READ_BYTES, Refused, Stage
from stream.serving.source import UNKNOWN, group


class Connection(H11Protocol):
    """See Member in ``crowd.py``."""

    def __init__(self, crowd: Crowd, refused: Refused, **of_uvicorn: Any) -> None:
        super().__init__(**of_uvicorn)
        self.group = UNKNOWN
        self._crowd, self._refused = crowd, refused
        self._received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place in the crowd, or be cut off at once."""
        super().connection_made(transport)
        if hasattr(transport, "max_size"):  # of asyncio's own transports
            transport.max_size = READ_BYTES
        self.group = group(self.client[0]) if self.client else UNKNOWN
        if not self._crowd.enter(self):
            self.cut()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._crowd.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """More of a request."""
        self._received += len(data)
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Answered: another request may follow, unless others wait for room."""
        if self._crowd.crowded:
            self.transport.close()
        super().on_response_complete()

    def at(self) -> tuple[Stage, object]:
        """What it is at, and of which request."""
        return self._stage(), self.cycle

    def received(self) -> int:
        """Bytes that came since this was asked last."""
        received, self._received = self._received, 0
        return received

    def _stage(self) -> Stage:
        cycle = self.cycle
        if self.transport.is_closing() or self.transport.get_write_buffer_size():
            return Stage.taking
        if cycle is not None and not cycle.response_complete:
            return Stage.body if cycle.more_body and not self.flow.read_paused else Stage.answering
        if self.conn.their_state is h11.SEND_BODY:
            return Stage.rest
        return Stage.head if cycle is None or self.conn.trailing_data[0] else Stage.idle

    def end(self, stage: Stage) -> None:
        """Say so where it can be said, and end it."""
        if stage in (Stage.head, Stage.body) and (self.cycle is not None or self.conn.trailing_data[0]):
            self._refuse(408, b"too slow: send the request anew")
        elif stage is Stage.taking:
            self.cut()
        else:
            self.transport.close()

    def cut(self) -> None:
        """End it without a word, whatever is still to be sent."""
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP, or too long for a head."""
        self._refused("malformed")
        self._refuse(400, msg.encode())

    def _refuse(self, status: int, text: bytes) -> None:
        """Answer where nothing was answered yet, and end it."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = [
                *HEADERS, (b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode()),
                (b"connection", b"close"),
            ]  # fmt: skip
            with suppress(h11.LocalProtocolError):  # of a HEAD, which takes no text
                for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=text)):
                    self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
