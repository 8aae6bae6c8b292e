"""The ingest endpoint: ``POST /v1/readings`` and ``/v1/events``, each feed with a key for its signal, answered when the
broker has it.

``create_app`` gives an ASGI application. Nothing of a request's body is logged.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stream import files, frames
from stream.badrows import NONE, BadRows, joined
from stream.fault import OversizeError
from stream.files import FileError, How
from stream.frames import Columns, Signal
from stream.keys import Senders, sender_of
from stream.metrics import Metrics, refused_at
from stream.patience import patiently
from stream.producer import FrameProducer
from stream.serving.guarded import Guarded
from stream.serving.limits import Limits
from stream.serving.server import server
from stream.serving.source import source
from stream.settings import HttpSettings, Settings
from stream.sources import Format, Source
from stream.suspicion.told import Suspicion

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
MAX_SUSPICIONS = 100
"""Suspicions that an answer tells, those that blind the detector first."""
BODIES = 8
"""All bodies that are being read and answered are at most so many of the largest."""
ANSWER_S = 10.0
RETRY_AFTER_S = 5
OF_FEEDS = (403, 429)
"""Refusals that are counted by feed: a key used for what it is not, and more than a feed may ask at once."""
WHAT: dict[Signal, str] = {"meter": "readings (POST /v1/readings)", "phone": "phone events (POST /v1/events)"}

log = structlog.get_logger(__name__)


class Refusal(Exception):  # noqa: N818 -- an answer, not an error of ours
    """A request that is answered without being sent on."""

    def __init__(self, status: int, error: str, headers: Mapping[str, str] | None = None, feed: str = "") -> None:
        super().__init__(error)
        self.feed = feed
        self.status = status
        self.error = error
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Body:
    """What a request holds."""

    columns: Columns
    bad: BadRows
    complete_until: int | None
    suspicions: list[Suspicion] = field(default_factory=list)
    blinded: bool = False
    """Whether rows are left out that would blind the detector."""

    @property
    def held(self) -> int:
        """Rows left out because of a suspicion."""
        return sum(one.held for one in self.suspicions)


@dataclass(frozen=True, slots=True)
class Ingest:
    """What the endpoints need; ``answer_s`` is how long the broker may take."""

    settings: Settings
    producer: FrameProducer
    metrics: Metrics | None = None
    answer_s: float = ANSWER_S
    clock: Callable[[], float] = time.time
    senders: Senders = field(default_factory=dict)
    busy: Counter[str] = field(default_factory=Counter)
    """Requests that are worked on, by feed."""
    turns: dict[str, asyncio.Lock] = field(default_factory=dict)
    """A feed's bodies are read one after the other, so that none keeps all threads from the others."""

    async def readings(self, request: Request) -> Response:
        """POST /v1/readings"""
        return await self._post(request, "meter")

    async def events(self, request: Request) -> Response:
        """POST /v1/events"""
        return await self._post(request, "phone")

    async def _post(self, request: Request, signal: Signal) -> Response:
        feed = ""
        try:
            feed = self._sender(request, signal)
            with self._at_work(feed):
                body = await self._body(request, signal, feed)
                if len(body.columns) or (body.complete_until is not None and not (body.bad or body.blinded)):
                    await self._deliver(signal, body, feed)
                elif not (body.bad or body.blinded):
                    raise Refusal(400, "no rows and no Complete-Until header: send at least one of them")
        except Refusal as refusal:
            at = source(request.scope)
            log.info("ingest refused", feed=feed, signal=signal, status=refusal.status, source=at)
            if self.metrics is not None and refusal.status in OF_FEEDS:
                self.metrics.feed_refused.labels(feed or refusal.feed, str(refusal.status)).inc()
            empty = Body(frames.empty(signal), NONE, None)
            return self._answer(refusal.status, empty, refusal.headers, error=refusal.error)
        accepted, rejected = len(body.columns), len(body.bad) + body.held
        status = 422 if body.blinded else 202 if accepted or not body.bad else 400
        log.info("ingest", feed=feed, signal=signal, status=status, accepted=accepted, rejected=rejected)
        return self._answer(status, body)

    def _sender(self, request: Request, signal: Signal) -> str:
        """The feed whose key a request bears, if it is a key of this signal."""
        sender = sender_of(request.headers.get("authorization"), self.senders)
        if sender is None:
            wanted = "send `Authorization: Bearer KEY` with the key of your feed"
            raise Refusal(401, f"no valid API key: {wanted}", {"WWW-Authenticate": "Bearer"})
        if sender.signal != signal:
            raise Refusal(
                403, f"this key is for {WHAT[sender.signal]} of the feed {sender.feed}: {WHAT[signal]} need a key of "
                "their own (ask the operator)", feed=sender.feed,
            )  # fmt: skip
        return sender.feed

    @contextmanager
    def _at_work(self, feed: str) -> Iterator[None]:
        most = self.settings.http.requests_per_feed
        if self.busy[feed] >= most:
            raise Refusal(
                429, f"{most} requests of this feed are worked on: send the same again when one is answered",
                {"Retry-After": str(RETRY_AFTER_S)},
            )  # fmt: skip
        self.busy[feed] += 1
        try:
            yield
        finally:
            self.busy[feed] -= 1

    async def _body(self, request: Request, signal: Signal, feed: str) -> Body:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in FORMATS:
            raise Refusal(415, f"content-type is {kind[:80]!r}: send {', '.join(FORMATS)}")
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refusal(415, "content-encoding is not supported: send the body as it is")
        now = int(self.clock())
        how = _how(request, self.settings.tz, now)
        until = _complete_until(request.headers.get("complete-until"), now)
        try:
            data = await request.body()
        except HTTPException as e:
            raise Refusal(e.status_code, e.detail, e.headers) from None
        if not data.strip():
            return Body(frames.empty(signal), NONE, until)
        source = Source("body", FORMATS[kind], data, MAX_ROWS, self.settings.http.max_unpacked_bytes)
        async with self.turns.setdefault(feed, asyncio.Lock()):
            return await asyncio.to_thread(_parse, source, signal, how, until)

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
        self, status: int, body: Body, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Response:
        accepted, total = len(body.columns), len(body.bad) + body.held
        if self.metrics is not None:
            self.metrics.http_requests.labels(str(status)).inc()
            self.metrics.http_rows.labels("accepted").inc(accepted)
            self.metrics.http_rows.labels("rejected").inc(total)
        content: dict[str, Any] = {"accepted": accepted, "rejected": _rejected(body), "rejected_total": total}
        if body.suspicions:
            content["suspicions"] = [
                {"household_id": one.household or None, "what": one.what, "blinds": one.blinds, "detail": str(one)}
                for one in sorted(body.suspicions, key=lambda one: not one.blinds)[:MAX_SUSPICIONS]
            ]
        return JSONResponse(content | more, status, headers)


