"""Senders: each row once, never two calls of one person, by the second channel only where the first surely failed."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from unittest.mock import AsyncMock, patch

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError

from response import audit, inbound, outbox, tables
from response.channels.make import make
from response.desk import Desk
from response.gateways.simulated import PRESSES_1, SimulatedGateway
from response.records import (
    Call,
    CalledBack,
    CallOutcome,
    CallResult,
    Delivery,
    DeliveryResult,
    Message,
    NotSent,
)
from response.senders import AGAIN_S, TRIES, Post
from response.settings import ResponseSettings
from response.vault import Vault
from stream.records import DeadLetter, Household
from tests.response.people import KEY, KEY_2, add_person
from tests.response.town import Town, at

pytestmark = pytest.mark.postgres


class Outside:
    """Telephone, channels, topics."""

    name = "test"
    real = True

    def __init__(self, answer: Callable[[str], DeliveryResult] = lambda channel: DeliveryResult.sent) -> None:
        self.placed: list[Call] = []
        self.sent: list[Message] = []
        self._answer = answer

    async def start(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""

    async def place(self, call: Call) -> CallResult:
        """Nobody answers."""
        self.placed.append(call)
        return CallResult(CallOutcome.no_answer)

    async def send(self, message: Message) -> Delivery:
        """As told."""
        self.sent.append(message)
        return Delivery(self._answer(message.channel), message.channel)

    async def send_household(self, household: Household) -> None:
        """Taken."""

    async def send_dead_letter(self, letter: DeadLetter) -> None:
        """Taken."""


@pytest.fixture
def town(database: Engine) -> Town:
    """A town whose people are in the registry; its outbox is for the senders."""
    made = Town(database, at("2026-03-04 10:00"))
    made.sending = False
    with database.begin() as conn:
        for home, phone in (("h1", "010-1234-5678"), ("h2", "010-1234-5679")):
            add_person(
                conn, f"resi-{home}", "resident", household_id=home, dong="d1", name="김영자", phone=phone,
                channels=["sms", "email"], email="a@b.kr",
            )  # fmt: skip
        add_person(conn, "offi", "officer", dong="d1", channels=["alimtalk", "email"], email="o@b.kr", name="박지은")
        add_person(conn, "depu", "deputy", dong="d1", name="최민호")
    return made


def post(town: Town, outside: Outside, *, drill: bool = False, keys: bool = True, **own: object) -> Post:
    """Senders of the town."""
    return Post(
        town.desk, ResponseSettings(link_url="https://anbu.example", **own),  # type: ignore[arg-type]
        Vault([KEY]) if keys else None, outside, outside, outside, drill, "p", lambda: town.now,
    )  # fmt: skip


async def all_calls(sender: Post) -> None:
    """Dial, and wait until all is over."""
    await sender.calls()
    await asyncio.gather(*sender.running)


def results(town: Town) -> list[tuple[str, str | None]]:
    """Templates and results of the messages that are over."""
    o = tables.outbox.c
    with town.engine.connect() as conn:
        rows = conn.execute(select(o.what, o.result).where(o.kind == "message", o.done_at.is_not(None)))
        return [(row.what.get("template", ""), row.result) for row in rows]


async def test_a_resident_is_rung_at_the_number_of_the_registry(town: Town) -> None:
    """The number is in the call and nowhere else; the result is in the log."""
    outside = Outside()
    town.alert("caution")
    await all_calls(post(town, outside))
    assert [call.number for call in outside.placed] == ["01012345678"]
    assert list(town.case().calls.values()) == [CallOutcome.no_answer]
    assert "1234" not in str(town.entries())


async def test_a_key_pressed_while_the_database_is_away_is_stored_when_it_is_back(town: Town) -> None:
    """The call is over and cannot be repeated: its end is kept until it is in the log."""
    outside = Outside()
    outside.place = AsyncMock(return_value=CallResult(CallOutcome.answered_key, "2"))  # type: ignore[method-assign]
    town.alert("caution")
    done, left = Desk.call_done, [OperationalError("update", {}, Exception("the server is gone"))] * 2

    def away(desk: Desk, key: str, result: CallResult, now: datetime) -> None:
        if left:
            raise left.pop()
        done(desk, key, result, now)

    with patch.object(inbound, "AGAIN_S", 0.01), patch.object(Desk, "call_done", away):
        await all_calls(post(town, outside))
    assert left == []
    assert town.case().help


async def test_without_keys_nobody_can_be_rung_and_that_is_a_failed_attempt(town: Town) -> None:
    """No key of personal data: the ladder goes on, to people who may be reached otherwise."""
    outside = Outside()
    town.alert("caution")
    await all_calls(post(town, outside, keys=False))
    assert outside.placed == []
    assert list(town.case().calls.values()) == [CallOutcome.failed]


async def test_nobody_is_rung_at_night_whatever_waits(town: Town) -> None:
    """A call that was planned at 20:59 and is dialled at 21:01 is not: it waits."""
    town.now = at("2026-03-04 20:59")
    town.alert("caution")
    town.now = at("2026-03-04 21:01")
    outside = Outside()
    await all_calls(post(town, outside))
    assert outside.placed == []


async def test_an_officer_gets_a_masked_name_and_a_link_by_the_first_channel_that_takes_it(town: Town) -> None:
    """알림톡 fails surely, e-mail takes it: one delivery."""
    outside = Outside(lambda channel: DeliveryResult.failed if channel == "alimtalk" else DeliveryResult.sent)
    town.alert("serious")
    await post(town, outside).messages()
    sent = [m for m in outside.sent if m.template == "tell_officer" and m.person_id == "offi"]
    assert [m.channel for m in sent] == ["alimtalk", "email"]
    assert sent[0].values["name"] == "김○자"
    assert sent[0].values["link"].startswith("https://anbu.example/c/")
    assert ("tell_officer", "sent") in results(town)


async def test_messages_to_staff_name_places_and_colleagues(town: Town) -> None:
    """Who asks to take a case over, and where it is, in words; one without a name in the settings is its id."""
    town.alert("serious")
    town.takes("offi")
    town.asks("depu")
    for places, name in (({"d1": "별빛1동"}, "별빛1동"), ({}, "d1")):
        outside = Outside()
        await post(town, outside, places=places).messages()
        if places:
            (asked,) = [m for m in outside.sent if m.template == "take_over_asked"]
            assert (asked.person_id, asked.values["who"], asked.values["dong"]) == ("offi", "최민호", name)
            assert asked.values["link"]
            town.desk.acknowledge(town.case().case_id, "depu", town.now, over=True)
            town.now += timedelta(minutes=1)
        else:
            (taken,) = [m for m in outside.sent if m.template == "taken_over"]
            assert (taken.person_id, taken.values["who"], taken.values["dong"]) == ("offi", "최민호", name)


async def test_what_may_have_arrived_is_not_sent_by_a_second_channel(town: Town) -> None:
    """A time-out after the request: unknown, and that is all."""
    outside = Outside(lambda channel: DeliveryResult.unknown)
    town.alert("serious")
    await post(town, outside).messages()
    assert [m.channel for m in outside.sent if m.person_id == "offi"] == ["alimtalk"]


async def test_what_surely_failed_is_tried_again_a_few_times(town: Town) -> None:
    """After a minute each; then it is said to have failed."""
    outside = Outside(lambda channel: DeliveryResult.failed)
    town.alert("serious")
    sender = post(town, outside)
    for _ in range(TRIES + 2):
        await sender.messages()
        town.now += timedelta(seconds=AGAIN_S)
    assert len([m for m in outside.sent if m.person_id == "offi"]) == 2 * TRIES
    assert ("tell_officer", "failed") in results(town)


async def test_the_senders_of_real_rows_and_of_drills_take_only_theirs(town: Town) -> None:
    """By construction: a drill's row is not seen by the sender that has a telephone."""
    town.drill = True
    town.alert("serious")
    real, drill = Outside(), Outside()
    await all_calls(post(town, real))
    await post(town, real).messages()
    assert (real.placed, real.sent) == ([], [])
    await all_calls(post(town, drill, drill=True))
    assert [call.drill for call in drill.placed] == [True]


