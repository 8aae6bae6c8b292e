"""One-time links: only their hash is stored, and what may be done with one, when."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from response import links, log, tables
from response.desk import Desk
from stream.records import OutcomeCode
from tests.response.casework import desk_of, local, opened

pytestmark = pytest.mark.postgres
NOW = local("03 10:00")


@pytest.fixture
def desk(database: Engine) -> Desk:
    """A desk where everybody is on duty."""
    return desk_of(database)


def linked(desk: Desk, person: str = "o1") -> tuple[int, str]:
    """An open case and a token for it."""
    case_id = opened(desk, NOW, level="serious")
    with desk.engine.begin() as conn:
        return case_id, links.make(conn, case_id, person, "officer", NOW, 24)


def may_act(desk: Desk, token: str) -> bool:
    """Whether the token's holder may act now."""
    with desk.engine.connect() as conn:
        link = links.read(conn, token, NOW)
        assert isinstance(link, links.Link)
        return links.may_act(link, log.load(conn, link.case_id))


def act(desk: Desk, token: str) -> None:
    """The token is used."""
    with desk.engine.begin() as conn:
        links.used(conn, token, NOW)


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
    assert may_act(desk, token)
    desk.acknowledge(case_id, "o1", NOW)
    act(desk, token)
    assert may_act(desk, token)
    desk.acknowledge(case_id, "d1", NOW)
    assert not may_act(desk, token)


def test_link_of_a_closed_case_does_nothing(desk: Desk) -> None:
    """Used or not."""
    case_id, token = linked(desk)
    desk.close(case_id, "c1", OutcomeCode.safe_visited, NOW)
    assert not may_act(desk, token)


def test_first_use_is_remembered(desk: Desk) -> None:
    """A second use does not move it."""
    _, token = linked(desk)
    act(desk, token)
    with desk.engine.begin() as conn:
        links.used(conn, token, NOW + timedelta(hours=1))
        link = links.read(conn, token, NOW)
    assert isinstance(link, links.Link)
    assert link.used_at == NOW


def test_expired_links_are_swept(desk: Desk) -> None:
    """Only those."""
    linked(desk)
    with desk.engine.begin() as conn:
        assert links.sweep(conn, NOW + timedelta(hours=23)) == 0
        assert links.sweep(conn, NOW + timedelta(hours=24)) == 1
