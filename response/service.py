"""The process `anbu response`: follows the topics, ticks, sends, audits, serves the page. It runs until SIGTERM.

Nobody is called before everything that was on the topics at the start is taken. A part that fails says so, waits and
goes on; what it was about is still in the database.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
import structlog
import uvicorn
from prometheus_client import CollectorRegistry
from sqlalchemy.dialects.postgresql import insert

from response import audit, outbox, registry, tables
from response import database as db
from response.channels.make import make as make_channels
from response.desk import Desk, desk_of
from response.follow import Follower
from response.gateways.http import HttpGateway, webhook_route
from response.gateways.make import make as make_gateway
from response.hours import hours_of
from response.metrics import ResponseMetrics
from response.page import app
from response.records import CalledBack, CallResult
from response.senders import Post
from response.settings import ResponseSettings
from response.topics import Reader
from response.vault import Vault
from stream import health, logs
from stream.producer import FrameProducer
from stream.settings import Settings

log = structlog.get_logger()
PAUSE_S = 5.0
AUDIT_S = 50.0
FIRST_ROUND_S = 10.0
COUNT_S = 5.0
EXIT_S = 10.0
ANSWER_S = 30.0


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Service:
    """All parts around one desk. ``settings``: the stream's, ``own``: the response's."""

    settings: Settings
    own: ResponseSettings
    metrics: ResponseMetrics
    vault: Vault | None
    desk: Desk
    clock: Callable[[], datetime] = now
    caught_up: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until ``stopping`` is set. Raises what a start can fail with."""
        async with AsyncExitStack() as stack:
            reader = Reader(self.settings, Follower(self.desk, self.metrics.taken), self.clock)
            stack.push_async_callback(reader.close)
            await reader.start()
            producer = FrameProducer(self.settings, answer_s=ANSWER_S, client_id="anbu-response")
            await stack.enter_async_context(producer)
            posts = [await self._post(stack, producer, drill) for drill in (False, True)]
            await self._serve(stack, posts[0])
            tasks = [asyncio.create_task(work, name=name) for name, work in self._parts(reader, posts)]
            stack.push_async_callback(_end, tasks)
            log.info("response started", gateway=posts[0].gateway.name, real=posts[0].gateway.real)
            await self.stopping.wait()

    def _parts(self, reader: Reader, posts: list[Post]) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        async def follow() -> int:
            count = await reader.round()
            if not self.caught_up.is_set() and await reader.caught_up():
                self.caught_up.set()
            return count

        async def each(what: str) -> int:
            return sum([await getattr(post, what)() for post in posts])

        rounds: dict[str, Callable[[], Awaitable[int]]] = {
            "tick": self._tick, "calls": partial(each, "calls"), "messages": partial(each, "messages"),
            "records": partial(each, "tell_stream"),
        }  # fmt: skip
        parts = [("follow", self._rounds("follow", follow, pause=0.0))]
        parts += [(n, self._rounds(n, r, self.own.tick_seconds, after=self.caught_up)) for n, r in rounds.items()]
        parts += [("audit", self._rounds("audit", self._audit, AUDIT_S, after=self.caught_up))]
        return [*parts, ("count", self._rounds("count", self._count, COUNT_S))]

    async def _rounds(
        self, name: str, work: Callable[[], Awaitable[int]], pause: float, after: asyncio.Event | None = None
    ) -> None:
        """A part: round after round; without pause while there is something to do."""
        if after is not None:
            while not after.is_set():
                await asyncio.to_thread(self._beat, name)
                await _within(after.wait(), COUNT_S)
        while not self.stopping.is_set():
            try:
                count = await work()
                if name in audit.PARTS:
                    await asyncio.to_thread(self._beat, name)
            except Exception as e:  # a database or a broker that is away: everything is still where it was
                self.metrics.fault(name)
                said = f"{type(e).__name__}: {e}"[:300]
                log.error("a part of the response failed and goes on", part=name, detail=said)
                await _within(self.stopping.wait(), PAUSE_S)
                continue
            if not count and pause:
                await _within(self.stopping.wait(), pause)

    async def _tick(self) -> int:
        at = self.clock()
        count = await asyncio.to_thread(self.desk.due, at)
        count += await asyncio.to_thread(outbox.expired, self.desk, at)
        return count + await asyncio.to_thread(outbox.outdated, self.desk, at, self.own.message_hours)

    async def _audit(self) -> int:
        await _within(self.stopping.wait(), FIRST_ROUND_S)  # every part has done a round by then
        found = await asyncio.to_thread(self._problems)
        self.metrics.audited(not found)
        for problem in found:
            log.error("audit", problem=problem)
        if not found and self.own.deadman_url:
            timeout = aiohttp.ClientTimeout(total=10)
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(self.own.deadman_url) as answer:
                answer.raise_for_status()
        return 0

    def _problems(self) -> list[str]:
        with self.desk.engine.connect() as conn:
            return audit.problems(conn, self.clock(), self.own.lease_seconds)

    async def _count(self) -> int:
        await asyncio.to_thread(self.metrics.look, self.desk.engine, self.clock())
        return 0

    def _beat(self, part: str) -> None:
        row = {"part": part, "at": self.clock()}
        with self.desk.engine.begin() as conn:
            conn.execute(
                insert(tables.beats).values(row).on_conflict_do_update(index_elements=["part"], set_={"at": row["at"]})
            )

    async def _post(self, stack: AsyncExitStack, producer: FrameProducer, drill: bool) -> Post:
        gateway = make_gateway(
            self.own, drill, self._rang_back, on_late=self._late, on_dead=self._stack_died,
            data_dir=self.settings.data_dir,
        )  # fmt: skip
        stack.push_async_callback(gateway.close)
        await gateway.start()
        self.metrics.gateway(gateway.name, gateway.real, drill)
        sends = make_channels(self.own, drill)
        stack.push_async_callback(sends.close)
        name = f"{socket.gethostname()}-{os.getpid()}{'-drill' if drill else ''}"
        post = Post(
            self.desk, self.own, self.vault, gateway, sends, producer, drill, name, self.clock,
            partial(self.metrics.dialled, drill=drill),
        )  # fmt: skip
        stack.push_async_callback(post.close)
        return post

    async def _rang_back(self, call: CalledBack) -> None:
        await asyncio.to_thread(self._who_rang, call)

    def _who_rang(self, call: CalledBack) -> None:
        if self.vault is None or not call.number:
            return
        with self.desk.engine.connect() as conn:
            people = registry.by_number(conn, self.vault, call.number)
        for person in people:
            if person.role == "resident" and person.household_id:
                self.desk.rang_back(person.household_id, person.person_id, call.pressed, self.clock())

    async def _late(self, key: str, result: CallResult) -> None:
        await asyncio.to_thread(self.desk.call_done, key, result, self.clock())

    def _stack_died(self) -> None:
        log.error("the telephone's stack has died: this process ends and its supervisor starts it again")
        self.stopping.set()

    async def _serve(self, stack: AsyncExitStack, post: Post) -> None:
        routes = [webhook_route(post.gateway)] if isinstance(post.gateway, HttpGateway) else []
        served = app(self.desk, self.vault, self.own, now=self.clock, extra_routes=routes)
        server = uvicorn.Server(uvicorn.Config(
            served, self.own.host, self.own.port, log_config=None, access_log=False, lifespan="off",
            timeout_graceful_shutdown=3,
        ))  # fmt: skip
        task = asyncio.create_task(server.serve(), name="page")
        stack.push_async_callback(_end, [task])
        stack.callback(setattr, server, "should_exit", True)  # open requests end, no new ones are taken


