"""Senders: they take rows of the outbox under a lease, do what is to be done, and write down what came of it.

Each round is short; what takes long (a call) goes on in a task of its own. Nothing is decided here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import structlog
from aiokafka.errors import MessageSizeTooLargeError

from response import homes, letters, outbox, registry
from response.desk import Desk
from response.gateways import texts
from response.inbound import until_stored
from response.numbers import dialled
from response.outbox import Job
from response.records import (
    Call,
    CallGateway,
    CallOutcome,
    CallResult,
    Delivery,
    DeliveryResult,
    Message,
    NotSent,
    Person,
)
from response.settings import ResponseSettings
from response.vault import Vault, VaultError
from stream.records import DeadLetter, Household

logger = structlog.get_logger()
AGAIN_S = 60.0
"""After so long a message that surely did not go out is tried again, ``TRIES`` times in all."""
TRIES = 3
CLOSE_S = 5.0
"""So long an end waits for the database to take how the last calls ended."""
MESSAGES_AT_ONCE = 20
RECORDS_AT_ONCE = 50


class SendMessage(Protocol):
    """Channels: `response.channels.make`."""

    async def send(self, message: Message) -> Delivery:
        """Send by the channel the message names."""


class SendRecords(Protocol):
    """To the topics: `stream.producer.FrameProducer`."""

    async def send_household(self, household: Household) -> None:
        """A household's record, until the broker has it."""

    async def send_dead_letter(self, letter: DeadLetter) -> None:
        """A record that could not be used."""


