"""The response on new topics under the same database: the recipe "Other partitions", and a topic made anew."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from kafka import KafkaProducer
from sqlalchemy import Engine

from deploy.kafka.broker import LocalBroker
from response import topics as reading
from response.follow import Follower
from response.topics import Reader
from stream import topics
from stream.kafka import admin, admin_options, partition_of
from stream.records import ALERTS, HOUSEHOLDS, Alert, Household
from stream.settings import Settings
from tests.response.casework import alert, desk_of
from tests.response.conftest import database, logins, postgres  # noqa: F401 -- fixtures
from tests.response.town import Town

pytestmark = [pytest.mark.broker, pytest.mark.postgres]
NOW = datetime.now(UTC)
LIMIT_S = 60.0


def send(settings: Settings, topic: str, *records: Alert | Household) -> None:
    """Records on a topic, acknowledged."""
    producer = KafkaProducer(**admin_options(settings), acks="all")
    for record in records:
        producer.send(
            settings.topic(topic), msgspec.json.encode(record), key=record.household_id.encode(),
            partition=partition_of(record.household_id, settings.partitions), headers=[("schema", b"1")],
        ).get(20)  # fmt: skip
    producer.close()


async def take(reader: Reader, until: Callable[[], bool]) -> None:
    """Rounds until something holds."""
    async with asyncio.timeout(LIMIT_S):
        while not until():
            await reader.round(0.1)


async def test_other_partitions_by_the_recipe_and_a_topic_made_anew(
    broker: LocalBroker,
    make_settings: Callable[..., Settings],
    database: Engine,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new prefix with other partitions, enrolments sent again, the past replayed: what is known stays one case, what
    is new is taken from its first offset on; so it is on a topic of the same name that was made anew."""
    town, counted = Town(database, NOW), Counter[tuple[str, str]]()
    follower = Follower(desk_of(database), counted)
    old = make_settings(broker, partitions=4)
    topics.ensure(old)
    known = [alert(NOW - timedelta(minutes=n), "serious", household=f"h{n}") for n in range(8)]
    send(old, ALERTS, *known)
    reader = Reader(old, follower, lambda: NOW)
    await reader.start()
    await take(reader, lambda: counted[ALERTS, "taken"] == 8)
    await reader.close()
    new = make_settings(broker, partitions=2)
    topics.ensure(new)
    send(new, HOUSEHOLDS, *[Household(f"h{n}", NOW - timedelta(days=60), dong="dong-1") for n in range(10)])
    send(new, ALERTS, *known, alert(NOW, "serious", household="h8"))
    reader = Reader(new, follower, lambda: NOW)
    await reader.start()
    try:
        await take(reader, lambda: counted[ALERTS, "taken"] == 17)
        assert [town.cases(f"h{n}") for n in range(9)] == [1] * 9
        assert counted[ALERTS, "repeated"] == 0
        monkeypatch.setattr(reading, "LOOK_S", 0.5)
        with admin(new) as client:
            client.delete_topics([new.topic(ALERTS)])
            await asyncio.to_thread(_gone, client, new.topic(ALERTS))
        topics.ensure(new)
        send(new, ALERTS, known[0], alert(NOW, "serious", household="h9"))
        await take(reader, lambda: counted[ALERTS, "taken"] == 19)
        assert (town.cases("h0"), town.cases("h9")) == (1, 1)
    finally:
        await reader.close()


def _gone(client: object, name: str) -> None:
    """Wait until a topic is deleted."""
    end = datetime.now(UTC) + timedelta(seconds=30)
    while any(t["error_code"] == 0 for t in client.describe_topics([name])):  # type: ignore[attr-defined]
        assert datetime.now(UTC) < end
