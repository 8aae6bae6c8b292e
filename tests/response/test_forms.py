"""Forms of the page: after any answer they post where they should, a press that comes twice is one, nothing is cut."""

import re
from datetime import timedelta
from urllib.parse import urljoin, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from response.access import Sight
from response.events import Acknowledged, Closed, Noted, Reopened, TakeOverAsked, Undone, What
from response.page import MOST_BYTES, app
from response.settings import ResponseSettings
from response.vault import Vault
from stream.plain import COMMENT
from tests.response.people import KEY
from tests.response.test_openings import mine
from tests.response.test_page import client, link, town
from tests.response.town import Town

pytestmark = pytest.mark.postgres
__all__ = ["client", "town"]
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def behind(town: Town, sight: Sight) -> TestClient:
    """The page as a proxy shows it under a path of its own, which it takes away before it asks us."""
    settings = ResponseSettings(callback_number="02-120", link_url="https://city.example/anbu")
    served = app(town.desk, sight, Vault([KEY]), settings, now=lambda: town.now)
    return TestClient(Starlette(routes=[Mount("/anbu", served)]), base_url="https://city.example")


def count(town: Town, what: type[What]) -> int:  # type: ignore[valid-type]
    """How many of such an event the case has."""
    return sum(isinstance(entry.what, what) for entry in town.entries())


def addresses(url: str, text: str) -> list[tuple[str, str]]:
    """Method and path of everything on a page that leads somewhere, as a browser resolves it; telephones left out."""
    forms = [("POST", a) for a in re.findall(r'<form method="post" action="([^"]+)">', text)]
    links = [("GET", a) for a in re.findall(r'<a [^>]*href="([^"]+)"', text) if not a.startswith("tel:")]
    return [(method, urlsplit(urljoin(url, address)).path) for method, address in (*forms, *links)]


ANSWERS: dict[str, tuple[str, str, dict[str, object]]] = {
    "as opened": ("GET", "", {}),
    "trailing slash": ("GET", "/", {}),
    "a tab restored": ("GET", "/close", {}),
    "in English": ("GET", "?lang=en", {}),
    "in no language": ("GET", "?lang=xx", {}),
    "a press": ("POST", "/show", {}),
    "a mistake": ("POST", "/close", {"data": {"code": ""}}),
    "no end": ("POST", "/close?lang=en", {"data": {"code": "hospital"}}),
    "an end in 2206": ("POST", "/close", {"data": {"code": "hospital", "until": "2206-01-01"}}),
    "no date": ("POST", "/close", {"data": {"code": "hospital", "until": "soon"}}),
    "no hours": ("POST", "/acknowledge", {"data": {"hours": "1e9"}}),
    "asked again": ("POST", "/close", {"data": {"code": "deceased"}}),
    "a long comment": ("POST", "/note", {"data": {"comment": "아" * (COMMENT + 1)}}),
    "too long": ("POST", "/note", {"data": {"comment": "x" * MOST_BYTES}}),
    "no form": ("POST", "/note", {"json": {"comment": "x"}}),
    "half a letter": ("POST", "/note", {"content": b"comment=%EC%95", "headers": {"content-type": FORM}}),
    "another site": ("POST", "/note", {"data": {"comment": "x"}, "headers": {"sec-fetch-site": "cross-site"}}),
    "nothing to undo": ("POST", "/undo", {"data": {"act": "999"}}),
}


@pytest.mark.parametrize("prefix", ["", "/anbu"])
@pytest.mark.parametrize("how", ANSWERS)
def test_after_every_answer_the_case_can_still_be_closed(
    town: Town, client: TestClient, behind: TestClient, how: str, prefix: str
) -> None:
    """All that it shows leads to the case or to a press of it, also under a proxy's path; then it is closed by that."""
    browser = behind if prefix else client
    token = link(town)
    town.takes()
    base, (method, path, more) = f"{prefix}/c/{token}", ANSWERS[how]
    shown = browser.request(method, f"{base}{path}", **more)  # type: ignore[arg-type]
    found = addresses(str(shown.url), shown.text)
    assert found
    for verb, address in found:
        assert re.fullmatch(rf"{base}(/[a-z-]+)?" if verb == "POST" else base, address), (verb, address)
    back = browser.get(next(address for verb, address in found if verb == "GET"))
    close = next(a for verb, a in addresses(str(back.url), back.text) if a.endswith("/close"))
    done = browser.post(close, data={"code": "safe_visited"})
    assert done.history[0].status_code == 303, "a reload posts nothing"
    assert str(done.url.path) == base
    assert "끝난 사례입니다" in done.text
    assert town.case().closed is not None


def test_a_long_comment_is_a_sentence_and_nothing_of_it_is_lost(town: Town, client: TestClient) -> None:
    """It is there to be shortened; not a part of it is written down."""
    token, text = mine(town, client), "가나다라마" * 500
    shown = client.post(f"/c/{token}/close", data={"code": "refused", "comment": text})
    assert shown.status_code == 422
    assert "너무 깁니다" in shown.text
    assert text in shown.text
    assert f'maxlength="{COMMENT}"' in shown.text
    assert town.case().closed is None