async def test_two_calls_of_one_person_are_never_at_once(town: Town) -> None:
    """A drill's case and a real one: the second call waits for the first to end. Two senders, two processes."""
    o = tables.outbox.c
    town.alert("caution", household="h1")
    town.alert("caution", household="h2")
    with town.engine.begin() as conn:
        conn.execute(tables.outbox.update().where(o.kind == "call").values(person_id="resi-h1"))
    first = outbox.lease(town.engine, "call", False, "a", town.now, 60, 10)
    assert len(first) == 1
    assert outbox.lease(town.engine, "call", False, "b", town.now, 60, 10) == []
    town.desk.call_done(first[0].key, CallResult(CallOutcome.busy), town.now)
    assert len(outbox.lease(town.engine, "call", False, "b", town.now, 60, 10)) == 1


async def test_the_most_urgent_is_dialled_first(town: Town) -> None:
    """One line, two calls: who is serious goes before who waits longer."""
    town.alert("caution", household="h2")
    town.now += timedelta(minutes=1)
    town.alert("serious", household="h1")
    outside = Outside()
    await all_calls(post(town, outside, concurrent_calls=1))
    assert [call.person_id for call in outside.placed] == ["resi-h1"]


async def test_a_sender_that_died_leaves_an_attempt_and_a_message_nobody_sends_again(town: Town) -> None:
    """Their leases run out: both are unknown, neither is made again."""
    town.alert("caution")
    for kind in ("call", "message"):
        assert outbox.lease(town.engine, kind, False, "dead", town.now, 60, 10)  # type: ignore[arg-type]
    town.now += timedelta(seconds=61)
    assert outbox.expired(town.desk, town.now) == 2
    assert list(town.case().calls.values()) == [CallOutcome.unknown]
    assert results(town) == [("ask_resident", "unknown")]


