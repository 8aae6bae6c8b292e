"""The judge of areas and feeds at work, beside partition 0: reports in, alerts out, its own state in one row."""

import asyncio
import time
from collections.abc import Callable

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream import widerows
from stream.calendar import Calendar
from stream.feedwatch import FeedWatch
from stream.intake import HEADERS_JSON
from stream.kafka import client_options
from stream.metrics import Metrics
from stream.patience import patiently
from stream.records import ALERTS, WIDE, WIDE_STATE, Alert
from stream.report import Report
from stream.rules import Rules
from stream.settings import Settings
from stream.store import Store, read_all
from stream.transactions import Out
from stream.unwritten import Unwritten
from stream.wide import Wide

log = structlog.get_logger()
_json = msgspec.json.Encoder().encode


class WideLane:
    """Runs where partition 0 runs. Reports are written transactionally: read committed, gaps in offsets are normal."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.settings = settings
        self.metrics = metrics
        self.wide = Wide(Rules.of(settings), Calendar(settings.tz))
        self.feeds = FeedWatch(settings)
        self.store = Store(settings, WIDE, lambda: not self._go.is_set(), metrics)
        self.unwritten = Unwritten()
        self._tp = TopicPartition(settings.topic(WIDE), 0)
        self._consumer = AIOKafkaConsumer(
            **client_options(settings),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        self._task: asyncio.Task[None] | None = None
        self._busy = asyncio.Lock()
        self._go = asyncio.Event()
        self._offset = 0
        self._changed: set[int] = set()
        self._standing: set[int] = set()

    async def open(self) -> None:
        """Fence the predecessor, read the state, go to its offset."""
        await self.store.open()
        found = [row async for part in read_all(self.settings, WIDE_STATE, 0) for row in part]
        stored = widerows.restore(found)
        if stored is not None:
            self._offset, self.wide.state = stored.offset, stored.wide
            self.feeds.last, self.feeds.stalled = dict(stored.last), dict(stored.stalled)
        await patiently(self._consumer.start)
        self._consumer.assign([self._tp])
        self._consumer.seek(self._tp, self._offset)
        self.metrics.unwritten.labels(WIDE).set_function(self.unwritten.seconds)
        now = time.time()  # nobody watched while this was not running: feeds count from now
        self.feeds.last = {f: now if f not in self.feeds.stalled else at for f, at in self.feeds.last.items()}

    async def pause(self) -> None:
        """Finish the transaction under way and start no other: while the group is rebalanced another may take over."""
        self._go.clear()
        async with self._busy:
            pass

    def resume(self) -> None:
        """Go on."""
        self._go.set()

    def start(self, failed: Callable[[BaseException], None]) -> None:
        """Begin to work; ``failed`` is called with the error that ends it."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                failed(error)

        self._task = asyncio.create_task(self._run(), name="wide")
        self._task.add_done_callback(ended)

    async def close(self) -> None:
        """Give it up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._consumer.stop()
        await self.store.close()
        self.metrics.unwritten.remove_by_labels({"partition": WIDE})

    async def _run(self) -> None:
        while await self._go.wait():
            async with self._busy:
                if self._go.is_set():
                    await self._batch()

    async def _batch(self) -> None:
        batches = await self._consumer.getmany(self._tp, timeout_ms=500, max_records=2000)
        now, alerts = time.time(), []
        records = batches.get(self._tp, [])
        for record in records:
            report = msgspec.json.decode(record.value, type=Report)
            if report.arrivals is not None:
                self.feeds.heard(report.arrivals, now)
            if report.members is not None:
                self._changed.add(report.partition)
            alerts += self.wide.add(report)
            self._offset = record.offset + 1
        alerts += self.wide.advance(now)
        self._tell_who_stands()
        alerts += self.feeds.check(now)
        if records or alerts:
            await self._write(alerts)

    def _tell_who_stands(self) -> None:
        if self.wide.standing != self._standing:
            self._standing = set(self.wide.standing)
            if self._standing:
                log.warning("partitions stand still: areas are judged as far as these cannot change it",
                            partitions=sorted(self._standing))  # fmt: skip
            else:
                log.info("no partition stands still any more: areas are judged by all of them")

    async def _write(self, alerts: list[Alert]) -> None:
        stored = widerows.Stored(self._offset, self.wide.state, self.feeds.last, self.feeds.stalled)
        topic = self.settings.topic(ALERTS)
        keys = [(a.household_id or a.area or a.reasons[0].values.get("feed", "")) for a in alerts]
        rows = [
            Out(topic, str(k).encode(), _json(a), None, HEADERS_JSON) for k, a in zip(keys, alerts, strict=True)
        ]
        state = self.settings.topic(WIDE_STATE)
        rows += [Out(state, key, value, 0) for key, value in widerows.rows(stored, self._changed)]
        self._changed.clear()
        with self.unwritten:
            await self.store.write(rows)
        for alert in alerts:
            self.metrics.alerts.labels(alert.kind, alert.level, alert.event).inc()
