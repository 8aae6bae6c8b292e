"""What the stream left on the broker: records, restored state, and what it should be by the same input alone."""

import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord
from kafka import TopicPartition as AdminPartition
from kafka.admin import ConfigResource, ConfigResourceType

from simulators.backtest import in_order, span
from simulators.replay import Delivery, Follower, _parts
from stream.changelog import META, Meta, Restore
from stream.intake import Intake, Message
from stream.kafka import admin, client_options
from stream.partition import Partition
from stream.producer import FrameProducer
from stream.records import DEAD_LETTERS, HOUSEHOLDS, METER, PHONE, STATE, DeadLetter
from stream.settings import Settings
from tests.broker.workers import LIMIT_S, until_async
from tests.histories import History
from tests.stream.streaming import new_partition, state_of

INPUTS = (HOUSEHOLDS, METER, PHONE)


async def records(settings: Settings, topic: str, partitions: Sequence[int] | None = None) -> list[ConsumerRecord]:
    """All committed records of a topic (plain name), partition by partition."""
    consumer = AIOKafkaConsumer(
        **client_options(settings), isolation_level="read_committed", auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    await consumer.start()
    try:
        found: list[ConsumerRecord] = []
        for number in range(settings.partitions) if partitions is None else partitions:
            tp = TopicPartition(settings.topic(topic), number)
            consumer.assign([tp])
            await consumer.seek_to_beginning(tp)
            end = (await consumer.end_offsets([tp]))[tp]
            while await consumer.position(tp) < end:
                for some in (await consumer.getmany(tp, timeout_ms=200)).values():
                    found += some
        return found
    finally:
        await consumer.stop()


async def dead_letters(settings: Settings) -> list[DeadLetter]:
    """All of dead.letters."""
    return [msgspec.json.decode(r.value, type=DeadLetter) for r in await records(settings, DEAD_LETTERS)]


async def restored(settings: Settings, number: int) -> tuple[Partition, dict[str, int]]:
    """A partition as a worker that takes it over now would have it, and the offsets it includes."""
    restore = Restore(new_partition(number, settings))
    restore.add((r.key, r.value) for r in await records(settings, STATE, [number]))
    offsets = restore.finish()
    return restore.partition, offsets


async def until_included(settings: Settings, limit_s: float = LIMIT_S) -> None:
    """Wait until the state of every partition includes all that is on the input topics, what was passed on too."""
    included: dict[int, dict[str, int]] = {}
    inputs = {TopicPartition(settings.topic(t), n): t for t in INPUTS for n in range(settings.partitions)}
    consumer = AIOKafkaConsumer(
        **client_options(settings), isolation_level="read_committed", auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    await consumer.start()
    try:
        consumer.assign([TopicPartition(settings.topic(STATE), n) for n in range(settings.partitions)])

        async def all_of_it() -> bool:
            for tp, rows in (await consumer.getmany(timeout_ms=100)).items():
                for row in rows:
                    if row.key == META:
                        included[tp.partition] = msgspec.msgpack.decode(row.value, type=Meta).offsets
            wanted = await consumer.end_offsets(list(inputs))
            if any(included.get(tp.partition, {}).get(inputs[tp], 0) < end for tp, end in wanted.items()):
                return False
            return wanted == await consumer.end_offsets(list(inputs))

        await until_async(all_of_it, "everything on the topics is in the state", limit_s)
    finally:
        await consumer.stop()


async def expected(settings: Settings, number: int) -> Partition:
    """The partition made of the same messages by one reader whom nothing happens to."""
    partition = new_partition(number, settings)
    intake = Intake(partition, settings, {})
    now = time.time()
    for topic in INPUTS:
        for r in await records(settings, topic, [number]):
            intake.put(Message(topic, r.offset, r.value, r.key, r.headers, now))
        if topic == HOUSEHOLDS:
            intake.take(100_000, now)
    while len(intake):
        assert intake.take(10, now).anything, "a frame is held for ever: its feeds do not say complete_until"
        partition.advance(now)
    partition.advance(now)
    return partition


def lasting(partition: Partition) -> dict[str, object]:
    """All that is kept of a partition but the wall-clock times of arrivals."""
    found = state_of(partition)
    found["sources"] = sorted((s.name, s.lateness, s.until, s.wanted) for s in partition.marks.sources.values())
    return found


async def same_as_undisturbed(settings: Settings) -> None:
    """Every partition's stored state is, byte for byte, that of the same input without any fault."""
    for number in range(settings.partitions):
        partition, _ = await restored(settings, number)
        assert partition.members.directory, "a partition without homes proves nothing"
        want = lasting(await expected(settings, number))
        got = lasting(partition)
        different = [k for k in want.keys() | got.keys() if got.get(k) != want.get(k)]
        assert not different, f"partition {number} differs in {different}"


async def offsets_never_go_back(settings: Settings) -> int:
    """Each transaction of a partition starts where the one before ended: nobody wrote beside its owner.

    Returns the number of transactions.
    """
    count = 0
    for number in range(settings.partitions):
        before: dict[str, int] = {}
        for r in await records(settings, STATE, [number]):
            if r.key == META:
                now = msgspec.msgpack.decode(r.value, type=Meta).offsets
                assert all(now[t] >= offset for t, offset in before.items()), f"{before} before {now}"
                before, count = now, count + 1
    return count


async def send(settings: Settings, history: History, delivery: Delivery, parts: slice = slice(None)) -> None:
    """Put a history, or some of its parts in time, on the topics; homes are enrolled with the first."""
    first, last = span(in_order(history.meter), in_order(history.phone))
    async with FrameProducer(settings, delivery.rows_per_frame) as producer:
        if not parts.start:
            for household in history.households:
                await producer.send_household(household)
        for meter, phone, complete in list(_parts(history.meter, history.phone, first, last, delivery))[parts]:
            await producer.send_meter(meter, "meter", complete)
            await producer.send_phone(phone, "phone", complete)


async def reaches(follower: Follower, wanted: dict[tuple[str, int], int], share: float) -> None:
    """Wait until the state includes a share of the readings, and no more than nearly all of them."""
    total = sum(end for (topic, _), end in wanted.items() if topic == METER)

    def done() -> float:
        return sum(offsets.get(METER, 0) for offsets in follower.offsets.values()) / total

    async def enough() -> bool:
        await follower.look()
        return done() >= share

    await until_async(enough, f"{share:.0%} of the readings are in the state")
    assert done() < 0.95, "nearly all was taken before the fault came: send more"


async def compacted(settings: Settings, topic: str, nudge: Callable[[], Awaitable[None]]) -> None:
    """Have the broker compact a topic now. ``nudge`` writes to each of its partitions, so that the open segment, which
    is never compacted, is closed; what it writes stays uncompacted."""
    name = settings.topic(topic)
    quick = {"segment.ms": "200", "min.cleanable.dirty.ratio": "0.001", "max.compaction.lag.ms": "200",
             "min.compaction.lag.ms": "0", "delete.retention.ms": "0"}  # fmt: skip
    with admin(settings) as client:
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, quick)])
    whole = {(r.partition, r.offset) for r in await records(settings, topic)}
    keys = {(r.partition, r.key): r.offset for r in await records(settings, topic)}
    outdated = whole - {(p, offset) for (p, _), offset in keys.items()}
    assert outdated, "nothing to compact"

    async def gone() -> bool:
        await nudge()
        return not outdated & {(r.partition, r.offset) for r in await records(settings, topic)}

    await until_async(gone, f"{len(outdated)} outdated rows of {name} are gone", 60)


def configure(settings: Settings, topic: str, **config: str) -> None:
    """Alter a topic (plain name), and wait until the broker has it; underscores are dots."""
    name = settings.topic(topic)
    changed = {key.replace("_", "."): value for key, value in config.items()}
    with admin(settings) as client:
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, changed)])
        until = time.monotonic() + 20
        while True:
            found = client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])["topic"][name]
            if all(key in found and found[key]["value"] == value for key, value in changed.items()):
                return
            assert time.monotonic() < until, f"the broker does not take {changed}"
            time.sleep(0.05)


def delete_before(settings: Settings, topic: str, offsets: dict[int, int]) -> None:
    """Delete records as retention would: those of each partition before an offset."""
    with admin(settings) as client:
        client.delete_records({AdminPartition(settings.topic(topic), p): o for p, o in offsets.items()})
