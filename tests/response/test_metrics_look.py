"""The response's metrics on a real database: the gauges are what it holds, the counters what was committed."""

from datetime import timedelta

import pytest
from prometheus_client import generate_latest
from sqlalchemy import Engine, update

from response import tables
from response.metrics import AGES
from response.records import Circle, Contact, DeliveryResult
from tests.response.casework import HOURS, alert, desk_of, local, opened
from tests.response.metered import fresh, times, value
from tests.response.town import Town, at

pytestmark = pytest.mark.postgres
START = local("04 10:00")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def town(database: Engine) -> Town:
    """A town at ten on a working day."""
    return Town(database, at("2026-03-04 10:00"))


def test_open_cases_are_counted_by_level_and_age(database: Engine) -> None:
    """Each open case is in one band; a band that emptied shows zero."""
    desk = desk_of(database)
    opened(desk, START, "h1")
    opened(desk, START + timedelta(hours=2), "h2", level="serious")
    metrics = fresh()
    metrics.look(database, START + timedelta(hours=2, minutes=1))
    count = {
        (level, age): value(metrics, "anbu_open_cases", level=level, age=age, drill="no")
        for level in ("caution", "serious") for age in AGES
    }  # fmt: skip
    assert count["caution", "1-6h"] == count["serious", "0-1h"] == 1.0
    assert sum(n or 0 for n in count.values()) == 2.0
    metrics.look(database, START + timedelta(hours=25))
    assert value(metrics, "anbu_open_cases", level="caution", age="1-6h", drill="no") == 0.0
    assert value(metrics, "anbu_open_cases", level="caution", age="24h+", drill="no") == 1.0


def test_a_step_counts_as_overdue_when_no_tick_takes_it(database: Engine) -> None:
    """Not at its time, but a minute later; after the tick it is not overdue any more."""
    desk, metrics = desk_of(database), fresh()
    opened(desk, START)
    metrics.look(database, START + 10 * MINUTE + timedelta(seconds=59))
    assert value(metrics, "anbu_ladder_steps_overdue") == 0.0
    metrics.look(database, START + 12 * MINUTE)
    assert value(metrics, "anbu_ladder_steps_overdue") == 1.0
    desk.due(START + 12 * MINUTE)
    metrics.look(database, START + 12 * MINUTE)
    assert value(metrics, "anbu_ladder_steps_overdue") == 0.0


def test_an_acknowledged_case_past_its_deadline_is_seen_until_the_tick_has_it(database: Engine) -> None:
    """Afterwards the case is open again, and the passing is counted."""
    metrics = fresh()
    desk = desk_of(database)
    desk.watch = metrics.happened
    case_id = opened(desk, START)
    desk.acknowledge(case_id, "o1", START + MINUTE, until=START + 30 * MINUTE)
    late = START + 31 * MINUTE
    metrics.look(database, late)
    assert value(metrics, "anbu_cases_past_deadline") == 1.0
    desk.due(late)
    metrics.look(database, late)
    assert value(metrics, "anbu_cases_past_deadline") == 0.0
    assert value(metrics, "anbu_deadlines_passed_total", drill="no") == 1.0


def test_outbox_ages_and_leases_by_kind(town: Town) -> None:
    """What waits grows old; what a sender is at is leased and does not."""
    town.sending = False
    town.alert()
    metrics = fresh()
    metrics.look(town.engine, town.now + 7 * MINUTE)
    assert value(metrics, "anbu_outbox_age_seconds", kind="call") == 420.0
    assert value(metrics, "anbu_outbox_age_seconds", kind="record") == 0.0
    town.sending = True
    town.gather()
    metrics.look(town.engine, town.now + 7 * MINUTE)
    assert value(metrics, "anbu_outbox_age_seconds", kind="call") == 0.0
    assert value(metrics, "anbu_outbox_leased", kind="call") == 1.0


def test_a_call_is_not_old_because_the_night_came(database: Engine) -> None:
    """Planned before eight it is as old as the morning; outside calling hours nothing is late."""
    desk, metrics = desk_of(database), fresh(HOURS)
    case_id = opened(desk, START)
    with database.begin() as conn:
        o = tables.outbox.c
        night = local("04 05:00")
        conn.execute(update(tables.outbox).where(o.case_id == case_id, o.kind == "call").values(not_before=night))
    metrics.look(database, local("04 08:03"))
    assert value(metrics, "anbu_outbox_age_seconds", kind="call") == 180.0
    metrics.look(database, local("04 07:00"))
    assert value(metrics, "anbu_outbox_age_seconds", kind="call") == 0.0


def test_a_case_from_alert_to_end_is_counted_as_it_happens(town: Town) -> None:
    """The desk tells the metrics after each commit: one alert, one call, a key after four minutes, an end."""
    metrics = fresh()
    town.desk.watch = metrics.happened
    town.alert()
    ringing = town.asked()
    town.now += 4 * MINUTE
    ringing.presses("1")
    assert value(metrics, "anbu_alerts_taken_total", kind="silence", event="raised") == 1.0
    assert value(metrics, "anbu_cases_opened_total", level="caution", drill="no") == 1.0
    assert value(metrics, "anbu_calls_total", outcome="answered_key", drill="no") == 1.0
    labels = {"channel": "sms", "result": DeliveryResult.sent.value, "reason": "none", "drill": "no"}
    assert value(metrics, "anbu_messages_total", **labels) == 1.0
    assert value(metrics, "anbu_cases_closed_total", code="safe_answered", how="key", drill="no") == 1.0
    assert times(metrics, "reached") == times(metrics, "closed") == (1.0, 240.0)
    assert times(metrics, "acknowledged") == (0.0, 0.0)


def test_what_was_rolled_back_is_not_counted(database: Engine) -> None:
    """A transaction that failed did not happen."""
    metrics = fresh()
    desk = desk_of(database, Circle((Contact("r1", "resident"),)))
    desk.watch = metrics.happened
    with pytest.raises(ZeroDivisionError), desk.transaction() as conn:
        desk.alert(conn, alert(START), START + timedelta(1 / 0))
    assert value(metrics, "anbu_cases_opened_total", level="caution", drill="no") == 0.0
    with desk.transaction() as conn:
        desk.alert(conn, alert(START), START)
    assert value(metrics, "anbu_cases_opened_total", level="caution", drill="no") == 1.0
    text = generate_latest(metrics.registry).decode()
    assert "h1" not in text
    assert "r1" not in text
