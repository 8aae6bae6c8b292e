"""A worker as its operators meet it: health, metrics, ending, consent withdrawn, records that are gone."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from deploy.kafka.broker import LocalBroker
from simulators.replay import ends
from stream import frames, topics
from stream.kafka import client_options, partition_of
from stream.producer import FrameProducer
from stream.records import DEAD_LETTERS, HOUSEHOLDS, METER, PHONE, STATE, WIDE_STATE, Absence, Feeds, Household
from stream.settings import Settings
from stream.store import Store
from stream.transactions import Out
from tests.broker.onbroker import compacted, delete_before, records, restored, until_included
from tests.broker.workers import Worker, Workers, until, until_async
from tests.stream.streaming import SINCE, T, readings

pytestmark = pytest.mark.broker

DAY = 86_400
ONE_FEED = Feeds("meter", None)


@pytest.fixture
def settings(broker: LocalBroker, make_settings: Callable[..., Settings]) -> Settings:
    """Two partitions of this test's own."""
    made = make_settings(broker, partitions=2, session_timeout_seconds=3)
    topics.ensure(made)
    return made


async def enrol(settings: Settings, *households: Household | str) -> None:
    """Send records of households, or the id alone of one whose record is deleted."""
    async with FrameProducer(settings) as producer:
        for household in households:
            await producer.send_household(household)


async def read(settings: Settings, home: str, first: int, count: int, kwh: float = 0.1) -> None:
    """Send quarter-hours of a home, complete so far."""
    start = [T + 900 * i for i in range(first, first + count)]
    async with FrameProducer(settings) as producer:
        await producer.send_meter(readings([home] * count, start, [kwh] * count), "meter", start[-1] + 900)


async def test_health_readiness_and_a_clean_end(settings: Settings, tmp_path: Path) -> None:
    """Alive at once, ready when partitions are restored, and SIGTERM ends it within seconds with exit code 0."""
    async with Workers(settings, tmp_path, restart=False) as workers:
        worker = workers[0]
        await until(lambda: worker.get("/healthz")[0] == 200, "it is alive")
        await until(lambda: worker.get("/readyz")[0] == 200, "it is ready")
        assert worker.owns() == {0, 1}
        assert worker.get("/readyz")[1] == "partitions restored\n"
        assert worker.get("/other")[0] == 404
        asked = time.monotonic()
        worker.terminate()
        await until(lambda: workers.ended == [(0, 0)], "it has ended", 10)
        assert time.monotonic() - asked < 10


async def test_it_is_not_alive_while_frozen_and_not_ready_before_it_has_partitions(
    settings: Settings, tmp_path: Path
) -> None:
    """Nothing answers from a frozen process; awake again it is well."""
    async with Workers(settings, tmp_path) as workers:
        worker = workers[0]
        await until(lambda: worker.get("/readyz")[0] in (200, 503), "it answers")
        await until(lambda: worker.get("/readyz")[0] == 200, "it is ready")
        worker.freeze()
        assert worker.get("/healthz") == (0, "")
        worker.wake()
        await until(lambda: worker.get("/healthz")[0] == 200, "it is alive again")


async def test_its_metrics_tell_what_it_did(settings: Settings, tmp_path: Path) -> None:
    """Frames, rows, judged slots, changelog, watermark and lag are those of what was sent."""
    async with Workers(settings, tmp_path) as workers:
        worker, number = workers[0], str(partition_of("a", 2))
        await enrol(settings, Household("a", SINCE, feeds=ONE_FEED))
        await until_included(settings)
        await read(settings, "a", 0, 96)
        await until_included(settings)
        await until(lambda: worker.metric("anbu_rows_total", topic=METER) == 96, "rows are counted")
        assert worker.metric("anbu_frames_total", topic=METER) == 2  # one of them a heartbeat to the other partition
        assert worker.metric("anbu_frames_total", topic=HOUSEHOLDS) == 1
        assert worker.metric("anbu_judged_slots_total") == 96
        assert worker.metric("anbu_clock_timestamp_seconds", partition=number) == T + DAY
        assert worker.metric("anbu_watermark_timestamp_seconds", feed="meter", partition=number) == T + DAY
        assert worker.total("anbu_changelog_rows_total") > 96
        assert worker.total("anbu_dead_letters_total") == 0
        await until(lambda: worker.total("anbu_households", state="learning") == 1, "homes are counted by state")
        await until(
            lambda: worker.metrics("anbu_consumer_lag_messages").get(
                frozenset({("topic", METER), ("partition", number)})) == 0, "no lag",
        )  # fmt: skip


