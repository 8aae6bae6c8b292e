"""Following the topics: once, in order, and what cannot be used is put aside with its reason."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import Engine, func, select

from response import homes, outbox, tables
from response.follow import Follower
from response.vault import Vault
from stream.records import ALERTS, HOUSEHOLDS, Alert, Household, Outcome, OutcomeCode
from tests.response.people import KEY, add_person
from tests.response.town import Town, at

pytestmark = pytest.mark.postgres
NOW = at("2026-03-04 10:00")
ATTACK = "x\n17 closed\x1b[2J\u202eb"
HOME = Household("h1", NOW - timedelta(days=60), "a1", "d1")


@dataclass
class Record:
    """A consumed message."""

    offset: int
    value: bytes | None
    key: bytes = b"h1"
    headers: tuple[tuple[str, bytes], ...] = (("schema", b"1"),)
    timestamp: int = 0


@pytest.fixture
def town(database: Engine) -> Town:
    """A desk; what is sent is not looked at."""
    made = Town(database, NOW)
    made.sending = False
    return made


def follower(town: Town) -> Follower:
    """A follower of the town's desk."""
    return Follower(town.desk, Counter())


def alert(town: Town) -> bytes:
    """An alert as it travels; the town's own case of it is another household's."""
    return msgspec.json.encode(msgspec.structs.replace(town.alert("attention"), level="caution", to="resident"))


def count(town: Town, table: object = tables.cases) -> int:
    """Rows of a table."""
    with town.engine.connect() as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def test_a_record_that_comes_again_is_not_taken_again(town: Town) -> None:
    """The offset is stored with what the record did: another process that reads it again does nothing."""
    record = Record(5, alert(town))
    first, second = follower(town), follower(town)
    first.take(ALERTS, 2, [record], NOW)
    second.take(ALERTS, 2, [record], NOW)
    assert count(town) == 1
    assert second.begin(ALERTS, 2) == 6
    assert second.counted[ALERTS, "repeated"] == 1


@pytest.mark.parametrize(
    "bad", [Record(0, b"{"), Record(0, b'{"event":"raised"}'), Record(0, b"{}", headers=(("schema", b"9"),))]
)
def test_a_bad_record_is_dead_lettered_and_the_next_is_taken(town: Town, bad: Record) -> None:
    """Those behind it do not wait."""
    made = follower(town)
    made.take(ALERTS, 0, [bad, Record(1, alert(town))], NOW)
    assert made.counted[ALERTS, "dead"] == 1
    assert count(town) == 1
    (job,) = outbox.lease(town.engine, "record", False, "t", NOW, 60, 10)
    assert job.what["dead_letter"]["offset"] == 0


