"""A lane: messages taken in their order, gaps noticed, and everything of a batch in one transaction."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from stream import frames
from stream.changelog import META, Restore
from stream.intake import HEADERS_JSON, Message
from stream.lane import Lane
from stream.metrics import Metrics
from stream.partition import Partition
from stream.producer import FrameProducer
from stream.records import DEAD_LETTERS, HOUSEHOLDS, METER, PHONE, STATE, DeadLetter, Feeds, Household, Reason
from stream.report import Report
from stream.settings import Settings
from stream.transactions import Out
from tests.stream.streaming import AWAY, HERE, NOW, SINCE, T, new_partition, readings, state_of

SETTINGS = Settings(partitions=2, topic_prefix="x.")
LIMIT_S = 10


@dataclass
class Transactions:
    """Stands in for the broker: transactions that were committed, and one error to come."""

    committed: list[list[Out]] = field(default_factory=list)
    error: Exception | None = None
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, records: Iterable[Out]) -> float:
        """Keep all of them, or none."""
        found = list(records)
        if self.error is not None:
            raise self.error
        self.committed.append(found)
        self.came.set()
        return 0.0

    async def close(self) -> None:
        """Nothing to close."""

    def rows(self, topic: str) -> list[bytes]:
        """Values written to a topic."""
        return [r.value for records in self.committed for r in records if r.topic == SETTINGS.topic(topic)]

    def state(self) -> tuple[Partition, dict[str, int]]:
        """The partition as a successor would restore it."""
        restore = Restore(new_partition(0, SETTINGS))
        for records in self.committed:
            restore.add([(r.key, r.value) for r in records if r.topic == SETTINGS.topic(STATE)])
        return restore.partition, restore.finish()

    async def until(self, condition: object) -> None:
        """Wait for a transaction after which a condition holds."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():  # type: ignore[operator]
                self.came.clear()
                await self.came.wait()


@dataclass
class Bench:
    """A lane of partition 0 of two, taken over at offset 0 everywhere."""

    lane: Lane
    store: Transactions
    sought: list[tuple[str, int, int]]
    passed: list[tuple[str, list[str], str]]
    failed: list[BaseException]

    async def meter(self, offset: int, ids: list[str], start: int = T, until: int | None = None) -> None:
        """Put a frame of one reading each."""
        value, headers = frames.encode(readings(ids, [start] * len(ids)), "meter", until)
        await self.lane.put(Message(METER, offset, value, None, headers, NOW))

    async def enrol(self, offset: int, household: str) -> None:
        """Put a record of a household watched by its meter alone."""
        value = msgspec.json.encode(Household(household, SINCE, feeds=Feeds("meter", None)))
        await self.lane.put(Message(HOUSEHOLDS, offset, value, household.encode(), HEADERS_JSON, NOW))


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """A lane at work on a broker that is not there."""
    store, sought, passed, failed = Transactions(), [], [], []

    async def seek(topic: str, partition: int, offset: int) -> None:
        sought.append((topic, partition, offset))

    class Passer(FrameProducer):
        async def send(self, signal, columns, feed=None, complete_until=None):  # type: ignore[no-untyped-def]
            passed.append((signal, columns.household_id.to_pylist(), feed))
            return 1

    lane = Lane(0, SETTINGS, Metrics(CollectorRegistry()), Passer(SETTINGS), seek)
    lane.store = store  # type: ignore[assignment]
    lane.intake.next = {METER: 0, PHONE: 0, HOUSEHOLDS: 0}
    lane.start(failed.append)
    lane.resume()
    yield Bench(lane, store, sought, passed, failed)
    await lane.close()


