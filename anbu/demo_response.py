"""The demonstration's response: real cases, database, ladder and senders on the story's time; simulated are the
telephones, the messages and the officers, and everything says so."""

import asyncio
import hashlib
import heapq
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, func, select

from anbu import database, demo_people
from anbu.configuration import Settings
from anbu.demo_feed import ANSWER_S
from anbu.demo_story import AWAY, COLLAPSES, HOUR, Story
from deploy.postgres.server import LocalPostgres
from response import access, homes, log, tables, who
from response import database as db
from response.access import Viewer
from response.case import Case
from response.desk import desk_of
from response.events import Entry
from response.gateways.simulated import NEVER_ANSWERS, Behaviour, SimulatedGateway, usual
from response.people_files import import_people
from response.records import Call, CalledBack, Delivery, DeliveryResult, Message
from response.senders import Post
from response.sentences import Shown
from response.settings import ResponseSettings
from response.vault import Vault, new_key
from simulators.events import Event, EventKind
from stream.producer import FrameProducer
from stream.records import Alert, OutcomeCode

STAFF = frozenset({"officer", "deputy", "centre"})
AFTER_H = 30.0
"""After the last alert the cases go on for so long at most."""
c, o = tables.cases.c, tables.outbox.c


@dataclass(order=True)
class Act:
    """What the officer of a case does, and when."""

    at: datetime
    case_id: int
    owner: str = field(compare=False)
    closes: bool = field(compare=False)


