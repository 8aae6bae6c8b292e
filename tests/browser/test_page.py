"""The page of a case in a real browser: an officer opens the link on an old phone, takes the case, closes it; every
state can be read by day and by night."""

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from deploy.kafka.ports import free_port
from response.access import Sight
from response.page import app
from response.settings import ResponseSettings
from response.vault import Vault
from stream.records import OutcomeCode
from stream.serving.server import server as server_of
from tests.response.conftest import database, logins, postgres, sight
from tests.response.people import KEY
from tests.response.test_page import link, town
from tests.response.town import Town

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: apt-get install chromium"),
]
__all__ = ["database", "logins", "postgres", "sight", "town"]
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
LEAST_CONTRAST = 4.5
"""WCAG 2 AA, of text of any size."""
LOOK = """() => {
  const rgb = text => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const page = String(ground(document.body).slice(0, 3));
  const seen = [...document.querySelectorAll("main, main *")].filter(e => e.checkVisibility());
  const own = e => [...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim()) || e.matches("input,select,textarea");
  const texts = seen.filter(own).map(e => {
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    return {what: `${e.tagName} ${e.className} ${(e.textContent || e.value).trim().slice(0, 30)}`, contrast: (a + .05) / (b + .05)};
  });
  const pressed = seen.filter(e => e.matches("button, a.button, summary, input:not([type=hidden]), select, textarea"));
  return {texts, width: document.documentElement.scrollWidth,
    small: pressed.filter(e => e.getBoundingClientRect().height < 44).map(e => e.outerHTML.slice(0, 60)),
    filled: seen.filter(e => e.matches("button, a.button") && String(ground(e).slice(0, 3)) != page).map(e => e.textContent)};
}"""  # noqa: E501
"""Contrast of every text against what it stands on, the buttons that are filled, what is too small to be touched."""


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """One Chromium for all of them."""
    with playwright.sync_playwright() as driver:
        yield driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))


@pytest.fixture
def address(town: Town, database: Engine, sight: Sight) -> Iterator[str]:
    """The page, served."""
    port = free_port()
    settings = ResponseSettings(places={"d1": "별빛1동"}, callback_number="02-120")
    served = app(town.desk, sight, Vault([KEY]), settings, now=lambda: town.now)
    server = server_of(served, "127.0.0.1", port)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < end, "the page was not served within 20 s"
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> Path:
    """Where pictures of the pages are kept, for whoever wants to look."""
    return Path(request.config.cache.mkdir("page"))  # type: ignore[union-attr]


def test_an_officer_takes_and_closes_a_case_on_a_phone(town: Town, address: str, browser) -> None:
    """Two presses and a choice; the number can be rung by touching it; a mistake is said and nothing typed is lost."""
    page = browser.new_page(viewport={"width": 360, "height": 640})
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(f"{address}/c/{link(town)}")
    assert page.get_by_role("heading", name="별빛1동").is_visible()
    page.get_by_role("button", name="제가 맡겠습니다").click()
    assert page.get_by_role("link", name="전화 걸기").get_attribute("href") == "tel:010-1234-5678"
    page.get_by_label("메모").first.fill("문을 열어 주심")
    page.get_by_label("확인한 결과").select_option("hospital")
    page.get_by_role("button", name="닫기").click()
    assert page.get_by_role("alert").is_visible()
    page.get_by_label("확인한 결과").select_option("safe_visited")
    page.get_by_role("button", name="닫기").click()
    assert page.get_by_text("끝난 사례입니다").is_visible()
    assert [text for text in faults if "422" not in text] == [], "the browser refused something of the page, its style?"
    closed = town.case().closed
    assert closed is not None
    assert closed.code is OutcomeCode.safe_visited
    assert closed.comment


