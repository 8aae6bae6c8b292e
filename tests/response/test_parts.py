"""The parts of the process: whatever ends one, it is not well until it runs again, and the auditor goes on looking."""

import asyncio
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from response import audit, auditor, parts
from response.access import Sight
from response.auditor import Auditor
from response.gateways.simulated import SimulatedGateway
from response.metrics import ResponseMetrics
from response.parts import Parts
from response.service import Service, _well
from response.settings import ResponseSettings
from response.vault import Vault
from stream import health
from stream.settings import Settings
from tests.response.people import KEY
from tests.response.town import Town, at

LIMIT_S = 20.0


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses are short."""
    for name in ("PAUSE_S", "WAIT_S"):
        monkeypatch.setattr(parts, name, 0.3)


class Nothing:
    """A reader and a post that have nothing to do."""

    gateway = SimulatedGateway.__new__(SimulatedGateway)

    async def round(self) -> int:
        """Nothing has come."""
        await asyncio.sleep(0.01)
        return 0

    calls = messages = tell_stream = round

    async def caught_up(self) -> bool:
        """All is taken."""
        return True


class KilledError(BaseException):
    """What no part foresees."""


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[list[str]]:
    """The service's parts at work; the names of all of them."""
    kept = [asyncio.create_task(part) for part in service._parts(Nothing(), [Nothing()])]  # type: ignore[arg-type,list-item]
    try:
        await until(lambda: len(service.parts.turned) == len(kept))
        yield list(service.parts.turned)
    finally:
        service.stopping.set()
        await asyncio.gather(*kept)


@pytest.fixture
def service(database: Engine, sight: Sight) -> Service:
    """The process's parts on an empty database."""
    own = ResponseSettings(port=0, tick_seconds=0.05)
    desk = Town(database, at("2026-03-04 10:00")).desk
    return Service(Settings(), own, ResponseMetrics(CollectorRegistry()), Vault([KEY]), desk, sight)


@pytest.fixture
def looking(service: Service, database: Engine) -> Iterator[Auditor]:
    """Its auditor, which looks often."""
    made = Auditor(
        database, service.own, service.metrics, service.desk.past, service.clock, service.parts.problems, lambda: True
    )
    yield made
    made.stopping.set()


def task_of(name: str) -> "asyncio.Task[Any]":
    """The task that a part runs in."""
    return next(task for task in asyncio.all_tasks() if task.get_name() == name and not task.done())


@pytest.mark.postgres
async def test_each_part_that_is_killed_is_not_well_until_it_runs_again(
    service: Service, looking: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled, one after the other: health says 503 and which one, the others go on, and it is started anew."""
    monkeypatch.setattr(auditor, "FIRST_S", 0.05)
    monkeypatch.setattr(auditor, "EVERY_S", 0.05)
    looking.start()
    beside = health.serve("127.0.0.1", 0, service.metrics.registry, lambda: _well(service, looking), lambda: (True, ""))

    def answers() -> int:
        try:
            return int(urllib.request.urlopen(f"http://127.0.0.1:{beside.port}/healthz", timeout=5).status)
        except urllib.error.HTTPError as e:
            return int(e.code)

    try:
        async with running(service) as names:
            assert set(audit.PARTS) < set(names)
            assert await asyncio.to_thread(answers) == 200
            for name in names:
                before = task_of(name)
                before.cancel()
                await until(lambda name=name: name in service.parts.down)
                assert await asyncio.to_thread(answers) == 503
                looks = service.metrics.registry.get_sample_value("anbu_audited_timestamp_seconds")
                await until(lambda name=name: name not in service.parts.down)
                assert await asyncio.to_thread(answers) == 200
                assert task_of(name) is not before
                await until(
                    lambda looks=looks: service.metrics.registry.get_sample_value("anbu_audited_timestamp_seconds")
                    != looks
                )
    finally:
        beside.close()


async def test_what_no_part_foresees_ends_it_and_it_is_started_again() -> None:
    """Not even what is no Exception keeps a part down; each fault is counted."""
    faults: list[str] = []
    stopping = asyncio.Event()
    made = Parts(stopping, lambda name: None, faults.append)
    left = [KilledError(), asyncio.CancelledError(), ValueError()]

    async def work() -> int:
        if left:
            raise left.pop(0)
        stopping.set()
        return 0

    await made.keep("tick", lambda: made.rounds("tick", work, 0.01))
    assert faults == ["tick"] * 3
    assert made.problems() == []


async def test_a_database_that_dies_while_the_parts_wait_ends_none() -> None:
    """They wait for the topics to be taken, and say so to the database: it is away, comes back, and they go on."""
    faults: list[str] = []
    stopping, caught_up = asyncio.Event(), asyncio.Event()
    away = [OperationalError("insert", {}, Exception("the server is gone"))] * 3

    def beat(_: str) -> None:
        if away:
            raise away.pop()

    async def work() -> int:
        stopping.set()
        return 0

    made = Parts(stopping, beat, faults.append)
    kept = asyncio.create_task(made.keep("calls", lambda: made.rounds("calls", work, 0.01, after=caught_up)))
    await until(lambda: not away)
    assert not stopping.is_set()
    caught_up.set()
    await kept
    assert faults == ["calls"] * 3


def test_a_part_that_stands_still_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has neither ended nor come round."""
    made = Parts(asyncio.Event(), lambda name: None, lambda name: None)
    made.runs("messages")
    assert made.problems() == []
    monkeypatch.setattr(parts, "STILL_S", -1.0)
    made.runs("messages")
    assert made.problems() == ["the part 'messages' stands still"]


@pytest.mark.postgres
def test_an_auditor_that_cannot_look_is_not_well(service: Service, looking: Auditor) -> None:
    """The database is gone: that is no silence but a fault, on the metric and the log."""
    looking.engine = type("Gone", (), {"connect": lambda self: 1 / 0})()  # type: ignore[assignment]
    assert looking.look() == ["the auditor cannot look: ZeroDivisionError"]
    assert service.metrics.registry.get_sample_value("anbu_audit_ok") == 0.0
