"""An application behind its bounds: no request is larger than it may be, no answer is without its headers, no fault
shows what is inside."""

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream.serving.limits import Limits, Refused

HEADERS = (
    (b"content-security-policy", b"default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"x-robots-tag", b"noindex"),
)
"""On every answer that does not say otherwise."""
HTTPS_FROM_NOW_ON = ((b"strict-transport-security", b"max-age=15552000"),)
"""Where people come by TLS (a proxy's): half a year, of this host alone."""
RETRY_AFTER_S = 5

log = structlog.get_logger(__name__)


class Guarded:
    """``app`` within ``limits``. Whoever reads a body that is too large gets an HTTPException: 413, or 503 where all
    bodies together are too much. ``refused`` counts. ``more``: headers beside those of every answer."""

    def __init__(
        self, app: ASGIApp, limits: Limits, refused: Refused = lambda reason: None,
        more: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:  # fmt: skip
        self.app, self.limits, self.refused = app, limits, refused
        self.headers = (*HEADERS, *more)
        self.held = 0
        """Bytes of all bodies that are being read and answered."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not served")
        exchange = _Exchange(self, scope, receive, send)
        try:
            if len(scope["headers"]) > self.limits.headers:
                raise self.refusal(431, "headers", f"over {self.limits.headers} headers")
            await self.app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            pass
        except HTTPException as e:  # of an application that does not answer them itself
            await exchange.answer(e.status_code, e.detail)
        except Exception as e:  # neither its text nor a trace: what a stranger sent may be in it
            self.refused("fault")
            at = traceback.extract_tb(e.__traceback__)[-1]
            log.error("a request failed", error=type(e).__name__, where=f"{Path(at.filename).name}:{at.lineno}")
            await exchange.answer(500, "something is wrong here: try again later")
        finally:
            self.held -= exchange.size

    def refusal(
        self, status: int, reason: str, text: str, headers: Mapping[str, str] | None = None
    ) -> HTTPException:
        """A refusal to be raised, counted."""
        self.refused(reason)
        return HTTPException(status, text, headers)


class _Exchange:
    """One request and its answer."""

    def __init__(self, guarded: Guarded, scope: Scope, receive: Receive, send: Send) -> None:
        self._guarded, self._scope, self._receive, self._send = guarded, scope, receive, send
        self._answered = False
        self.size = 0
        """Bytes of the body so far."""

    async def receive(self) -> Message:
        """The next piece of the body. Raises HTTPException, before anything is read where the length is known."""
        length = Headers(scope=self._scope).get("content-length", "0")
        self._allow(int(length) if length.isdecimal() and len(length) < 20 else 0)
        message = await self._receive()
        more = len(message.get("body", b""))
        self._allow(self.size + more)
        if self._guarded.held + more > self._guarded.limits.bodies_bytes:
            text, retry = "too much is sent at once: send the same again later", {"Retry-After": str(RETRY_AFTER_S)}
            raise self._guarded.refusal(503, "too_much", text, retry)
        self._guarded.held += more
        self.size += more
        return message

    def _allow(self, size: int) -> None:
        most = self._guarded.limits.body_bytes
        if size > most:
            raise self._guarded.refusal(413, "too_large", f"the body is over {most} bytes: send it in parts")

    async def send(self, message: Message) -> None:
        """Send a part of the answer, with its headers."""
        if message["type"] == "http.response.start":
            self._answered = True
            headers = MutableHeaders(scope=message)
            for name, value in self._guarded.headers:
                headers.setdefault(name.decode(), value.decode())
        await self._send(message)

    async def answer(self, status: int, text: str) -> None:
        """This, where nothing was answered yet."""
        if not self._answered:
            await PlainTextResponse(text, status)(self._scope, self._receive, self.send)
