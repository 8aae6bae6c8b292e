"""One worker process: Faust, its lanes, its metrics. It runs until SIGTERM; a fault ends it and it is started anew."""

import asyncio
import os
import threading
import time
from collections import Counter
from typing import Any

import structlog
from faust import Worker
from prometheus_client import CollectorRegistry

from stream import census, deaths, health, logs, topics, unwritten
from stream.faustapp import make_app
from stream.kafka import BrokerUnreachableError
from stream.lanes import FAILED, Lanes
from stream.mark import Mark
from stream.metrics import Metrics
from stream.patience import patiently
from stream.settings import Settings

log = structlog.get_logger()
_COUNT_SECONDS = 2
_SAY_SECONDS = 30
_END_SECONDS = 15
_STANDING = [
    *(("silence", level) for level in ("attention", "caution", "serious")),
    *((kind, "attention") for kind in ("data_gap", "decline", "reversal")),
]


def main(settings: Settings, index: int) -> None:
    """Run worker ``index`` (from 0) until it is told to stop; metrics on ``metrics_port + index``."""
    logs.setup(settings, process=f"worker-{index}")
    folder = settings.data_dir / "faust" / f"anbu-worker-{index}"
    folder.mkdir(parents=True, exist_ok=True)
    mark = Mark(folder / f"{settings.topic_prefix}at")
    metrics = Metrics(CollectorRegistry())
    metrics.set_settings(settings)
    lanes = Lanes(settings, metrics, mark)
    loop = _loop()
    app = make_app(settings, lanes, f"anbu-worker-{index}")
    beat = health.LoopBeat(metrics)
    port = settings.metrics_port + index if settings.metrics_port else 0
    server = health.serve(
        settings.metrics_host, port, metrics.registry, beat.live, lambda: _ready(lanes), metrics.http_refused
    )
    log.info("worker started", worker=index, metrics=f"http://{settings.metrics_host}:{server.port}/metrics")
    loop.run_until_complete(_checked(settings, beat))
    loop.run_until_complete(deaths.tell(settings, mark, metrics))

    @app.task
    async def beating() -> None:
        await beat.sample()

    @app.task
    async def counting() -> None:
        await _count(app, lanes, metrics)

    @app.on_before_shutdown.connect
    async def shutdown(*_: Any, **__: Any) -> None:
        await lanes.close()

    worker = _EndingWorker(app, loop=loop, loglevel="WARN", override_logging=False, redirect_stdouts=False, quiet=True)
    worker.spinner = None  # it writes escapes of the terminal between our lines of JSON
    try:
        worker.execute_from_commandline()
    except SystemExit as e:  # Faust ends with 1 on a crash, after its lines; here it means: start it anew
        raise SystemExit(FAILED if e.code else 0) from None
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


class _EndingWorker(Worker):
    """Ends when it is told to, in some seconds: Faust waits for a broker that is away for as long as it is."""

    def _schedule_shutdown(self, signal: Any) -> None:
        timer = threading.Timer(_END_SECONDS, self._end_anyway)  # not by the loop, which may have ended before it
        timer.daemon = True
        timer.start()
        super()._schedule_shutdown(signal)

    def _end_anyway(self) -> None:
        log.warning("ends without the broker's answer: what is not committed will be judged again")
        os._exit(0)


def _ready(lanes: Lanes) -> tuple[bool, str]:
    if not lanes.ready:
        return False, "partitions are being restored"
    waited, why = lanes.unwritten()
    if waited >= unwritten.LIMIT_S:
        return False, f"judged but not written for {waited:.0f} s: {why or 'the broker has not taken all of it'}"
    return True, "partitions restored"


async def _count(app: Any, lanes: Lanes, metrics: Metrics) -> None:
    """What is counted now and then: lag of the state behind the broker, households by state, open alerts."""
    said = 0.0
    while True:
        await asyncio.sleep(_COUNT_SECONDS)
        said = _say_unwritten(lanes, said)
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


def _say_unwritten(lanes: Lanes, said: float) -> float:
    """Say now and then that nothing is written; when it was said last (monotonic)."""
    ready, why = _ready(lanes)
    if ready or not lanes.ready or time.monotonic() - said < _SAY_SECONDS:
        return said
    log.warning(why)
    return time.monotonic()


async def _checked(settings: Settings, beat: health.LoopBeat) -> None:
    """Wait for the broker, and refuse to start on topics that do not fit, with one line each."""
    beating = asyncio.create_task(beat.sample())
    try:
        problems = await patiently(lambda: asyncio.to_thread(topics.check, settings))
    except BrokerUnreachableError as e:  # it answers, and does not let us in
        log.error(str(e))
        raise SystemExit(1) from None
    finally:
        beating.cancel()
    for problem in problems:
        log.error(problem.text_en)
    if problems:
        raise SystemExit(2)
