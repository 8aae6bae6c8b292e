"""The page of a case on an old phone, in a real browser: an officer opens the link, takes the case, closes it."""

import shutil
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from sqlalchemy import Engine

from deploy.kafka.ports import free_port
from response.page import app
from response.settings import ResponseSettings
from response.vault import Vault
from tests.response.conftest import database, database_url, postgres
from tests.response.people import KEY
from tests.response.test_page import link, town
from tests.response.town import Town

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: apt-get install chromium"),
]
__all__ = ["database", "database_url", "postgres", "town"]
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture
def address(town: Town, database: Engine) -> Iterator[str]:
    """The page, served."""
    port = free_port()
    served = app(town.desk, Vault([KEY]), ResponseSettings(), now=lambda: town.now)
    server = uvicorn.Server(uvicorn.Config(served, "127.0.0.1", port, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < end, "the page was not served within 20 s"
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def test_an_officer_takes_and_closes_a_case_on_a_phone(
    town: Town, address: str, request: pytest.FixtureRequest
) -> None:
    """Two presses and a choice; nothing to be scrolled sideways; the number can be rung by touching it."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page(viewport={"width": 360, "height": 640})
        faults: list[str] = []
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.goto(f"{address}/c/{link(town)}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.get_by_text("김○자").is_visible()
        page.screenshot(path=str(request.config.cache.mkdir("page") / "open.png"), full_page=True)
        page.get_by_role("button", name="제가 맡겠습니다").click()
        assert page.get_by_role("link", name="전화").get_attribute("href") == "tel:010-1234-5678"
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.screenshot(path=str(request.config.cache.mkdir("page") / "taken.png"), full_page=True)
        page.get_by_label("확인한 결과").select_option("safe_visited")
        page.get_by_role("button", name="닫기").click()
        assert page.get_by_text("끝난 사례입니다").is_visible()
        browser.close()
    assert faults == [], "the browser refused something of the page, its style perhaps"
    assert town.case().closed is not None
