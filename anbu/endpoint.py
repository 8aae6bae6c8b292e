"""The ingest endpoint as a process: HTTP for senders, metrics beside it on a port of their own."""

import asyncio
import contextlib

from prometheus_client import CollectorRegistry

from anbu.errors import UserError
from deploy.kafka.ports import is_free
from stream import health, logs
from stream import http as ingest
from stream.metrics import Metrics
from stream.settings import Settings


def run(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises UserError where a port is taken, KafkaConnectionError without a broker."""
    logs.setup(settings, process="http")
    if settings.http.port and not is_free(settings.http.port):
        raise UserError(
            f"포트 {settings.http.port}을 다른 프로그램이 쓰고 있습니다 · port {settings.http.port} is taken: "
            "end that program, or set ANBU_HTTP__PORT"
        )
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.set_settings(settings)
    beat = health.LoopBeat(metrics)
    beside = settings.metrics_port - 1 if settings.metrics_port else 0
    server = health.serve(settings.metrics_host, beside, metrics.registry, beat.live, beat.live, metrics.http_refused)
    sampler = asyncio.create_task(beat.sample())
    try:
        await ingest.serve(settings, metrics)
    finally:
        sampler.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sampler
        server.close()
