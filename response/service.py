"""The process `anbu response`: follows the topics, ticks, sends, audits, serves the page. It runs until SIGTERM.

Nobody is called before everything that was on the topics at the start is taken. A part that fails says so, waits and
goes on; what it was about is still in the database.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from response import access, homes, known, links, outbox, registry, tables
from response import database as db
from response.access import Sight
from response.auditor import Auditor
from response.channels.make import make as make_channels
from response.database import Logins
from response.desk import Desk, desk_of
from response.events import RangBack
from response.follow import Follower
from response.gateways.http import HttpGateway, webhook_route
from response.gateways.make import make as make_gateway
from response.hours import hours_of
from response.inbound import until_stored
from response.metrics import ResponseMetrics
from response.numbers import normal
from response.page import app
from response.parts import Parts, within
from response.records import CalledBack, CallResult
from response.renumber import renumber, unusable
from response.senders import Post
from response.settings import ResponseSettings
from response.topics import Reader
from response.vault import Vault
from stream import health, logs
from stream.metrics import refused_at
from stream.patience import StoppedError, patiently
from stream.producer import FrameProducer
from stream.serving.server import server as server_of
from stream.settings import Settings

log = structlog.get_logger()
COUNT_S = 5.0
SWEEP_S = 3600.0
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
    sight: Sight
    clock: Callable[[], datetime] = now
    caught_up: asyncio.Event = field(default_factory=asyncio.Event)
    keeping: set[asyncio.Task[None]] = field(default_factory=set)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    parts: Parts = field(init=False)

    def __post_init__(self) -> None:
        self.parts = Parts(self.stopping, self._beat, self.metrics.fault)

    async def run(self) -> None:
        """Until ``stopping`` is set. Raises what a start can fail with."""
        async with AsyncExitStack() as stack:
            reader = Reader(self.settings, Follower(self.desk, self.metrics.taken), self.clock)
            stack.push_async_callback(reader.close)
            await reader.start(self.stopping)
            producer = FrameProducer(self.settings, answer_s=ANSWER_S, client_id="anbu-response")
            await patiently(producer.start, self.stopping)
            stack.push_async_callback(producer.stop)
            posts = [await self._post(stack, producer, drill) for drill in (False, True)]
            tasks = [asyncio.create_task(kept) for kept in self._parts(reader, posts)]
            stack.push_async_callback(_end, tasks)
            log.info("response started", gateway=posts[0].gateway.name, real=posts[0].gateway.real)
            await self.stopping.wait()

    def _parts(self, reader: Reader, posts: list[Post]) -> list[Coroutine[Any, Any, None]]:
        async def follow() -> int:
            count = await reader.round()
            if not self.caught_up.is_set() and await reader.caught_up():
                self.caught_up.set()
            return count

        async def each(what: str) -> int:
            return sum([await getattr(post, what)() for post in posts])

        acting: dict[str, Callable[[], Awaitable[int]]] = {
            "tick": self._tick, "calls": partial(each, "calls"), "messages": partial(each, "messages"),
            "records": partial(each, "tell_stream"),
        }  # fmt: skip
        rounds, tick_s = self.parts.rounds, self.own.tick_seconds
        parts = {n: partial(rounds, n, work, tick_s, after=self.caught_up) for n, work in acting.items()}
        parts |= {
            "follow": partial(rounds, "follow", follow, 0.0),
            "count": partial(rounds, "count", self._count, COUNT_S),
            "sweep": partial(rounds, "sweep", self._sweep, SWEEP_S),
            "page": partial(self._page, posts[0]),
        }
        return [self.parts.keep(name, part) for name, part in parts.items()]

    async def _tick(self) -> int:
        at = self.clock()
        count = await asyncio.to_thread(self.desk.release, at)
        count += await asyncio.to_thread(self.desk.due, at)
        count += await asyncio.to_thread(homes.forget_due, self.desk, at)
        count += await asyncio.to_thread(self.desk.tell_of_withdrawals, at)
        count += await asyncio.to_thread(outbox.expired, self.desk, at)
        return count + await asyncio.to_thread(outbox.outdated, self.desk, at, self.own.message_hours)

    async def _count(self) -> int:
        await asyncio.to_thread(self.metrics.look, self.desk.engine, self.clock())
        return 0

    async def _sweep(self) -> int:
        await asyncio.to_thread(self._swept)
        return 0

    def _swept(self) -> None:
        with self.desk.engine.begin() as conn:
            known.sweep(conn, self.clock())
            links.sweep(conn, self.clock())

    def _beat(self, part: str) -> None:
        row = {"part": part, "at": self.clock()}
        with self.desk.engine.begin() as conn:
            conn.execute(
                insert(tables.beats).values(row).on_conflict_do_update(index_elements=["part"], set_={"at": row["at"]})
            )

    async def _post(self, stack: AsyncExitStack, producer: FrameProducer, drill: bool) -> Post:
        gateway = make_gateway(
            self.own, drill, self._rang_back, store=self._store_call, on_dead=self._stack_died,
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
            partial(self.metrics.dialled, drill=drill), self._until_stored,
        )  # fmt: skip
        stack.push_async_callback(post.close)
        return post

    async def _rang_back(self, call: CalledBack) -> None:
        whose: list[str] = []
        await self._until_stored(lambda: whose.append(self._who_rang(call)), f"a call-back, {call.how}")
        self.metrics.came_in.labels(str(call.how), whose[-1]).inc()
        if whose[-1] in ("other", "nobody"):
            log.warning("a call came in that is no resident's", whose=whose[-1], how=str(call.how), key=call.key)

    def _who_rang(self, call: CalledBack) -> str:
        """Tell the cases of whoever has the number; whose it is: resident, shared, other (of no resident), nobody. A
        number of several people proves nothing of any of them."""
        if self.vault is None:
            return "nobody"
        try:
            number = normal(call.number, self.own.phone_region)
        except ValueError:  # withheld, or what the network puts there for it
            return "nobody"
        with self.desk.engine.connect() as conn:
            people = registry.by_number(conn, self.vault, number)
        residents = [(home, person_id) for person_id, role, home in people if role == "resident" and home]
        shared = len(people) > 1
        for household_id, person_id in residents:
            self.desk.rang_back(household_id, RangBack(person_id, call.key, call.how, shared), self.clock())
        return ("shared" if shared else "resident") if residents else "other" if people else "nobody"

    async def _store_call(self, key: str, result: CallResult) -> None:
        """A vendor's word of a call's end. Raises where the database does not take it, for the vendor to say it again;
        it is kept meanwhile, since not every vendor does."""
        write = partial(self.desk.call_done, key, result, self.clock())
        try:
            await asyncio.to_thread(write)
        except SQLAlchemyError:
            task = asyncio.create_task(self._until_stored(write, f"the end of call {key}"))
            self.keeping.add(task)
            task.add_done_callback(self.keeping.discard)
            raise

    async def _until_stored(self, write: Callable[[], object], what: str) -> None:
        await until_stored(write, what, self.metrics.unstored.inc)

    def _stack_died(self) -> None:
        log.error("the telephone's stack has died: this process ends and its supervisor starts it again")
        self.stopping.set()

    async def _page(self, post: Post) -> None:
        routes = [webhook_route(post.gateway)] if isinstance(post.gateway, HttpGateway) else []
        refused = refused_at(self.metrics.http_refused, "page")
        served = app(self.desk, self.sight, self.vault, self.own, now=self.clock, extra_routes=routes, refused=refused)
        server = server_of(served, self.own.host, self.own.port, self.own.proxies)
        serving = asyncio.create_task(server.serve(), name="serving")
        stopped = asyncio.create_task(self.stopping.wait())
        try:
            while not (serving.done() or stopped.done()):
                if server.started:
                    self.parts.runs("page")
                await asyncio.wait({serving, stopped}, timeout=COUNT_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            server.should_exit = True  # open requests end, no new ones are taken
            await serving


def run(settings: Settings, own: ResponseSettings, logins: Logins) -> None:
    """Run the process until SIGTERM or Ctrl-C; the database of ``logins`` is of this version.

    Raises:
        SchemaError, VaultError, GatewayError, UserError's like: one line each.
    """
    logs.setup(settings, process="response")
    engine, sight = db.engine(logins.service), access.sight(logins)
    db.check(engine)
    metrics = ResponseMetrics(CollectorRegistry(), hours=hours_of(own.hours, settings.tz))
    desk = desk_of(engine, own, settings.tz, metrics.happened, withdrawal_hours=settings.withdrawal_hours)
    vault = Vault.of(own.keys) if own.keys else None
    if vault is not None:
        _renumber(engine, vault, own.phone_region)
    if vault is None:
        log.warning("no key of personal data is set: nobody can be called or told (`anbu people key`)")
    service = Service(settings, own, metrics, vault, desk, sight)
    auditor = Auditor(
        db.engine(logins.service, pool_size=1), own, metrics, desk.past, service.clock, service.parts.problems,
        service.caught_up.is_set,
    )  # fmt: skip
    auditor.start()
    beside = health.serve(
        settings.metrics_host, own.metrics_port, metrics.registry, lambda: _well(service, auditor),
        lambda: _ready(service), metrics.http_refused,
    )  # fmt: skip
    try:
        asyncio.run(_until_told(service))
    finally:
        beside.close()
        auditor.close()
        sight.close()
        engine.dispose()


def _renumber(engine: Engine, vault: Vault, region: str) -> None:
    """Numbers registered before they had one form get it; whose number is none is said at every start."""
    done = renumber(engine, vault, region)
    if done.people:
        log.info("telephone numbers brought to one form", people=done.people)
    with engine.connect() as conn:
        people = unusable(conn)
    if people:
        log.error("people who have no usable telephone number", people=people[:50], of=len(people))


async def _until_told(service: Service) -> None:
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, service.stopping.set)
    with suppress(StoppedError):
        await service.run()


async def _end(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        await within(asyncio.shield(task), EXIT_S)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _well(service: Service, auditor: Auditor) -> tuple[bool, str]:
    wrong = service.parts.problems() + ([] if auditor.thread.is_alive() else ["the auditor has ended"])
    return not wrong, "; ".join(wrong) or "the process runs"


def _ready(service: Service) -> tuple[bool, str]:
    if service.caught_up.is_set():
        return True, "the topics are taken, people can be called"
    return False, "what was on the topics at the start is still being taken: nobody is called before"
