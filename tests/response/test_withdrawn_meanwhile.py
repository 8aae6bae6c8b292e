"""What was under way when consent was withdrawn: a call, a message, a change of keys; and who hears of it."""

import asyncio
from datetime import timedelta
from threading import Thread
from time import monotonic

import pytest
from sqlalchemy import Engine, select, text

from response import homes, log, outbox, registry, tables, withdrawals
from response.records import CallOutcome, CallResult, Delivery, DeliveryResult, Message, NotSent
from response.rotate import rotate
from response.senders import Post
from response.settings import ResponseSettings
from response.vault import Vault
from stream.records import Household
from tests.response.leaving import DAY, NOW, SECRETS, VAULT, everything, note, settle
from tests.response.people import KEY, KEY_2, add_person
from tests.response.scenarios.times import an_officer_is_told
from tests.response.town import Town

pytestmark = pytest.mark.postgres
MINUTE = timedelta(minutes=1)


@pytest.fixture
def town(database: Engine) -> Town:
    """A morning."""
    return Town(database, NOW)


class Line:
    """A telephone that rings until somebody hangs up."""

    name, real = "test", True

    def __init__(self) -> None:
        self.ringing, self.hung_up = asyncio.Event(), False

    async def place(self, call: object) -> CallResult:
        """Rings."""
        self.ringing.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.hung_up = True
            raise
        return CallResult(CallOutcome.no_answer)


async def test_a_call_under_way_is_hung_up_and_no_key_of_it_opens_a_case(town: Town) -> None:
    """Help that is asked for in that call opens no case: nobody may be told of it any more."""
    town.sending = False
    topic = settle(town)
    town.alert("caution")
    line = Line()
    post = Post(town.desk, ResponseSettings(), VAULT, line, line, line, False, "t", lambda: town.now)  # type: ignore[arg-type]
    assert await post.calls() == 1
    await asyncio.wait_for(line.ringing.wait(), 10)
    topic.leaves()
    await post.calls()
    await asyncio.wait_for(asyncio.gather(*post.running, return_exceptions=True), 10)
    assert line.hung_up
    with town.engine.connect() as conn:
        key = conn.scalar(select(tables.outbox.c.key).where(tables.outbox.c.kind == "call"))
    assert key is not None
    town.desk.call_done(key, CallResult(CallOutcome.answered_key, "2"), town.now)
    assert not town.rings_back("2")
    assert town.cases() == 1
    assert town.case().phase == "closed"
    assert outbox.lease(town.engine, "message", False, "t", town.now, 60, 9) == []


class Mute:
    """A channel that does not take what it is given."""

    name, real = "test", True

    def __init__(self) -> None:
        self.given: list[Message] = []

    async def send(self, message: Message) -> Delivery:
        """Fails."""
        self.given.append(message)
        return Delivery(DeliveryResult.failed, message.channel)


async def test_a_message_that_is_being_sent_is_not_tried_again(town: Town) -> None:
    """The officer's request was taken by a sender when consent ended: it does not go out a minute later, nor is it
    written once more. Before, it was: with dong, hours and reason."""
    town.sending = False
    topic = settle(town)
    with town.engine.begin() as conn:
        add_person(conn, "depu", "deputy", VAULT, dong="d1")
    town.alert("serious")
    mute = Mute()
    post = Post(town.desk, ResponseSettings(), VAULT, mute, mute, mute, False, "t", lambda: town.now)  # type: ignore[arg-type]
    jobs = outbox.lease(town.engine, "message", False, "t", town.now, 60, 99)
    assert "tell_officer" in {job.what["template"] for job in jobs}
    topic.leaves()
    for job in jobs:
        assert (await post._deliver(job)).reason is NotSent.withdrawn
        outbox.release(town.engine, job.key, town.now)
    town.now += timedelta(hours=1)
    assert await post.messages() == 0
    assert mute.given == []


def test_a_change_of_keys_brings_no_comment_back(town: Town, superuser: Engine) -> None:
    """A comment is forgotten while its case waits to be sealed anew: it stays forgotten."""
    topic = settle(town)
    an_officer_is_told(town)
    town.takes()
    note(town)
    topic.leaves()
    with superuser.begin() as holding:
        holding.execute(select(tables.cases.c.case_id).with_for_update())
        rotating = Thread(target=rotate, args=(superuser, Vault([KEY_2, KEY])))
        rotating.start()
        _until_waiting(superuser)
        holding.execute(text("SELECT anbu_forget('h1')"))
    rotating.join(30)
    assert not rotating.is_alive()
    with town.engine.connect() as conn:
        assert [e for e in log.entries(conn, town.case().case_id) if getattr(e.what, "comment", "")] == []


def _until_waiting(superuser: Engine) -> None:
    """Until somebody waits for a lock."""
    end = monotonic() + 30
    of_ours = "datname = current_database() AND wait_event_type = 'Lock'"
    waits = text(f"SELECT count(*) FROM pg_stat_activity WHERE {of_ours}")
    while monotonic() < end:
        with superuser.connect() as conn:
            if conn.scalar(waits):
                return
    raise AssertionError("nobody waits")


def test_operators_hear_of_them_in_one_message_while_they_can_be_undone(town: Town) -> None:
    """Three in a minute are one message, five minutes after the first; which homes they are is not in it. Withdrawals
    of homes that were never heard of, as in a topic read into a new database, are no news."""
    topic = settle(town)
    topic.leaves()
    with town.desk.transaction() as conn:
        for home in ("h2", "h3"):
            homes.take(town.desk, conn, Household(home, NOW - 9 * DAY), town.now)
            homes.take(town.desk, conn, Household(home, NOW - 9 * DAY, withdrawn=NOW), town.now + MINUTE)
        for n in range(500):
            homes.take(town.desk, conn, Household(f"stranger-{n}", NOW - 9 * DAY, withdrawn=NOW), town.now)
    assert town.desk.tell_of_withdrawals(NOW + 4 * MINUTE) == 0
    town.now = NOW + 5 * MINUTE
    assert town.desk.tell_of_withdrawals(town.now) == 3
    town.gather()
    assert town.message("operator", "withdrawals").what["values"] == {"count": "3", "left": "23"}
    assert town.desk.tell_of_withdrawals(town.now + DAY / 2) == 0
    with town.engine.connect() as conn:
        assert withdrawals.counts(conn, town.now) == (3, 3)
        assert withdrawals.counts(conn, NOW + 2 * timedelta(hours=1)) == (3, 0)
    town.nothing_else()


def test_keys_that_change_meanwhile_open_what_was_set_aside(town: Town, superuser: Engine) -> None:
    """A rotation seals what is set aside too: undone later, it is readable with the new key alone."""
    topic = settle(town)
    topic.leaves()
    assert rotate(superuser, Vault([KEY_2, KEY])).people == 3
    town.now += MINUTE
    topic.anew()
    with town.engine.connect() as conn:
        person = registry.person(conn, Vault([KEY_2]), "resi-h1")
        assert person is not None
        assert (person.name, person.phone) == ("김영자", "010-1234-5678")
        assert registry.by_number(conn, Vault([KEY_2]), "010-1234-5678") == [("resi-h1", "resident", "h1")]


def test_without_grace_it_is_deleted_at_once(town: Town) -> None:
    """`withdrawal_hours` 0."""
    topic = settle(town)
    town.desk.grace = timedelta(0)
    topic.leaves()
    assert not [value for value in SECRETS if value in everything(town)]
    with town.engine.connect() as conn:
        assert conn.execute(select(tables.set_aside)).all() == []
        assert withdrawals.pending(conn) == []
