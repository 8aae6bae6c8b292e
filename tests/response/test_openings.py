"""A link is worth something only for whom, and while, it should be; nothing to what fetches addresses in messages."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, select, update
from starlette.testclient import TestClient

from response import duty_files, links, openings, tables
from response.access import Sight
from response.page import app
from response.records import Role
from response.settings import ResponseSettings
from response.vault import Vault
from tests.response.people import KEY, add_duty, add_person
from tests.response.test_page import client, link, town
from tests.response.town import Town, at

pytestmark = pytest.mark.postgres
__all__ = ["client", "town"]
SECRETS = ("김영자", "김○자", "010-1234-5678", "별빛로 12")
p = tables.people.c


def seen(text: str) -> list[str]:
    """What of the person is on a page."""
    return [secret for secret in SECRETS if secret in text]


def log(town: Town) -> list[tuple[str, str]]:
    """Who has looked at whom."""
    a = tables.access_log.c
    shown = select(a.viewer, a.subject).where(a.action != "masked").order_by(a.entry_id)
    with town.engine.connect() as conn:
        return [(row.viewer, row.subject) for row in conn.execute(shown)]


def mine(town: Town, client: TestClient, person: str = "offi") -> str:
    """A link by which the case was taken."""
    token = link(town, person)
    assert "010-1234-5678" in client.post(f"/c/{token}/acknowledge", data={"hours": "2"}).text
    return token


def change(town: Town, **values: object) -> None:
    """Something of the officer changes in the registry."""
    with town.engine.begin() as conn:
        conn.execute(update(tables.people).where(p.person_id == "offi").values(**values))


def fetched(town: Town, token: str, method: str = "GET") -> str:
    """What a browser gets in which nobody has pressed."""
    settings = ResponseSettings(callback_number="02-120", places={"d1": "별빛1동"})
    fresh = TestClient(app(town.desk, Sight(town.engine, town.engine), Vault([KEY]), settings, now=lambda: town.now))
    return fresh.request(method, f"/c/{token}").text


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("taken", [False, True])
def test_a_preview_of_a_message_sees_nobody_and_leaves_no_view(
    town: Town, client: TestClient, method: str, taken: bool
) -> None:
    """A messenger fetches the address in a message: no name, no entry, and the link is as good as before."""
    token = mine(town, client) if taken else link(town)
    before = log(town)
    for again in (token, link(town), link(town, "depu")):
        assert seen(fetched(town, again, method)) == []
        assert "박지은" not in fetched(town, again, method)
    assert log(town) == before
    shown = client.post(f"/c/{token}/show")
    assert ("010-1234-5678" in shown.text) == taken


def test_after_a_press_the_same_browser_sees_the_person_again(town: Town, client: TestClient) -> None:
    """Whoever took it opens the message again at the door; another browser has to press."""
    token = mine(town, client)
    assert "010-1234-5678" in client.get(f"/c/{token}").text
    assert seen(fetched(town, token)) == []
    cookie = next(c for c in client.cookies.jar if c.name == "anbu_pressed")
    assert cookie.path == f"/c/{token}"
    assert "HttpOnly" in cookie._rest  # type: ignore[attr-defined]
    assert seen(client.get(f"/c/{link(town, 'depu')}").text) == [], "of this link alone"


def test_the_view_is_in_the_log_before_the_person_is_shown(
    town: Town, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No entry, no page."""
    token = mine(town, client)
    monkeypatch.setattr("response.access._log", lambda *_: 1 / 0)
    shown = client.get(f"/c/{token}")
    assert shown.status_code == 500
    assert seen(shown.text) == []


@pytest.mark.parametrize("minutes", [0, 2, 60, 23 * 60])
def test_after_the_end_the_page_says_what_it_was_and_of_nobody(
    town: Town, client: TestClient, minutes: float
) -> None:
    """Neither name nor number, address or words; by whoever closed it, by a colleague who was told."""
    token = mine(town, client)
    client.post(f"/c/{token}/note", data={"comment": "이웃 김철수 씨"})
    client.post(f"/c/{token}/close", data={"code": "hospital", "until": "2026-03-20"})
    town.now += timedelta(minutes=minutes)
    for other in (token, link(town, "depu")):
        for shown in (client.get(f"/c/{other}"), client.post(f"/c/{other}/show")):
            assert shown.status_code == 200
            assert "입원" in shown.text
            assert seen(shown.text) == []
            assert "김철수" not in shown.text