def test_a_death_is_confirmed_and_can_be_taken_back_without_a_script(town: Town, address: str, browser) -> None:
    """The browser has none: press, confirm, undo."""
    page = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 640}).new_page()
    page.goto(f"{address}/c/{link(town)}")
    page.get_by_role("button", name="제가 맡겠습니다").click()
    page.get_by_label("확인한 결과").select_option("deceased")
    page.get_by_role("button", name="닫기").click()
    assert town.case().closed is None
    page.get_by_role("link", name="아니요").click()
    page.get_by_label("확인한 결과").select_option("deceased")
    page.get_by_role("button", name="닫기").click()
    page.get_by_role("button", name="네,").click()
    assert town.case().closed is not None
    page.get_by_role("button", name="되돌리기").click()
    assert town.case().closed is None
    assert page.get_by_role("link", name="전화 걸기").is_visible()


def untaken(town: Town) -> str:
    """Nobody has it."""
    return link(town)


def mine(town: Town) -> str:
    """The reader has it."""
    town.desk.acknowledge(town.case().case_id, "offi", town.now)
    return link(town)


def kept(town: Town) -> str:
    """The reader has had it for a while: nothing to undo."""
    token = mine(town)
    town.now += timedelta(minutes=2)
    return token


def asked_for_help(town: Town) -> str:
    """The resident pressed 2; and a machine said something that is folded."""
    token = mine(town)
    town.call().presses("2")
    return token


def others(town: Town) -> str:
    """Somebody else has it."""
    town.desk.acknowledge(town.case().case_id, "depu", town.now)
    return link(town)


def asked(town: Town) -> str:
    """And was asked for it."""
    token = others(town)
    town.desk.ask(town.case().case_id, "offi", town.now)
    return token


def closed(town: Town) -> str:
    """Closed a moment ago."""
    token = mine(town)
    town.desk.close(town.case().case_id, "offi", OutcomeCode.safe_visited, town.now)
    return token


def long_closed(town: Town) -> str:
    """Closed, and told."""
    token = closed(town)
    town.now += timedelta(minutes=2)
    return token


def expired(town: Town) -> str:
    """The link's time is over."""
    token = link(town, hours=1)
    town.now += timedelta(hours=2)
    return token


VIEWS = ((360, "light", "ko"), (360, "dark", "ko"), (320, "light", "en"), (1440, "dark", "ko"))
PEOPLE = (mine, kept, asked_for_help, others, asked)
"""States with somebody to be seen after a press."""
STATES = (untaken, mine, kept, asked_for_help, others, asked, closed, long_closed, expired)


@pytest.mark.parametrize(
    ("state", "pressed"), [*((state, False) for state in STATES), *((state, True) for state in PEOPLE)]
)
def test_every_state_can_be_read_and_touched(
    town: Town, address: str, browser, state: Callable[[Town], str], pressed: bool, pictures: Path
) -> None:
    """As it is opened and after the press that shows people. Light and dark, small and wide, Korean and English:
    contrast of every text, one filled button at most, nothing too small for a thumb, nothing to be scrolled sideways.
    """
    token = state(town)
    page = browser.new_page()
    if pressed:
        page.goto(f"{address}/c/{token}")
        page.get_by_role("button", name=re.compile("보기$")).click()
    for width, scheme, lang in VIEWS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{address}/c/{token}?lang={lang}")
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        well(page.evaluate(LOOK), width)
        name = f"{state.__name__}{'-seen' if pressed else ''}-{width}-{scheme}-{lang}.png"
        page.screenshot(path=str(pictures / name), full_page=True)
    page.close()


def test_what_is_asked_and_what_is_wrong_can_be_read_too(town: Town, address: str, browser, pictures: Path) -> None:
    """The page that asks again, and the page with a mistake on it."""
    page = browser.new_page(viewport={"width": 360, "height": 800})
    for code in ("", "deceased", "emergency_119"):
        page.goto(f"{address}/c/{mine(town)}")
        page.get_by_label("확인한 결과").select_option(code)
        page.get_by_role("button", name="닫기").click()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            well(page.evaluate(LOOK), 360)
            page.screenshot(path=str(pictures / f"sure-{code or 'mistake'}-{scheme}.png"), full_page=True)


def well(looked: dict, width: int) -> None:
    """Every limit is kept."""
    assert looked["texts"], "nothing is to be read"
    assert [text for text in looked["texts"] if text["contrast"] < LEAST_CONTRAST] == []
    assert len(looked["filled"]) <= 1
    assert looked["small"] == []
    assert looked["width"] <= width