async def rewritten(settings: Settings) -> Callable[[], object]:
    """Writes one row of each partition of the state again as it is."""
    last = {r.partition: r for r in await records(settings, STATE)}
    stores = {p: Store(settings, f"nudge-{p}") for p in last}
    for store in stores.values():
        await store.open()

    async def again() -> None:
        for p, store in stores.items():
            await store.write([Out(settings.topic(STATE), last[p].key, last[p].value, p)])

    return again


def bytes_of(found: list) -> bytes:
    """All that was found on a topic."""
    return b"\n".join((r.key or b"") + b"=" + (r.value or b"") for r in found)


@pytest.mark.parametrize("how", ["withdrawn", "deleted"])
async def test_nothing_is_left_of_a_household_whose_consent_ended(
    settings: Settings, tmp_path: Path, how: str
) -> None:
    """Not in the state, not in its topic once that is compacted; its later readings are counted and dropped. What was
    set aside for a person to undo it, here for two seconds, is gone too."""
    settings = settings.model_copy(update={"withdrawal_hours": 2 / 3600})
    gone, stays = "somebody-who-leaves", next(f"s{i}" for i in range(9) if partition_of(f"s{i}", 2) ==
                                              partition_of("somebody-who-leaves", 2))  # fmt: skip
    async with Workers(settings, tmp_path) as workers:
        await enrol(settings, *(Household(h, SINCE, "area-1", feeds=ONE_FEED) for h in (gone, stays)))
        await until_included(settings)
        await read(settings, stays, 0, 100)
        await read(settings, gone, 0, 100, kwh=0.9)
        await until_included(settings)
        assert gone.encode() in bytes_of(await records(settings, STATE))
        left = Household(gone, SINCE, withdrawn=datetime.now(UTC)) if how == "withdrawn" else gone
        await enrol(settings, left)
        await until_included(settings)
        await read(settings, gone, 100, 4)
        await until_included(settings)
        await until(lambda: workers[0].total("anbu_rows_dropped_total", reason="not_enrolled") == 4, "they are counted")

        async def nothing_aside() -> bool:
            left = (await restored(settings, partition_of(gone, 2)))[0].leavers.left
            return [one.aside for one in left.values()] == [None]

        await until_async(nothing_aside, "its time is over")
        partition, _ = await restored(settings, partition_of(gone, 2))
        [block] = partition.members.blocks
        assert sorted(block.ids) == ["", stays]
        row = list(block.ids).index("")
        assert not block.strips.meter[:, row].any()
        assert not block.habit[row].tobytes().strip(b"\0")
        workers.restart = False
        workers[0].terminate()
        await until(lambda: workers.ended == [(0, 0)], "it has ended")
    await compacted(settings, STATE, await rewritten(settings))  # type: ignore[arg-type]
    for topic in (STATE, DEAD_LETTERS):
        assert gone.encode() not in bytes_of(await records(settings, topic)), topic
    wide = {r.key: r for r in await records(settings, WIDE_STATE, [0])}
    assert gone.encode() not in bytes_of(list(wide.values()))


async def test_a_forged_withdrawal_is_undone_and_an_old_record_is_not_what_undoes_it(
    settings: Settings, tmp_path: Path
) -> None:
    """Withdrawn by one message, the worker killed, an old file sent, then consent anew: what was learned and kept of
    the week is there again, to the byte."""
    number = partition_of("a", 2)
    home = Household("a", SINCE, "area-1", feeds=ONE_FEED)
    async with Workers(settings, tmp_path) as workers:
        await enrol(settings, home)
        await until_included(settings)
        await read(settings, "a", 0, 2 * 96)
        await until_included(settings)
        before, _ = await restored(settings, number)
        await enrol(settings, Household("a", SINCE, withdrawn=SINCE))
        await until_included(settings)
        workers[0].kill()
        await enrol(settings, home)
        await until_included(settings)
        left, _ = await restored(settings, number)
        assert list(left.members.blocks[0].ids) == [""]
        await enrol(settings, Household("a", datetime.now(UTC), "area-1", feeds=ONE_FEED))
        await until_included(settings)
    after, _ = await restored(settings, number)
    [old], [new] = before.members.blocks, after.members.blocks
    assert list(new.ids) == ["a"]
    assert (old.strips.meter == new.strips.meter).all()
    assert (old.habit[0], old.settled.head[0]) == (new.habit[0], new.settled.head[0])
    assert new.habit["days"][0] == 2
    assert [m.value for m in await records(settings, DEAD_LETTERS) if b'"withdrawn"' in (m.value or b"")] != []
    said = [r for r in await records(settings, HOUSEHOLDS) if r.key == b"a"]
    assert [b'"withdrawn":null' in (r.value or b"") for r in said] == [True, False, True, False, True]


