"""Calls placed by a vendor over HTTP: asked for by a POST, their end told by a webhook."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from response.fields import overlapping, tree
from response.gateways.webhook import SignatureError, WebhookError, read_webhook
from response.records import Call, CallOutcome, CallResult, GatewayError
from response.settings import HttpCallSettings

Store = Callable[[str, CallResult], Awaitable[None]]
"""Keeps a call's end, whether anybody waits for it or not: (key of the call, result). It may be told twice.
Raises where it could not be kept."""
PATH = "/v1/calls/status"
PLACEHOLDERS = ("key", "number", "text", "recording", "callback_url", "ring_seconds")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")

log = structlog.get_logger(__name__)


class HttpGateway:
    """The vendor of ``settings``. ``concurrent``: most calls at once. ``store``: keeps what a webhook says, before
    it is answered. ``clock``: gives the present.

    A call that was asked for cannot be taken back: cancelling ``place`` only stops the waiting.
    """

    name = "http"
    real = True

    def __init__(
        self,
        settings: HttpCallSettings,
        *,
        concurrent: int = 20,
        store: Store | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings = settings
        self._lines = asyncio.Semaphore(concurrent)
        self._store = store
        self._clock = clock
        self._waiting: dict[str, asyncio.Future[CallResult]] = {}
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Check the settings and make ready; nobody is called."""
        check(self.settings)
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self.settings.request_seconds),
            headers={name: value.get_secret_value() for name, value in self.settings.headers.items()},
        )

    async def place(self, call: Call) -> CallResult:
        """Ask the vendor, then wait for its webhook."""
        if call.key in self._waiting:
            return CallResult(CallOutcome.failed, detail="a call with this key is under way")
        ended: asyncio.Future[CallResult] = asyncio.get_running_loop().create_future()
        self._waiting[call.key] = ended  # before asking: a webhook may be faster than the answer to the request
        try:
            async with self._lines:
                dialled_at = self._clock()
                result = await self._ask(call, ended) or await self._wait(ended)
                return CallResult(
                    result.outcome, result.pressed, result.detail, dialled_at, result.ended_at or self._clock()
                )
        finally:
            del self._waiting[call.key]

    async def _ask(self, call: Call, ended: asyncio.Future[CallResult]) -> CallResult | None:
        """POST the request; a result only where the vendor surely does not call."""
        assert self._session is not None, "start() comes first"
        try:
            async with self._session.post(
                self.settings.url, json=request_body(self.settings, call), allow_redirects=False
            ) as answer:
                if answer.status < 300 or ended.done():
                    return None
                return CallResult(CallOutcome.failed, detail=f"vendor refused the request: HTTP {answer.status}")
        except aiohttp.ClientConnectorError as e:
            reason = e.os_error.strerror or type(e.os_error).__name__
            return CallResult(CallOutcome.failed, detail=f"vendor cannot be reached: {reason}")
        except (aiohttp.ClientError, TimeoutError) as e:
            # The request may have arrived: only the webhook can say now.
            log.warning("vendor_answered_nothing", key=call.key, error=type(e).__name__)
            return None

    async def _wait(self, ended: asyncio.Future[CallResult]) -> CallResult:
        try:
            return await asyncio.wait_for(asyncio.shield(ended), self.settings.result_seconds)
        except TimeoutError:
            return CallResult(CallOutcome.unknown, detail=f"no webhook within {self.settings.result_seconds:g} seconds")

    async def deliver(self, key: str, result: CallResult) -> None:
        """A webhook said how the call ended: kept first, then told to ``place`` where it waits. Raises as ``store``."""
        try:
            if self._store is not None:
                await self._store(key, result)
        finally:
            ended = self._waiting.get(key)
            if ended is not None and not ended.done():
                ended.set_result(result)

    async def close(self) -> None:
        """End; of calls that are still waited for nobody knows."""
        for ended in self._waiting.values():
            if not ended.done():
                ended.set_result(CallResult(CallOutcome.unknown, detail="we ended before the vendor told"))
        if self._session is not None:
            await self._session.close()


def check(settings: HttpCallSettings) -> None:
    """Raises GatewayError where calls cannot be asked for as configured."""
    if not settings.url.startswith(("http://", "https://")):
        raise GatewayError(
            "전화 업체 주소가 없습니다 · calls by HTTP need the vendor's address: set ANBU_RESPONSE__HTTP_CALLS__URL"
        )
    if settings.secret is None or not settings.secret.get_secret_value():
        raise GatewayError(
            "웹훅 비밀키가 없습니다 · without a secret no webhook is believed: set ANBU_RESPONSE__HTTP_CALLS__SECRET"
        )
    for field, template in settings.body.items():
        for name in _PLACEHOLDER.findall(template):
            if name not in PLACEHOLDERS:
                raise GatewayError(
                    f"알 수 없는 자리표시자 · body field {field!r} has {{{name}}}: use {', '.join(PLACEHOLDERS)}"
                )
    if (both := overlapping(settings.body)) is not None:
        raise GatewayError(f"요청 필드가 겹칩니다 · body field {both!r} cannot have a value and fields inside it")


def request_body(settings: HttpCallSettings, call: Call) -> dict[str, Any]:
    """The JSON of one request. A field that is ``{ring_seconds}`` and nothing else is a number, all others text."""
    values: dict[str, str] = {
        "key": call.key,
        "number": call.number,
        "text": call.announcement.text,
        "recording": call.announcement.recording or "",
        "callback_url": settings.callback_url,
        "ring_seconds": str(round(call.ring_s)),
    }
    filled = {path: _PLACEHOLDER.sub(lambda found: values[found[1]], text) for path, text in settings.body.items()}
    numbers = {path: int(filled[path]) for path, text in settings.body.items() if text == "{ring_seconds}"}
    return tree({**filled, **numbers})


def webhook_route(gateway: HttpGateway) -> Route:
    """Where the vendor tells how calls ended: 401 what is not signed, 400 what cannot be read, 503 what could not be
    stored (to be sent again), else 204."""

    async def status(request: Request) -> Response:
        answer = await hear(gateway, request.headers, await request.body())
        return Response(status_code=204) if answer is None else JSONResponse({"error": answer[1]}, answer[0])

    return Route(PATH, status, methods=["POST"])


async def hear(gateway: HttpGateway, headers: Mapping[str, str], body: bytes) -> tuple[int, str] | None:
    """Read a webhook and deliver it; (HTTP status, why) where it is refused."""
    try:
        key, result = read_webhook(gateway.settings, headers, body)
    except SignatureError as e:
        log.warning("webhook_refused", why=str(e))
        return 401, "the signature is wrong"
    except WebhookError as e:
        log.warning("webhook_unreadable", why=str(e))
        return 400, str(e)
    if result is None:
        log.info("webhook_not_final", key=key)  # ringing; or a word that the settings do not know
        return None
    try:
        await gateway.deliver(key, result)
    except Exception as e:  # whatever it is, it is not stored: the vendor is to send it again
        log.error("webhook_not_stored", key=key, error=type(e).__name__)
        return 503, "not stored: send it again"
    return None