async def test_a_message_that_waited_too_long_is_not_sent_any_more(town: Town) -> None:
    """An alarm of this morning helps nobody tonight: the log says why it was not sent."""
    town.alert("caution")
    town.now += timedelta(hours=7)
    assert outbox.outdated(town.desk, town.now, 6) >= 1
    assert str(NotSent.too_old) in town.not_told()


async def test_simulated_residents_say_so(town: Town) -> None:
    """A message about simulated calls is marked, so that nobody takes it for real."""
    outside = Outside()
    outside.real = False
    town.alert("caution")
    await post(town, outside).messages()
    assert outside.sent[0].values["simulated"] == "1"


async def test_the_simulated_gateway_closes_a_case_from_end_to_end(town: Town) -> None:
    """The whole way with the gateway that is the default: rung, pressed 1, closed."""
    heard: list[CalledBack] = []

    async def back(call: CalledBack) -> None:
        heard.append(call)

    gateway = SimulatedGateway(ResponseSettings().residents, lambda call: PRESSES_1, pace=0, on_call_back=back)
    town.alert("caution")
    outside = Outside()
    sender = post(town, outside)
    sender.gateway = gateway
    await all_calls(sender)
    assert town.case().closed is not None


def test_the_auditor_is_well_only_when_everything_goes_on(town: Town) -> None:
    """A step that is late, a lease that ran out long ago, a part that stands still: each is said."""
    with town.engine.connect() as conn:
        assert audit.problems(conn, town.now, 60, parts=()) == []
    town.alert("caution")
    outbox.lease(town.engine, "call", False, "dead", town.now, 60, 10)
    town.now += timedelta(minutes=20)
    with town.engine.connect() as conn:
        said = " ".join(audit.problems(conn, town.now, 60, parts=("tick",)))
        assert "past" not in said
    assert "step" in said
    assert "lease" in said
    assert "'tick'" in said


@pytest.mark.parametrize("failing", ["alimtalk", "email"])
async def test_what_may_go_better_later_is_tried_again_whatever_the_other_channel_said(
    town: Town, failing: str
) -> None:
    """A channel that failed is tried again in a minute, also where the person's other one is not set up."""
    outside = Outside(lambda name: DeliveryResult.failed if name == failing else DeliveryResult.not_sent)
    town.alert("serious")
    await post(town, outside).messages()
    assert "tell_officer" not in dict(results(town))
    outside = Outside(lambda name: DeliveryResult.not_sent)
    town.now += timedelta(seconds=AGAIN_S)
    await post(town, outside).messages()
    assert dict(results(town))["tell_officer"] == "not_sent"


async def test_a_message_that_cannot_be_written_has_failed_and_is_no_unknown_end(town: Town) -> None:
    """With a wrong key nothing can be sent: that is said in minutes, not taken for "may have arrived"."""
    outside = Outside()
    town.alert("serious")
    sender = post(town, outside)
    sender.vault = Vault([KEY_2])
    await all_calls(sender)
    assert set(town.case().calls.values()) == {CallOutcome.failed}
    for _ in range(TRIES):
        await sender.messages()
        town.now += timedelta(seconds=AGAIN_S)
    assert (outside.sent, outside.placed) == ([], [])
    assert dict(results(town))["tell_officer"] == "failed"


async def test_without_any_channel_nobody_is_told_and_that_is_known(town: Town) -> None:
    """Every message of every step is "not sent: no channel": nobody counts as told, the ladder is at its end at once,
    and the auditor says so."""
    town.alert("serious")
    sender = post(town, Outside())
    sender.channels = make(ResponseSettings(), drill=False)
    while await sender.messages():
        pass
    assert town.case().told == {}
    assert town.case().untold
    with town.engine.connect() as conn:
        said = " ".join(audit.problems(conn, town.now, 60, parts=()))
    assert "reached nobody" in said
    assert "did not go out" in said