@pytest.mark.parametrize(
    ("status", "more"),
    [(403, {"headers": {"sec-fetch-site": "cross-site"}}), (403, {"headers": {"sec-fetch-site": "same-site"}}),
     (403, {"headers": {"origin": "https://evil.example"}}), (415, {"headers": {"content-type": "text/plain"}}),
     (415, {"headers": {"content-type": "multipart/form-data; boundary=x"}})],
)  # fmt: skip
def test_what_our_page_does_not_send_is_not_taken(
    town: Town, client: TestClient, status: int, more: dict[str, dict[str, str]]
) -> None:
    """Forms of other sites, and bodies that are no form."""
    headers = {"content-type": FORM, **more["headers"]}
    shown = client.post(f"/c/{link(town)}/acknowledge", content=b"hours=2", headers=headers)
    assert shown.status_code == status
    assert town.case().owner is None


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "same-origin", "origin": "null"}, {"sec-fetch-site": "none"}, {"origin": "null"},
     {"origin": "http://testserver"}, {"origin": "https://city.example"}, {}],
)  # fmt: skip
def test_what_our_page_sends_is_taken_in_any_browser(town: Town, sight: Sight, headers: dict[str, str]) -> None:
    """An old one says nothing of sites; ours says no origin, since it sends no referrer; a proxy may hide the host."""
    settings = ResponseSettings(link_url="https://city.example/anbu")
    browser = TestClient(app(town.desk, sight, Vault([KEY]), settings, now=lambda: town.now))
    data = {"hours": "2", "unknown": "x", "sure": "1"}
    browser.post(f"/c/{link(town)}/acknowledge", data=data, headers=headers, follow_redirects=False)
    assert town.case().owner == "offi"


def test_pressed_twice_is_pressed_once(town: Town, client: TestClient) -> None:
    """Every form, sent again by a thumb or by a browser that goes back: the same answer, one event."""
    token = link(town)

    def twice(action: str, what: type[What], seconds: int = 3, **data: str) -> None:  # type: ignore[valid-type]
        before = count(town, what)
        for _ in range(2):
            answer = client.post(f"/c/{token}/{action}", data=data, follow_redirects=False)
            assert answer.status_code == 303, (action, answer.text)
            town.now += timedelta(seconds=seconds)
        assert count(town, what) == before + 1, action

    twice("acknowledge", Acknowledged, hours="2")
    twice("note", Noted, comment="이웃이 보았다고 함\r\n어제")
    twice("close", Closed, code="refused", comment="문 앞에서")
    act = town.case().act
    assert act is not None
    twice("undo", Undone, act=str(act.seq))
    assert (town.case().closed, town.case().owner) == (None, "offi"), "the taking was not undone with it"
    twice("close", Closed, code="refused")
    town.now += timedelta(minutes=2)
    twice("reopen", Reopened, comment="잘못 닫음")
    assert town.case().owner == "offi"


def test_a_take_over_pressed_twice_keeps_the_deadline(town: Town, client: TestClient) -> None:
    """Asked once, taken over once; the time is what it was."""
    town.takes("offi", hours=1)
    until, token = town.case().owner_until, link(town, "depu")
    for action in ("ask", "ask", "take-over", "take-over"):
        client.post(f"/c/{token}/{action}")
        town.now += timedelta(seconds=5)
    assert (town.case().owner, town.case().owner_until) == ("depu", until)
    assert (count(town, TakeOverAsked), count(town, Acknowledged)) == (1, 2)


def test_more_time_is_no_second_press(town: Town, client: TestClient) -> None:
    """Another number of hours, or the same a while later, is a new deadline."""
    token = mine(town, client)
    town.now += timedelta(seconds=30)
    client.post(f"/c/{token}/acknowledge", data={"hours": "4"})
    assert town.case().owner_until == town.now + timedelta(hours=4)
    town.now += timedelta(minutes=30)
    client.post(f"/c/{token}/acknowledge", data={"hours": "4"})
    assert town.case().owner_until == town.now + timedelta(hours=4)


def test_a_press_on_what_is_no_more_so_is_said(town: Town, client: TestClient) -> None:
    """A page that was left open: somebody else has it, it is closed, something came after what was to be undone."""
    token = link(town)
    town.takes("depu")
    stale = client.post(f"/c/{token}/acknowledge", data={"hours": "2"})
    assert (stale.status_code, "이미 맡고 있습니다" in stale.text) == (422, True)
    town.desk.undo(town.case().case_id, "depu", town.now)
    client.post(f"/c/{token}/acknowledge", data={"hours": "2"})
    act = town.case().act
    assert act is not None
    client.post(f"/c/{token}/close", data={"code": "refused"})
    stale = client.post(f"/c/{token}/undo", data={"act": str(act.seq)})
    assert (stale.status_code, town.case().closed is None) == (422, False)
    for action, data in (("note", {"comment": "x"}), ("close", {"code": "hospital", "until": "2026-03-09"})):
        before = len(town.entries())
        stale = client.post(f"/c/{token}/{action}", data=data)
        assert action == "note" or stale.status_code == 422
        assert len(town.entries()) == before + (action == "note")


def test_a_token_is_in_no_log_and_goes_nowhere(
    town: Town, client: TestClient, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not on a press, not with a fault of ours; no address on the page holds it but the page's own."""
    token = mine(town, client)
    shown = client.get(f"/c/{token}")
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert "http" not in re.sub(r"<style>.*?</style>", "", shown.text, flags=re.S)
    monkeypatch.setattr("response.page.press", lambda *_: 1 / 0)
    client.post(f"/c/{token}/note", data={"comment": "x"})
    said = capsys.readouterr()
    assert token not in said.out + said.err