@dataclass(slots=True)
class Post:
    """One process's senders for either real rows or those of drills, never both."""

    desk: Desk
    settings: ResponseSettings
    vault: Vault | None
    gateway: CallGateway
    channels: SendMessage
    records: SendRecords
    drill: bool
    name: str
    clock: Callable[[], datetime]
    dialled: Callable[[float], None] = lambda seconds: None
    store: Callable[[Callable[[], object], str], Awaitable[None]] = until_stored
    running: set[asyncio.Task[None]] = field(default_factory=set)

    async def calls(self) -> int:
        """Dial as many waiting calls as there are lines free, in calling hours alone; how many."""
        await self._hang_up()
        now = self.clock()
        free = self.settings.concurrent_calls - len(self.running)
        if free <= 0 or not self.desk.hours.open("calling", now):
            return 0
        jobs = await self._lease("call", now, free)
        for job in jobs:
            task = asyncio.create_task(self._call(job), name=job.key)
            self.running.add(task)
            task.add_done_callback(self.running.discard)
        return len(jobs)

    async def _hang_up(self) -> None:
        """End calls under way to homes whose consent was withdrawn meanwhile: nothing that is pressed is asked for."""
        if calls := {task.get_name(): task for task in self.running}:
            for key in await asyncio.to_thread(self._withdrawn, calls):
                calls[key].cancel()

    def _withdrawn(self, keys: Iterable[str]) -> set[str]:
        with self.desk.engine.connect() as conn:
            return outbox.of_the_withdrawn(conn, keys)

    async def messages(self) -> int:
        """Send waiting messages, side by side; how many."""
        jobs = await self._lease("message", self.clock(), MESSAGES_AT_ONCE)
        await asyncio.gather(*(self._guarded(self._message, job) for job in jobs))
        return len(jobs)

    async def tell_stream(self) -> int:
        """Put waiting records on their topics; how many."""
        jobs = await self._lease("record", self.clock(), RECORDS_AT_ONCE)
        await asyncio.gather(*(self._guarded(self._record, job) for job in jobs))
        return len(jobs)

    async def close(self) -> None:
        """Hang up. What rings is over, its end unknown."""
        for task in self.running:
            task.cancel()
        if self.running:
            await asyncio.wait(self.running, timeout=CLOSE_S)

    async def _lease(self, kind: outbox.Kind, now: datetime, limit: int) -> list[Job]:
        lease_s = self.settings.lease_seconds
        return await asyncio.to_thread(outbox.lease, self.desk.engine, kind, self.drill, self.name, now, lease_s, limit)

    async def _guarded(self, work: Callable[[Job], Awaitable[None]], job: Job) -> None:
        """A fault with one row leaves the others alone; its lease runs out and says what is known of it."""
        try:
            await work(job)
        except Exception as e:
            logger.error("a row of the outbox failed", key=job.key, detail=f"{type(e).__name__}: {e}"[:300])

    async def _call(self, job: Job) -> None:
        result = CallResult(CallOutcome.unknown, detail="ended while it was being made")
        try:
            person = await asyncio.to_thread(self._person, job.person_id)
            number = _number(person, self.settings)
            if person is None or number is None:
                result = CallResult(CallOutcome.failed, detail="no telephone number")
            else:
                self.dialled((self.clock() - job.created_at).total_seconds())
                says = texts.check(self.settings.office_name, person.language)
                result = await self.gateway.place(
                    Call(job.key, person.person_id, number, says, self.drill, self.settings.ring_seconds)
                )
        except VaultError as e:  # nothing was dialled
            result = CallResult(CallOutcome.failed, detail=str(e))
        except Exception as e:  # whatever happened to the call, it was an attempt
            result = CallResult(CallOutcome.unknown, detail=f"a fault: {type(e).__name__}")
        finally:
            at = self.clock()
            result = msgspec.structs.replace(result, ended_at=result.ended_at or at)  # it may have waited for a line
            done = self.store(lambda: self.desk.call_done(job.key, result, at), f"the end of call {job.key}")
            await asyncio.shield(done)

    async def _message(self, job: Job) -> None:
        delivery = await self._deliver(job)
        if delivery.result is DeliveryResult.failed and job.tries < TRIES:
            later = self.clock() + timedelta(seconds=AGAIN_S)
            await asyncio.to_thread(outbox.release, self.desk.engine, job.key, later)
            return
        await asyncio.to_thread(self.desk.message_done, job.key, delivery, self.clock())

    async def _deliver(self, job: Job) -> Delivery:
        """Channel after channel until one has it. Of several that did not, what may go better later is what is said."""
        try:
            letter = await asyncio.to_thread(self._letter, job)
        except VaultError as e:  # nothing has gone out: that is no unknown end
            return Delivery(DeliveryResult.failed, detail=str(e))
        if letter is None:
            return Delivery(DeliveryResult.not_sent, reason=NotSent.withdrawn)
        delivery = Delivery(DeliveryResult.not_sent, reason=NotSent.no_address)
        for message in letter:
            said = await self.channels.send(message)
            if said.result in (DeliveryResult.sent, DeliveryResult.unknown):
                return said  # it went out, or may have: never by a second channel too
            if delivery.result is not DeliveryResult.failed:
                delivery = said
        return delivery

    async def _record(self, job: Job) -> None:
        """Tell the stream. What it can be told at no time is set aside; a broker that does not answer is asked again
        when the lease has run out."""
        try:
            await self._told(job)
        except (MessageSizeTooLargeError, msgspec.MsgspecError, ValueError, LookupError, TypeError) as e:
            await asyncio.to_thread(self._set_aside, job, e)

    async def _told(self, job: Job) -> None:
        if "dead_letter" in job.what:
            await self.records.send_dead_letter(letters.dead_letter(job))
        else:
            household, untold = await asyncio.to_thread(self._household, job)
            if job.key in untold:
                return
            if household is None:  # its record has not come yet: it must not be invented
                later = self.clock() + timedelta(seconds=AGAIN_S)
                await asyncio.to_thread(outbox.release, self.desk.engine, job.key, later)
                return
            await self.records.send_household(household)
        await asyncio.to_thread(self._recorded, job)

    def _person(self, person_id: str | None) -> Person | None:
        if self.vault is None or person_id is None:
            return None
        with self.desk.engine.connect() as conn:
            return registry.person(conn, self.vault, person_id)

    def _letter(self, job: Job) -> list[Message] | None:
        """Ways of saying it, one after the other; None: consent has ended meanwhile."""
        with self.desk.engine.begin() as conn:
            if outbox.of_the_withdrawn(conn, [job.key]):
                return None
            made = letters.write(
                conn, self.vault, self.settings, job, not self.gateway.real, self.clock(), self.desk.hours.tz
            )
        return [] if made is None else [_by(made[0], channel, address) for channel, address in made[1]]

    def _household(self, job: Job) -> tuple[Household | None, dict[str, str]]:
        with self.desk.engine.begin() as conn:
            telling = homes.telling(conn, job.what["household_id"], self.clock())
            outbox.set_aside(conn, telling.refused, self.clock())
        return telling.household, telling.refused

    def _set_aside(self, job: Job, error: Exception) -> None:
        with self.desk.engine.begin() as conn:
            outbox.set_aside(conn, {job.key: f"{type(error).__name__}: {error}"}, self.clock())

    def _recorded(self, job: Job) -> None:
        with self.desk.engine.begin() as conn:
            outbox.recorded(conn, job.key, self.clock())


def _number(person: Person | None, settings: ResponseSettings) -> str | None:
    try:
        return None if person is None else dialled(person.phone, settings.phone_region, settings.dialling)
    except ValueError:
        return None


def _by(message: Message, channel: str, address: str) -> Message:
    return msgspec.structs.replace(message, channel=channel, address=address)
