"""One bad record never blocks the next: a home's outcomes, the topics, due cases, rows whose sender died."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from aiokafka.errors import MessageSizeTooLargeError
from sqlalchemy import Engine, select, text, update

from response import outbox, tables
from response.gateways.simulated import SimulatedGateway
from response.senders import Post
from response.settings import ResponseSettings
from stream.enrolment import fault_of
from stream.records import ALERTS, HOUSEHOLDS, DeadLetter, Household, Outcome, OutcomeCode
from tests.response.test_follow import HOME, NOW, Record, alert, count, follower
from tests.response.town import Town

pytestmark = pytest.mark.postgres
o = tables.outbox.c
FAR = NOW.replace(year=2206)


@pytest.fixture
def town(database: Engine) -> Town:
    """A desk; what is sent is not looked at."""
    made = Town(database, NOW)
    made.sending = False
    return made


class Broker:
    """Takes records, or says what it is told to."""

    def __init__(self, refuses: Exception | None = None) -> None:
        self.refuses, self.households, self.letters = refuses, list[Household](), list[DeadLetter]()

    async def send_household(self, household: Household) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.households.append(household)

    async def send_dead_letter(self, letter: DeadLetter) -> None:
        self.letters.append(letter)


def told(town: Town, broker: Broker) -> None:
    """The outbox's records go out."""
    gateway: Any = SimulatedGateway
    post = Post(town.desk, ResponseSettings(), None, gateway, gateway, broker, False, "t", lambda: town.now)
    asyncio.run(post.tell_stream())


def outcome(town: Town, key: str, what: dict[str, Any], state: str = "waiting", case_id: int | None = None) -> None:
    """A row of a version before, as it stands in the outbox."""
    row = {
        "key": key, "kind": "record", "case_id": case_id, "what": what, "created_at": town.now, "not_before": town.now,
        "state": state,
    }  # fmt: skip
    with town.engine.begin() as conn:
        conn.execute(tables.outbox.insert().values(row))


def said(code: OutcomeCode, hours: float, until: object = None) -> dict[str, Any]:
    """An outcome found so many hours ago."""
    found = Outcome(NOW - timedelta(hours=hours), code, until=until)  # type: ignore[arg-type]
    return {"household_id": "h1", "outcome": msgspec.json.decode(msgspec.json.encode(found))}


def states(town: Town) -> dict[str, str]:
    """State of each row by its key."""
    with town.engine.connect() as conn:
        return {row.key: row.state for row in conn.execute(select(o.key, o.state))}


BAD = [said(OutcomeCode.hospital, 5, FAR), said(OutcomeCode.hospital, 5), said(OutcomeCode.safe_visited, -48),
       {"household_id": "h1", "outcome": {"at": "yesterday", "code": "hospital"}}, {"household_id": "h1"},
       {"household_id": "h1", "outcome": {"at": "2026-03-04T00:00:00Z", "code": "unheard_of"}}]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=["2206", "endless", "future", "no time", "nothing", "no code"])
@pytest.mark.parametrize("state", ["waiting", "done"])
def test_a_bad_outcome_is_set_aside_and_the_home_goes_on(town: Town, bad: dict[str, Any], state: str) -> None:
    """Whether it waits or was "sent" before: the next outcome of the home reaches the stream, in a record it takes."""
    follower(town).take(HOUSEHOLDS, 0, [Record(0, msgspec.json.encode(HOME))], NOW)
    outcome(town, "bad", bad, state)
    outcome(town, "good", said(OutcomeCode.safe_visited, 1))
    broker = Broker()
    told(town, broker)
    assert [[o.code for o in home.outcomes] for home in broker.households] == [[OutcomeCode.safe_visited]]
    assert fault_of(broker.households[0], NOW.timestamp()) is None
    assert states(town) == {"bad": "refused", "good": "done"}
    with town.engine.connect() as conn:
        ((key, _, why),) = outbox.refused(conn, NOW)
    assert key == "bad"
    assert why