async def test_state_alerts_dead_letters_and_offsets_are_one_transaction(bench: Bench) -> None:
    """What a successor restores from the committed rows is what the lane has, with the offsets it includes."""
    await bench.enrol(0, HERE[0])
    await bench.store.until(lambda: bench.store.state()[1].get(HOUSEHOLDS) == 1)
    await bench.meter(0, HERE[:1], T, T + 900)
    await bench.lane.put(Message(METER, 1, b"damaged", None, HEADERS_JSON, NOW))
    await bench.store.until(lambda: bench.store.state()[1].get(METER) == 2)
    partition, offsets = bench.store.state()
    assert state_of(partition) == state_of(bench.lane.partition)
    assert offsets == {METER: 2, PHONE: 0, HOUSEHOLDS: 1}
    [letter] = [msgspec.json.decode(v, type=DeadLetter) for v in bench.store.rows(DEAD_LETTERS)]
    assert (letter.topic, letter.partition, letter.offset) == (METER, 0, 1)
    [batch] = [r for r in bench.store.committed if any(o.topic == "x.dead.letters" for o in r)]
    assert META in [o.key for o in batch]


async def test_rows_of_a_foreign_feed_are_told_with_the_offset_that_includes_them(bench: Bench) -> None:
    """Counted by feed, one dead letter in the same transaction, nothing written of the home."""
    await bench.enrol(0, HERE[0])
    value, headers = frames.encode(readings(HERE[:1] * 3, [T, T + 900, T + 1800]), "gas")
    await bench.lane.put(Message(METER, 0, value, None, headers, NOW))
    await bench.store.until(lambda: bench.store.state()[1].get(METER) == 1)
    [letter] = [msgspec.json.decode(v, type=DeadLetter) for v in bench.store.rows(DEAD_LETTERS)]
    assert (letter.reason, letter.rows, letter.offset) == (Reason.foreign_feed, 3, 0)
    value_of = bench.lane.metrics.registry.get_sample_value
    assert value_of("anbu_rows_foreign_total", {"topic": METER, "feed": "other"}) == 3
    assert value_of("anbu_rows_dropped_total", {"topic": METER, "reason": "foreign_feed"}) == 3
    assert not (bench.lane.partition.members.blocks[0].strips.meter > 0).any()


async def test_only_feeds_that_watch_somebody_are_shown(bench: Bench) -> None:
    """Who is called for a feed that stops is not called for a stranger's, nor for one that the homes have left."""
    await bench.enrol(0, HERE[0])
    await bench.meter(0, HERE[:1], T, T + 900)
    value, headers = frames.encode(readings(HERE[:1], [T]), "gas", T + 900)
    await bench.lane.put(Message(METER, 1, value, None, headers, NOW))
    await bench.store.until(lambda: bench.store.state()[1].get(METER) == 2)

    def shown() -> set[str]:
        gauges = [bench.lane.metrics.last_frame, bench.lane.metrics.watermark, bench.lane.metrics.watermark_age]
        return {sample.labels["feed"] for gauge in gauges for family in gauge.collect() for sample in family.samples}

    assert shown() == {"meter"}
    record = Household(HERE[0], SINCE, feeds=Feeds("kepco", None))
    await bench.lane.put(
        Message(HOUSEHOLDS, 1, msgspec.json.encode(record), HERE[0].encode(), HEADERS_JSON, NOW)
    )
    await bench.store.until(lambda: bench.store.state()[1].get(HOUSEHOLDS) == 2)
    assert shown() == {"kepco"}


async def test_a_message_is_taken_once_whatever_is_sent_again(bench: Bench) -> None:
    """Offsets already taken, which a rebalance brings again, change nothing."""
    await bench.meter(0, ["a"])
    await bench.meter(0, ["b", "c"])
    await bench.meter(1, ["d"])
    await bench.meter(0, ["a"])
    await bench.store.until(lambda: bench.store.state()[1].get(METER) == 2)
    assert bench.lane.metrics.rows.labels(METER)._value.get() == 2