class Response:
    """A desk with everything around it. ``folder``: where its database lives for this demonstration."""

    def __init__(self, settings: Settings, story: Story, folder: Path, seed: int) -> None:
        self.story = story
        self.now = datetime.fromtimestamp(story.begins, UTC)
        self.causes: dict[str, Event | None] = {}
        self._acts: list[Act] = []
        self._records = sorted(story.records(), key=lambda told: told[0])
        self._usual = usual(settings.response.residents)
        self._stack = ExitStack()
        try:
            self._start(settings, folder, seed)
        except BaseException:
            self.close()
            raise

    def _start(self, settings: Settings, folder: Path, seed: int) -> None:
        shutil.rmtree(folder / "postgres", ignore_errors=True)
        server = self._stack.enter_context(LocalPostgres(folder / "postgres", durable=False))
        logins = database.logins(server)
        db.migrate(logins.owner)
        self.engine: Engine = db.engine(logins.service)
        self._stack.callback(self.engine.dispose)
        self._sight = access.sight(logins)
        self._stack.callback(self._sight.close)
        self.vault = vault = Vault([new_key()])
        people = folder / "people.csv"
        demo_people.write(self.story, people, seed)
        with self.engine.begin() as conn:
            import_people(conn, vault, people, Viewer("demo", "demo", ("*",)), self.now)
        own = on_story_time(settings, self.story)
        self.desk = desk_of(self.engine, own, settings.tz)
        self._loop = asyncio.new_event_loop()
        self._stack.callback(self._loop.close)
        producer = FrameProducer(settings, answer_s=ANSWER_S, client_id="anbu-demo-response")
        self._loop.run_until_complete(producer.start())
        self._stack.callback(lambda: self._loop.run_until_complete(producer.stop()))
        gateway = SimulatedGateway(
            own.residents, self._behave, pace=0, concurrent=own.concurrent_calls, on_call_back=_nobody,
            clock=lambda: self.now,
        )  # fmt: skip
        self.post = Post(
            self.desk, own, vault, gateway, _Shown(self._heard), producer, False, "demo",
            lambda: self.now,
        )  # fmt: skip

    def take(self, alert: Alert) -> None:
        """An alert of the workers."""
        self.until(alert.at)
        self.causes[alert.household_id] = self.story.cause(alert)
        with self.desk.transaction() as conn:
            self.desk.alert(conn, alert, self.now)
        self._round()

    def until(self, at: datetime) -> None:
        """The story's time moves: steps of the ladder, calls and officers at their moments."""
        while (moment := self._next()) is not None and moment <= at:
            self.now = max(self.now, moment)
            while self._acts and self._acts[0].at <= self.now:
                self._act(heapq.heappop(self._acts))
            self.desk.due(self.now)
            self._round()
        self.now = max(self.now, at)

    def finish(self) -> None:
        """The days are over: open cases go on to their end, as far as ``AFTER_H`` hours bring them."""
        self.until(self.now + timedelta(hours=AFTER_H))
        self._round()

    def close(self) -> None:
        """End the database and the connections."""
        self._stack.close()

    def cases(self) -> list[tuple[Case, list[Entry]]]:
        """All cases with their logs, in the order they were opened."""
        with self.engine.connect() as conn:
            ids = conn.scalars(select(c.case_id).order_by(c.case_id)).all()
            return [(log.load(conn, case_id), log.entries(conn, case_id)) for case_id in ids]

    def shown(self, told: list[tuple[Case, list[Entry]]]) -> Shown:
        """Names of everybody whom cases speak of."""
        ids = {id_ for _, log in told for id_ in who.in_log(log)}
        return who.shown(self._sight, self.vault, ids, Viewer("demo", "demo", ("*",)), "demo", self.now)

    def _next(self) -> datetime | None:
        held = select(func.min(o.not_before)).where(o.state == "waiting", o.not_before > self.now)
        with self.engine.connect() as conn:
            moments = [conn.execute(query).scalar_one() for query in (select(func.min(c.next_step_at)), held)]
        moments += [act.at for act in self._acts[:1]]
        return min((moment for moment in moments if moment is not None), default=None)

    def _round(self) -> None:
        self._tell_households()
        self._loop.run_until_complete(self._send())

    async def _send(self) -> None:
        while await self.post.messages() + await self.post.calls() + await self.post.tell_stream():
            await asyncio.gather(*self.post.running)

    def _tell_households(self) -> None:
        with self.desk.transaction() as conn:
            while self._records and self._records[0][0] <= self.now.timestamp():
                homes.take(self.desk, conn, self._records.pop(0)[1], self.now)

    def _behave(self, call: Call) -> Behaviour:
        """Who lies on the floor, is in hospital or has lost the phone does not answer; others do as people do."""
        event = self._happens(call.person_id.removeprefix("resi-"))
        silent = (*COLLAPSES, EventKind.hospital, EventKind.phone_lost)
        return NEVER_ANSWERS if event is not None and event.kind in silent else self._usual

    def _happens(self, household: str) -> Event | None:
        at = self.now.timestamp()
        events = [e for e in self.story.events if household in e.households]
        return next((e for e in events if e.start <= at and (e.until is None or at < e.until)), None)

    def _heard(self, message: Message) -> None:
        """A simulated officer reads a message: takes the case within minutes, closes it within two hours."""
        if message.role not in STAFF or message.template not in ("tell_officer", "look_officer"):
            return
        case_id = int(message.key.removeprefix("c").split("-")[0])
        minutes = 3 + int(hashlib.sha256(message.key.encode()).hexdigest(), 16) % 9
        heapq.heappush(self._acts, Act(self.now + timedelta(minutes=minutes), case_id, message.person_id, False))

    def _act(self, act: Act) -> None:
        with self.engine.connect() as conn:
            case = log.load(conn, act.case_id)
        if case.closed is not None:
            return
        if act.closes:
            code, until = self._found(case)
            self.desk.close(act.case_id, act.owner, code, self.now, until=until, sure=True)
        elif case.owner is None:
            self.desk.acknowledge(act.case_id, act.owner, self.now)
            heapq.heappush(self._acts, Act(self.now + timedelta(minutes=45), act.case_id, act.owner, True))

    def _found(self, case: Case) -> tuple[OutcomeCode, datetime | None]:
        """What the officer finds at the door."""
        event = self._happens(case.household_id) or self.causes.get(case.household_id)
        days = self.now + timedelta(days=2)
        if event is None:
            return (OutcomeCode.data_problem, days) if case.kind == "data_gap" else (OutcomeCode.safe_visited, None)
        if event.kind in COLLAPSES:
            return OutcomeCode.emergency_119, days
        if event.kind is EventKind.hospital:
            return OutcomeCode.hospital, days
        if event.kind in AWAY:
            return OutcomeCode.away_unregistered, days
        if event.kind is EventKind.phone_lost:
            return OutcomeCode.phone_problem, days
        return OutcomeCode.safe_visited, None


def on_story_time(settings: Settings, story: Story) -> ResponseSettings:
    """Settings of the demonstration's response. Nothing of the played days is of the past there: hours of life go by in
    a second, so one partition's alerts come hours of the story after another's, and each is to be acted on."""
    played = (story.ends - story.begins) / HOUR
    return settings.response.model_copy(
        update={"places": demo_people.places(story), "past_hours": max(settings.response.past_hours, played)}
    )


class _Shown:
    """Messages that go nowhere but to the simulated officers."""

    def __init__(self, heard: Callable[[Message], None]) -> None:
        self._heard = heard

    async def send(self, message: Message) -> Delivery:
        """Taken, by nobody real."""
        self._heard(message)
        return Delivery(DeliveryResult.sent, f"{message.channel} (모의 · simulated)")


async def _nobody(call: CalledBack) -> None:
    """Nobody rings back in the demonstration."""

