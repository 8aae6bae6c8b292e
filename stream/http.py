"""The ingest endpoint: ``POST /v1/readings`` and ``/v1/events``, an API key per feed, answered when the broker has it.

``create_app`` gives a Starlette application. Nothing of a request's body is logged.
"""

import asyncio
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import structlog
import uvicorn
from aiokafka.errors import KafkaError
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stream import files, frames
from stream.columns import BadRow, MeterColumns, PhoneColumns
from stream.files import FileError
from stream.frames import Columns, Signal
from stream.metrics import Metrics
from stream.producer import FrameProducer
from stream.settings import Settings
from stream.sources import Format, Source

FORMATS: dict[str, Format] = {
    "text/csv": "csv",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/json": "json",
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.apache.arrow.stream": "arrow",
}
MAX_ROWS = 1_000_000
"""A small body can unpack into any number of rows; beyond this it is refused with 413."""
MAX_REJECTED = 1_000
"""Rejected rows that an answer names; ``rejected_total`` counts them all."""
ANSWER_S = 10.0
RETRY_AFTER_S = 5

log = structlog.get_logger(__name__)


class Refusal(Exception):  # noqa: N818 -- an answer, not an error of ours
    """A request that is answered without being sent on."""

    def __init__(self, status: int, error: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Body:
    """What a request holds."""

    columns: Columns
    bad: list[tuple[int, BadRow]]
    complete_until: int | None


@dataclass(frozen=True, slots=True)
class Ingest:
    """What the endpoints need; ``answer_s`` is how long the broker may take."""

    settings: Settings
    producer: FrameProducer
    metrics: Metrics | None = None
    answer_s: float = ANSWER_S
    clock: Callable[[], float] = time.time

    async def readings(self, request: Request) -> Response:
        """POST /v1/readings"""
        return await self._post(request, "meter")

    async def events(self, request: Request) -> Response:
        """POST /v1/events"""
        return await self._post(request, "phone")

    async def _post(self, request: Request, signal: Signal) -> Response:
        feed = ""
        try:
            feed = feed_of(request.headers.get("authorization"), self.settings.http.api_keys)
            body = await self._body(request, signal)
            if len(body.columns) or (body.complete_until is not None and not body.bad):
                await self._deliver(signal, body, feed)
            elif not body.bad:
                raise Refusal(400, "no rows and no Complete-Until header: send at least one of them")
        except Refusal as refusal:
            log.info("ingest refused", feed=feed, signal=signal, status=refusal.status)
            return self._answer(refusal.status, 0, [], refusal.headers, error=refusal.error)
        accepted = len(body.columns)
        status = 202 if accepted or not body.bad else 400
        log.info("ingest", feed=feed, signal=signal, status=status, accepted=accepted, rejected=len(body.bad))
        return self._answer(status, accepted, body.bad)

    async def _body(self, request: Request, signal: Signal) -> Body:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in FORMATS:
            raise Refusal(415, f"content-type is {kind[:80]!r}: send {', '.join(FORMATS)}")
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refusal(415, "content-encoding is not supported: send the body as it is")
        now = int(self.clock())
        until = _complete_until(request.headers.get("complete-until"), now)
        data = await limited_body(request, self.settings.http.max_body_bytes)
        if not data.strip():
            return Body(frames.empty(signal), [], until)
        source = Source("body", FORMATS[kind], data)
        columns, bad = await asyncio.to_thread(_parse, source, signal, self.settings.tz, now)
        return Body(columns, bad, until)

    async def _deliver(self, signal: Signal, body: Body, feed: str) -> None:
        """Return when the broker has all of it. A request given up may still arrive: sending again does no harm."""
        try:
            async with asyncio.timeout(self.answer_s):
                await self.producer.send(signal, body.columns, feed, body.complete_until)
        except (TimeoutError, KafkaError) as e:
            log.warning("broker did not take a request", feed=feed, signal=signal, fault=type(e).__name__)
            retry = {"Retry-After": str(RETRY_AFTER_S)}
            raise Refusal(503, "the broker has not answered: send the same again later", retry) from e

    def _answer(
        self,
        status: int,
        accepted: int,
        bad: list[tuple[int, BadRow]],
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Response:
        if self.metrics is not None:
            self.metrics.http_requests.labels(str(status)).inc()
            self.metrics.http_rows.labels("accepted").inc(accepted)
            self.metrics.http_rows.labels("rejected").inc(len(bad))
        rejected = [{"line": line, "reason": f.reason.value, "detail": f.detail} for line, f in bad[:MAX_REJECTED]]
        content = {"accepted": accepted, "rejected": rejected, "rejected_total": len(bad), **more}
        return JSONResponse(content, status, headers)


def create_app(
    settings: Settings,
    producer: FrameProducer,
    metrics: Metrics | None = None,
    answer_s: float = ANSWER_S,
    clock: Callable[[], float] = time.time,
) -> Starlette:
    """The application. The producer is started and stopped by the caller, on the application's event loop."""
    ingest = Ingest(settings, producer, metrics, answer_s, clock)
    return Starlette(
        routes=[
            Route("/v1/readings", ingest.readings, methods=["POST"]),
            Route("/v1/events", ingest.events, methods=["POST"]),
            Route("/healthz", healthz),
        ]
    )


async def serve(settings: Settings, metrics: Metrics | None = None) -> None:
    """Listen on ``settings.http`` until SIGTERM, SIGINT or cancellation, with a producer of its own.

    Raises aiokafka's ``KafkaConnectionError`` where no broker answers at the start; SystemExit where the port is taken.
    """
    http = settings.http
    if not http.api_keys:
        log.warning("no feed has an API key: every request is refused; set http.api_keys")
    async with FrameProducer(settings, client_id="anbu-http") as producer:
        app = create_app(settings, producer, metrics)
        config = uvicorn.Config(app, host=http.host, port=http.port, log_config=None, access_log=False, lifespan="off")
        await uvicorn.Server(config).serve()


async def healthz(request: Request) -> Response:
    """GET /healthz: this process answers."""
    return JSONResponse({"status": "ok"})


def feed_of(authorization: str | None, api_keys: Mapping[str, SecretStr]) -> str:
    """The feed whose key a request bears. Every key is compared, in constant time; Refusal(401) where none fits."""
    scheme, _, key = (authorization or "").partition(" ")
    given = sha256(key.strip().encode()).digest()
    found = None
    for feed, secret in api_keys.items():
        known = secret.get_secret_value()
        if hmac.compare_digest(given, sha256(known.encode()).digest()) and known:
            found = feed
    if scheme.lower() != "bearer" or found is None:
        challenge = {"WWW-Authenticate": "Bearer"}
        raise Refusal(401, "no valid API key: send `Authorization: Bearer KEY` with the key of your feed", challenge)
    return found


async def limited_body(request: Request, limit: int) -> bytes:
    """The body, refused with 413 as soon as it is known to be longer than ``limit`` bytes."""
    too_large = Refusal(413, f"the body is over {limit} bytes: send it in parts", {"Connection": "close"})
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


def _complete_until(header: str | None, now: int) -> int | None:
    if header is None:
        return None
    until, faults = frames.parse_complete_until(header.encode(), now)
    if faults:
        raise Refusal(400, faults[0].detail)
    return until


def _parse(source: Source, signal: Literal["meter", "phone"], tz: str, now: int) -> tuple[Columns, Any]:
    """All rows of a body and its faults by line."""
    read: Any = files.read_meter if signal == "meter" else files.read_phone
    parts: list[MeterColumns | PhoneColumns] = []
    bad: list[tuple[int, BadRow]] = []
    rows = 0
    try:
        for batch in read(source, tz, now=now):
            rows += len(batch.columns) + len(batch.bad)
            if rows > MAX_ROWS:
                raise Refusal(413, f"more than {MAX_ROWS} rows: send them in parts")
            parts.append(batch.columns)
            bad += batch.bad
    except FileError as e:
        raise Refusal(400, str(e)) from e
    return (frames.concat(parts) if parts else frames.empty(signal)), bad
