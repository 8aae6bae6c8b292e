"""What a person says on the page or by a command is bounded, with a sentence that says the most."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine
from starlette.testclient import TestClient

from response import duty_files, homes
from response.ladder import MOST_HOURS
from response.refusals import RefusedError
from response.rows import FieldError, PeopleFileError, read_date
from response.settings import ResponseSettings
from stream.enrolment import fault_of
from stream.outcomes import MOST_DAYS, MUST_END, most_days
from stream.records import Household, OutcomeCode
from tests.response.people import add_household, add_person
from tests.response.test_page import client, link, town
from tests.response.town import Town

pytestmark = pytest.mark.postgres
__all__ = ["client", "town"]
ENDED = sorted(MUST_END | {OutcomeCode.emergency_119, OutcomeCode.safe_visited})


def taken(town: Town, client: TestClient) -> str:
    """A link by which the case was taken."""
    token = link(town)
    client.post(f"/c/{token}/acknowledge", data={"hours": "2"})
    return token


@pytest.mark.parametrize("hours", ["1e9", "87600", "3", "24.0", "inf", "٢", "²"])
def test_hours_are_those_offered(town: Town, client: TestClient, hours: str) -> None:
    """No number that somebody may write makes a deadline of its own, or a fault."""
    shown = client.post(f"/c/{link(town)}/acknowledge", data={"hours": hours})
    assert shown.status_code == 422
    assert "몇 시간인지" in shown.text
    assert town.case().owner is None


@pytest.mark.parametrize("code", ENDED)
@pytest.mark.parametrize("until", ["2206-03-04", "9999-12-31", "2027-03-04"])
def test_an_end_that_is_too_far_ahead_is_a_sentence(town: Town, client: TestClient, code: str, until: str) -> None:
    """It says the most; the case is open, and what was typed is there."""
    shown = client.post(
        f"/c/{taken(town, client)}/close", data={"code": code, "until": until, "comment": "병실 확인", "sure": "1"}
    )
    assert shown.status_code == 422
    assert f"길어도 {most_days(OutcomeCode(code))}일" in shown.text
    assert "병실 확인" in shown.text
    assert town.case().closed is None


@pytest.mark.parametrize("code", ENDED)
def test_the_last_day_there_is_may_be_given_and_the_stream_takes_it(
    town: Town, client: TestClient, code: str
) -> None:
    """What the page allows is what the stream allows, by the same function."""
    token = taken(town, client)
    last = (town.now + timedelta(days=most_days(OutcomeCode(code)))).date()
    client.post(f"/c/{token}/close", data={"code": code, "until": str(last), "sure": "1"})
    assert town.case().closed is not None
    town.now += timedelta(minutes=1)
    with town.engine.begin() as conn:
        add_household(conn, "h1", "d1")
        record = homes.with_outcomes(conn, "h1", town.now)
    assert record is not None
    assert [o.code for o in record.outcomes] == [code]
    assert fault_of(record, town.now.timestamp()) is None


@pytest.mark.parametrize("field", ["until", "from_"])
@pytest.mark.parametrize("at", [datetime(1999, 1, 1, tzinfo=UTC), datetime(2206, 1, 1, tzinfo=UTC), datetime.max])
def test_no_command_closes_with_a_time_that_the_stream_refuses(town: Town, field: str, at: datetime) -> None:
    """The desk is every edge's: nothing that is refused later is written down before."""
    town.takes()
    times = {"until": town.now + timedelta(days=1)} | {field: at.replace(tzinfo=UTC)}
    with pytest.raises(RefusedError):
        town.desk.close(town.case().case_id, "offi", OutcomeCode.hospital, town.now, **times)
    assert town.case().closed is None


@pytest.mark.parametrize("days", [3.1, 3650, 65_000])
def test_a_deadline_is_days_ahead_at_most(town: Town, days: float) -> None:
    """Taken, taken again for more time, reopened: nobody else is told until then."""
    desk, case, far = town.desk, town.case().case_id, town.now + timedelta(days=days)
    with pytest.raises(RefusedError, match=f"{MOST_HOURS}시간"):
        desk.acknowledge(case, "offi", town.now, until=far)
    assert town.case().owner is None
    desk.acknowledge(case, "offi", town.now, until=town.now + timedelta(hours=MOST_HOURS))
    with pytest.raises(RefusedError, match="at most"):
        desk.acknowledge(case, "offi", town.now, until=far)
    desk.close(case, "offi", OutcomeCode.refused, town.now)
    with pytest.raises(RefusedError, match="at most"):
        desk.reopen(case, "offi", "why", town.now, far)


@pytest.mark.parametrize(
    "given",
    [{"acknowledged_minutes": {"serious": 1e5}}, {"settle_minutes": 1e5}, {"call_back_minutes": 1e5},
     {"ladders": {"silence": {"urgent": "ask", "steps": [{"name": "ask", "to": ["officer"], "repeat_minutes": 1e5}]}}},
     {"ladders": {"silence": {"urgent": "ask", "steps": [
         {"name": "ask", "to": ["officer"], "wait_minutes": float("inf"), "repeat_minutes": 5}]}}}],
    ids=["deadline", "settle", "call-back", "again", "never"],
)  # fmt: skip
def test_no_setting_puts_a_case_off_for_weeks(given: dict) -> None:
    """A step, a deadline, a call-back: days at most."""
    with pytest.raises(ValidationError):
        ResponseSettings.model_validate(given)


def test_leave_and_rosters_end_in_this_century(database: Engine) -> None:
    """A year mistyped is said, and nobody is off duty until 2206."""
    now = datetime(2026, 3, 4, tzinfo=UTC)
    with database.begin() as conn:
        add_person(conn, "offi", "officer")
        with pytest.raises(PeopleFileError, match="three years"):
            duty_files.add_leave(conn, "offi", now, now.replace(year=2206))
        assert duty_files.add_leave(conn, "offi", now, now.replace(year=2028))
    for text in ("2206-03-04", "0026-03-04", "1926. 3. 4."):
        with pytest.raises(FieldError, match="year"):
            read_date(text)
    assert read_date("2026-03-04") == date(2026, 3, 4)


def test_every_code_has_its_most() -> None:
    """What must end, must end in a season; an absence in a household's own record in a year."""
    assert set(MOST_DAYS) >= MUST_END
    assert max(map(most_days, OutcomeCode)) <= 180
    assert Household("h1", datetime(2026, 1, 1, tzinfo=UTC)).absences == ()
