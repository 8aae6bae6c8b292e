"""One partition at work: messages in, one transaction out, and again.

A lane owns its partition's state. It takes what has come, judges what is complete, and writes the changed state with
the new offsets, the alerts, the dead letters and the report for areas in one transaction: all of it or none.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

import msgspec
import structlog

from stream.calendar import Calendar
from stream.changelog import Restore, changed_rows
from stream.intake import HEADERS_JSON, Intake, Message, Taken
from stream.mark import Mark
from stream.metrics import Metrics
from stream.partition import Outcome, Partition
from stream.producer import FrameProducer
from stream.records import ALERTS, DEAD_LETTERS, HOUSEHOLDS, METER, PHONE, STATE, WIDE
from stream.report import Report, pieces
from stream.rules import Rules
from stream.settings import Settings
from stream.store import Store, end_of, ends_of, read_all
from stream.transactions import Out
from stream.unwritten import Unwritten

log = structlog.get_logger()
TOPICS = (METER, PHONE, HOUSEHOLDS)
TICK_SECONDS = 1.0
SAY_ARRIVALS_SECONDS = 2.0
GAP_SECONDS = 5.0
BUSY_SECONDS, GATHER_SECONDS = 0.3, 0.1
"""A lane whose last batch began so lately waits so long for more; a lone frame is not delayed."""
ENROLMENT_SECONDS = 30.0
ABSENT_SECONDS = 10.0
"""A lane looks every second; one that has not for so long was frozen, or its broker was away."""

Seek = Callable[[str, int, int], Awaitable[None]]
_json = msgspec.json.Encoder().encode


def short(begin: dict[str, int], ends: dict[str, int]) -> dict[str, int]:
    """By how much inputs end before the offsets at which they are to be read on: topics emptied or made anew, of which
    nothing would be taken until they have grown past them. Writing a slot twice is writing it once."""
    return {topic: offset - ends[topic] for topic, offset in begin.items() if offset > ends[topic]}


class Lane:
    """Partition ``number`` of the input topics. ``seek(topic, partition, offset)`` makes the consumer go back."""

    def __init__(
        self,
        number: int,
        settings: Settings,
        metrics: Metrics,
        passer: FrameProducer,
        seek: Seek,
        mark: Mark | None = None,
    ) -> None:
        self.number = number
        self.settings = settings
        self.metrics = metrics
        self.partition = Partition(number, Rules.of(settings), Calendar(settings.tz))
        self.store = Store(settings, str(number), lambda: self._paused, metrics)
        self.unwritten = Unwritten()
        self.intake = Intake(self.partition, settings, {})
        self.earliest: dict[str, int] = {}
        self.expected: dict[str, int] = {}
        self._passer = passer
        self._mark = mark
        self._seek = seek
        self._gaps: dict[str, tuple[int, float]] = {}
        self._news = asyncio.Event()
        self._busy = asyncio.Lock()
        self._paused = True
        self._shown: set[str] = set()
        self._said = 0.0
        self._present = 0.0
        self._enrolled = (0, 0.0)
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Fence the predecessor, restore the state, be ready at its offsets (``earliest`` where there are none)."""
        began = time.monotonic()
        await self.store.open()
        restore = Restore(self.partition)
        async for rows in read_all(self.settings, STATE, self.number):
            restore.add(rows)
        offsets = restore.finish()
        begin = {topic: offsets.get(topic, self.earliest.get(topic, 0)) for topic in TOPICS}
        for topic, missing in short(begin, await ends_of(self.settings, TOPICS, self.number)).items():
            log.error("an input is shorter than what the state includes: it is read from its beginning", topic=topic,
                      partition=self.number, state=begin[topic], missing=missing)  # fmt: skip
            self.metrics.inputs_short.labels(topic).inc(missing)
            begin[topic] = self.earliest.get(topic, 0)
            restore.deaths.forget(topic)
        self.intake = Intake(self.partition, self.settings, begin, self._mark, restore.deaths)
        self.intake.enrolments_until = await end_of(self.settings, HOUSEHOLDS, self.number, begin[HOUSEHOLDS])
        self.metrics.recovered_rows.inc(restore.rows)
        self.metrics.recovery_seconds.set(time.monotonic() - began)
        self.metrics.own(self.number, self.unwritten.seconds)
        log.info("partition restored", partition=self.number, rows=restore.rows, clock=self.partition.marks.clock)

    def resume(self) -> dict[str, int]:
        """Go on from the state's offsets; returns them, per plain topic name."""
        self.intake.clear()
        self.expected = dict(self.intake.next)
        self._gaps.clear()
        self._enrolled = (0, 0.0)
        self._paused = False
        return self.expected

    async def pause(self) -> None:
        """Finish the transaction under way and start no other."""
        self._paused = True
        async with self._busy:
            self.intake.clear()

    async def close(self) -> None:
        """Give the partition up."""
        await self.pause()
        if self._task is not None:
            self._task.cancel()
        await self.store.close()
        self.metrics.disown(self.number)

    def start(self, failed: Callable[[BaseException], None]) -> None:
        """Begin to work; ``failed`` is called with the error that ends it."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                failed(error)

        self._task = asyncio.create_task(self._run(), name=f"lane-{self.number}")
        self._task.add_done_callback(ended)

    async def put(self, message: Message) -> None:
        """Queue a message in its place; wait while there is much queued. A gap in the offsets makes us go back."""
        topic = message.topic
        expected = self.expected.get(topic)
        if self._paused or expected is None or message.offset < expected:
            return
        stood = message.offset if message.stood is None else message.stood
        if stood > expected and topic != HOUSEHOLDS and not await self._real_gap(message, expected):
            return
        self._gaps.pop(topic, None)
        self.expected[topic] = message.offset + 1
        self.intake.put(message)
        self._news.set()
        while not self._paused and self.intake.waiting(topic) >= 2 * self.settings.batch_frames:
            await asyncio.sleep(0.005)

    async def _real_gap(self, message: Message, expected: int) -> bool:
        """Whether offsets are missing for good: seen again after going back. Else go back (once) and wait."""
        first, since = self._gaps.get(message.topic, (None, 0.0))
        if first is not None and (message.offset == first or time.monotonic() - since > GAP_SECONDS):
            log.warning("offsets are missing on the broker", topic=message.topic, since=expected, until=message.offset)
            return True
        if first is None:
            self._gaps[message.topic] = (message.offset, time.monotonic())
            self.metrics.seek_back.inc()
            await self._seek(message.topic, self.number, expected)
        return False

    # --- at work -------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        last = 0.0
        while True:
            try:
                await asyncio.wait_for(self._news.wait(), TICK_SECONDS)
            except TimeoutError:
                await self._go_back_again()
            began = time.monotonic()
            if began - last < BUSY_SECONDS:  # under load: gather more for one transaction, which costs the same
                await asyncio.sleep(GATHER_SECONDS)
            last = time.monotonic()
            self._news.clear()
            async with self._busy:
                if not self._paused:
                    await self._batch(time.time())

    async def _go_back_again(self) -> None:
        for topic, (_, since) in list(self._gaps.items()):
            if time.monotonic() - since > GAP_SECONDS and not self._paused:
                await self._seek(topic, self.number, self.expected[topic])

    def _await_enrolments(self) -> None:
        """Readings wait for enrolments that were there first; not for those that are gone from the broker meanwhile."""
        at = self.intake.next[HOUSEHOLDS]
        if at >= self.intake.enrolments_until:
            return
        if at != self._enrolled[0] or not self._enrolled[1]:
            self._enrolled = (at, time.monotonic())
        elif time.monotonic() - self._enrolled[1] > ENROLMENT_SECONDS:
            log.warning("enrolments do not come", partition=self.number, since=at, until=self.intake.enrolments_until)
            self.intake.enrolments_until = 0

    async def _batch(self, now: float) -> None:
        if now - self._present > ABSENT_SECONDS:
            self.intake.absent()
        self._present = now
        self._await_enrolments()
        taken = self.intake.take(self.settings.batch_frames, now)
        outcome = self.partition.advance(now)
        if len(self.intake) and (taken.anything or outcome.judged):
            self._news.set()
        arrivals = self._arrivals(now)
        changed = taken.anything or outcome.judged > 0 or len(outcome.alerts) > 0
        if not (changed or outcome.report or arrivals):
            return
        state = list(self._state()) if changed else []
        with self.unwritten:
            await self._pass_on(taken)
            seconds = await self.store.write(self._records(state, taken, outcome, arrivals))
        self._tell(taken, outcome, state, seconds)
        await asyncio.sleep(0)

    async def _pass_on(self, taken: Taken) -> None:
        """Send what belongs in other partitions there, before the offset that includes it is stored."""
        for signal, columns, feed in taken.moved:
            await self._passer.send(signal, columns, feed)
            self.metrics.rows_moved.labels(METER if signal == "meter" else PHONE).inc(len(columns))
        for household_id, record in taken.moved_households:
            await self._passer.send_household(record or household_id)
            self.metrics.rows_moved.labels(HOUSEHOLDS).inc()
        for record in taken.said_again:
            await self._passer.send_household(record)

    def _state(self) -> Iterator[Out]:
        topic = self.settings.topic(STATE)
        for key, value in changed_rows(self.partition, self.intake.next):
            yield Out(topic, key, value, self.number)
        for key in self.intake.deaths.over(self.intake.next):
            yield Out(topic, key, None, self.number)

    def _records(
        self, state: list[Out], taken: Taken, outcome: Outcome, arrivals: dict[str, float] | None
    ) -> Iterator[Out]:
        yield from state
        alerts, dead, wide = map(self.settings.topic, (ALERTS, DEAD_LETTERS, WIDE))
        for alert in outcome.alerts:
            yield Out(alerts, alert.household_id.encode(), _json(alert), None, HEADERS_JSON)
        for letter in taken.dead:
            yield Out(dead, None, _json(letter), self.number, HEADERS_JSON)
        report = outcome.report
        if report is None and arrivals is not None:
            report = Report(self.number, self.partition.marks.clock or 0)
        if report is not None:
            report = msgspec.structs.replace(report, arrivals=arrivals, offsets=self.intake.next)
            for piece in pieces(report):
                yield Out(wide, None, _json(piece), 0, HEADERS_JSON)

    def _arrivals(self, now: float) -> dict[str, float] | None:
        """Last arrival per feed in use, said every few seconds: by it the stall of a feed is noticed."""
        if now - self._said < SAY_ARRIVALS_SECONDS:
            return None
        self._said = now
        return {s.name: s.last_arrival for s in self.partition.marks.sources.values() if s.wanted} or None

    def _tell(self, taken: Taken, outcome: Outcome, state: list[Out], seconds: float) -> None:
        m = self.metrics
        for topic, many in taken.frames.items():
            m.frames.labels(topic).inc(many)
        for topic, many in taken.rows.items():
            m.rows.labels(topic).inc(many)
        for (topic, reason), many in taken.counts.items():
            m.rows_dropped.labels(topic, reason.value).inc(many)
        for (topic, feed), many in taken.foreign.items():
            m.rows_foreign.labels(topic, feed).inc(many)
        for letter in taken.dead:
            m.dead_letters.labels(letter.reason.value).inc()
        m.judged_slots.inc(outcome.judged)
        m.changelog_rows.inc(len(state))
        m.changelog_bytes.inc(sum(len(r.value or b"") for r in state))
        m.transaction_seconds.observe(seconds)
        m.batch_frames.observe(taken.frames.total())
        for alert in outcome.alerts:
            m.alerts.labels(alert.kind, alert.level, alert.event).inc()
            if taken.oldest is not None:
                m.end_to_end.observe(time.time() - taken.oldest)
        if self.partition.marks.clock is not None:
            m.clock.labels(str(self.number)).set(self.partition.marks.clock * 900)
        self._tell_feeds()

    def _tell_feeds(self) -> None:
        """Show the feeds that watch somebody here: a stranger's that falls silent is no outage that anybody is called
        for."""
        m, wanted = self.metrics, {s.name: s for s in self.partition.marks.sources.values() if s.wanted}
        for name in self._shown.difference(wanted):
            m.forget_feed(name, self.number)
        self._shown = set(wanted)
        for source in wanted.values():
            m.set_feed(source.name, self.settings)
            m.last_frame.labels(source.name, str(self.number)).set(source.last_arrival)
            if source.until is not None:
                m.set_watermark(source.name, self.number, source.until * 900)