def _rejected(body: Body) -> list[dict[str, Any]]:
    """The first rows that are not used, by line, with their reasons."""
    rows = [(f.row, f.reason.value, f.detail) for f in body.bad[:MAX_REJECTED]]
    rows += [(line, "suspect", str(one)) for one in body.suspicions for line in one.lines]
    return [{"line": line, "reason": reason, "detail": detail} for line, reason, detail in sorted(rows)[:MAX_REJECTED]]


def create_app(
    settings: Settings,
    producer: FrameProducer,
    metrics: Metrics | None = None,
    answer_s: float = ANSWER_S,
    clock: Callable[[], float] = time.time,
) -> Guarded:
    """The application. The producer is started and stopped by the caller, on the application's event loop."""
    senders = settings.http.senders()
    ingest = Ingest(settings, producer, metrics, answer_s, clock, senders)
    if metrics is not None:
        for feed in {sender.feed for sender in senders.values()}:
            for status in OF_FEEDS:
                metrics.feed_refused.labels(feed, str(status))
    app = Starlette(
        routes=[
            Route("/v1/readings", ingest.readings, methods=["POST"]),
            Route("/v1/events", ingest.events, methods=["POST"]),
            Route("/healthz", healthz),
        ]
    )
    if metrics is None:
        return Guarded(app, limits(settings.http))
    return Guarded(app, limits(settings.http), refused_at(metrics.http_refused, "ingest"))


def limits(http: HttpSettings) -> Limits:
    """What may be sent, and how long what is under way may take at the end."""
    return Limits(
        body_bytes=http.max_body_bytes, bodies_bytes=BODIES * http.max_body_bytes, connections=http.connections,
        ending_s=ANSWER_S + 2,
    )  # fmt: skip


async def serve(settings: Settings, metrics: Metrics | None = None) -> None:
    """Listen on ``settings.http`` until SIGTERM, SIGINT or cancellation, with a producer of its own.

    Raises aiokafka's ``KafkaConnectionError`` where no broker answers at the start; SystemExit where the port is taken.
    """
    http = settings.http
    if not http.senders():
        log.warning("no feed has an API key: every request is refused; set http.meter_keys and http.phone_keys")
    producer = FrameProducer(settings, client_id="anbu-http")
    await patiently(producer.start)
    try:
        app = create_app(settings, producer, metrics)
        await server(app, http.host, http.port, http.proxies).serve()
    finally:
        await producer.stop()


async def healthz(request: Request) -> Response:
    """GET /healthz: this process answers."""
    return JSONResponse({"status": "ok"})




def _complete_until(header: str | None, now: int) -> int | None:
    if header is None:
        return None
    until, faults = frames.parse_complete_until(header.encode(), now)
    if faults:
        raise Refusal(400, faults[0].detail)
    return until


def _how(request: Request, tz: str, now: int) -> How:
    """How the request asks to be read: ``?time=end``, ``?force=1``."""
    time_is, force = request.query_params.get("time", "start"), request.query_params.get("force", "0")
    if time_is not in ("start", "end") or force not in ("0", "1"):
        raise Refusal(400, "send time=start or time=end, force=0 or force=1")
    return How(tz, now, time_is == "end", force == "1")


def _parse(source: Source, signal: Signal, how: How, until: int | None) -> Body:
    """All rows of a body, its faults by line, what is suspected of it."""
    parts: list[Columns] = []
    bad: list[BadRows] = []
    suspicions: list[Suspicion] = []
    rows = 0
    try:
        for batch in files.read(source, signal, how, MAX_ROWS + 1):
            rows += len(batch.columns) + len(batch.bad) + batch.held
            if rows > MAX_ROWS:
                raise Refusal(413, f"more than {MAX_ROWS} rows: send them in parts")
            parts.append(batch.columns)
            bad.append(batch.bad)
            suspicions += batch.suspicions
    except OversizeError as e:
        raise Refusal(413, str(e)) from e
    except FileError as e:
        raise Refusal(400, str(e)) from e
    columns: Columns = frames.concat(parts) if parts else frames.empty(signal)
    blinded = not how.force and any(one.blinds for one in suspicions)
    return Body(columns, joined(bad), until, suspicions, blinded)
