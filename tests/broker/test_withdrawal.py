"""One forged withdrawal on the topic, both sides of it: watched and known no more, and undone by the command."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from anbu import cli
from deploy.kafka.broker import LocalBroker
from response import registry, withdrawals
from response.follow import Follower
from response.topics import Reader
from response.vault import Vault
from stream import acls, topics
from stream.kafka import partition_of
from stream.records import Household
from stream.settings import Settings
from tests.broker.conftest import login
from tests.broker.onbroker import restored, until_included
from tests.broker.test_streams import take
from tests.broker.test_worker import ONE_FEED, enrol, read
from tests.broker.workers import Workers
from tests.response.casework import desk_of
from tests.response.conftest import database, its_settings, logins, postgres  # noqa: F401 -- fixtures
from tests.response.people import KEY, add_person
from tests.stream.streaming import SINCE

pytestmark = [pytest.mark.broker, pytest.mark.postgres]


async def test_both_sides_stop_at_once_and_go_on_when_it_is_undone(
    broker: LocalBroker,
    make_settings: Callable[..., Settings],
    database: Engine,  # noqa: F811
    its_settings: None,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A record with `withdrawn`, and a deletion from the topic: neither deletes anything; one command undoes both."""
    settings = make_settings(broker, partitions=2, session_timeout_seconds=3)
    topics.ensure(settings)
    acls.ensure(settings)
    with database.begin() as conn:
        add_person(conn, "o1", "officer", Vault([KEY]), dong="d1")
        for home in "ab":
            add_person(conn, f"r-{home}", "resident", Vault([KEY]), dong="d1", household_id=home, name="김영자")

    def known() -> list[str]:
        with database.connect() as conn:
            return [*registry.around(conn, "a"), *registry.around(conn, "b")]

    async def kept() -> list[int]:
        """Days that are learned of each home that is watched."""
        found = []
        for home in "ab":
            partition, _ = await restored(settings, partition_of(home, 2))
            rows = {name: (block, i) for block in partition.members.blocks for i, name in enumerate(block.ids)}
            found += [int(rows[home][0].habit["days"][rows[home][1]])] if home in rows else []
        return found

    reader = Reader(settings, Follower(desk_of(database), Counter()), lambda: datetime.now(UTC))
    async with Workers(settings, tmp_path):
        await enrol(settings, *(Household(home, SINCE, "area-1", "d1", ONE_FEED) for home in "ab"))
        await until_included(settings)
        for home in "ab":
            await read(settings, home, 0, 2 * 96)
        await until_included(settings)
        assert await kept() == [2, 2]
        await reader.start()
        try:
            await enrol(settings, Household("a", SINCE, withdrawn=SINCE), "b")
            await take(reader, lambda: not known())
            await until_included(settings)
            assert await kept() == []
            with database.connect() as conn:
                assert {row.household_id for row in withdrawals.pending(conn)} == {"a", "b"}
            for name, value in login(broker, "operator").items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("ANBU_TOPIC_PREFIX", settings.topic_prefix)
            monkeypatch.setenv("ANBU_PARTITIONS", "2")
            undo = ["withdrawal", "undo", "a", "b", "--by", "o1", "--why", "forged"]
            with pytest.raises(SystemExit) as e:
                await asyncio.to_thread(cli.main, undo)
            assert not e.value.code
            await take(reader, lambda: known() == ["r-a", "r-b"])
            await until_included(settings)
            assert await kept() == [2, 2]
        finally:
            await reader.close()