async def test_a_changed_enrolment_holds_from_then_on(settings: Settings, tmp_path: Path) -> None:
    """Area, risk, absence and feeds change; what was learned stays."""
    async with Workers(settings, tmp_path):
        await enrol(settings, Household("a", SINCE, "area-1", feeds=ONE_FEED))
        await until_included(settings)
        await read(settings, "a", 0, 2 * 96)
        await until_included(settings)
        number = partition_of("a", 2)
        before, _ = await restored(settings, number)
        later = datetime.fromtimestamp(T + 3 * DAY, UTC)
        absent = Absence(later, datetime.fromtimestamp(T + 5 * DAY, UTC), "trip")
        await enrol(settings, Household("a", SINCE, "area-2", "dong-9", ONE_FEED, "high", later, (absent,), drill=True))
        await until_included(settings)
    after, _ = await restored(settings, number)
    [old], [new] = before.members.blocks, after.members.blocks
    assert after.members.areas.names[new.who["area"][0]] == "area-2"
    assert after.members.dongs.names[new.who["dong"][0]] == "dong-9"
    assert (old.who["risk"][0], new.who["risk"][0]) == (0, 2)
    assert new.terms[0].absences == (((T + 3 * DAY) // 900, (T + 5 * DAY) // 900),)
    assert new.drills == {0}
    assert (old.strips.meter == new.strips.meter).all()
    assert new.habit["days"][0] == old.habit["days"][0]


async def test_records_that_are_gone_are_passed_and_told(settings: Settings, tmp_path: Path) -> None:
    """Retention removed readings that nobody had read: it says which offsets, and takes all that is left."""
    number = partition_of("a", 2)
    async with Workers(settings, tmp_path) as workers:
        await enrol(settings, Household("a", SINCE, feeds=ONE_FEED))
        await until_included(settings)
        await read(settings, "a", 0, 4)
        await until_included(settings)
        workers.restart = False
        workers[0].terminate()
        await until(lambda: workers.ended == [(0, 0)], "it has ended")
    for slot in range(4, 24):
        await read(settings, "a", slot, 1)
    end = (await ends(settings, [METER]))[METER, number]
    delete_before(settings, METER, {number: end - 5})
    async with Workers(settings, tmp_path) as workers:
        await until_included(settings)
        told = workers[0].said("offsets are missing on the broker")
        assert [(r["topic"], r["since"], r["until"]) for r in told] == [(METER, 1, end - 5)]
        assert workers[0].metric("anbu_seek_back_total") >= 1
        assert workers.ended == []
    partition, offsets = await restored(settings, number)
    assert offsets[METER] == end
    there = [i for i in range(24) if partition.members.blocks[0].strips.slot(T // 900 + i, 1)[0][0]]
    assert there == [0, 1, 2, 3, *range(19, 24)]


async def test_what_a_sender_writes_in_transactions_is_read_rightly(settings: Settings, tmp_path: Path) -> None:
    """Markers between the messages are no gaps, and what was aborted is not read."""
    number = partition_of("a", 2)
    async with AIOKafkaProducer(**client_options(settings), transactional_id=f"{settings.topic_prefix}x") as sender:
        await enrol(settings, Household("a", SINCE, feeds=ONE_FEED))
        async with Workers(settings, tmp_path) as workers:
            await until_included(settings)
            for slot in range(12):
                value, headers = frames.encode(readings(["a"], [T + 900 * slot], [0.1]), "meter", T + 900 * (slot + 1))
                await sender.begin_transaction()
                last = await sender.send_and_wait(settings.topic(METER), value, partition=number, headers=headers)
                await (sender.abort_transaction() if slot % 4 == 1 else sender.commit_transaction())
                if slot == 5:  # what came so far is read by itself: the next message begins behind a marker
                    await until(lambda: workers[0].metric("anbu_rows_total", topic=METER) == 4, "all so far is read")
            await until(lambda: workers[0].metric("anbu_rows_total", topic=METER) == 9, "all committed is read")
            assert workers[0].metric("anbu_seek_back_total") == 0
            assert workers[0].said("offsets are missing on the broker") == []
            assert workers.ended == []
    partition, offsets = await restored(settings, number)
    assert offsets[METER] == last.offset + 1
    there = [i for i in range(12) if partition.members.blocks[0].strips.slot(T // 900 + i, 1)[0][0]]
    assert there == [i for i in range(12) if i % 4 != 1]


async def test_topics_that_do_not_fit_are_refused_at_once(settings: Settings, tmp_path: Path) -> None:
    """A wrong number of partitions: one line that says what to mend, and exit code 2."""
    wrong = settings.model_copy(update={"partitions": 3})
    worker = Worker(wrong, 0, tmp_path)
    try:
        await until(lambda: worker.code is not None, "it has ended", 20)
        assert worker.code == 2
        assert f"topic {settings.topic(PHONE)} has 2 partitions, not 3" in worker.text
    finally:
        worker.end()
