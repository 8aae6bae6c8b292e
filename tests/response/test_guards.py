"""What the database itself refuses: other dongs' rows, a changed log; what is forgotten, and what stays."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.exc import DBAPIError

from response import access, tables
from response.access import ReasonNeededError, Sight, Viewer, view_person
from response.circle import circle
from response.forget import forget
from response.rotate import Rotated, rotate
from response.vault import Vault, VaultError, place
from tests.response.people import AT, KEY, KEY_2, add_case, add_duty, add_event, add_household, add_person

pytestmark = pytest.mark.postgres
SEOUL = ZoneInfo("Asia/Seoul")
VAULT = Vault([KEY])
OFFICER_A = Viewer("kim", "10.0.0.7", ("A",))


def _two_dongs(engine: Engine) -> None:
    with engine.begin() as conn:
        for dong in ("A", "B"):
            add_household(conn, f"h{dong}", dong)
            add_person(conn, f"res{dong}", "resident", dong=dong, household_id=f"h{dong}", name=f"이름{dong}")
            add_duty(conn, "officer", add_person(conn, f"off{dong}", "officer", dong=dong), "1111111", "00:00", "00:00",
                     dong=dong)  # fmt: skip
            case_id = add_case(conn, f"h{dong}", dong)
            add_event(conn, case_id, 0, {"event": "Noted", "comment": ""})
            conn.execute(
                insert(tables.outbox).values(
                    key=f"k{dong}", kind="call", case_id=case_id, what={}, created_at=AT, not_before=AT
                )
            )
            conn.execute(
                insert(tables.links).values(
                    token_hash=dong.encode(), case_id=case_id, person_id=f"off{dong}", role="officer", made_at=AT,
                    expires_at=AT,
                )
            )  # fmt: skip


def _run(engine: Engine, *statements: str) -> None:
    """Statements in one transaction."""
    with engine.begin() as conn:
        for statement in statements:
            conn.execute(text(statement))


LOG_CHANGES = (
    "UPDATE case_events SET at = now()",
    "UPDATE case_events SET what = '{}'",
    "UPDATE case_events SET account = 'mayor'",
    "DELETE FROM case_events",
    "DELETE FROM cases",
    "TRUNCATE case_events",
    "UPDATE access_log SET viewer = 'x'",
    "DELETE FROM access_log",
    "TRUNCATE access_log",
)


@pytest.mark.parametrize(
    ("statement", "mode"),
    # in replica mode nothing cascades: the events of a case that is gone stay
    [(s, m) for s in LOG_CHANGES for m in ("origin", "replica") if (s, m) != ("DELETE FROM cases", "replica")],
)
def test_nobody_changes_a_log(
    statement: str, mode: str, database: Engine, owner: Engine, superuser: Engine
) -> None:  # fmt: skip
    """Neither the service nor the owner nor a superuser, nor a superuser who turns triggers off for the session."""
    _two_dongs(database)
    with database.begin() as conn:
        access.viewing(conn, "kim", "here", "resA", "show", "visit", None, datetime.now(UTC))
    for engine in (database, owner, superuser):
        first = f"SET LOCAL session_replication_role = {mode}" if engine is superuser else "SELECT 1"
        with pytest.raises(DBAPIError, match=r"append only|permission denied"):
            _run(engine, first, statement)
    with database.begin() as conn:
        assert conn.scalar(text("SELECT count(*) FROM case_events")) == 2
        assert conn.scalar(text("SELECT count(*) FROM access_log")) == 1


def test_keeper_may_change_a_comment_and_nothing_else(database: Engine, superuser: Engine) -> None:
    """Even the owner of the functions that may touch the log."""
    _two_dongs(database)
    for change in ("at = now()", "by = 'x'", "account = 'x'", 'what = \'{"event": "Closed"}\'', "seq = seq + 1"):
        with pytest.raises(DBAPIError, match="append only"):
            _run(superuser, "SET LOCAL ROLE anbu_keeper", f"UPDATE case_events SET {change}")
    with pytest.raises(DBAPIError, match="permission denied"), database.begin() as conn:
        conn.execute(text("SELECT anbu_reseal(1, 0, 'x')"))


def test_person_is_shown_for_a_reason_that_is_written_down_first(database: Engine, sight: Sight) -> None:
    """An open case is one; without, it must be said. What was shown and what was refused is in the log."""
    _two_dongs(database)
    shown = view_person(sight, VAULT, OFFICER_A, "resA", "", AT)
    assert shown is not None
    assert shown.name == "이름A"
    assert view_person(sight, VAULT, OFFICER_A, "resB", "curious", AT) is None
    with pytest.raises(ReasonNeededError, match="--why"):
        view_person(sight, VAULT, OFFICER_A, "offA", "  ", AT)
    with database.begin() as conn:
        rows = [(r.viewer, r.source, r.subject, r.action, r.case_id, r.reason, r.dongs)
                for r in access.months_entries(conn, datetime.now(SEOUL).date(), SEOUL)]  # fmt: skip
    assert rows == [
        ("kim", "10.0.0.7", "resA", "show", 1, "open case 1", ["A"]),
        ("kim", "10.0.0.7", "resB", "show_refused", None, "curious", ["A"]),
    ]


def _wrote(owner: Engine, viewer: str, subject: str, action: str, at: datetime) -> None:
    """An entry that the database wrote at ``at``: nobody can have it say so, so its guard is off meanwhile."""
    with owner.begin() as conn:
        conn.execute(text("ALTER TABLE access_log DISABLE TRIGGER append_only"))
        access.viewing(conn, viewer, "here", subject, action, "visit", None, AT)
        last = "(SELECT max(entry_id) FROM access_log)"
        conn.execute(text(f"UPDATE access_log SET written_at = :at WHERE entry_id = {last}"), {"at": at})
        conn.execute(text("ALTER TABLE access_log ENABLE ALWAYS TRIGGER append_only"))


def test_month_is_reviewed_by_viewer(database: Engine, owner: Engine) -> None:
    """Times, people and odd hours; a month is one of the local calendar, by the database's own time."""
    begin = datetime(2026, 3, 1, tzinfo=SEOUL)
    moments = (begin, begin + timedelta(days=2, hours=10), begin + timedelta(days=30, hours=23, minutes=59))
    for n, at in enumerate((*moments, begin - timedelta(seconds=1), begin + timedelta(days=31))):
        _wrote(owner, "kim", f"p{n % 2}", "show", at)
    _wrote(owner, "lee", "p0", "export", moments[1])
    with database.begin() as conn:
        assert access.months_views(conn, begin.date(), SEOUL) == [
            access.Seen("kim", "show", 3, 2, 2), access.Seen("lee", "export", 1, 1, 0),
        ]  # fmt: skip
        assert len(access.months_views(conn, begin.date(), SEOUL, viewer="lee")) == 1


