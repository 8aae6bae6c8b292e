"""What one who is nobody can do at the page: little, slowly, and not under another's address."""

import asyncio
import threading

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from response import tables
from response.access import Sight
from response.page import Page, app
from response.settings import ResponseSettings
from response.vault import Vault
from tests.response.people import KEY
from tests.response.test_page import client, link, town
from tests.response.town import Town

pytestmark = pytest.mark.postgres
__all__ = ["client", "town"]


def test_trying_links_is_slowed_but_a_right_one_never(town: Town, client: TestClient) -> None:
    """Too many unknown links of one address: 429; the officer behind the same proxy still gets in."""
    answers = [client.get(f"/c/{n:043d}").status_code for n in range(30)]
    assert answers[0] == 404
    assert answers[-1] == 429
    assert client.get(f"/c/{link(town)}").status_code == 200


def test_a_64_of_ipv6_is_one_who_tries_links(town: Town, sight: Sight) -> None:
    """Whoever has one address of it has all of them; the /64 beside it is somebody else's."""
    served = app(town.desk, sight, Vault([KEY]), ResponseSettings(), now=lambda: town.now)
    answers = [
        TestClient(served, client=(f"2001:db8::{n:x}", 1)).get(f"/c/{n:043d}").status_code for n in range(30)
    ]  # fmt: skip
    assert answers[-1] == 429
    assert TestClient(served, client=("2001:db8:0:1::1", 1)).get(f"/c/{1:043d}").status_code == 404


def test_the_access_log_holds_an_address_or_none(town: Town, sight: Sight) -> None:
    """In its one form; what is no address (a proxy may write anything) is none."""
    token = link(town)
    served = app(town.desk, sight, Vault([KEY]), ResponseSettings(), now=lambda: town.now)
    TestClient(served, client=("::ffff:192.0.2.7", 1)).post(f"/c/{token}/acknowledge", data={"hours": "2"})
    TestClient(served, client=("x" * 5000, 1)).post(f"/c/{token}/show")
    a = tables.access_log.c
    with town.engine.connect() as conn:
        wheres = set(conn.scalars(select(a.source).where(a.subject == "resi-h1")))
    assert wheres == {"page 192.0.2.7", "page ?"}


def test_a_form_is_bounded(client: TestClient) -> None:
    """In bytes and in fields, with or without a link that is one."""
    many = "&".join(f"f{n}=x" for n in range(101))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/c/x/note", content=many, headers=form).status_code == 413
    assert client.post("/c/x/note", content="comment=" + "x" * 70_000, headers=form).status_code == 413


async def test_the_page_leaves_the_database_to_others(town: Town, sight: Sight) -> None:
    """However many ask at once, eight are at the database: what calls people finds a connection."""
    at_once: list[int] = []
    inside, go = threading.Semaphore(0), threading.Event()
    page = Page(town.desk, sight, None, ResponseSettings(), lambda: town.now)

    def look() -> None:
        at_once.append(1)
        inside.release()
        go.wait(20)

    asked = [asyncio.create_task(page._turn(look)) for _ in range(50)]
    for _ in range(8):
        assert await asyncio.to_thread(inside.acquire, timeout=20)
    assert len(at_once) == 8
    go.set()
    await asyncio.gather(*asked)
    assert len(at_once) == 50


@pytest.mark.parametrize(("link_url", "told"), [("https://anbu.example.org", "max-age=15552000"), ("", None)])
def test_who_came_by_tls_comes_by_tls_from_then_on(town: Town, sight: Sight, link_url: str, told: str | None) -> None:
    """On every answer, also of what is not there: nobody between is asked again in the clear."""
    served = TestClient(app(town.desk, sight, Vault([KEY]), ResponseSettings(link_url=link_url)))
    for path in ("/healthz", f"/c/{link(town)}", "/nothing"):
        assert served.get(path).headers.get("strict-transport-security") == told