def test_a_fault_of_a_decision_leaves_no_half_of_it(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the record had begun to write is undone, and it is dead-lettered."""
    monkeypatch.setattr("response.decide.open_case", lambda *_: 1 / 0)
    made = follower(town)
    made.take(ALERTS, 0, [Record(0, alert(town))], NOW)
    assert made.counted[ALERTS, "dead"] == 1
    assert count(town) == 0


def test_a_withdrawn_household_is_forgotten_and_its_case_ends(town: Town) -> None:
    """The record says that consent has ended: nothing waits any more, nobody is known any more."""
    with town.engine.begin() as conn:
        add_person(conn, "resi-h1", "resident", Vault([KEY]), household_id="h1", dong="d1")
    made = follower(town)
    made.take(HOUSEHOLDS, 0, [Record(0, msgspec.json.encode(HOME))], NOW)
    made.take(ALERTS, 0, [Record(0, alert(town))], NOW)
    gone = msgspec.structs.replace(HOME, withdrawn=NOW)
    made.take(HOUSEHOLDS, 0, [Record(1, msgspec.json.encode(gone))], NOW)
    assert town.case().phase == "closed"
    assert count(town, tables.people) == 0
    assert outbox.lease(town.engine, "call", False, "t", NOW, 60, 10) == []


def test_a_deleted_household_is_withdrawn(town: Town) -> None:
    """A tombstone on the topic says the same."""
    made = follower(town)
    made.take(ALERTS, 0, [Record(0, alert(town))], NOW)
    made.take(HOUSEHOLDS, 0, [Record(0, None)], NOW)
    assert town.case().phase == "closed"


def test_outcomes_join_the_households_record_and_are_told_again_where_somebody_loses_them(town: Town) -> None:
    """Another writer of the topic may not know of our outcome: it is not lost by that."""
    made = follower(town)
    before = Outcome(NOW - timedelta(days=9), OutcomeCode.safe_visited)
    known = msgspec.structs.replace(HOME, outcomes=(before,))
    made.take(HOUSEHOLDS, 0, [Record(0, msgspec.json.encode(known))], NOW)
    made.take(ALERTS, 0, [Record(0, alert(town))], NOW)
    town.takes()
    closed = NOW - timedelta(minutes=1)
    town.desk.close(town.case().case_id, "offi", OutcomeCode.phone_problem, closed, until=NOW + timedelta(days=1))
    (job,) = outbox.lease(town.engine, "record", False, "t", NOW, 60, 10)
    with town.engine.begin() as conn:
        told = homes.with_outcomes(conn, "h1", NOW)
        outbox.recorded(conn, job.key, NOW)
    assert told is not None
    assert [o.code for o in told.outcomes] == [OutcomeCode.safe_visited, OutcomeCode.phone_problem]
    made.take(HOUSEHOLDS, 0, [Record(1, msgspec.json.encode(told))], NOW)
    assert outbox.lease(town.engine, "record", False, "t", NOW, 60, 10) == []
    with town.engine.connect() as conn:
        assert homes.in_vain(conn, "h1") == 2
    made.take(HOUSEHOLDS, 0, [Record(2, msgspec.json.encode(HOME))], NOW)
    assert len(outbox.lease(town.engine, "record", False, "t", NOW, 60, 10)) == 1


@pytest.mark.parametrize("field", ["text_ko", "text_en", "area", "dong"])
def test_what_an_alert_says_is_made_harmless_before_it_is_kept(town: Town, field: str) -> None:
    """Nobody is left unhelped for a text that deceives: it is taken, as one line of letters."""
    told = msgspec.structs.replace(msgspec.json.decode(alert(town), type=Alert), **{field: ATTACK})
    reader = follower(town)
    reader.take(ALERTS, 0, [Record(1, msgspec.json.encode(told))], NOW)
    assert reader.counted[ALERTS, "taken"] == 1
    with town.engine.connect() as conn:
        kept = [*conn.scalars(select(tables.case_events.c.what)), *conn.scalars(select(tables.outbox.c.what)),
                *conn.scalars(select(tables.cases.c.dong))]  # fmt: skip
    text = str([list(one.values()) if isinstance(one, dict) else one for one in kept])
    assert "\\ufffd" in ascii(text)
    assert not any(escaped in text for escaped in (r"\n", r"\x1b", r"\u202e", "\x1b", "\u202e"))


@pytest.mark.parametrize("field", ["household_id", "alert_id"])
def test_an_alert_of_no_id_is_put_aside(town: Town, field: str) -> None:
    """By the rule for ids, whoever it is of; those behind it go on."""
    told = msgspec.structs.replace(msgspec.json.decode(alert(town), type=Alert), **{field: ATTACK})
    reader = follower(town)
    reader.take(ALERTS, 0, [Record(1, msgspec.json.encode(told)), Record(2, alert(town))], NOW)
    assert (reader.counted[ALERTS, "dead"], reader.counted[ALERTS, "taken"]) == (1, 1)


@pytest.mark.parametrize("key", [b"h1\n", b"../x", b"\xff", b"", b"h" * 65])
def test_nobody_is_deleted_by_what_is_no_id(town: Town, key: bytes) -> None:
    """A record without a value is a withdrawal of the home in its key."""
    reader = follower(town)
    reader.take(HOUSEHOLDS, 0, [Record(1, None, key)], NOW)
    assert reader.counted[HOUSEHOLDS, "dead"] == 1
    assert count(town, tables.households) == 0


def test_what_is_wrong_with_a_record_is_one_line(town: Town) -> None:
    """The letter to the operator and the log hold no escape of the sender's."""
    reader = follower(town)
    reader.take(ALERTS, 0, [Record(1, alert(town), headers=(("schema", b"1\x1b[2J\n"),))], NOW)
    with town.engine.connect() as conn:
        (what,) = conn.scalars(select(tables.outbox.c.what).where(tables.outbox.c.kind == "record"))
    assert what["dead_letter"]["detail"].isprintable()


@pytest.mark.parametrize("topic", [ALERTS, HOUSEHOLDS])
@pytest.mark.parametrize(
    "bad",
    [
        Record(0, b'{"a":"' + b"x" * 3_000_000 + b'"}'),
        Record(0, b"[" * 200_000),
        Record(0, b'{"at":' + b"9" * 200_000 + b"}"),
        Record(0, b'{"at":"", "reasons": ' + b"[[]," * 20_000 + b"[]" + b"]" * 20_000 + b"}"),
        Record(0, None, key=b"h" * 2_000_000),
    ],
    ids=["bytes", "nesting", "a number", "lists", "a key"],
)
def test_a_record_without_end_is_put_aside_and_the_next_is_taken(town: Town, topic: str, bad: Record) -> None:
    """By its size before it is decoded, or by what it is: it stops nobody."""
    made = follower(town)
    good = Record(1, alert(town)) if topic == ALERTS else Record(1, msgspec.json.encode(HOME))
    made.take(topic, 0, [bad, good], NOW)
    assert (made.counted[topic, "dead"], made.counted[topic, "taken"]) == (1, 1)
    (job,) = outbox.lease(town.engine, "record", False, "t", NOW, 60, 10)
    assert len(job.what["dead_letter"]["detail"]) <= 300
