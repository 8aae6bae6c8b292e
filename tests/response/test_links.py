"""One-time links: only their hash is stored, and what may be done with one, when."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from response import links, openings, tables
from response.desk import Desk
from stream.records import OutcomeCode
from tests.response.casework import SEOUL, desk_of, local, opened
from tests.response.people import add_person

pytestmark = pytest.mark.postgres
NOW = local("03 10:00")


@pytest.fixture
def desk(database: Engine) -> Desk:
    """A desk where everybody is on duty."""
    with database.begin() as conn:
        add_person(conn, "o1", "officer", dong="dong-1")
        add_person(conn, "d1", "deputy", dong="dong-1")
    return desk_of(database)


def linked(desk: Desk, person: str = "o1") -> tuple[int, str]:
    """An open case and a token for it."""
    case_id = opened(desk, NOW, level="serious")
    with desk.engine.begin() as conn:
        return case_id, links.make(conn, case_id, person, "officer", NOW, 24)


def opening(desk: Desk, token: str) -> openings.Opening:
    """What the token opens now."""
    with desk.engine.connect() as conn:
        opened = openings.opened(conn, token, NOW, 24, SEOUL)
    assert isinstance(opened, openings.Opening), opened
    return opened


def act(desk: Desk, token: str) -> None:
    """The token is used."""
    with desk.engine.begin() as conn:
        links.used(conn, opening(desk, token).link, NOW)


def test_token_is_random_and_only_its_hash_is_stored(desk: Desk) -> None:
    """No two are alike; whoever reads the table cannot open a page."""
    _, token = linked(desk)
    with desk.engine.begin() as conn:
        other = links.make(conn, 1, "o1", "officer", NOW, 24)
        stored = conn.scalars(select(tables.links.c.token_hash)).all()
    assert len(token) == 43
    assert token != other
    assert all(len(hashed) == 32 and token.encode() not in hashed for hashed in stored)


def test_link_is_good_until_its_hour_and_another_is_unknown(desk: Desk) -> None:
    """Expired to the second; what is no token is not even looked for."""
    case_id, token = linked(desk)
    with desk.engine.connect() as conn:
        link = links.read(conn, token, NOW + timedelta(hours=24, seconds=-1))
        assert isinstance(link, links.Link)
        assert (link.case_id, link.person_id, link.role, link.used_at) == (case_id, "o1", "officer", None)
        assert links.read(conn, token, NOW + timedelta(hours=24)) == "expired"
        for wrong in ("", "x", token[:-1], token[::-1], token + "A", "../" + token, "a" * 43):
            assert links.read(conn, wrong, NOW) == "unknown"


def test_link_acts_once_and_again_for_whoever_has_the_case(desk: Desk) -> None:
    """A used link of somebody who has not got the case, or has it no more, only shows."""
    case_id, token = linked(desk)
    assert opening(desk, token).may
    desk.acknowledge(case_id, "o1", NOW)
    act(desk, token)
    assert opening(desk, token).may
    desk.ask(case_id, "d1", NOW)
    desk.acknowledge(case_id, "d1", NOW, over=True)
    assert not opening(desk, token).may


def test_link_of_whoever_closed_the_case_may_undo_and_reopen_that(desk: Desk) -> None:
    """What it does for a closed case is the case's own affair."""
    case_id, token = linked(desk)
    desk.acknowledge(case_id, "o1", NOW)
    act(desk, token)
    desk.close(case_id, "o1", OutcomeCode.safe_visited, NOW)
    assert opening(desk, token).may


def test_an_undone_use_is_none(desk: Desk) -> None:
    """Whoever took the case by mistake may take it again by the same link."""
    case_id, token = linked(desk)
    desk.acknowledge(case_id, "o1", NOW)
    act(desk, token)
    desk.undo(case_id, "o1", NOW)
    assert not opening(desk, token).may
    with desk.engine.begin() as conn:
        links.unused(conn, opening(desk, token).link)
    assert opening(desk, token).may


def test_first_use_is_remembered(desk: Desk) -> None:
    """A second use does not move it."""
    _, token = linked(desk)
    act(desk, token)
    with desk.engine.begin() as conn:
        links.used(conn, opening(desk, token).link, NOW + timedelta(hours=1))
        link = links.read(conn, token, NOW)
    assert isinstance(link, links.Link)
    assert link.used_at == NOW


def test_expired_links_are_swept_after_a_month(desk: Desk) -> None:
    """Only those; until then whoever opens one reads that it has expired."""
    _, token = linked(desk)
    expires = NOW + timedelta(hours=24)
    with desk.engine.begin() as conn:
        assert links.sweep(conn, expires + timedelta(days=30, seconds=-1)) == 0
        assert links.read(conn, token, expires + timedelta(days=29)) == "expired"
        assert links.sweep(conn, expires + timedelta(days=30)) == 1
        assert links.read(conn, token, expires + timedelta(days=31)) == "unknown"
