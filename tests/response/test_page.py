"""The page behind a link: it shows a case, acts by POST alone, and shows a person's data to whoever has the case."""

import re
from datetime import datetime, timedelta
from urllib.parse import urljoin

import pytest
from httpx2 import Response
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from response import links, tables
from response.access import Sight
from response.page import app
from response.records import Delivery, DeliveryResult, Role
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
        add_person(conn, "offi", "officer", dong="d1", name="박지은")
        add_person(conn, "depu", "deputy", dong="d1", name="최민호")
        add_person(
            conn, "resi-h1", "resident", household_id="h1", dong="d1", name="김영자", phone="010-1234-5678",
            address="별빛로 12",
        )  # fmt: skip
    made.alert("serious")
    return made


@pytest.fixture
def client(town: Town, sight: Sight) -> TestClient:
    """A browser without cookies."""
    settings = ResponseSettings(callback_number="02-120", places={"d1": "별빛1동"})
    return TestClient(app(town.desk, sight, Vault([KEY]), settings, now=lambda: town.now))


ROLE: dict[str, Role] = {"offi": "officer", "depu": "deputy"}


def link(town: Town, person: str = "offi", hours: float = 72) -> str:
    """A one-time link to the case."""
    with town.engine.begin() as conn:
        return links.make(conn, town.case().case_id, person, ROLE[person], town.now, hours)


def views(town: Town) -> list[str]:
    """Who has seen the resident's data."""
    a = tables.access_log.c
    with town.engine.connect() as conn:
        return list(conn.scalars(select(a.viewer).where(a.subject == "resi-h1", a.action != "masked")))


def test_looking_changes_nothing_and_shows_no_personal_data(town: Town, client: TestClient) -> None:
    """A mail scanner opens every link: the case is as it was, nobody's name is there."""
    before = town.case()
    shown = client.get(f"/c/{link(town)}")
    assert shown.status_code == 200
    assert "별빛1동" in shown.text
    assert "16시간" in shown.text
    assert not [secret for secret in ("김영자", "김○자", "010-1234-5678", "별빛로") if secret in shown.text]
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


def test_closing_needs_the_case_an_outcome_and_an_end_where_it_explains_a_time(town: Town, client: TestClient) -> None:
    """What is missing is said on the page, and nothing typed is lost."""
    token = link(town)
    untaken = client.post(f"/c/{token}/close", data={"code": "safe_visited"})
    assert untaken.status_code == 422
    assert "먼저 맡아 주십시오" in untaken.text
    client.post(f"/c/{token}/acknowledge", data={"hours": "2"})
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
    others = client.get(f"/c/{link(town, 'depu')}").text
    assert "이웃" not in others
    assert "메모가 있습니다. 맡은 분에게 보입니다" in others


def test_a_second_persons_link_does_not_act_after_it_was_used(town: Town, client: TestClient) -> None:
    """The deputy took it over: the officer's used link shows, and acts no more."""
    token = link(town)
    client.post(f"/c/{token}/acknowledge", data={"hours": "2"})
    town.desk.ask(town.case().case_id, "depu", town.now)
    town.desk.acknowledge(town.case().case_id, "depu", town.now, over=True)
    shown = client.post(f"/c/{token}/close", data={"code": "safe_visited"})
    assert shown.status_code == 422
    assert "다른 분이 맡" in shown.text
    assert "010-1234-5678" not in shown.text


def follow(client: TestClient, shown: Response, button: str, **fields: str) -> Response:
    """Press a button as a browser would: by the form's own address, with its hidden fields."""
    forms = re.findall(r'<form method="post" action="([^"]+)">(.*?)</form>', shown.text, re.S)
    action, inner = next((a, i) for a, i in forms if button in i)
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', inner))
    return client.post(urljoin(str(shown.url), action), data=hidden | fields)


@pytest.mark.parametrize("code", ["deceased", "moved", "emergency_119"])
def test_a_grave_outcome_has_a_page_of_its_own_that_asks_again(town: Town, client: TestClient, code: str) -> None:
    """It says of whom and what follows; only its button closes the case, with the comment typed before."""
    token = link(town)
    mine = client.post(f"/c/{token}/acknowledge", data={"hours": "2"})
    sure = follow(client, mine, "닫기", code=code, comment="문이 열려 있었음")
    assert sure.status_code == 200
    assert "닫을까요" in sure.text
    assert "김영자" in sure.text
    assert "별빛1동" in sure.text
    assert town.case().closed is None
    done = follow(client, sure, "네,")
    assert "끝난 사례입니다" in done.text
    closed = town.case().closed
    assert closed is not None
    assert (str(closed.code), bool(closed.comment)) == (code, True)


def test_a_mistaken_press_is_taken_back_by_the_same_link(town: Town, client: TestClient) -> None:
    """Undone is the closing, then the taking; the case is everybody's again and the link may take it once more."""
    token = link(town)
    mine = client.post(f"/c/{token}/acknowledge", data={"hours": "2"})
    closed = follow(client, mine, "닫기", code="safe_visited")
    assert "아직 아무에게도 알리지 않았습니다" in closed.text
    assert "010-1234-5678" not in closed.text
    mine = follow(client, closed, "되돌리기")
    assert "010-1234-5678" in mine.text
    open_ = follow(client, mine, "되돌리기")
    assert town.case().owner is None
    assert "010-1234-5678" not in open_.text
    follow(client, open_, "제가 맡겠습니다", hours="1")
    assert town.case().owner == "offi"


