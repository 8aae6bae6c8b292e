"""Producer, file ingest and HTTP ingest on a real broker: what was accepted is on the topics, as it was sent."""

import asyncio
import json
import socket
import time
from collections import defaultdict
from datetime import datetime

import httpx2
import msgspec
import numpy as np
import pyarrow as pa
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream import frames, ingest, topics
from stream.columns import MeterColumns
from stream.http import create_app, serve
from stream.kafka import client_options, partition_of
from stream.producer import FrameProducer
from stream.records import HOUSEHOLDS, METER, PHONE, AreaWarning, Household
from stream.settings import HttpSettings

pytestmark = pytest.mark.broker

T = 1_767_225_600  # 2026-01-01T00:00:00Z
LIMIT_S = 60
KEY = "kepco-key-0123456789"


def meter(n: int) -> MeterColumns:
    """One reading each of n households."""
    return MeterColumns(
        pa.array([f"h{i}" for i in range(n)]),
        np.full(n, T, np.int64),
        np.linspace(0, 1, n, dtype=np.float32),
        np.full(n, 15, np.uint8),
        np.zeros(n, np.uint8),
    )


async def on_topic(settings, name: str) -> list:
    """All messages of a topic from its beginning to its end."""
    topic = settings.topic(name)
    async with AIOKafkaConsumer(**client_options(settings), auto_offset_reset="earliest") as consumer:
        partitions = [TopicPartition(topic, p) for p in range(settings.partitions)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        messages = []
        async with asyncio.timeout(LIMIT_S):
            while len(messages) < sum(ends.values()):
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    messages += batch
    return messages


async def rows_on(settings, name: str, signal) -> dict[str, int]:
    """Household -> number of its good rows on a topic, each checked to be in its partition."""
    rows: dict[str, int] = defaultdict(int)
    for message in await on_topic(settings, name):
        frame = frames.decode(signal, message.value, message.headers)
        assert frame.bad == []
        for household in frame.columns.household_id.to_pylist():
            assert partition_of(household, settings.partitions) == message.partition
            rows[household] += 1
    return dict(rows)


async def test_what_was_sent_is_on_the_topic_when_send_returns(settings):
    """Every row is there once, in its household's partition, without a message key."""
    async with FrameProducer(settings, rows_per_frame=100) as producer:
        await producer.send_meter(meter(1000), "kepco")
        assert await rows_on(settings, METER, "meter") == {f"h{i}": 1 for i in range(1000)}
    messages = await on_topic(settings, METER)
    assert {m.key for m in messages} == {None}
    assert sorted({m.offset for m in messages if m.partition == 0}) == list(
        range(sum(m.partition == 0 for m in messages))
    )


async def test_a_heartbeat_reaches_every_partition(settings):
    """Completeness is said in each partition, under the feed's name."""
    async with FrameProducer(settings) as producer:
        await producer.heartbeat("phone", "skt", T)
    beats = [(m.partition, frames.decode("phone", m.value, m.headers)) for m in await on_topic(settings, PHONE)]
    assert sorted(p for p, _ in beats) == list(range(settings.partitions))
    assert {(len(f.columns), f.feed, f.complete_until) for _, f in beats} == {(0, "skt", T)}


async def test_frames_sent_ahead_are_there_after_flush(settings):
    """enqueue hands over without waiting, flush waits for all of it."""
    async with FrameProducer(settings) as producer:
        futures = [f for _ in range(5) for f in await producer.enqueue("meter", meter(50))]
        await producer.flush()
        assert all(f.done() and f.exception() is None for f in futures)
    assert set((await rows_on(settings, METER, "meter")).values()) == {5}


async def test_a_warning_reaches_every_partition_in_the_order_of_its_file(settings, tmp_path):
    """Each line is told to all partitions in order; a bad one is named and the others go on."""
    line = {"area": "east", "kind": "heat", "level": 1, "from": "2026-07-01T00:00:00Z", "until": "2026-07-03T00:00:00Z"}
    lines = [line, {**line, "level": 7}, {**line, "level": 2}]
    (tmp_path / "w.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    result = await ingest.run([tmp_path / "w.jsonl"], settings)
    assert (result.exit_code, dict(result.sent), dict(result.bad)) == (1, {"warnings": 2}, {"wrong_type": 1})
    await ingest.warn([msgspec.json.decode(json.dumps({**line, "until": line["from"]}), type=AreaWarning)], settings)
    told = defaultdict(list)
    for message in await on_topic(settings, HOUSEHOLDS):
        assert message.key == b"area/east/heat"
        record = msgspec.json.decode(message.value, type=AreaWarning)
        told[message.partition].append((record.level, record.until > record.from_))
    assert told == {p: [(1, True), (2, True), (1, False)] for p in range(settings.partitions)}


async def test_files_of_every_kind_are_ingested_together(settings, tmp_path):
    """Readings, events and enrolments go to their topics; bad rows are reported and stop nothing."""
    (tmp_path / "m.csv").write_text(
        "household_id,timestamp,kwh\n"
        + "".join(f"h{i},2026-01-01 {q // 4:02d}:{q % 4 * 15:02d},0.1\n" for i in range(20) for q in range(96))
        + "h1,2026-01-02 00:00,-5\n"
    )
    (tmp_path / "p.jsonl").write_text(
        "".join(json.dumps({"household_id": f"h{i}", "at": "2026-01-01T09:00:00+09:00", "kind": "data"}) + "\n"
                for i in range(20))
    )  # fmt: skip
    enrolment = {"household_id": "h1", "since": "2026-01-01T00:00:00+09:00"}
    (tmp_path / "households.jsonl").write_text(json.dumps(enrolment) + "\n{}\n")
    seen: dict[str, int] = defaultdict(int)
    report = await ingest.run(
        [tmp_path / "m.csv", tmp_path / "p.jsonl", tmp_path / "households.jsonl", tmp_path / "nowhere.csv"],
        settings,
        progress=lambda path, rows: seen.__setitem__(path.name, seen[path.name] + rows),
        complete_until=T,
    )
    assert report.sent == {"meter": 1920, "phone": 20, "households": 1}
    assert dict(seen) == {"m.csv": 1920, "p.jsonl": 20, "households.jsonl": 1}
    assert report.bad == {"bad_energy": 1, "wrong_type": 1}
    assert report.examples["bad_energy"][0].startswith(f"{tmp_path / 'm.csv'}:1922: ")
    assert report.exit_code == 2
    assert await rows_on(settings, METER, "meter") == {f"h{i}": 96 for i in range(20)}
    assert len(await rows_on(settings, PHONE, "phone")) == 20
    (enrolled,) = await on_topic(settings, HOUSEHOLDS)
    assert (enrolled.key, enrolled.partition) == (b"h1", partition_of("h1", settings.partitions))


async def test_completeness_is_said_after_the_files_if_all_arrived(settings, tmp_path):
    """The last frame of every partition carries the promise; with a failed file it would be untrue."""
    (tmp_path / "p.csv").write_text("household_id,at,kind\nh1,2026-01-01 00:00,data\n")

    async def promises() -> int:
        frames_there = [frames.decode("phone", m.value, m.headers) for m in await on_topic(settings, PHONE)]
        return sum(f.complete_until == T for f in frames_there)

    await ingest.run([tmp_path / "p.csv", tmp_path / "nowhere.csv"], settings, complete_until=T)
    assert await promises() == 0
    await ingest.run([tmp_path / "p.csv"], settings, complete_until=T)
    assert await promises() == settings.partitions


async def test_an_enrolment_can_be_read_back(settings):
    """households holds the whole record as JSON, keyed by the household."""
    household = Household("h7", since=datetime.fromisoformat("2026-01-01T00:00:00+09:00"), area="A")
    async with FrameProducer(settings) as producer:
        await producer.send_household(household)
    (message,) = await on_topic(settings, HOUSEHOLDS)
    assert message.key == b"h7"
    assert json.loads(message.value)["area"] == "A"
    assert dict(message.headers)["schema"] == b"1"


async def test_a_request_is_answered_202_when_its_rows_are_on_the_topic(settings):
    """POST /v1/readings and the frames that come of it."""
    posting = settings.model_copy(update={"http": HttpSettings(meter_keys={"kepco": KEY})})
    body = "household_id,start,kwh,minutes\nh1,2026-01-01T00:00:00Z,0.25,15\nh2,2026-01-01T00:00:00Z,x,15\n"
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "text/csv", "Complete-Until": "2026-01-01T00:15:00Z"}
    async with FrameProducer(posting) as producer:
        transport = httpx2.ASGITransport(create_app(posting, producer))
        async with httpx2.AsyncClient(transport=transport, base_url="http://anbu") as client:
            answer = await client.post("/v1/readings", content=body, headers=headers)
        assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"][0]["line"]) == (202, 1, 3)
        assert await rows_on(settings, METER, "meter") == {"h1": 1}
    decoded = [frames.decode("meter", m.value, m.headers) for m in await on_topic(settings, METER)]
    assert [f.complete_until for f in decoded] == [T + 900] * settings.partitions
    assert {f.feed for f in decoded} == {"kepco"}


async def test_the_endpoint_is_served_until_it_is_told_to_stop(settings):
    """serve() listens where the settings say, with a producer of its own, and ends when it is cancelled."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving = settings.model_copy(update={"http": HttpSettings(port=port, meter_keys={"kepco": KEY})})
    task = asyncio.create_task(serve(serving))
    body = "household_id,start,kwh,minutes\nh1,2026-01-01T00:00:00Z,0.25,15\n"
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "text/csv"}
    async with asyncio.timeout(LIMIT_S), httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        while not task.done():
            try:
                answer = await client.post("/v1/readings", content=body, headers=headers)
                break
            except httpx2.ConnectError:
                continue
        assert answer.status_code == 202
        task.cancel()
        await asyncio.wait([task])
    assert await rows_on(settings, METER, "meter") == {"h1": 1}


async def test_with_the_broker_gone_requests_are_refused_and_served_again_when_it_is_back(own_broker, make_settings):
    """503 while it is away, 202 after, and stopping without a broker does not hang."""
    settings = make_settings(own_broker, http=HttpSettings(meter_keys={"kepco": KEY}))
    topics.ensure(settings)
    body = "household_id,start,kwh,minutes\nh1,2026-01-01T00:00:00Z,0.25,15\n"
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "text/csv"}
    async with FrameProducer(settings) as producer:
        transport = httpx2.ASGITransport(create_app(settings, producer, answer_s=1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://anbu", timeout=30) as client:
            assert (await client.post("/v1/readings", content=body, headers=headers)).status_code == 202
            await asyncio.to_thread(own_broker.kill)
            answer = await client.post("/v1/readings", content=body, headers=headers)
            assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
            await asyncio.to_thread(own_broker.restart)
            async with asyncio.timeout(LIMIT_S):
                while (await client.post("/v1/readings", content=body, headers=headers)).status_code != 202:
                    pass
            await asyncio.to_thread(own_broker.kill)
            assert (await client.post("/v1/readings", content=body, headers=headers)).status_code == 503
            begun = time.monotonic()
            await producer.stop()
            assert time.monotonic() - begun < 20