def test_a_day_after_its_end_a_case_is_shown_no_more(town: Town, client: TestClient) -> None:
    """Not for the hours that the link still has; and nothing is done by it."""
    token = mine(town, client)
    client.post(f"/c/{token}/close", data={"code": "safe_visited"})
    town.now += timedelta(hours=24)
    shown = client.get(f"/c/{token}")
    assert shown.status_code == 410
    assert "끝난 사례입니다" in shown.text
    assert "별빛1동" not in shown.text
    assert client.post(f"/c/{token}/reopen", data={"comment": "x"}).status_code == 410
    assert town.case().closed is not None


def test_only_by_whoever_closed_it_is_a_case_opened_again(town: Town, client: TestClient) -> None:
    """A colleague's unused link would be a way to the person of a case that is over."""
    token = mine(town, client)
    client.post(f"/c/{token}/close", data={"code": "safe_visited"})
    town.now += timedelta(hours=2)
    other = link(town, "depu")
    assert "다시 열기" not in client.get(f"/c/{other}").text
    refused = client.post(f"/c/{other}/reopen", data={"comment": "궁금해서"})
    assert refused.status_code == 422
    assert seen(refused.text) == []
    assert town.case().closed is not None
    assert "010-1234-5678" in client.post(f"/c/{token}/reopen", data={"comment": "이웃이 다시 전화함"}).text


GONE: dict[str, dict[str, object]] = {
    "guardian by now": {"role": "guardian"}, "another role": {"role": "operator"}, "another dong": {"dong": "d2"},
    "of drills": {"drill": True},
}  # fmt: skip


@pytest.mark.parametrize("how", [*GONE, "removed", "on leave"])
@pytest.mark.parametrize("taken", [False, True])
def test_the_link_of_somebody_who_is_that_no_more_opens_nothing(
    town: Town, client: TestClient, how: str, taken: bool
) -> None:
    """Left, moved, another office: no case, no name, no act. On leave: the same, but for a case they have."""
    token = mine(town, client) if taken else link(town)
    if how in GONE:
        change(town, **GONE[how])
    else:
        with town.engine.begin() as conn:
            if how == "removed":
                conn.execute(delete(tables.people).where(p.person_id == "offi"))
            else:
                duty_files.add_leave(conn, "offi", town.now, town.now + timedelta(days=5))
    if how == "on leave" and taken:
        assert "010-1234-5678" in client.get(f"/c/{token}").text
        return
    for shown in (
        client.get(f"/c/{token}"), client.post(f"/c/{token}/show"), client.post(f"/c/{token}/acknowledge", data={}),
        client.post(f"/c/{token}/note", data={"comment": "x"}),
    ):  # fmt: skip
        assert shown.status_code == 403
        assert seen(shown.text) == []
        assert "16시간" not in shown.text
    assert (town.case().owner is not None) == taken


def test_a_roster_gives_the_role_and_the_dong(town: Town, client: TestClient) -> None:
    """An officer of another dong is deputy here by a roster; when that ends, so does the link."""
    with town.engine.begin() as conn:
        add_person(conn, "neig", "officer", dong="d2", name="이웃동")
        add_duty(conn, "deputy", "neig", "1111111", "00:00", "00:00", dong="d1", last_day=at("2026-03-04 10:00").date())
        token = links.make(conn, town.case().case_id, "neig", "deputy", town.now, 72)
    assert client.get(f"/c/{token}").status_code == 200
    town.now += timedelta(days=1)
    assert client.get(f"/c/{token}").status_code == 200, "a night that began on the last day"
    town.now += timedelta(days=1)
    assert client.get(f"/c/{token}").status_code == 403


