"""Offsets are of one topic of one cluster: another of its name is read from its beginning, a shorter one pages."""

from collections import Counter

import msgspec
import pytest
from sqlalchemy import Engine

from response import audit, streams, tables
from response.follow import Follower
from response.streams import Extent, RewoundError, Stream, begin
from stream.records import ALERTS
from tests.response.metered import fresh, value
from tests.response.test_follow import Record
from tests.response.town import Town, at

pytestmark = pytest.mark.postgres
NOW = at("2026-03-04 10:00")
OLD, NEW = Stream("c1", "t1"), Stream("c1", "t2")


@pytest.fixture
def town(database: Engine) -> Town:
    """A desk; what is sent is not looked at."""
    made = Town(database, NOW)
    made.sending = False
    return made


@pytest.fixture
def follower(town: Town) -> Follower:
    """A follower of the town's desk."""
    return Follower(town.desk, Counter())


def alerts(town: Town, *homes: str) -> list[Record]:
    """A serious alert of each home, as they stand on a topic from its beginning."""
    made = msgspec.structs.replace(town.alert("attention"), level="serious", to="person")
    return [
        Record(n, msgspec.json.encode(msgspec.structs.replace(made, household_id=home, alert_id=home)))
        for n, home in enumerate(homes)
    ]


@pytest.mark.parametrize(
    ("read", "epoch", "has", "goes_on", "missing"),
    [
        (None, None, Extent(3, 9, 0), 3, 0),
        (7, 0, Extent(3, 9, 0), 7, 0),
        (9, 0, Extent(3, 9, 4), 9, 0),
        (12, 0, Extent(3, 9, 0), 3, 3),
        (9, 4, Extent(3, 9, 2), 3, 1),
        (1, 0, Extent(3, 9, 0), 3, 0),
        (0, None, Extent(0, 0, None), 0, 0),
    ],
)
def test_where_to_go_on(read: int | None, epoch: int | None, has: Extent, goes_on: int, missing: int) -> None:
    """Where we were, if the stream still has it; else from its beginning, and what it has lost is counted."""
    assert begin(read, epoch, has) == (goes_on, missing)


def test_serious_alerts_on_new_topics_are_taken(town: Town, follower: Follower) -> None:
    """Another prefix or an emptied broker under the same database: its first offsets are no repetition."""
    follower.locate(ALERTS, 0, OLD, Extent(0, 3))
    follower.take(ALERTS, 0, alerts(town, "h1", "h2", "h3"), NOW, OLD)
    assert follower.locate(ALERTS, 0, NEW, Extent(0, 2)) == 0
    follower.take(ALERTS, 0, alerts(town, "h3", "h4"), NOW, NEW)
    assert (town.cases("h3"), town.cases("h4")) == (1, 1)
    assert follower.counted[ALERTS, "repeated"] == 0
    assert follower.locate(ALERTS, 0, OLD, Extent(0, 3)) == 3


def test_offsets_of_a_version_before_are_of_the_first_stream_seen(follower: Follower, town: Town) -> None:
    """An upgrade reads nothing twice."""
    follower.take(ALERTS, 0, alerts(town, "h1", "h2"), NOW)
    assert follower.locate(ALERTS, 0, OLD, Extent(0, 2)) == 2
    assert follower.locate(ALERTS, 0, NEW, Extent(0, 2)) == 0


def test_a_stream_shorter_than_its_offset_pages_until_somebody_says_that_they_know(
    town: Town, follower: Follower
) -> None:
    """It is read again at once, so that nobody waits; audit and metric say it, with the command that ends it."""
    follower.locate(ALERTS, 0, OLD, Extent(0, 3))
    follower.take(ALERTS, 0, alerts(town, "h1", "h2", "h3"), NOW, OLD)
    assert follower.locate(ALERTS, 0, OLD, Extent(0, 1)) == 0
    follower.take(ALERTS, 0, alerts(town, "h5"), NOW, OLD)
    assert town.cases("h5") == 1
    metrics = fresh()
    metrics.look(town.engine, NOW)
    assert value(metrics, "anbu_stream_missing_records", topic=ALERTS) == 2.0
    with town.engine.begin() as conn:
        (said,) = audit.problems(conn, NOW, 60, parts=())
        assert "2 records shorter" in said
        assert "anbu response --from-beginning alerts" in said
        assert streams.reread(conn, ALERTS, NOW) == 1
        assert audit.problems(conn, NOW, 60, parts=()) == []


def test_a_topic_asked_for_again_is_not_passed_over_by_what_comes_meanwhile(town: Town, follower: Follower) -> None:
    """The process runs while the command is given: its next records wait until it has gone back."""
    records = alerts(town, "h1", "h2")
    follower.locate(ALERTS, 0, OLD, Extent(0, 2))
    follower.take(ALERTS, 0, records[:1], NOW, OLD, 0)
    with town.engine.begin() as conn:
        conn.execute(tables.alert_events.delete())
        streams.reread(conn, ALERTS, NOW)
    with pytest.raises(RewoundError):
        follower.take(ALERTS, 0, records[1:], NOW, OLD, 1)
    assert follower.begin(ALERTS, 0, OLD) == 0
