"""One worker process: Faust, its lanes, its metrics. It runs until SIGTERM; a fault ends it and it is started anew."""

import asyncio
from collections import Counter
from typing import Any

import structlog
from faust import Worker
from prometheus_client import CollectorRegistry

from stream import census, health, logs, topics
from stream.faustapp import make_app
from stream.kafka import BrokerUnreachableError
from stream.lanes import Lanes
from stream.metrics import Metrics
from stream.settings import Settings

log = structlog.get_logger()
_COUNT_SECONDS = 2
_STANDING = [
    *(("silence", level) for level in ("attention", "caution", "serious")),
    *((kind, "attention") for kind in ("data_gap", "decline", "reversal")),
]


def main(settings: Settings, index: int) -> None:
    """Run worker ``index`` (from 0) until it is told to stop; metrics on ``metrics_port + index``."""
    logs.setup(settings, process=f"worker-{index}")
    _checked(settings)
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
    async def counting() -> None:
        await _count(app, lanes, metrics)

    @app.on_before_shutdown.connect
    async def shutdown(*_: Any, **__: Any) -> None:
        await lanes.close()

    worker = Worker(app, loop=loop, loglevel="WARN", override_logging=False, redirect_stdouts=False, quiet=True)
    worker.spinner = None  # it writes escapes of the terminal between our lines of JSON
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


async def _count(app: Any, lanes: Lanes, metrics: Metrics) -> None:
    """What is counted now and then: lag of the state behind the broker, households by state, open alerts."""
    while True:
        await asyncio.sleep(_COUNT_SECONDS)
        states: Counter[str] = Counter()
        standing: Counter[tuple[str, str]] = Counter()
        told: Counter[tuple[str, str]] = Counter()
        assigned = {(tp.topic, tp.partition): tp for tp in app.consumer.assignment()}
        for lane in lanes:
            found, judgeable = census.households(lane.partition)
            states += found
            told += judgeable
            standing += census.open_alerts(lane.partition)
            for topic, offset in lane.intake.next.items():
                tp = assigned.get((lanes.settings.topic(topic), lane.number))
                high = app.consumer.highwater(tp) if tp is not None else None
                if high is not None:
                    metrics.consumer_lag.labels(topic, str(lane.number)).set(max(high - offset, 0))
        metrics.set_households(dict(states))
        metrics.set_judgeable(told)
        for kind, level in _STANDING:
            metrics.open_alerts.labels(kind, level).set(standing[kind, level])


def _checked(settings: Settings) -> None:
    """Refuse to start on topics that do not fit, with one line each."""
    try:
        problems = topics.check(settings)
    except BrokerUnreachableError as e:
        log.error(str(e))
        raise SystemExit(1) from None
    for problem in problems:
        log.error(problem.text_en)
    if problems:
        raise SystemExit(2)
