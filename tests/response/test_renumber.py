"""Numbers of a database of before: brought to their one form once, found again, and what is none is said."""

import pytest
from sqlalchemy import Engine, select, text, update

from deploy.postgres.logins import OWNER, SERVICE
from deploy.postgres.server import LocalPostgres
from response import database as db
from response import tables
from response.circle import circle
from response.registry import by_number, person
from response.renumber import renumber, unusable
from response.rotate import rotate
from response.vault import Vault, place
from tests.response.casework import SEOUL
from tests.response.conftest import make_database
from tests.response.people import AT, KEY, KEY_2, add_household, add_person

pytestmark = pytest.mark.postgres
p = tables.people.c
OLD = {"a": "010-1234-5678", "b": "82 10 1234 5679", "c": "00182-10-1234-5670", "d": "1000000001", "e": "010-1234-567"}


@pytest.fixture
def before(database: Engine) -> Engine:
    """People as a version before had them: numbers as they were written, indexed by digits of its own."""
    with database.begin() as conn:
        add_household(conn, "h1")
        for person_id, phone in OLD.items():
            add_person(conn, person_id, "resident", household_id="h1", phone=phone)
        add_person(conn, "n", "officer", phone="")
        conn.execute(update(tables.people).where(p.phone.is_not(None)).values(phone_index=b"of before"))
    return database


def test_numbers_of_before_are_found_again(before: Engine) -> None:
    """Each by the form the network gives; a second run, or one in small steps, finds nothing more to do."""
    vault = Vault([KEY])
    done = renumber(before, vault, "KR", batch=2)
    assert (done.people, done.unusable) == (5, ["e"])
    again = renumber(before, vault, "KR")
    assert (again.people, again.unusable) == (0, [])
    with before.connect() as conn:
        found = {one: by_number(conn, vault, one) for one in ("+821012345678", "+821012345670", "+821000000001")}
        assert [[who[0] for who in people] for people in found.values()] == [["a"], ["c"], ["d"]]
        known = person(conn, vault, "b")
        assert known is not None
        assert known.phone == "+821012345679"
        assert unusable(conn) == ["e"]


def test_who_has_no_usable_number_is_passed_over(before: Engine) -> None:
    """Neither rung nor written to, and a change of keys makes no number of it."""
    renumber(before, Vault([KEY]), "KR")
    with before.connect() as conn:
        around = circle(conn, "h1", "A", AT, tz=SEOUL)
        means = {contact.person_id: contact.means for contact in around.of("resident")}
    assert means["e"] == frozenset()
    assert "call" in means["a"]


def test_a_change_of_keys_keeps_what_is_no_number_apart(before: Engine, owner: Engine) -> None:
    """Its place in the index stays empty; the others are found by the new key."""
    renumber(before, Vault([KEY]), "KR")
    rotate(owner, Vault([KEY_2, KEY]))
    with before.connect() as conn:
        assert unusable(conn) == ["e"]
        assert [who[0] for who in by_number(conn, Vault([KEY_2]), "+821012345678")] == ["a"]
        assert conn.execute(select(p.phone_index).where(p.person_id == "e")).scalar_one() is None


def test_a_database_of_0002_becomes_one_of_now(postgres: LocalPostgres) -> None:
    """The whole way: people in the tables of the first version, migrated, and ringing back is known."""
    make_database(postgres, "of_before", "anbu")
    url = postgres.url_of(OWNER, "of_before")
    db.migrate(url, "0002")
    vault, engine = Vault([KEY]), db.engine(postgres.url_of(SERVICE, "of_before"))
    with engine.begin() as conn:
        conn.execute(
            text(
                "INSERT INTO people (person_id, role, dong, household_id, phone, phone_index, channels, updated_at) "
                "VALUES ('r1', 'resident', 'd1', 'h1', :phone, 'old', '{sms}', now())"
            ),
            {"phone": vault.seal("82-10-0000-0002", place("people", "phone", "r1"))},
        )
    db.migrate(url)
    renumber(engine, vault, "KR")
    with engine.connect() as conn:
        assert by_number(conn, vault, "01000000002") == [("r1", "resident", "h1")]
    engine.dispose()
