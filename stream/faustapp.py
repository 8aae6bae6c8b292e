"""Everything that reaches into Faust, in one file, each part with the issue of faust-streaming that it answers.

Faust fetches, balances partitions over workers and feeds agents; what it does with tables, offsets and acks loses
events (docs/why.md), so state and offsets are ours: lanes.
"""

from collections.abc import Mapping
from typing import Any, cast

import faust
import structlog
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream.intake import Message
from stream.lanes import Lanes
from stream.records import HOUSEHOLDS, METER, PHONE
from stream.settings import Settings

log = structlog.get_logger()

# Equal partition numbers of the three input topics go to the same worker: the range assignor gives that, Faust's
# round-robin does not, and the driver has no setting for it.
driver.RoundRobinPartitionAssignor = RangePartitionAssignor

_BUFFER_FRAMES = 512  # per topic and partition; with all of them full Faust sleeps a second, which this outlasts


class OwnOffsetsConsumer(driver.Consumer):
    """Starts from the offsets stored with the state, whatever the group committed (#596, #606, #502)."""

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Take over the assigned partitions, seek to what their state includes, and say so to Faust."""
        lanes = cast(OwnOffsetsTransport, self.transport).lanes
        plain = {lanes.settings.topic(t): t for t in (METER, PHONE, HOUSEHOLDS)}
        assigned = {tp for tp in self.assignment() if tp.topic in plain}
        earliest = await self.earliest_offsets(*assigned) if assigned else {}
        begin = {(plain[tp.topic], tp.partition): offset for tp, offset in earliest.items()}
        offsets = await lanes.take_over({tp.partition for tp in assigned}, begin)
        wanted = {tp: offsets[tp.partition][plain[tp.topic]] for tp in assigned}
        if wanted:
            await self.seek_wait(wanted)
        return wanted


class OwnOffsetsTransport(driver.Transport):
    """The aiokafka transport with our consumer, which asks ``lanes`` where to start."""

    Consumer = OwnOffsetsConsumer
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
                await lane.put(Message(plain, m.offset, m.value, m.key, m.headers, m.timestamp or 0.0))

    hand_over.__name__ = plain.replace(".", "_")
    app.agent(channel, name=f"anbu.{plain}", isolated_partitions=True)(hand_over)

