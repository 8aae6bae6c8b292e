"""Lists of cases and the delivery log, from the database."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from response import lists, outbox
from response.desk import Desk
from response.log import NoCaseError
from response.records import Delivery, DeliveryResult, NotSent
from stream.records import OutcomeCode
from tests.response.casework import desk_of, local, opened

pytestmark = pytest.mark.postgres
NOW = local("03 10:00")


@pytest.fixture
def desk(database: Engine) -> Desk:
    """A desk where everybody is on duty."""
    return desk_of(database)


def test_open_cases_are_listed_with_level_phase_age_owner_and_next_step(desk: Desk) -> None:
    """The serious first; an acknowledged one shows its owner and deadline, another the rung that comes."""
    opened(desk, NOW, "h1")
    serious = opened(desk, NOW + timedelta(minutes=1), "h2", level="serious")
    taken = opened(desk, NOW + timedelta(minutes=2), "h3", level="serious")
    desk.acknowledge(taken, "o1", NOW + timedelta(minutes=5), until=local("03 11:00"))
    with desk.engine.connect() as conn:
        rows = lists.cases(conn)
    assert [(row.household_id, row.level, row.phase, row.owner, row.next_step) for row in rows] == [
        ("h2", "serious", "telling", None, "tell_deputy"),
        ("h3", "serious", "acknowledged", "o1", "deadline"),
        ("h1", "caution", "asking", None, "ask_again"),
    ]
    assert [row.next_at for row in rows] == [local("03 10:16"), local("03 11:00"), local("03 10:10")]
    assert rows[0].case_id == serious
    assert rows[2].age(local("03 11:30")) == timedelta(hours=1.5)


def test_list_is_filtered_by_dong_level_and_phase(desk: Desk) -> None:
    """Each filter alone and two at once."""
    opened(desk, NOW, "h1", dong="dong-1")
    opened(desk, NOW, "h2", dong="dong-2")
    opened(desk, NOW, "h3", dong="dong-2", level="serious")
    with desk.engine.connect() as conn:

        def found(**by: str) -> set[str]:
            return {row.household_id for row in lists.cases(conn, **by)}

        assert found(dong="dong-2") == {"h2", "h3"}
        assert found(level="caution") == {"h1", "h2"}
        assert found(phase="telling") == {"h3"}
        assert found(dong="dong-2", level="caution") == {"h2"}
        assert found(dong="elsewhere") == set()


def test_closed_cases_are_listed_behind_where_they_are_asked_for(desk: Desk) -> None:
    """With what they turned out to be, and only those of the time asked for."""
    first = opened(desk, NOW, "h1")
    opened(desk, NOW, "h2")
    desk.acknowledge(first, "o1", NOW)
    desk.close(first, "o1", OutcomeCode.safe_visited, NOW + timedelta(hours=1))
    with desk.engine.connect() as conn:
        assert [row.household_id for row in lists.cases(conn)] == ["h2"]
        rows = lists.cases(conn, closed_since=NOW)
        assert [(row.household_id, row.phase, row.code) for row in rows] == [
            ("h2", "asking", None), ("h1", "closed", OutcomeCode.safe_visited),
        ]  # fmt: skip
        assert rows[1].age(NOW + timedelta(days=9)) == timedelta(hours=1)
        assert [row.household_id for row in lists.cases(conn, closed_since=NOW + timedelta(hours=2))] == ["h2"]


def test_one_case_whole_has_its_log_and_every_message_sent_and_not_sent(desk: Desk) -> None:
    """A message without a channel is there with its reason, cancelled calls too, in the order of the log."""
    case_id = opened(desk, NOW, level="serious")
    jobs = outbox.lease(desk.engine, "message", False, "t", NOW, 60, 10)
    officer = next(job for job in jobs if job.role == "officer")
    desk.message_done(officer.key, Delivery(DeliveryResult.not_sent, "", NotSent.no_channel), NOW)
    desk.acknowledge(case_id, "o1", NOW + timedelta(minutes=1))
    with desk.engine.connect() as conn:
        whole = lists.whole(conn, case_id)
    assert whole.case.owner == whole.listed.owner == "o1"
    assert [entry.seq for entry in whole.log] == list(range(len(whole.log)))
    sent = {(s.role, s.what): (s.state, s.result, s.reason) for s in whole.sent}
    assert sent["officer", "tell_officer"] == ("not_sent", "not_sent", "no_channel")
    assert sent["resident", "call"] == ("cancelled", None, "cancelled")
    assert sent["guardian", "tell_guardian"] == ("leased", None, None)
    numbers = [int(s.key.rpartition("-")[2]) for s in whole.sent]
    assert numbers == sorted(numbers)


def test_deliveries_are_of_a_case_or_of_a_time(desk: Desk) -> None:
    """What belongs to another case, or was before, is left out; records for the stream are no deliveries."""
    first = opened(desk, NOW, "h1")
    second = opened(desk, NOW + timedelta(hours=1), "h2")
    desk.acknowledge(first, "o1", NOW)
    desk.close(first, "o1", OutcomeCode.safe_visited, NOW + timedelta(hours=2))
    with desk.engine.connect() as conn:
        assert {s.case_id for s in lists.deliveries(conn)} == {first, second}
        assert {s.case_id for s in lists.deliveries(conn, case_id=first)} == {first}
        assert {s.case_id for s in lists.deliveries(conn, since=NOW + timedelta(minutes=30))} == {second}
        assert {s.kind for s in lists.deliveries(conn)} == {"call", "message"}
        assert len(lists.deliveries(conn, most=1)) == 1


def test_case_that_is_not_there_is_one_line(desk: Desk) -> None:
    """The line names the number and the command that lists them."""
    with desk.engine.connect() as conn, pytest.raises(NoCaseError, match="no case 99: see `anbu cases list`"):
        lists.whole(conn, 99)
