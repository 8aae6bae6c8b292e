"""The circle around a household: who can be told, at nights, on holidays and on leave."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from sqlalchemy import Connection, Engine, insert, select

from response import tables
from response.circle import circle
from response.records import Circle
from response.registry import by_number, person
from response.vault import Vault
from stream.records import Absence
from tests.response.people import AT, KEY, KEY_2, add_duty, add_household, add_person

pytestmark = pytest.mark.postgres
SEOUL = ZoneInfo("Asia/Seoul")
NIGHT = datetime(2026, 3, 4, 17, 0, tzinfo=UTC)  # 02:00 in Seoul, Thursday
CHUSEOK = datetime(2026, 9, 25, 3, 0, tzinfo=UTC)


def around(conn: Connection, at: datetime = AT, household: str = "h1", dong: str = "A") -> Circle:
    return circle(conn, household, dong, at, tz=SEOUL, holidays=holidays.country_holidays("KR"))


def ids(found: Circle, role: str) -> list[str]:
    return [contact.person_id for contact in found.of(role)]  # type: ignore[arg-type]


def _dong(conn: Connection) -> None:
    add_household(conn, "h1")
    add_person(conn, "res", "resident", household_id="h1", consent_guardian=True)
    add_person(conn, "son", "guardian", household_id="h1")
    add_person(conn, "other", "resident", household_id="h2")
    for name, role, dong in (("kim", "officer", "A"), ("lee", "officer", "A"), ("park", "officer", "B"),
                             ("choi", "deputy", "A"), ("cen", "centre", ""), ("ops", "operator", "")):  # fmt: skip
        add_person(conn, name, role, dong=dong)
    add_duty(conn, "officer", "kim", "11111000", "09:00", "18:00", rank=1)
    add_duty(conn, "officer", "lee", "11111000", "09:00", "18:00", rank=0)
    add_duty(conn, "centre", "cen", "11111001", "18:00", "09:00", dong="")


def test_by_day_at_night_and_on_a_holiday(database: Engine) -> None:
    """Officers by rank in their hours, the centre at night; who has no roster is always there."""
    with database.begin() as conn:
        _dong(conn)
        day, night, chuseok = around(conn), around(conn, NIGHT), around(conn, CHUSEOK)
    assert (ids(day, "officer"), ids(day, "centre")) == (["lee", "kim"], [])
    assert (ids(night, "officer"), ids(night, "centre")) == ([], ["cen"])
    assert (ids(chuseok, "officer"), ids(chuseok, "centre")) == ([], [])
    for found in (day, night, chuseok):
        assert (ids(found, "deputy"), ids(found, "operator")) == (["choi"], ["ops"])
        assert (ids(found, "resident"), ids(found, "guardian")) == (["res"], ["son"])


def test_leave_takes_a_person_out_with_or_without_a_roster(database: Engine) -> None:
    """An officer on leave is not told, nor a deputy, nor a guardian; the resident always is."""
    with database.begin() as conn:
        _dong(conn)
        for name in ("lee", "choi", "son", "res"):
            conn.execute(insert(tables.leaves).values(person_id=name, from_at=AT, until_at=AT + timedelta(hours=1)))
        found, after = around(conn), around(conn, AT + timedelta(hours=1))
    assert [c.person_id for c in found.contacts] == ["res", "kim", "ops"]
    assert ids(after, "officer") == ["lee", "kim"]
    assert ids(after, "guardian") == ["son"]


def test_roster_may_name_an_officer_of_another_dong_as_deputy(database: Engine) -> None:
    """In the role of the roster, and only in that."""
    with database.begin() as conn:
        _dong(conn)
        add_duty(conn, "deputy", "park", "1111111", "00:00", "00:00")
        found = around(conn)
    assert ids(found, "deputy") == ["park"]
    assert ids(found, "officer") == ["lee", "kim"]


def test_means_follow_what_there_is(database: Engine) -> None:
    """No call to whom must not be rung, no message without an address, consent by the resident's word."""
    with database.begin() as conn:
        add_household(conn, "h1")
        add_person(conn, "deaf", "resident", household_id="h1", calls=False, channels=["alimtalk"])
        add_person(conn, "mail", "guardian", household_id="h1", phone="", email="a@b.kr", channels=["email"])
        add_person(conn, "none", "operator", dong="", phone="", channels=["sms"])
        add_person(conn, "hook", "centre", dong="", phone="", channels=["webhook"])
        found = {contact.person_id: contact for contact in around(conn).contacts}
    means = {name: set(contact.means) for name, contact in found.items()}
    assert means == {"deaf": {"sms", "message"}, "mail": {"message"}, "none": set(), "hook": {"message"}}
    assert not found["mail"].consent


def test_drill_people_are_around_drill_households_alone(database: Engine) -> None:
    """Nobody simulated is asked about somebody real."""
    with database.begin() as conn:
        add_household(conn, "h1")
        add_household(conn, "d1", drill=True)
        add_person(conn, "sim", "officer", drill=True)
        assert ids(around(conn), "officer") == []
        assert ids(around(conn, household="d1"), "officer") == ["sim"]


def test_absences_that_follow_each_other_are_one(database: Engine) -> None:
    """The end of the absence that holds now; one that is over or to come is none."""

    def days(first: int, last: int) -> Absence:
        return Absence(AT + timedelta(days=first), AT + timedelta(days=last))

    with database.begin() as conn:
        add_household(conn, "h1", "A", days(2, 5), days(-1, 2), days(6, 7))
        assert around(conn).absent_until == AT + timedelta(days=5)
        assert around(conn, AT + timedelta(days=5)).absent_until is None


def test_unknown_household_has_the_staff_of_its_dong(database: Engine) -> None:
    """An alert of a home nobody registered reaches the officer all the same; one that has left is said to have."""
    with database.begin() as conn:
        _dong(conn)
        found = around(conn, household="nobody")
        assert ids(found, "officer") == ["lee", "kim"]
        assert not found.withdrawn
        conn.execute(tables.households.update().values(withdrawn_at=AT))
        assert around(conn).withdrawn


def test_who_rang_is_found_by_number(database: Engine) -> None:
    """However the network writes it, by the key of before too."""
    with database.begin() as conn:
        add_person(conn, "a_son", "guardian", Vault([KEY]), household_id="h1", phone="010-1111-2222", name="아들")
        add_person(conn, "res", "resident", Vault([KEY_2]), household_id="h1", phone="01011112222", name="어머니")
        add_person(conn, "x", "resident", phone="010-3333-4444")
        found = by_number(conn, Vault([KEY, KEY_2]), "+82 10 1111 2222")
        assert found == [("a_son", "guardian", "h1"), ("res", "resident", "h1")]
        assert by_number(conn, Vault([KEY]), "010-9999-9999") == []
        known = person(conn, Vault([KEY]), "a_son")
        assert known is not None
        assert (known.phone, known.household_id) == ("010-1111-2222", "h1")
        assert person(conn, Vault([KEY]), "nobody") is None
        assert b"010-1111-2222" not in b"".join(conn.scalars(select(tables.people.c.phone)).all())