def test_a_record_that_already_holds_a_bad_outcome_is_mended_by_the_next(town: Town) -> None:
    """As we stored it from the topic before: what the stream refuses of it is left out."""
    kept = Outcome(NOW - timedelta(days=3), OutcomeCode.refused)
    poisoned = msgspec.structs.replace(HOME, outcomes=(kept, Outcome(NOW, OutcomeCode.hospital, until=FAR)))
    h = tables.households
    row = {"household_id": "h1", "dong": "d1", "area": "a1", "record": msgspec.to_builtins(poisoned)}
    with town.engine.begin() as conn:
        conn.execute(h.insert().values(row))
    outcome(town, "good", said(OutcomeCode.safe_visited, 1))
    broker = Broker()
    told(town, broker)
    assert [o.code for o in broker.households[0].outcomes] == [OutcomeCode.refused, OutcomeCode.safe_visited]


def test_a_households_record_that_the_stream_refuses_is_not_taken(town: Town) -> None:
    """The last good one stays: ours is the stream's, and outcomes go on. What waited for a good one is told by it."""
    made = follower(town)
    far = msgspec.structs.replace(HOME, risk_since=FAR)
    made.take(HOUSEHOLDS, 0, [Record(0, msgspec.json.encode(far))], NOW)
    assert made.counted[HOUSEHOLDS, "dead"] == 1
    with town.engine.begin() as conn:  # as a version before took it
        row = {"household_id": "h1", "dong": "d1", "area": "a1", "record": msgspec.to_builtins(far)}
        conn.execute(tables.households.insert().values(row))
    outcome(town, "good", said(OutcomeCode.safe_visited, 1))
    broker = Broker()
    told(town, broker)
    assert states(town)["good"] == "refused"
    made.take(HOUSEHOLDS, 0, [Record(1, msgspec.json.encode(HOME))], NOW)
    told(town, broker)
    assert [[o.code for o in home.outcomes] for home in broker.households] == [[OutcomeCode.safe_visited]]
    with town.engine.connect() as conn:
        assert outbox.refused(conn, NOW) == []


def test_a_record_that_no_broker_takes_is_not_sent_for_ever(town: Town) -> None:
    """Too large is too large the next time too: set aside, and said."""
    follower(town).take(HOUSEHOLDS, 0, [Record(0, msgspec.json.encode(HOME))], NOW)
    outcome(town, "large", said(OutcomeCode.safe_visited, 1))
    told(town, Broker(MessageSizeTooLargeError()))
    assert states(town) == {"large": "refused"}


def test_a_broker_that_is_away_is_waited_for(town: Town) -> None:
    """Nothing is set aside by that."""
    follower(town).take(HOUSEHOLDS, 0, [Record(0, msgspec.json.encode(HOME))], NOW)
    outcome(town, "good", said(OutcomeCode.safe_visited, 1))
    told(town, Broker(TimeoutError()))
    assert states(town) == {"good": "leased"}


def test_a_refused_outcome_ends_with_its_case_reopened(town: Town) -> None:
    """Reopened and closed anew, nothing is set aside any more, and the new outcome is told."""
    made = follower(town)
    made.take(HOUSEHOLDS, 0, [Record(0, msgspec.json.encode(HOME))], NOW)
    made.take(ALERTS, 0, [Record(0, alert(town))], NOW)
    town.takes()
    town.closes("safe_visited")
    with town.engine.begin() as conn:
        conn.execute(update(tables.outbox).where(o.kind == "record").values(what=said(OutcomeCode.hospital, 0, FAR)))
    broker = Broker()
    told(town, broker)
    town.reopens()
    with town.engine.connect() as conn:
        assert outbox.refused(conn, town.now) == []
    town.closes("safe_answered")
    told(town, broker)
    assert [o.code for o in broker.households[-1].outcomes] == [OutcomeCode.safe_answered]


NUL_NAME = b'{"household_id":"h1","since":"2026-01-01T00:00:00Z","a\\u0000b":1}'


