"""One worker process: Faust, its lanes, its metrics. It runs until SIGTERM; any fault ends it, a supervisor restarts it."""

import asyncio
from typing import Any

import structlog
from faust import Worker
from prometheus_client import CollectorRegistry

from stream import health, logs
from stream.faustapp import make_app
from stream.lanes import Lanes
from stream.metrics import Metrics
from stream.settings import Settings

log = structlog.get_logger()


def main(settings: Settings, index: int) -> None:
    """Run worker ``index`` (from 0) until it is told to stop; metrics on ``metrics_port + index``."""
    logs.setup(settings, process=f"worker-{index}")
    (settings.data_dir / "faust" / f"anbu-worker-{index}").mkdir(parents=True, exist_ok=True)
    metrics = Metrics(CollectorRegistry())
    metrics.set_settings(settings)
    lanes = Lanes(settings, metrics)
    loop = _loop()
    app = make_app(settings, lanes, f"anbu-worker-{index}")
    beat = health.LoopBeat(metrics)
    port = settings.metrics_port + index if settings.metrics_port else 0
    server = health.serve(settings.metrics_host, port, metrics.registry, beat.live, lambda: _ready(lanes))
    log.info("worker started", worker=index, metrics=f"http://{settings.metrics_host}:{server.port}/metrics")

    @app.task
    async def beating() -> None:
        await beat.sample()

    @app.task
    async def lagging() -> None:
        await _watch_lag(app, lanes, metrics)

    @app.on_before_shutdown.connect
    async def shutdown(*_: Any, **__: Any) -> None:
        await lanes.close()

    worker = Worker(app, loop=loop, loglevel="WARN", override_logging=False, redirect_stdouts=False, quiet=True)
    try:
        worker.execute_from_commandline()
    finally:
        server.close()


def _loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        loop = asyncio.new_event_loop()
    else:
        loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop


def _ready(lanes: Lanes) -> tuple[bool, str]:
    return (True, "partitions restored") if lanes.ready else (False, "partitions are being restored")


async def _watch_lag(app: Any, lanes: Lanes, metrics: Metrics) -> None:
    """Messages on the broker that the state does not include yet, per topic and partition."""
    while True:
        await asyncio.sleep(2)
        for lane in lanes:
            for topic, offset in lane.intake.next.items():
                tp = next((t for t in app.consumer.assignment() if t == (lanes.settings.topic(topic), lane.number)), None)
                high = app.consumer.highwater(tp) if tp is not None else None
                if high is not None:
                    metrics.consumer_lag.labels(topic, str(lane.number)).set(max(high - offset, 0))
