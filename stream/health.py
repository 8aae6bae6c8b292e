"""/metrics, /healthz and /readyz of a process, and the sampler that tells whether its event loop still turns.

Served from a thread of the same process: when the event loop is stuck the answer is a plain 503, not a time-out; when
the process ends, so does the answer.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import uvicorn
from prometheus_client import CollectorRegistry, Counter, make_asgi_app
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from stream.metrics import Metrics, refused_at
from stream.serving.guarded import Guarded
from stream.serving.limits import Limits
from stream.serving.server import server

LIMITS = Limits(body_bytes=0, bodies_bytes=0, connections=64, ending_s=1.0)
Check = Callable[[], tuple[bool, str]]
"""Answers whether all is well, and a sentence: what is wrong and what to do, or what is well."""


@dataclass(frozen=True)
class HealthServer:
    """A running server. ``port`` is the one it listens on (chosen by the system where 0 was asked for)."""

    port: int
    _server: uvicorn.Server
    _thread: threading.Thread

    def close(self) -> None:
        """Stop listening and wait for the thread to end."""
        self._server.should_exit = True
        self._thread.join()


def serve(
    host: str, port: int, registry: CollectorRegistry, live: Check, ready: Check, refused: Counter | None = None
) -> HealthServer:
    """Serve /metrics of ``registry``, /healthz by ``live`` and /readyz by ``ready`` on host:port (0 chooses a port).

    Both checks are called from other threads than the event loop's: they must only read. A check that raises counts
    as not well. ``refused``: where connections are counted that were refused. Raises OSError with one clear line where
    the port cannot be had.
    """
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as e:
        raise OSError(
            e.errno,
            f"cannot serve metrics on {host}:{port}: {e.strerror}; "
            "stop what uses the port, or set ANBU_METRICS_PORT (ANBU_METRICS_HOST) to another",
        ) from e
    app = Guarded(_app(registry, live, ready), LIMITS)
    if refused is not None:
        app.refused = refused_at(refused, "health")
    made = server(app, host, port)
    thread = threading.Thread(target=lambda: asyncio.run(made.serve([listener])), name="health", daemon=True)
    thread.start()
    return HealthServer(listener.getsockname()[1], made, thread)


def _app(registry: CollectorRegistry, live: Check, ready: Check) -> ASGIApp:
    metrics = make_asgi_app(registry)
    checks = {"/healthz": live, "/readyz": ready}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/metrics":
            await metrics(scope, receive, send)
            return
        if (check := checks.get(scope["path"])) is None:
            status, text = 404, "there are /metrics, /healthz and /readyz"
        else:
            well, text = await asyncio.to_thread(_ask, check)
            status = 200 if well else 503
        await PlainTextResponse(f"{text}\n", status)(scope, receive, send)

    return app


def _ask(check: Check) -> tuple[bool, str]:
    try:
        return check()
    except Exception as e:  # a check that cannot answer is not a sign of health
        return False, f"the check itself failed: {type(e).__name__}: {e}"


def all_of(*checks: Check) -> Check:
    """Well when every check is; else the first that is not."""

    def check() -> tuple[bool, str]:
        answers = [_ask(c) for c in checks]
        return next((a for a in answers if not a[0]), (True, "; ".join(text for _, text in answers)))

    return check


@dataclass
class LoopBeat:
    """When the event loop last turned. Run ``sample()`` as a task; any thread may ask ``live()``."""

    metrics: Metrics
    interval: float = 0.5
    limit: float = 15.0
    """Without a beat for so many seconds, the process does not count as alive."""
    monotonic: Callable[[], float] = time.monotonic
    last: float = field(init=False)

    def __post_init__(self) -> None:
        """Starting counts as a beat, so that a slow start has its ``limit`` as well."""
        self.last = self.monotonic()
        self.metrics.loop_beat.set(self.metrics.now())

    async def sample(self) -> None:
        """Beat every ``interval`` seconds until cancelled, and note by how much each sleep was too long."""
        while True:
            asleep = self.monotonic()
            await asyncio.sleep(self.interval)
            self.last = self.monotonic()
            self.metrics.loop_lag.observe(max(0.0, self.last - asleep - self.interval))
            self.metrics.loop_beat.set(self.metrics.now())

    def live(self) -> tuple[bool, str]:
        """Whether the loop has turned within ``limit`` seconds."""
        age = self.monotonic() - self.last
        if age > self.limit:
            return False, f"the event loop has not turned for {age:.0f} s (limit {self.limit:.0f}): restart the process"
        return True, f"the event loop turned {age:.1f} s ago"