@pytest.mark.parametrize("role", ["resident", "guardian"])
def test_nobody_of_the_home_has_a_link(town: Town, client: TestClient, role: Role) -> None:
    """Even if one was made."""
    with town.engine.begin() as conn:
        add_person(conn, "fami", role, household_id="h1", dong="d1", name="김보호")
        token = links.make(conn, town.case().case_id, "fami", role, town.now, 72)
    assert client.get(f"/c/{token}").status_code == 403


def test_a_second_officer_sees_who_has_it_and_not_whose_case_it_is(town: Town, client: TestClient) -> None:
    """Their colleague by name and number, after a press that is recorded; nothing of the resident."""
    change(town, phone=None)
    with town.engine.begin() as conn:
        conn.execute(delete(tables.people).where(p.person_id == "offi"))
        add_person(conn, "offi", "officer", dong="d1", name="박지은", phone="010-5555-0001")
    mine(town, client)
    token = link(town, "depu")
    before = client.get(f"/c/{token}")
    assert "누가 맡았는지 보기" in before.text
    assert "박지은" not in before.text
    shown = client.post(f"/c/{token}/show")
    assert 'href="tel:010-5555-0001"' in shown.text
    assert "박지은 님이 맡고 있습니다" in shown.text
    assert seen(shown.text) == []
    assert ("depu", "offi") in log(town)
    assert ("depu", "resi-h1") not in log(town)


def test_after_a_take_over_the_one_before_sees_the_person_no_more(town: Town, client: TestClient) -> None:
    """In the browser that has pressed, too."""
    token = mine(town, client)
    town.desk.ask(town.case().case_id, "depu", town.now)
    town.desk.acknowledge(town.case().case_id, "depu", town.now, over=True)
    for shown in (client.get(f"/c/{token}"), client.post(f"/c/{token}/show")):
        assert seen(shown.text) == []
    assert "010-1234-5678" in client.post(f"/c/{link(town, 'depu')}/show").text


def test_when_a_deadline_has_passed_the_person_is_nobodys(town: Town, client: TestClient) -> None:
    """Who had the case without an outcome sees no more than the others, until they take it by a new message."""
    token = mine(town, client)
    town.desk.due(town.now + timedelta(hours=3))
    town.now += timedelta(hours=3)
    assert seen(client.get(f"/c/{token}").text) == []
    assert "010-1234-5678" in client.post(f"/c/{link(town)}/acknowledge", data={"hours": "2"}).text


def test_links_of_a_person_can_be_revoked_at_once(town: Town, client: TestClient) -> None:
    """A telephone is lost: all of theirs are over, nobody else's."""
    token, other = mine(town, client), link(town, "depu")
    with town.engine.begin() as conn:
        assert links.revoke(conn, "offi", town.now) == 1
    assert client.get(f"/c/{token}").status_code == 410
    assert client.get(f"/c/{other}").status_code == 200


def test_a_link_is_made_for_the_role_somebody_has(database: Engine) -> None:
    """Who took a case by command was told in no role: theirs is the registry's."""
    with database.begin() as conn:
        add_person(conn, "cent", "centre", dong="")
        add_person(conn, "offi", "officer", dong="d1")
        add_duty(conn, "deputy", "offi", "1111111", "00:00", "00:00", dong="d1")
        people = {row.person_id: row for row in conn.execute(select(tables.people))}
        assert openings.role_of(conn, people["cent"], "officer") == "centre"  # type: ignore[arg-type]
        assert openings.role_of(conn, people["offi"], "deputy") == "deputy"  # type: ignore[arg-type]
        assert openings.role_of(conn, people["offi"], "centre") == "officer"  # type: ignore[arg-type]


def test_a_case_that_ended_by_itself_is_nobodys_to_look_at(town: Town, client: TestClient) -> None:
    """The resident pressed 1: whoever was told reads that it is over."""
    token = link(town)
    town.cleared()
    assert town.case().closed is not None
    shown = client.post(f"/c/{token}/show")
    assert "끝난 사례입니다" in shown.text
    assert seen(shown.text) == []
