"""What the process wires together: whoever rings back is found by the number, whatever way it is written."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from response import audit, inbound, links, tables
from response.access import Sight
from response.auditor import Auditor
from response.desk import Desk
from response.events import RangBack
from response.metrics import ResponseMetrics
from response.records import CalledBack, CallOutcome, CallResult
from response.service import Service
from response.settings import ResponseSettings
from response.vault import Vault
from stream.settings import Settings
from tests.response.gateways.serving import serving
from tests.response.people import KEY, add_person
from tests.response.town import Town, at

pytestmark = pytest.mark.postgres


@pytest.fixture
def town(database: Engine) -> Iterator[Town]:
    """A town whose resident is in the registry; nobody may be told unexpectedly."""
    made = Town(database, at("2026-03-04 10:00"))
    with database.begin() as conn:
        add_person(conn, "resi-h1", "resident", household_id="h1", dong="d1", phone="010-1234-5678")
        add_person(conn, "guar-h1", "guardian", household_id="h1", dong="d1", phone="010-9999-0000")
    yield made
    made.nothing_else()


def service(town: Town) -> Service:
    """The process's parts on the town's desk; nothing is started, and nobody looks."""
    sight = Sight(town.engine, town.engine)
    return Service(
        Settings(), ResponseSettings(), ResponseMetrics(CollectorRegistry()), Vault([KEY]), town.desk, sight,
        lambda: town.now,
    )  # fmt: skip


@pytest.mark.parametrize("number", ["01012345678", "+821012345678", "010-1234-5678"])
async def test_whoever_rings_back_is_found_by_the_number(town: Town, number: str) -> None:
    """The network writes numbers in its own way: the resident's case ends all the same."""
    town.alert("caution")
    town.asked().is_not_answered()
    await service(town)._rang_back(CalledBack(number, town.now, "1", established=True))
    town.gather()
    town.record("safe_answered")
    assert town.case().closed is not None


@pytest.mark.parametrize("number", ["", "010-5555-5555", "010-9999-0000"])
async def test_anybody_else_who_rings_ends_nothing(town: Town, number: str) -> None:
    """A withheld number, a stranger, the guardian: none of them is the resident."""
    town.alert("caution")
    town.asked().is_not_answered()
    await service(town)._rang_back(CalledBack(number, town.now, "1", established=True))
    town.gather()
    assert town.case().phase == "asking"


@pytest.mark.parametrize("other", ["resident", "guardian", "officer"])
async def test_a_number_of_several_people_proves_nothing_of_any_of_them(town: Town, other: str) -> None:
    """Key 1 is noted on each of their cases, and ends none; key 2 helps each of the residents."""
    with town.engine.begin() as conn:
        add_person(conn, "resi-h2", other, household_id="h2", dong="d1", phone="+82 10-1234-5678")
    for home in ("h1", "h2"):
        town.alert("caution", household=home)
    town.came.clear()
    at_work = service(town)
    await at_work._rang_back(CalledBack("01012345678", town.now, "1", established=True, heard=True))
    assert [town.case(home).phase for home in ("h1", "h2")] == ["asking", "asking"]
    assert any(isinstance(entry.what, RangBack) and entry.what.shared for entry in town.entries())
    await at_work._rang_back(CalledBack("01012345678", town.now, "2", established=True))
    assert [town.case(home).help for home in ("h1", "h2")] == [True, other == "resident"]
    town.gather()
    town.came.clear()