def test_a_minute_later_a_closed_case_is_opened_again_with_a_reason(town: Town, client: TestClient) -> None:
    """The undo button is gone; without a reason nothing happens."""
    token = link(town)
    client.post(f"/c/{token}/acknowledge", data={"hours": "2"})
    client.post(f"/c/{token}/close", data={"code": "safe_visited"})
    town.now += timedelta(minutes=1)
    closed = client.get(f"/c/{token}")
    assert "되돌리기" not in closed.text
    refused = follow(client, closed, "다시 열고", comment=" ")
    assert "사유를 적어" in refused.text
    assert town.case().closed is not None
    mine = follow(client, refused, "다시 열고", comment="이웃이 다른 분이라고 함")
    assert "내가 맡음" in mine.text
    assert "이웃이 다른 분이라고 함" in mine.text


def test_the_second_to_press_reads_who_has_it_and_may_ask_for_it(town: Town, client: TestClient) -> None:
    """By name; the first press tells the owner, the second takes the case over, and the first owner may ask back."""
    client.post(f"/c/{link(town)}/acknowledge", data={"hours": "1"})
    token = link(town, "depu")
    told = client.post(f"/c/{token}/acknowledge", data={"hours": "2"})
    assert "박지은 님이 이미 맡고 있습니다" in told.text
    assert town.case().owner == "offi"
    asked = follow(client, told, "넘겨받고 싶다고 알리기")
    assert town.case().owner == "offi"
    mine = follow(client, asked, "그래도 넘겨받기")
    assert town.case().owner == "depu"
    assert "박지은 님에게서 넘겨받았습니다" in mine.text
    assert "최민호 님이 맡고 있습니다" in client.post(f"/c/{link(town)}/show").text


def test_colleagues_have_names_places_too_and_no_id_is_read(town: Town, client: TestClient) -> None:
    """Neither ids nor codes nor words of machines are on the page; who read which name is recorded."""
    failed = Delivery(DeliveryResult.failed, "sms", detail="HTTP 503 from vendor")
    job = next(job for job in town.came if job.role == "officer")
    town.desk.message_done(job.key, failed, town.now)
    client.post(f"/c/{link(town, 'depu')}/acknowledge", data={"hours": "2"})
    shown = client.post(f"/c/{link(town)}/show")
    words = re.sub(r"<[^>]*>", " ", re.sub(r"<(style|head)>.*?</\1>", "", shown.text, flags=re.S))
    read, _, machines = words.partition("기계 기록")
    assert "최민호" in read
    assert "별빛1동" in read
    assert not re.findall(r"(?a)\b(offi|depu|guar-h1|resi-h1|d1|h1|tell|ask|sms|serious|telling|tell_\w+)\b", read)
    assert "HTTP 503" not in read
    assert "HTTP 503" in machines
    a = tables.access_log.c
    with town.engine.connect() as conn:
        assert ("offi", "depu") in {tuple(row) for row in conn.execute(select(a.viewer, a.subject))}


def test_the_page_is_in_one_language_at_a_time(town: Town, client: TestClient) -> None:
    """Korean, unless English is chosen: by a press, or because it is the person's language."""
    token = link(town)
    assert "I take it" not in client.get(f"/c/{token}").text
    english = client.get(f"/c/{token}?lang=en")
    assert "I take it" in english.text
    names = "김○자|별빛1동|한국어|박지은"
    assert not re.search("[가-힣]", re.sub(names, "", english.text))
    mine = follow(client, english, "I take it", hours="2")
    assert "Close the case" in mine.text


@pytest.mark.parametrize("hours", ["nan", "1e999", "-1", "0", "x"])
def test_a_deadline_is_one_of_those_offered(town: Town, client: TestClient, hours: str) -> None:
    """Whatever else stands in the form is a sentence, no fault."""
    shown = client.post(f"/c/{link(town)}/acknowledge", data={"hours": hours})
    assert shown.status_code == 422
    assert town.case().owner is None


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


def test_headers_let_no_script_and_no_copy(town: Town, client: TestClient) -> None:
    """The page may not be framed, kept, indexed or scripted; its address goes nowhere else."""
    headers = client.get(f"/c/{link(town)}").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "script" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_comment_that_hides_something_is_not_kept_and_nothing_typed_is_lost(town: Town, client: TestClient) -> None:
    """A sentence says which character; lines that were typed become one."""
    token = link(town)
    refused = client.post(f"/c/{token}/note", data={"comment": "문 앞\u202e신문 </textarea><script>"})
    assert refused.status_code == 422
    assert "U+202E" in refused.text
    assert "<script>" not in refused.text
    assert client.post(f"/c/{token}/note", data={"comment": "문 앞\r\n신문"}).status_code == 200
    client.post(f"/c/{token}/acknowledge", data={"hours": "2"})
    assert "문 앞 신문" in client.get(f"/c/{token}").text