@pytest.mark.parametrize(
    ("topic", "bad"),
    [(ALERTS, Record(0, b"{\x00}")), (HOUSEHOLDS, Record(0, NUL_NAME)), (HOUSEHOLDS, Record(0, None, b"h\x00")),
     (HOUSEHOLDS, Record(0, None, b"h" * 9_000)), (ALERTS, Record(0, b"{}", headers=(("schema", b"\x00"),)))],
    ids=["nul", "nul in a name", "nul in a key", "long key", "nul in a header"],
)  # fmt: skip
def test_no_record_of_a_topic_stops_those_behind_it(town: Town, topic: str, bad: Record) -> None:
    """What no database can hold in a text, or in an index: a dead letter with its reason, and the next is taken."""
    made = follower(town)
    made.take(topic, 0, [bad], NOW)
    made.take(ALERTS, 1, [Record(1, alert(town))], NOW)
    assert made.counted[topic, "dead"] == 1
    assert made.begin(topic, 0) == 1
    assert count(town) == 1


@pytest.mark.parametrize("field", ["alert_id", "area", "dong", "household_id"])
def test_an_alert_too_long_for_a_case_is_dead_lettered(town: Town, field: str) -> None:
    """An index of the database takes no name of 9,000 letters: that is the record's fault, not the database's."""
    made, good = follower(town), msgspec.json.decode(alert(town))
    long = msgspec.json.encode(good | {field: "아" * 9_000})
    made.take(ALERTS, 0, [Record(0, long), Record(1, msgspec.json.encode(good))], NOW)
    assert made.counted == Counter({(ALERTS, "dead"): 1, (ALERTS, "taken"): 1, (ALERTS, "repeated"): 0})
    assert count(town) == 1


def spoilt(town: Town, superuser: Engine, household: str) -> int:
    """A case with a line in its log that nobody can read."""
    case_id = town.case(household).case_id
    seq = len(town.entries(household))
    row = {"case_id": case_id, "seq": seq, "at": town.now, "by": "system", "what": {"event": "Unheard"}}
    with superuser.begin() as conn:
        conn.execute(tables.case_events.insert().values(row))
    return case_id


def test_a_case_that_fails_does_not_keep_the_others(town: Town, superuser: Engine) -> None:
    """The serious one that cannot be read comes first in every round: the ladders of all others climb on."""
    town.alert("serious", household="h1")
    town.alert("caution", household="h2")
    spoilt(town, superuser, "h1")
    before = town.case("h2").step
    town.now += timedelta(hours=2)
    assert town.desk.due(town.now) >= 1
    assert town.case("h2").step > before
    c = tables.cases.c
    with town.engine.connect() as conn:
        late = conn.scalars(select(c.household_id).where(c.next_step_at < town.now)).all()
    assert late == ["h1"], "the auditor tells it"


def test_a_call_whose_end_cannot_be_written_does_not_keep_the_others(town: Town, superuser: Engine) -> None:
    """Both senders died; the case of one cannot be read."""
    for household in ("h1", "h2"):
        town.alert("caution", household=household)
    outbox.lease(town.engine, "call", False, "dead", town.now, 60, 10)
    spoilt(town, superuser, "h1")
    town.now += timedelta(minutes=5)
    outbox.expired(town.desk, town.now)
    with town.engine.connect() as conn:
        ended = conn.scalars(select(o.person_id).where(o.kind == "call", o.result == "unknown")).all()
    assert ended == ["resi-h2"]


def test_an_alert_of_the_past_that_cannot_be_read_does_not_keep_the_others(town: Town, superuser: Engine) -> None:
    """What stands of the others is acted on."""
    for household in ("h1", "h2"):
        town.alert("serious", household=household, ago_h=5)
    with superuser.begin() as conn:
        conn.execute(text("UPDATE alert_events SET waiting = '{}' WHERE subject = 'h1'"))
    town.now += timedelta(hours=2)
    town.desk.release(town.now)
    assert town.cases("h2") == 1
