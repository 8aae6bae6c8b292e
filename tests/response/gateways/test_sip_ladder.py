"""The whole way over a real telephone line: an alert, a spoken call to SIPp as the resident, a key, an outcome."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from response.records import CallOutcome
from response.senders import Post
from response.settings import ResponseSettings
from response.vault import Vault
from tests.response.gateways import sipp
from tests.response.gateways.test_sip import LIMIT_S, Line, opened
from tests.response.people import KEY, add_person
from tests.response.test_senders import Outside
from tests.response.test_service import service
from tests.response.town import Town, at

pytestmark = [pytest.mark.sipp, pytest.mark.postgres]


@pytest.fixture
def town(database: Engine) -> Town:
    """A town whose resident has the telephone that SIPp plays."""
    made = Town(database, at("2026-03-04 10:00"))
    made.sending = False
    with database.begin() as conn:
        add_person(conn, "resi-h1", "resident", household_id="h1", dong="d1", phone="010-0000-0000")
        add_person(conn, "offi", "officer", dong="d1", phone="010-0000-0009")
    return made


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    """A trunk, and our gateway at it, which speaks what espeak-ng says."""
    async with opened(tmp_path) as line:
        yield line


async def ring(town: Town, line: Line) -> None:
    """The calls that wait are made, over the line."""
    outside = Outside()
    post = Post(
        town.desk, ResponseSettings(ring_seconds=10), Vault([KEY]), line.gateway,
        outside, outside, False, "sip", lambda: town.now,
    )  # fmt: skip
    await post.calls()
    await asyncio.wait_for(asyncio.gather(*post.running), LIMIT_S)


async def test_key_1_on_the_telephone_closes_the_case(town: Town, line: Line) -> None:
    """Nobody else is told."""
    town.alert("caution")
    async with line.resident(sipp.ANSWERS, sipp.waits(1000), sipp.presses("1"), sipp.IS_HUNG_UP_ON):
        await ring(town, line)
    assert town.case().closed is not None
    assert list(town.case().calls.values()) == [CallOutcome.answered_key]


async def test_key_2_on_the_telephone_tells_an_officer(town: Town, line: Line) -> None:
    """At once."""
    town.alert("caution")
    async with line.resident(sipp.ANSWERS, sipp.waits(1000), sipp.presses("2"), sipp.IS_HUNG_UP_ON):
        await ring(town, line)
    assert town.case().help
    assert "offi" in town.case().may_know


async def test_busy_then_rings_back(town: Town, line: Line) -> None:
    """Busy at the first call; the resident rings our number, and it is over."""
    town.alert("caution")
    async with line.resident(sipp.refuses("486 Busy Here")):
        await ring(town, line)
    assert town.case().phase == "asking"
    async with line.caller(sipp.rings_us("01000000000"), sipp.waits(800), sipp.presses("1"), sipp.IS_HUNG_UP_ON):
        heard = await asyncio.wait_for(line.heard.get(), LIMIT_S)
    await service(town)._rang_back(heard)
    assert town.case().closed is not None