def run(settings: Settings, own: ResponseSettings, url: str) -> None:
    """Run the process until SIGTERM or Ctrl-C; the database at ``url`` is of this version.

    Raises:
        SchemaError, VaultError, GatewayError, UserError's like: one line each.
    """
    logs.setup(settings, process="response")
    engine = db.engine(url)
    db.check(engine)
    metrics = ResponseMetrics(CollectorRegistry(), hours=hours_of(own.hours, settings.tz))
    desk = desk_of(engine, own, settings.tz, metrics.happened)
    vault = Vault.of(own.keys) if own.keys else None
    if vault is None:
        log.warning("no key of personal data is set: nobody can be called or told (`anbu people key`)")
    service = Service(settings, own, metrics, vault, desk)
    beside = health.serve(settings.metrics_host, own.metrics_port, metrics.registry, _well, lambda: _ready(service))
    try:
        asyncio.run(_until_told(service))
    finally:
        beside.close()
        engine.dispose()


async def _until_told(service: Service) -> None:
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, service.stopping.set)
    await service.run()


async def _end(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        await _within(asyncio.shield(task), EXIT_S)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _within(waiting: Awaitable[object], seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await waiting
    except TimeoutError:
        pass


def _well() -> tuple[bool, str]:
    return True, "the process runs"


def _ready(service: Service) -> tuple[bool, str]:
    if service.caught_up.is_set():
        return True, "the topics are taken, people can be called"
    return False, "what was on the topics at the start is still being taken: nobody is called before"
