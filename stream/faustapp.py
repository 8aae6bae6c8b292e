"""Everything that reaches into Faust, in one file, each part with the issue of faust-streaming that it answers.

Faust fetches, balances partitions over workers and feeds agents; what it does with tables, offsets and acks loses
events (docs/why.md), so state and offsets are ours: lanes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from time import monotonic
from typing import Any, ClassVar, cast

import faust
import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream.intake import Message
from stream.lanes import Lanes
from stream.patience import patiently
from stream.records import HOUSEHOLDS, METER, PHONE
from stream.settings import Settings
from stream.unpacking import Unpacking

log = structlog.get_logger()

# Equal partition numbers of the three input topics go to the same worker: the range assignor gives that, Faust's
# round-robin does not, and the driver has no setting for it.
driver.RoundRobinPartitionAssignor = RangePartitionAssignor

_BUFFER_FRAMES = 512  # per topic and partition; with all of them full Faust sleeps a second, which this outlasts


class Standing(Unpacking):
    """Says of a record behind a jump where the reader stood before it: nothing that can be read lies between.

    So the marker of a transaction, or one that was aborted, is told from records that Faust has dropped. The offset
    goes in ``checksum``, which records of today do not have and which Faust passes on.
    """

    _passed: ClassVar[dict[Any, tuple[int, int]]] = {}
    """Per partition the end of the last jump after which no record has come yet, and its beginning."""

    def _unpack_records(self) -> Iterator[Any]:
        end, begin = self._passed.pop(self._tp, (None, 0))
        stood = begin if end == self.next_fetch_offset else self.next_fetch_offset
        for record in super()._unpack_records():
            yield record if record.offset == stood else replace(record, checksum=stood)
            stood = record.offset + 1
        if self.next_fetch_offset > stood:
            self._passed[self._tp] = self.next_fetch_offset, stood


fetcher.PartitionRecords = Standing


class PatientThread(driver.AIOKafkaConsumerThread):
    """Waits for a broker that is away, where Faust ends; reads what was committed, where Faust reads all."""

    async def on_start(self) -> None:
        """Connect."""
        self._consumer = self._create_consumer(loop=self.thread_loop)
        self.time_started = monotonic()
        await patiently(self._consumer.start)

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        return consumer


class PatientProducer(driver.Producer):
    """Nothing is sent by it, yet Faust starts it: it waits for a broker that is away."""

    async def on_start(self) -> None:
        """Connect."""
        await patiently(super().on_start)


class OwnOffsetsConsumer(driver.Consumer):
    """Starts from the offsets stored with the state, whatever the group committed (#596, #606, #502)."""

    def _new_consumer_thread(self) -> PatientThread:
        return PatientThread(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Take over the assigned partitions, seek to what their state includes, and say so to Faust."""
        lanes = cast(OwnOffsetsTransport, self.transport).lanes
        plain = {lanes.settings.topic(t): t for t in (METER, PHONE, HOUSEHOLDS)}
        assigned = {tp for tp in self.assignment() if tp.topic in plain}
        earliest = await patiently(lambda: self.earliest_offsets(*assigned)) if assigned else {}
        begin = {(plain[tp.topic], tp.partition): offset for tp, offset in earliest.items()}
        offsets = await lanes.take_over({tp.partition for tp in assigned}, begin)
        wanted = {tp: offsets[tp.partition][plain[tp.topic]] for tp in assigned}
        if wanted:
            await self.seek_wait(wanted)
        return wanted


class OwnOffsetsTransport(driver.Transport):
    """The aiokafka transport with our consumer, which asks ``lanes`` where to start."""

    Consumer = OwnOffsetsConsumer
    Producer = PatientProducer
    lanes: Lanes


def make_app(settings: Settings, lanes: Lanes, client: str) -> faust.App:
    """The Faust application: three agents that hand messages to lanes."""
    broker = settings.broker
    options: dict[str, Any] = {}
    if broker.security_protocol != "PLAINTEXT":
        options["broker_credentials"] = lanes.faust_credentials()
    app = faust.App(
        f"{settings.topic_prefix}anbu",
        broker=[f"kafka://{b.strip()}" for b in broker.bootstrap.split(",")],
        broker_client_id=client,
        store="memory://",
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        processing_guarantee="at_least_once",
        stream_buffer_maxsize=_BUFFER_FRAMES,
        stream_wait_empty=False,
        broker_commit_interval=5.0,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=max(settings.session_timeout_seconds / 5, 0.5),
        broker_request_timeout=300.0,  # also the limit of taking partitions over: restoring a million homes takes time
        broker_rebalance_timeout=60.0,
        broker_max_poll_records=500,
        broker_max_poll_interval=300.0,
        consumer_max_fetch_size=4 * 1024 * 1024,
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
        worker_redirect_stdouts=False,
        datadir=settings.data_dir / "faust" / client,
        **options,
    )
    app.finalize()
    transport = OwnOffsetsTransport(app.conf.broker_consumer, app)
    transport.lanes = lanes
    app.transport = transport
    for plain in (METER, PHONE, HOUSEHOLDS):
        _agent(app, settings.topic(plain), plain, lanes)

    @app.on_partitions_revoked.connect
    async def revoked(*_: Any, **__: Any) -> None:
        await lanes.pause()

    @app.on_partitions_assigned.connect
    async def assigned(*given: Any, **__: Any) -> None:
        if not given[1]:  # Faust asks nobody where to start then: lanes that went elsewhere would stay here
            await lanes.take_over(set(), {})

    async def seek(topic: str, partition: int, offset: int) -> None:
        await app.consumer.seek(TP(settings.topic(topic), partition), offset)

    lanes.seek = seek
    return app


def _agent(app: faust.App, topic: str, plain: str, lanes: Lanes) -> None:
    channel = app.topic(topic, value_type=bytes, value_serializer="raw", key_serializer="raw", acks=True)

    async def hand_over(stream: Any) -> None:
        async for event in stream.events():
            m = event.message
            lane = lanes.get(m.partition)
            if lane is not None:
                stood = m.offset if m.checksum is None else cast(int, m.checksum)
                await lane.put(Message(plain, m.offset, m.value, m.key, m.headers, m.timestamp or 0.0, stood))

    hand_over.__name__ = plain.replace(".", "_")
    app.agent(channel, name=f"anbu.{plain}", isolated_partitions=True)(hand_over)