@pytest.mark.parametrize("key", ["1", "2"])
async def test_a_key_pressed_while_the_database_is_away_is_kept_until_it_is_back(town: Town, key: str) -> None:
    """Told aloud, tried again, and then it is as if it had been stored at once."""
    town.alert("caution")
    town.asked().is_not_answered()
    at_work = service(town)
    gone = OperationalError("select", {}, Exception("the server is gone"))
    back = Service._who_rang

    def away(at_work: Service, call: CalledBack) -> str:
        if left:
            raise left.pop()
        return back(at_work, call)

    left = [gone, gone]
    with capture_logs() as told, patch.object(inbound, "AGAIN_S", 0.01), patch.object(Service, "_who_rang", away):
        await at_work._rang_back(CalledBack("01012345678", town.now, key, established=True))
    assert [line["event"] for line in told] == ["not_stored_yet", "not_stored_yet", "stored_late"]
    assert at_work.metrics.registry.get_sample_value("anbu_inbound_unstored") == 0
    assert town.case().help is (key == "2")
    assert (town.case().closed is not None) is (key == "1")
    town.gather()
    town.came.clear()


async def test_old_links_are_swept_by_the_process(town: Town) -> None:
    """Nobody has to think of it."""
    town.alert("caution")
    town.came.clear()
    with town.engine.begin() as conn:
        links.make(conn, town.case().case_id, "o1", "officer", town.now - timedelta(days=40), 24)
        links.make(conn, town.case().case_id, "o1", "officer", town.now, 24)
    await service(town)._sweep()
    with town.engine.begin() as conn:
        assert conn.scalars(select(tables.links.c.made_at)).all() == [town.now]


async def test_a_vendors_word_that_cannot_be_stored_is_refused_and_kept_all_the_same(town: Town) -> None:
    """The vendor is told to say it again; where it never does, key 2 is not forgotten either."""
    town.alert("caution")
    ringing, at_work = town.asked(), service(town)
    done, left = Desk.call_done, [OperationalError("update", {}, Exception("the server is gone"))] * 2

    def away(desk: Desk, key: str, result: CallResult, now: datetime) -> None:
        if left:
            raise left.pop()
        done(desk, key, result, now)

    with patch.object(inbound, "AGAIN_S", 0.01), patch.object(Desk, "call_done", away):
        with pytest.raises(OperationalError):
            await at_work._store_call(ringing.job.key, CallResult(CallOutcome.answered_key, "2"))
        await asyncio.gather(*at_work.keeping)
    assert town.case().help
    town.gather()
    town.came.clear()


@pytest.mark.parametrize(("late", "asked"), [(False, 1), (True, 0)])
async def test_the_dead_mans_switch_is_asked_only_when_all_is_well(town: Town, late: bool, asked: int) -> None:
    """Its silence is the alarm: a step that is late, and nobody is told that all is well."""
    paths: list[str] = []

    async def answer(request: Request) -> PlainTextResponse:
        paths.append(request.url.path)
        return PlainTextResponse("ok")

    made = service(town)
    for part in audit.PARTS:
        made._beat(part)
    if late:
        town.alert("caution")
        town.came.clear()
        with town.engine.begin() as conn:
            conn.execute(tables.cases.update().values(next_step_at=town.now - timedelta(minutes=10)))
    async with serving(Starlette(routes=[Route("/ping", answer)])) as address:
        own = ResponseSettings(deadman_url=f"{address}/ping")
        looking = Auditor(
            town.engine, own, made.metrics, town.desk.past, made.clock, made.parts.problems, lambda: True
        )  # fmt: skip
        await asyncio.to_thread(looking.look)
    assert len(paths) == asked


@pytest.mark.parametrize("port", [0, 1])
async def test_the_address_of_the_dead_mans_switch_is_in_no_log(town: Town, port: int) -> None:
    """It is a secret: whoever has it could say that all is well. What went wrong is told without it."""
    made = service(town)
    async with serving(Starlette()) as address:
        own = ResponseSettings(deadman_url=f"{'http://127.0.0.1:1' if port else address}/geheim-7")
        looking = Auditor(
            town.engine, own, made.metrics, town.desk.past, made.clock, made.parts.problems, lambda: True
        )  # fmt: skip
        with capture_logs() as lines:
            await asyncio.to_thread(looking._ask)
    (line,) = lines
    assert line["detail"] == ("ClientConnectorError" if port else "HTTP 404")
    assert "geheim-7" not in str(lines)