async def test_a_gap_makes_it_go_back_once_and_wait(bench: Bench) -> None:
    """Messages behind a gap are not taken; the missing ones are asked for again, once."""
    await bench.meter(0, ["a"])
    await bench.meter(3, ["d"])
    await bench.meter(4, ["e"])
    assert bench.sought == [(METER, 0, 1)]
    assert bench.lane.expected[METER] == 1
    for offset in (1, 2, 3, 4):
        await bench.meter(offset, ["x"])
    await bench.store.until(lambda: bench.store.state()[1].get(METER) == 5)
    assert bench.sought == [(METER, 0, 1)]
    assert bench.lane.metrics.seek_back._value.get() == 1


async def test_a_gap_that_stays_is_passed(bench: Bench) -> None:
    """Going back brought the same message: what lies between is gone on the broker, and life goes on."""
    await bench.meter(3, ["d"])
    await bench.meter(4, ["e"])
    await bench.meter(3, ["d"])
    await bench.meter(4, ["e"])
    await bench.store.until(lambda: bench.store.state()[1].get(METER) == 5)
    assert bench.lane.metrics.rows.labels(METER)._value.get() == 2


async def test_a_jump_with_nothing_readable_in_it_is_no_gap(bench: Bench) -> None:
    """The marker of a transaction lies between: the reader stood where the last message ended. One that stood further
    on has lost something."""
    value, headers = frames.encode(readings(["a"], [T]), "meter", None)
    for offset, stood in ((0, None), (2, 1), (4, 3), (5, 5)):
        await bench.lane.put(Message(METER, offset, value, None, headers, NOW, stood))
    await bench.store.until(lambda: bench.store.state()[1].get(METER) == 6)
    assert bench.sought == []
    await bench.lane.put(Message(METER, 9, value, None, headers, NOW, 8))
    assert bench.sought == [(METER, 0, 6)]


async def test_a_gap_in_one_topic_does_not_hold_up_the_other(bench: Bench) -> None:
    """Each topic has its own place."""
    await bench.meter(7, ["a"])
    beat, headers = frames.encode(frames.empty("phone"), "phone", T)
    await bench.lane.put(Message(PHONE, 0, beat, None, headers, NOW))
    await bench.store.until(lambda: bench.store.state()[1].get(PHONE) == 1)
    assert bench.lane.expected == {METER: 0, PHONE: 1, HOUSEHOLDS: 0}


async def test_gaps_among_enrolments_are_normal(bench: Bench) -> None:
    """The topic is compacted: what is missing has been overwritten."""
    await bench.enrol(5, HERE[0])
    await bench.enrol(9, HERE[1])
    await bench.store.until(lambda: bench.store.state()[1].get(HOUSEHOLDS) == 10)
    assert bench.sought == []


async def test_a_paused_lane_takes_nothing(bench: Bench) -> None:
    """Between a rebalance's two halves nothing is stored; afterwards it goes on where the state is."""
    await bench.meter(0, ["a"])
    await bench.store.until(lambda: bench.store.state()[1].get(METER) == 1)
    await bench.lane.pause()
    await bench.meter(1, ["b"])
    assert len(bench.lane.intake) == 0
    assert bench.lane.resume() == {METER: 1, PHONE: 0, HOUSEHOLDS: 0}
    await bench.meter(1, ["b"])
    await bench.store.until(lambda: bench.store.state()[1].get(METER) == 2)


async def test_rows_of_another_partition_are_passed_on_before_they_are_forgotten(bench: Bench) -> None:
    """They are sent on when the offset that includes them is stored, not after."""
    await bench.enrol(0, HERE[0])
    await bench.meter(0, [HERE[0], AWAY[0], AWAY[1]])
    await bench.store.until(lambda: bench.store.state()[1].get(METER) == 1)
    assert bench.passed == [("meter", AWAY[:2], "meter")]
    assert bench.lane.metrics.rows_moved.labels(METER)._value.get() == 2


