"""The page behind a link: it shows a case, acts by POST alone, and shows a person's data to whoever has the case."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from response import links, tables
from response.page import app
from response.settings import ResponseSettings
from response.vault import Vault
from tests.response.people import KEY, add_person
from tests.response.town import Town, at

pytestmark = pytest.mark.postgres


@pytest.fixture
def town(database: Engine) -> Town:
    """A serious case that an officer was told of; the resident is in the registry."""
    made = Town(database, at("2026-03-04 10:00"))
    with database.begin() as conn:
        add_person(
            conn, "resi-h1", "resident", household_id="h1", dong="d1", name="김영자", phone="010-1234-5678",
            address="별빛로 12",
        )  # fmt: skip
    made.alert("serious")
    return made


@pytest.fixture
def client(town: Town) -> TestClient:
    """A browser without cookies."""
    settings = ResponseSettings(callback_number="02-120")
    return TestClient(app(town.desk, Vault([KEY]), settings, now=lambda: town.now))


def link(town: Town, person: str = "offi", hours: float = 72) -> str:
    """A one-time link to the case."""
    with town.engine.begin() as conn:
        return links.make(conn, town.case().case_id, person, "officer", town.now, hours)


def views(town: Town) -> list[str]:
    """Who has seen the resident's data."""
    a = tables.access_log.c
    with town.engine.connect() as conn:
        return list(conn.scalars(select(a.viewer).where(a.subject == "resi-h1")))


def test_looking_changes_nothing_and_shows_no_personal_data(town: Town, client: TestClient) -> None:
    """A mail scanner opens every link: the case is as it was, the name is masked."""
    before = town.case()
    shown = client.get(f"/c/{link(town)}")
    assert shown.status_code == 200
    assert "김○자" in shown.text
    assert not [secret for secret in ("김영자", "010-1234-5678", "별빛로") if secret in shown.text]
    assert town.case() == before
    assert views(town) == []


def test_taking_a_case_shows_the_person_and_records_the_view(town: Town, client: TestClient) -> None:
    """After the press the ladder has stopped; name, number and address are there, and the access log says who saw."""
    token = link(town)
    shown = client.post(f"/c/{token}/acknowledge", data={"hours": "2"})
    assert shown.status_code == 200
    assert "김영자" in shown.text
    assert 'href="tel:010-1234-5678"' in shown.text
    assert "별빛로 12" in shown.text
    assert views(town) == ["offi"]
    assert town.case().owner == "offi"
    assert town.case().owner_until == town.now + timedelta(hours=2)


def test_closing_needs_an_outcome_and_an_end_where_it_explains_a_time(town: Town, client: TestClient) -> None:
    """What is missing is said on the page, and nothing typed is lost."""
    token = link(town)
    nothing = client.post(f"/c/{token}/close", data={"comment": "문을 열어 주심"})
    assert nothing.status_code == 422
    assert "결과를 골라" in nothing.text
    endless = client.post(f"/c/{token}/close", data={"code": "hospital", "comment": "문을 열어 주심"})
    assert "언제까지인지" in endless.text
    assert "문을 열어 주심" in endless.text
    closed = client.post(f"/c/{token}/close", data={"code": "hospital", "until": "2026-03-20"})
    assert "끝난 사례입니다" in closed.text
    assert town.case().closed is not None


def test_a_note_is_sealed_and_shown_to_whoever_has_the_case(town: Town, client: TestClient) -> None:
    """The log holds no word of it in the clear."""
    token = link(town)
    client.post(f"/c/{token}/acknowledge", data={"hours": "2"})
    shown = client.post(f"/c/{token}/note", data={"comment": "이웃이 <어제> 보았다고 함"})
    assert "이웃이 &lt;어제&gt; 보았다고 함" in shown.text
    assert "이웃" not in str([entry.what for entry in town.entries()])


def test_a_second_persons_link_does_not_act_after_it_was_used(town: Town, client: TestClient) -> None:
    """The deputy took it over: the officer's used link shows, and acts no more."""
    token = link(town)
    client.post(f"/c/{token}/acknowledge", data={"hours": "2"})
    town.desk.acknowledge(town.case().case_id, "depu", town.now)
    shown = client.post(f"/c/{token}/close", data={"code": "safe_visited"})
    assert shown.status_code == 422
    assert "다른 분이 맡" in shown.text
    assert "010-1234-5678" not in shown.text


@pytest.mark.parametrize("token", ["x" * 43, "short"])
def test_an_unknown_link_says_whom_to_ring(client: TestClient, token: str) -> None:
    """No case is shown, a number is."""
    shown = client.get(f"/c/{token}")
    assert shown.status_code == 404
    assert "tel:02-120" in shown.text


def test_an_expired_link_is_said_to_be_so(town: Town, client: TestClient) -> None:
    """And cannot act."""
    token = link(town, hours=1)
    town.now = datetime.fromisoformat("2026-03-04T03:00:00+00:00")
    assert client.get(f"/c/{token}").status_code == 410
    assert client.post(f"/c/{token}/acknowledge", data={}).status_code == 410
    assert town.case().owner is None


def test_trying_links_is_slowed_but_a_right_one_never(town: Town, client: TestClient) -> None:
    """Too many unknown links of one address: 429; the officer behind the same proxy still gets in."""
    answers = [client.get(f"/c/{n:043d}").status_code for n in range(30)]
    assert answers[0] == 404
    assert answers[-1] == 429
    assert client.get(f"/c/{link(town)}").status_code == 200


def test_headers_let_no_script_and_no_copy(town: Town, client: TestClient) -> None:
    """The page may not be framed, kept, indexed or scripted; its address goes nowhere else."""
    headers = client.get(f"/c/{link(town)}").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "script" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