def test_sweep_takes_what_the_law_lets_go(database: Engine, owner: Engine) -> None:
    """Entries of more than two years go, younger ones stay whatever is asked for."""
    now = datetime.now(UTC)
    for days in (1, 729, 733, 1000):
        _wrote(owner, "kim", f"{days}", "show", now - timedelta(days=days))
    with database.begin() as conn:
        assert access.sweep(conn, 1, now) == 2
        assert access.sweep(conn, 1, now) == 0
        assert set(conn.scalars(select(tables.access_log.c.subject))) == {"1", "729"}


def test_forgetting_takes_the_persons_and_their_words_and_keeps_the_log(database: Engine, sight: Sight) -> None:
    """Residents, guardians, comments, links and what waited go; events, staff, other homes and who looked stay."""
    _two_dongs(database)
    at = place("case_events", "comment", 1)
    with database.begin() as conn:
        add_person(conn, "son", "guardian", household_id="hA")
        add_event(conn, 1, 1, {"event": "Noted", "comment": VAULT.seal_text("아들 김철수", at), "n": 1})
        conn.execute(insert(tables.outbox).values(
            key="said", kind="message", case_id=1, what={"template": "ask", "values": {"name": "이○A"}}, created_at=AT,
            not_before=AT, state="done"))  # fmt: skip
    view_person(sight, VAULT, OFFICER_A, "resA", "", AT)
    with database.begin() as conn:
        gone = forget(conn, "hA", AT)
    assert (gone.people, gone.comments, gone.waiting, gone.links) == (2, 1, 1, 1)
    with database.begin() as conn:
        assert set(conn.scalars(select(tables.people.c.person_id))) == {"offA", "offB", "resB"}
        events = conn.scalars(select(tables.case_events.c.what).where(tables.case_events.c.case_id == 1)).all()
        assert events == [{"event": "Noted", "comment": ""}, {"event": "Noted", "comment": "", "n": 1}]
        outbox = {r.key: (r.state, r.reason, r.what) for r in conn.execute(select(tables.outbox))}
        assert outbox["kA"] == ("cancelled", "withdrawn", {})
        assert outbox["said"] == ("done", None, {"template": "ask"})
        assert outbox["kB"][0] == "waiting"
        assert len(access.months_entries(conn, datetime.now(SEOUL).date(), SEOUL)) == 1
        assert circle(conn, "hA", "A", AT, tz=SEOUL).withdrawn
        assert not circle(conn, "hB", "B", AT, tz=SEOUL).withdrawn
        again = forget(conn, "hA", AT)
        assert (again.people, again.comments, again.waiting, again.links) == (0, 0, 0, 0)
        forget(conn, "unknown", AT)
        assert circle(conn, "unknown", "A", AT, tz=SEOUL).withdrawn


