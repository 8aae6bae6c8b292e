"""What the process wires together: whoever rings back is found by the number, whatever way it is written."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from response import audit, tables
from response.metrics import ResponseMetrics
from response.records import CalledBack
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
    """The process's parts on the town's desk; nothing is started."""
    return Service(
        Settings(), ResponseSettings(), ResponseMetrics(CollectorRegistry()), Vault([KEY]), town.desk, lambda: town.now,
    )  # fmt: skip


@pytest.mark.parametrize("number", ["01012345678", "+821012345678", "010-1234-5678"])
async def test_whoever_rings_back_is_found_by_the_number(town: Town, number: str) -> None:
    """The network writes numbers in its own way: the resident's case ends all the same."""
    town.alert("caution")
    town.asked().is_not_answered()
    await service(town)._rang_back(CalledBack(number, town.now))
    town.gather()
    town.record("safe_answered")
    assert town.case().closed is not None


@pytest.mark.parametrize("number", ["", "010-5555-5555", "010-9999-0000"])
async def test_anybody_else_who_rings_ends_nothing(town: Town, number: str) -> None:
    """A withheld number, a stranger, the guardian: none of them is the resident."""
    town.alert("caution")
    town.asked().is_not_answered()
    await service(town)._rang_back(CalledBack(number, town.now, "1"))
    town.gather()
    assert town.case().phase == "asking"


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
    made.stopping.set()
    async with serving(Starlette(routes=[Route("/ping", answer)])) as address:
        made.own = ResponseSettings(deadman_url=f"{address}/ping")
        await made._audit()
    assert len(paths) == asked
