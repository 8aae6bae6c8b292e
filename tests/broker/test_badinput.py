"""Bad input on the real broker: each message and row ends where it should, told with its reason, and nothing stops."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from deploy.kafka.broker import LocalBroker
from stream import frames, topics
from stream.kafka import client_options, partition_of
from stream.producer import FrameProducer
from stream.records import ARROW, HOUSEHOLDS, JSON, METER, PHONE, Feeds, Household, Reason
from stream.settings import Settings
from tests.broker.onbroker import dead_letters, restored, until_included
from tests.broker.workers import Workers, until
from tests.stream.streaming import SINCE, T, readings

pytestmark = pytest.mark.broker

HOMES = [f"h{i}" for i in range(20)]
HERE = [h for h in HOMES if partition_of(h, 2) == 0]
AWAY = [h for h in HOMES if partition_of(h, 2) == 1]
Headers = list[tuple[str, bytes]]
AS_ARROW: Headers = [("schema", b"1"), ("content-type", ARROW.encode())]
AS_JSON: Headers = [("schema", b"1"), ("content-type", JSON.encode())]
GOOD, GOOD_HEADERS = frames.encode(readings(HERE[:1], [T]))
FUTURE = 4_000_000_000


def one(**values: Any) -> bytes:
    """A meter reading in JSON."""
    record = {"household_id": HERE[0], "start": "2026-01-01T06:00:00+09:00", "kwh": 0.1, "minutes": 15, **values}
    return json.dumps({k: v for k, v in record.items() if v is not ...}).encode()


def arrow(*rows: tuple[str, int, float]) -> bytes:
    """Readings of 15 minutes."""
    return frames.encode(readings([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]))[0]


WHOLE: list[tuple[str, bytes | None, Headers, Reason]] = [
    (METER, GOOD, [("schema", b"2"), *AS_ARROW[1:]], Reason.unknown_schema),
    (METER, GOOD, [], Reason.unknown_schema),
    (METER, GOOD, [("schema", b"1"), ("content-type", b"text/csv")], Reason.unknown_content_type),
    (METER, GOOD[:-20], AS_ARROW, Reason.truncated),
    (METER, GOOD[: len(GOOD) // 2], AS_ARROW, Reason.truncated),
    (METER, one()[:-5], AS_JSON, Reason.truncated),
    (METER, b"\x00\xff" * 50, AS_ARROW, Reason.truncated),
    (METER, b"", AS_ARROW, Reason.empty),
    (METER, None, AS_ARROW, Reason.empty),
    (METER, b"[]", AS_JSON, Reason.empty),
    (PHONE, GOOD, AS_ARROW, Reason.wrong_type),
    (PHONE, b"", AS_JSON, Reason.empty),
    (HOUSEHOLDS, b"{}", AS_JSON, Reason.wrong_type),
    (HOUSEHOLDS, b'{"household_id"', AS_JSON, Reason.truncated),
    (HOUSEHOLDS, json.dumps({"household_id": HERE[0], "since": "2026-01-01"}).encode(), AS_JSON, Reason.wrong_type),
    (HOUSEHOLDS, json.dumps({"household_id": HERE[0], "since": "2026-01-01T00:00:00"}).encode(), AS_JSON,
     Reason.bad_time),
]  # fmt: skip
"""Messages that are dead as a whole, all in partition 0."""

ROWS: list[tuple[str, bytes, Headers, dict[Reason, int], int]] = [
    (METER, arrow((HERE[0], T, 0.1), (HERE[1], T, -0.5), (HERE[2], T, 900.0), (HERE[3], T, float("nan"))), AS_ARROW,
     {Reason.bad_energy: 3}, 1),
    (METER, arrow((HERE[0], FUTURE, 0.1), (HERE[0], T - 86_400, 0.1), (HERE[0], T + 900, 0.1)), AS_ARROW,
     {Reason.future: 1, Reason.before_enrolment: 1}, 1),
    (METER, arrow((HERE[0], T + 7, 0.1), ("", T, 0.1), ("x" * 70, T, 0.1)), AS_ARROW,
     {Reason.bad_time: 1, Reason.bad_household: 2}, 0),
    (METER, arrow(*[(f"stranger-{i}", T, 0.1) for i in range(30) if partition_of(f"stranger-{i}", 2) == 0][:4]),
     AS_ARROW, {Reason.not_enrolled: 4}, 0),
    (METER, arrow((HERE[1], T, 0.1), (HERE[1], T, 0.1), (HERE[0], T, 0.1)), AS_ARROW, {Reason.duplicate: 2}, 1),
    (METER, arrow((HERE[2], T, 0.1), (AWAY[0], T, 0.1), (AWAY[1], T, 0.1)), AS_ARROW, {Reason.wrong_partition: 2}, 1),
    (METER, one(), AS_JSON, {}, 1),
    (METER, one(minutes=20), AS_JSON, {Reason.bad_interval: 1}, 0),
    (METER, one(kwh="much"), AS_JSON, {Reason.bad_energy: 1}, 0),
    (METER, one(quality="guessed"), AS_JSON, {Reason.bad_quality: 1}, 0),
    (METER, one(start="2026-01-01T07:00:00"), AS_JSON, {Reason.bad_time: 1}, 0),
    (METER, one(name="Kim"), AS_JSON, {Reason.wrong_type: 1}, 0),
    (METER, b"[" + one(start="2026-01-01T08:00:00+09:00") + b"," + one(kwh=-1) + b"]", AS_JSON,
     {Reason.bad_energy: 1}, 1),
    (PHONE, json.dumps({"household_id": HERE[0], "at": "2026-01-01T09:00:00+09:00", "kind": "fax"}).encode(), AS_JSON,
     {Reason.bad_kind: 1}, 0),
    (PHONE, json.dumps({"household_id": HERE[0], "at": "2026-01-01T09:00:00+09:00", "kind": "call_out",
                        "duration_s": -3}).encode(), AS_JSON, {Reason.bad_duration: 1}, 0),
    (PHONE, json.dumps({"household_id": HERE[0], "at": "2026-01-01T09:00:00+09:00", "kind": "call_out"}).encode(),
     AS_JSON, {}, 1),
]  # fmt: skip
"""Messages of which some rows are not used, in partition 0: topic, value, headers, rows by reason, rows written."""
PASSED_ON = 2
COUNTED_ONLY = {Reason.before_enrolment, Reason.not_enrolled, Reason.duplicate, Reason.wrong_partition}


@pytest.fixture
async def settled(broker: LocalBroker, make_settings: Callable[..., Settings]) -> Settings:
    """Two partitions with enrolled homes, and everything above waiting in partition 0."""
    settings = make_settings(broker, partitions=2, session_timeout_seconds=3)
    topics.ensure(settings)
    async with FrameProducer(settings) as producer:
        for home in HOMES:
            await producer.send_household(Household(home, SINCE, feeds=Feeds("meter", "phone")))
        await producer.heartbeat("meter", None, T)
        await producer.heartbeat("phone", None, T)
    async with AIOKafkaProducer(**client_options(settings)) as producer:
        rows = [(topic, value, headers) for topic, value, headers, *_ in ROWS]
        whole = [(topic, value, headers) for topic, value, headers, _ in WHOLE]
        for topic, value, headers in [*whole, *rows, *whole]:
            key = b"k" if topic == HOUSEHOLDS or value is None else None
            await producer.send_and_wait(settings.topic(topic), value, key, 0, headers=headers)
    return settings


async def test_every_message_and_row_ends_where_it_should(settled: Settings, tmp_path: Path) -> None:
    """Rows in = written + dropped by reason + moved; dead letters and metrics agree on every reason; nothing stops."""
    async with Workers(settled, tmp_path) as workers:
        await until_included(settled)
        worker = workers[0]
        written = sum(n for *_, n in ROWS) + PASSED_ON
        await until(lambda: worker.total("anbu_rows_total", topic=METER) >= written, "the last batch is counted")
        dropped, dead = Counter[Reason](), Counter[Reason]()
        for name, of in (("anbu_rows_dropped_total", dropped), ("anbu_dead_letters_total", dead)):
            for labels, value in worker.metrics(name).items():
                if value:
                    of[Reason(dict(labels)["reason"])] += int(value)
        moved, rows = worker.total("anbu_rows_moved_total"), worker.total("anbu_rows_total", topic=METER)
        rows += worker.total("anbu_rows_total", topic=PHONE)
        assert workers.ended == []
        assert worker.get("/healthz")[0] == 200
    letters = await dead_letters(settled)

    want = sum((Counter(reasons) for *_, reasons, _ in ROWS), Counter[Reason]())
    assert dropped == want
    assert moved == PASSED_ON

    told = Counter(letter.reason for letter in letters if not letter.sample)
    assert told == Counter({r: 2 * n for r, n in Counter(reason for *_, reason in WHOLE).items()})
    sampled = Counter[Reason]()
    for letter in letters:
        if letter.sample:
            sampled[letter.reason] += letter.rows
    assert sampled == Counter({r: n for r, n in want.items() if r not in COUNTED_ONLY})
    assert dead == Counter(letter.reason for letter in letters)

    partitions = [(await restored(settled, p))[0] for p in (0, 1)]
    strips = [block.strips for partition in partitions for block in partition.members.blocks]
    assert sum(int((s.meter > 0).sum() + (s.phone > 0).sum()) for s in strips) == written
    unused = sum(n for reason, n in dropped.items() if reason in COUNTED_ONLY)
    assert rows == written + unused  # sound rows; those passed on are taken twice, once in each partition


async def test_a_dead_letter_says_where_it_came_from_and_what_was_wrong(settled: Settings, tmp_path: Path) -> None:
    """Topic, partition and offset lead to the message; the detail names the value and what to send."""
    async with Workers(settled, tmp_path):
        await until_included(settled)
    letters = await dead_letters(settled)
    assert {letter.partition for letter in letters} == {0}
    for topic in (METER, PHONE, HOUSEHOLDS):
        offsets = [letter.offset for letter in letters if letter.topic == topic]
        assert offsets == sorted(offsets)
    details = {letter.detail for letter in letters}
    assert "header schema is '2': send 1" in details
    assert any(d.startswith("kwh is -0.5: send the energy used") for d in details)
    many = next(letter for letter in letters if letter.reason == Reason.bad_energy and letter.rows == 3)
    assert [r["row"] for r in msgspec.json.decode(many.sample)] == [1, 2, 3]


async def test_a_late_enrolment_in_the_wrong_partition_finds_its_way(settled: Settings, tmp_path: Path) -> None:
    """Sent by a client with another partitioner: it is passed on, counted, and holds where it belongs."""
    record = Household("newcomer", datetime(2026, 1, 2, tzinfo=UTC))
    wrong = 1 - partition_of("newcomer", 2)
    async with AIOKafkaProducer(**client_options(settled)) as producer:
        value = msgspec.json.encode(record)
        await producer.send_and_wait(settled.topic(HOUSEHOLDS), value, b"newcomer", wrong, headers=AS_JSON)
    async with Workers(settled, tmp_path) as workers:
        await until_included(settled)
        assert workers[0].total("anbu_rows_moved_total", topic=HOUSEHOLDS) == 1
    there = [list((await restored(settled, p))[0].members.blocks[0].ids) for p in (0, 1)]
    assert ["newcomer" in ids for ids in there] == [wrong == 1, wrong == 0]