def test_rotation_seals_everything_anew_in_batches(database: Engine, owner: Engine) -> None:
    """People and comments; a second run finds nothing; the old key can go; numbers are still found."""
    at = place("case_events", "comment", 1)
    with database.begin() as conn:
        for n in range(7):
            add_person(conn, f"p{n}", "resident", VAULT, household_id=f"h{n}", name=f"이름{n}", phone=f"010-{n}")
        add_person(conn, "new", "officer", Vault([KEY_2]), name="새")
        add_person(conn, "bare", "operator", phone="")
        add_case(conn, "h1")
        add_event(conn, 1, 0, {"event": "Noted", "comment": VAULT.seal_text("말씀", at)})
        add_event(conn, 1, 1, {"event": "StepDone", "step": "ask"})
    both, alone = Vault([KEY_2, KEY]), Vault([KEY_2])
    assert rotate(owner, both, batch=3) == Rotated(people=7, comments=1)
    assert rotate(owner, both, batch=3) == Rotated()
    with database.begin() as conn:
        rows = {row.person_id: row for row in conn.execute(select(tables.people))}
        for n in range(7):
            assert alone.open(rows[f"p{n}"].name, place("people", "name", f"p{n}")) == f"이름{n}"
            assert rows[f"p{n}"].phone_index == alone.index(f"010-{n}")
        comment = conn.scalars(select(tables.case_events.c.what).order_by(tables.case_events.c.seq)).all()[0]["comment"]
        assert alone.open_text(comment, at) == "말씀"


def test_rotation_without_the_old_key_says_so_and_changes_nothing(database: Engine, owner: Engine) -> None:
    """The key that is missing."""
    with database.begin() as conn:
        add_person(conn, "p", "resident", VAULT, name="이름")
        before = conn.execute(select(tables.people)).one()
    with pytest.raises(VaultError, match="add that key"):
        rotate(owner, Vault([KEY_2]))
    with database.begin() as conn:
        assert conn.execute(select(tables.people)).one() == before
