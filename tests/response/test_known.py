"""An event of an alert is known by what it is: read again, from whatever offset or topic, it changes nothing."""

import importlib
import itertools
from collections import Counter
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import Engine, func, select, text

from response import audit, known, tables
from response import database as db
from response.follow import Follower
from response.past import Past
from response.streams import Stream
from stream.records import ALERTS, Alert
from tests.response.metered import fresh, value
from tests.response.test_follow import Record
from tests.response.town import Town, at

pytestmark = pytest.mark.postgres
NOW = at("2026-03-04 10:00")
HOUR = timedelta(hours=1)
_topics = itertools.count()


@pytest.fixture
def town(database: Engine) -> Town:
    """A desk whose messages nobody looks at."""
    made = Town(database, NOW)
    made.sending = False
    return made


def read_again(town: Town, *alerts: Alert, now_h: float = 0) -> None:
    """The records stand on another topic of that name, whose offsets begin anew."""
    stream = Stream("cluster", f"topic-{next(_topics)}")
    records = [Record(n, msgspec.json.encode(alert)) for n, alert in enumerate(alerts)]
    Follower(town.desk, Counter()).take(ALERTS, 0, records, NOW + now_h * HOUR, stream)


def count(town: Town, table: object = tables.cases) -> int:
    """Rows of a table."""
    with town.engine.connect() as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def test_a_story_replayed_after_its_case_has_ended_opens_nothing(town: Town) -> None:
    """Raised and cleared, or raised alone: neither a second case nor a third with a call."""
    raised = town.alert("caution")
    town.now += HOUR
    cleared = town.alert(change="cleared")
    read_again(town, raised, cleared, now_h=1.5)
    read_again(town, raised, now_h=1.6)
    assert town.cases() == 1
    assert town.case().closed is not None


def test_a_story_replayed_while_its_case_is_open_changes_nothing(town: Town) -> None:
    """Nobody is called anew, and the log does not grow."""
    told = [town.alert("caution")]
    town.now += HOUR
    told.append(town.alert("serious", change="level_changed"))
    before = len(town.entries())
    read_again(town, *told, now_h=1.5)
    assert len(town.entries()) == before


def test_a_notice_replayed_is_not_sent_again(town: Town) -> None:
    """An area's outage and its end stand in the outbox once."""
    of = {"household": "", "alert_id": "a", "kind": "area_outage", "to": "operator"}
    told = [town.alert("caution", **of)]  # type: ignore[arg-type]
    rows = count(town, tables.outbox)
    read_again(town, *told, now_h=0.5)
    assert count(town, tables.outbox) == rows == 1


def test_what_one_moment_undoes_and_does_again_is_news(town: Town) -> None:
    """A clock stands still while an absence is registered, lifted, and so again: the alert stands in the end."""
    raised = town.alert("caution")
    for _ in range(2):
        town.alert(change="cleared", why="absence")
        assert town.case().closed is not None
        read_again(town, msgspec.structs.replace(raised, at=town.now))
    assert town.case().closed is None


def test_cases_of_a_version_before_are_known(database: Engine, superuser: Engine, database_url: str) -> None:
    """What stands in the log of cases when the table is made cannot come again."""
    town = Town(database, NOW)
    town.sending = False
    raised = town.alert("caution")
    migration = importlib.import_module("response.migrations.versions.0004_streams")
    with superuser.begin() as conn:
        conn.execute(text("TRUNCATE alert_events"))
        conn.execute(text(migration.KNOWN_ALREADY))
    read_again(town, raised)
    assert count(town, tables.alert_events) == 1
    db.check(database)


def test_old_events_are_swept_and_what_waits_is_not(town: Town) -> None:
    """As long as a topic keeps them they are known; what is still to be acted on stays, however old."""
    town.alert("caution", household="h1")
    town.alert("caution", household="h2", ago_h=9)
    with town.engine.begin() as conn:
        assert known.sweep(conn, NOW + timedelta(days=known.KEPT_DAYS - 1)) == 0
        assert known.sweep(conn, NOW + timedelta(days=known.KEPT_DAYS + 1)) == 1
        assert [one.subject for one in known.held(conn, Past())] == ["h2"]


def test_a_million_known_events_do_not_slow_the_next(town: Town) -> None:
    """It is found by an index, and so is what waits."""
    e = tables.alert_events
    with town.engine.begin() as conn:
        conn.execute(text(
            "INSERT INTO alert_events (alert_id, event, at, level, kind, subject, recorded_at) "
            "SELECT 'x' || n, 'raised', now(), 'caution', 'silence', 'h' || n, now() FROM generate_series(1, 20000) n"
        ))  # fmt: skip
    with town.engine.connect() as conn:
        conn.execute(text("ANALYZE alert_events"))
        for query in (
            select(e.c.seq).where(e.c.alert_id == "x7").order_by(e.c.at.desc()),
            select(e.c.seq).where(e.c.subject == "h7", ~e.c.drill, e.c.waiting.is_not(None)),
        ):
            literal = query.compile(conn, compile_kwargs={"literal_binds": True})
            plan = "\n".join(conn.scalars(text(f"EXPLAIN {literal}")))
            assert "Seq Scan" not in plan, plan


def test_what_should_have_been_acted_on_is_a_fault(town: Town) -> None:
    """Nothing may wait for ever: the auditor says so, and the gauge shows what waits."""
    town.alert("caution", ago_h=9)
    metrics = fresh()
    metrics.look(town.engine, NOW)
    assert value(metrics, "anbu_alerts_of_the_past") == 1.0
    with town.engine.connect() as conn:
        assert audit.problems(conn, NOW + timedelta(minutes=6), 60, parts=()) == []
        (said,) = audit.problems(conn, NOW + timedelta(minutes=8), 60, parts=())
    assert "1 homes have alerts of the past" in said


def test_leaps_of_the_stream_put_off_what_stands(town: Town) -> None:
    """A day of history in minutes: while other homes' alerts come nearer by hours, nobody is called."""
    first = msgspec.structs.replace(town.alert("caution", ago_h=1), household_id="h1", alert_id="h1")
    follower = Follower(town.desk, Counter())
    for n, hours in enumerate((30, 20, 10)):
        now = NOW + n * timedelta(minutes=4)
        one = msgspec.structs.replace(first, at=now - hours * HOUR, household_id=f"p{n}", alert_id=f"p{n}")
        follower.take(ALERTS, 0, [Record(n, msgspec.json.encode(one))], now, Stream("c", "t"))
    last = NOW + timedelta(minutes=8)
    assert town.desk.release(last + timedelta(minutes=4)) == 0
    assert town.desk.release(last + timedelta(minutes=5)) == 3