async def test_what_cannot_be_stored_ends_the_worker(bench: Bench) -> None:
    """After a failed transaction nobody here knows what is stored: it is told, and nothing more is written."""
    bench.store.error = RuntimeError("the broker said no")
    await bench.meter(0, ["a"])
    async with asyncio.timeout(LIMIT_S):
        while not bench.failed:
            await asyncio.sleep(0)
    bench.store.error = None
    await bench.meter(1, ["b"])
    assert [str(e) for e in bench.failed] == ["the broker said no"]
    assert bench.store.committed == []


async def test_a_frame_held_back_is_stored_when_its_rest_is_written(bench: Bench) -> None:
    """Three days of readings wait for the other feed; when there is room they are stored, though no message came."""
    record = Household(HERE[0], SINCE, feeds=Feeds("meter", "phone"))
    await bench.lane.put(Message(HOUSEHOLDS, 0, msgspec.json.encode(record), None, HEADERS_JSON, NOW))
    times = [T + 900 * i for i in range(3 * 96)]
    frame = readings([HERE[0]] * len(times) + AWAY[:1], [*times, times[-1]])
    value, headers = frames.encode(frame, "meter", T + 3 * 86_400)
    await bench.lane.put(Message(METER, 0, value, None, headers, NOW))
    for offset, until in enumerate((T, T + 50 * 3600)):
        beat, headers = frames.encode(frames.empty("phone"), "phone", until)
        await bench.lane.put(Message(PHONE, offset, beat, None, headers, NOW))
        await bench.store.until(lambda n=offset: bench.store.state()[1].get(PHONE) == n + 1)  # type: ignore[misc]
        if not offset:
            assert bench.store.state()[1][METER] == 0
    await bench.store.until(lambda: bench.store.state()[1].get(METER) == 1)
    assert state_of(bench.store.state()[0]) == state_of(bench.lane.partition)
    assert bench.lane.partition.marks.clock == T // 900 + 50 * 4
    assert bench.passed == [("meter", AWAY[:1], "meter")]


async def test_a_lane_that_was_away_judges_nothing_without_a_feed(bench: Bench) -> None:
    """It stood still for 77 s, with a feed behind: what did not come meanwhile is waited for, and for half a minute."""
    assert bench.lane._task is not None
    bench.lane._task.cancel()
    record = Household(HERE[0], SINCE, feeds=Feeds("meter", "phone"))
    await bench.lane.put(Message(HOUSEHOLDS, 0, msgspec.json.encode(record), None, HEADERS_JSON, NOW))
    await bench.meter(0, HERE[:1], T, T + 86_400)
    beat, headers = frames.encode(frames.empty("phone"), "phone", T + 3600)
    await bench.lane.put(Message(PHONE, 0, beat, None, headers, NOW))
    for now in (0, 1, 78, 80, 90, 100, 107):
        await bench.lane._batch(float(NOW + now))
        assert bench.lane.partition.marks.clock == T // 900 + 4
    await bench.lane._batch(float(NOW + 108))
    assert bench.lane.partition.marks.clock == T // 900 + 96


async def test_the_report_never_runs_ahead_of_the_state(bench: Bench) -> None:
    """Offsets told to others are those of the state in the same transaction."""
    await bench.enrol(0, HERE[0])
    for offset in range(4):
        await bench.meter(offset, HERE[:1], T + 900 * offset, T + 900 * (offset + 1))
    await bench.store.until(lambda: bench.store.state()[1].get(METER) == 4)
    told = 0
    for records in bench.store.committed:
        states = [o for o in records if o.topic == "x.state"]
        for out in records:
            if out.topic == "x.wide" and states:
                restore = Restore(new_partition(0, SETTINGS))
                restore.add([(o.key, o.value) for o in states])
                report = msgspec.json.decode(out.value, type=Report)
                assert report.offsets in (None, restore.finish())  # None: a piece, the last of them tells
                told += report.offsets is not None
    assert told > 0
