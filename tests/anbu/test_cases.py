"""``anbu cases`` on a real database: lists, one case, what a person does, and mistakes in one line."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from anbu import cli
from response import lists, outbox, tables
from response.desk import Desk
from response.records import Circle, Delivery, DeliveryResult, NotSent
from tests.response.casework import ALWAYS, SEOUL, alert, desk_of, opened
from tests.response.conftest import database, its_settings, logins, postgres  # noqa: F401 -- fixtures
from tests.response.people import KEY, add_person

pytestmark = pytest.mark.postgres
NOW = datetime.now(UTC)


@pytest.fixture
def desk(database, its_settings) -> Desk:  # noqa: F811
    """A database with an officer in it, that the commands use."""
    with database.begin() as conn:
        add_person(conn, "o1", "officer", dong="dong-1", name="박지은")
        add_person(conn, "d1", "deputy", dong="dong-1", name="최민호")
        add_person(conn, "g1", "guardian", dong="dong-1", household_id="h1", name="이영희")
    return desk_of(database, hours=ALWAYS)


def run(capsys, *args: str) -> tuple[int, str]:
    """Exit code and everything said."""
    with pytest.raises(SystemExit) as e:
        cli.main(["cases", *args])
    said = capsys.readouterr()
    return int(e.value.code or 0), said.out + said.err


def test_case_is_listed_shown_taken_and_closed(desk, capsys) -> None:
    """The whole way of an operator without a console."""
    number = str(opened(desk, NOW, level="serious"))
    assert "h1" in run(capsys, "list")[1]
    code, said = run(capsys, "show", number)
    assert code == 0
    assert "until somebody acknowledges" in said
    assert run(capsys, "take", number, "--by", "o1")[0] == 0
    assert "o1" in run(capsys, "list", "--dong", "dong-1")[1]  # without keys there are no names
    assert run(capsys, "close", number, "safe_visited", "--by", "o1")[0] == 0
    assert "no case is open" in run(capsys, "list")[1]
    assert "방문해 안전 확인" in run(capsys, "list", "--all")[1]
    assert "cancelled" in run(capsys, "deliveries", "--case", number)[1]


def test_a_death_is_closed_after_one_more_word_undone_and_reopened(desk, capsys, monkeypatch) -> None:
    """Untaken nothing is closed; nobody at the terminal needs `--yes`; a minute for undo, later a reason."""
    monkeypatch.setenv("ANBU_RESPONSE__KEYS", f'["{KEY}"]')
    number = str(opened(desk, NOW, level="serious"))
    close = ("close", number, "deceased", "--by", "o1")
    assert "take the case first" in run(capsys, *close, "--yes")[1]
    run(capsys, "take", number, "--by", "o1")
    code, line = run(capsys, *close)
    assert (code, line.count("\n")) == (2, 1)
    assert "--yes" in line
    assert run(capsys, *close, "--yes")[0] == 0
    assert "사망" in run(capsys, "list", "--all")[1]
    assert run(capsys, "undo", number, "--by", "o1")[0] == 0
    assert "no case is open" not in run(capsys, "list")[1]
    assert run(capsys, *close, "--yes")[0] == 0
    assert run(capsys, "reopen", number, "--by", "d1", "--reason", "다른 분")[0] == 0
    shown = run(capsys, "show", number, "--names", "--why", "audit")[1]
    assert "다시 열고" in shown
    assert "다른 분" in shown


def test_a_question_answered_yes_closes(desk, capsys, monkeypatch) -> None:
    """Where somebody sits at the terminal the outcome is asked once more, in words."""
    number = str(opened(desk, NOW, level="serious"))
    run(capsys, "take", number, "--by", "o1")
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda text, **_: asked.append(text))
    assert run(capsys, "close", number, "moved", "--by", "o1")[0] == 0
    assert "이사" in asked[0]
    with desk.engine.connect() as conn:
        assert lists.cases(conn) == []


def test_who_has_it_is_named_and_asked_before_it_is_taken_over(desk, capsys, monkeypatch) -> None:
    """By name, with the command that comes next."""
    monkeypatch.setenv("ANBU_RESPONSE__KEYS", f'["{KEY}"]')
    number = str(opened(desk, NOW, level="serious"))
    run(capsys, "take", number, "--by", "o1")
    said = run(capsys, "take", number, "--by", "d1")[1]
    assert "박지은 님이 이미 맡고 있습니다" in said
    assert f"anbu cases ask {number}" in said
    assert "ask 박지은 first" in run(capsys, "take", number, "--by", "d1", "--over")[1]
    assert run(capsys, "ask", number, "--by", "d1")[0] == 0
    assert run(capsys, "take", number, "--by", "d1", "--over")[0] == 0
    assert "최민호" in run(capsys, "list")[1]


def test_staff_and_dongs_are_named_and_machine_words_stand_behind(desk, capsys, monkeypatch) -> None:
    """Lists, the course and the deliveries speak of people; each name read is recorded; guardians stay masked."""
    monkeypatch.setenv("ANBU_RESPONSE__KEYS", f'["{KEY}"]')
    monkeypatch.setenv("ANBU_RESPONSE__PLACES__dong-1", "별빛1동")
    number = str(opened(desk, NOW, level="serious"))
    job = next(j for j in outbox.lease(desk.engine, "message", False, "t", NOW, 60, 9) if j.role == "officer")
    desk.message_done(job.key, Delivery(DeliveryResult.failed, "sms", detail="HTTP 503 of the vendor"), NOW)
    run(capsys, "take", number, "--by", "d1")
    for args in (("list", "--dong", "별빛1동"), ("show", number), ("deliveries",)):
        said = run(capsys, *args)[1]
        read = "\n".join(line for line in said.splitlines() if "기계 기록" not in line)
        assert not re.findall(r"(?a)\b(o1|d1|dong-1|tell|ask|sms|tell_\w+|not_sent|503)\b", read), read
        assert ("박지은" in read) or args[0] == "list"
        assert "이영희" not in read
        assert "503" in said or args[0] == "list"
    with desk.engine.connect() as conn:
        assert {"o1", "d1"} <= set(conn.scalars(select(tables.access_log.c.subject)))


def test_alerts_of_the_past_are_listed_with_both_times(desk, capsys) -> None:
    """Nobody is told of them, so the operator sees them there: when it was, when it was written down, what waits."""
    with desk.transaction() as conn:
        desk.alert(conn, alert(NOW - timedelta(days=9)), NOW)
    assert "no case is open" in run(capsys, "list")[1]
    said = run(capsys, "past")[1]
    for at in (NOW - timedelta(days=9), NOW):
        assert f"{at.astimezone(SEOUL):%m-%d}" in said
    assert "h1" in said
    assert "waits" in said


def test_an_outage_of_the_past_is_listed_by_its_area(desk, capsys, monkeypatch) -> None:
    """By the name that people know it by; the alert's id says nothing."""
    monkeypatch.setenv("ANBU_RESPONSE__PLACES__area-7", "별빛시장")
    outage = replace(
        alert(NOW - timedelta(days=9)), alert_id="3c30f0c2", household_id="", kind="area_outage", to="operator",
        area="area-7",
    )  # fmt: skip
    with desk.transaction() as conn:
        desk.alert(conn, outage, NOW)
    said = run(capsys, "past")[1]
    assert "별빛시장" in said
    assert "3c30f0c2" not in said


def test_what_was_not_even_tried_has_a_name_in_the_deliveries(desk, capsys) -> None:
    """Nobody is registered around a home: no row is without its what."""
    number = str(opened(desk_of(desk.engine, Circle(())), NOW, level="serious"))
    said = run(capsys, "deliveries", "--case", number)[1]
    assert "연락 contact" in said


def test_mistakes_are_one_line(desk, capsys) -> None:
    """No such case, nobody of that name, an outcome without an end, a comment without keys."""
    number = str(opened(desk, NOW))
    for args, said in (
        (("show", "99"), "there is no case 99"),
        (("take", number, "--by", "nobody"), "nobody who may act"),
        (("close", number, "hospital", "--by", "o1"), "take the case first"),
        (("note", number, "--by", "o1", "--comment", "words"), "ANBU_RESPONSE__KEYS"),
        (("take", number, "--by", "o1", "--until", "soon"), "is no time"),
    ):
        code, line = run(capsys, *args)
        assert (code, line.count("\n")) == (2, 1)
        assert said in line


def test_names_need_a_reason_that_is_recorded(desk, capsys, monkeypatch) -> None:
    """Without one nothing is shown; with one the log of access has it, and comments are opened."""
    monkeypatch.setenv("ANBU_RESPONSE__KEYS", f'["{KEY}"]')
    number = str(opened(desk, NOW))
    run(capsys, "note", number, "--by", "o1", "--comment", "문 앞에 [신문] [b]x")
    assert "문 앞에 [신문]" not in run(capsys, "show", number)[1]
    assert run(capsys, "show", number, "--names")[0] == 2
    assert "문 앞에 [신문] [b]x" in run(capsys, "show", number, "--names", "--why", "audit")[1]
    with desk.engine.connect() as conn:
        assert "audit" in conn.scalars(select(tables.access_log.c.reason)).all()


@pytest.mark.parametrize("wrong", [
    ("list", "--level", "seriuos"), ("list", "--phase", "open"), ("list", "--dong", "dong-9"),
    ("deliveries", "--case", "999"), ("show", "999"),
])  # fmt: skip
def test_what_nothing_is_called_is_no_calm(desk, capsys, wrong: tuple[str, ...]) -> None:
    """A misspelt level, phase, dong or number: a line and exit code 2, never "no case is open"."""
    opened(desk, NOW, level="serious")
    code, said = run(capsys, *wrong)
    assert code == 2
    assert "no case is open" not in said
    assert "nothing was sent" not in said


def test_a_case_of_which_nobody_heard_does_not_stand_there_as_telling(desk, capsys) -> None:
    """Every message of every step ended "no channel": the list says that nobody was reached."""
    opened(desk, NOW, level="serious")
    while jobs := outbox.lease(desk.engine, "message", False, "t", NOW, 60, 10):
        for job in jobs:
            desk.message_done(job.key, Delivery(DeliveryResult.not_sent, "", NotSent.no_channel), NOW)
    said = run(capsys, "list")[1]
    assert "아무에게도" in said
    assert "telling" not in said


@pytest.mark.parametrize("by", [
    "resident", "RESIDENT", "system", "-", "nobody", "r1", "g1", "x1", "mayor\x1b[2J\n", "o1\u200b", "o1\udcff", "ｏ1",
    "o1 ", "",
])  # fmt: skip
def test_an_act_is_by_a_known_person_who_may(desk, capsys, by: str) -> None:
    """Nobody, the system, a resident, a guardian, whoever was removed: one line, nothing done, nothing logged."""
    with desk.engine.begin() as conn:
        add_person(conn, "r1", "resident", dong="dong-1", household_id="h1")
        conn.execute(tables.people.insert().values(  # of a version before these ids were kept
            person_id="system", role="officer", dong="dong-1", channels=["sms"], updated_at=NOW))
    number = str(opened(desk, NOW))
    code, line = run(capsys, "take", number, f"--by={by}")
    assert (code, line.count("\n")) == (2, 1)
    assert line.rstrip("\n").isprintable()
    assert "nobody who may act" in line or "no text" in line
    with desk.engine.connect() as conn:
        assert lists.whole(conn, int(number)).case.owner is None


def test_the_nearest_of_the_staff_is_named(desk, capsys) -> None:
    """A slip of the hand; and where there is nobody at all, what to do."""
    number = str(opened(desk, NOW))
    assert "did you mean o1" in run(capsys, "take", number, "--by", "O1")[1]
    with desk.engine.begin() as conn:
        conn.execute(tables.people.delete())
    assert "anbu people import" in run(capsys, "take", number, "--by", "o1")[1]


def test_whoever_is_of_drills_acts_on_no_real_case(desk, capsys) -> None:
    """Their names are made up; on a case of a drill they act as others do."""
    with desk.engine.begin() as conn:
        add_person(conn, "t1", "officer", dong="dong-1", drill=True)
    assert "t1" in run(capsys, "take", str(opened(desk, NOW)), "--by", "t1")[1]
    assert run(capsys, "take", str(opened(desk, NOW, household="h2", drill=True)), "--by", "t1")[0] == 0


def test_the_account_stands_beside_every_act(desk, capsys, monkeypatch) -> None:
    """In the case's log and the log of access, in `cases show` and the review; what the system did has none."""
    monkeypatch.setenv("ANBU_RESPONSE__KEYS", f'["{KEY}"]')
    for name in ("LOGNAME", "USER", "SUDO_USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "mayor")
    monkeypatch.setattr("os.getuid", lambda: 54321)
    number = str(opened(desk, NOW, level="serious"))
    close = ("close", "safe_visited")
    for act in (("take",), ("note", "--comment", "문 앞"), close, ("undo",), close, ("reopen", "--reason", "다시")):
        assert run(capsys, act[0], number, *act[1:], "--by", "o1")[0] == 0
    assert run(capsys, "ask", number, "--by", "d1")[0] == 0
    with desk.engine.connect() as conn:
        log = lists.whole(conn, int(number)).log
        assert {entry.account for entry in log if entry.by in ("o1", "d1")} == {"? (uid 54321)"}
        assert {entry.account for entry in log if entry.by not in ("o1", "d1")} == {""}
        a = tables.access_log.c
        acts = conn.execute(select(a.action).where(a.viewer == "? (uid 54321)", a.subject == "h1").order_by(a.entry_id))
        assert [row.action for row in acts] == [
            f"{act} as o1" for act in ("take", "note", "close", "undo", "close", "reopen")] + ["ask as d1"]  # fmt: skip
    shown = run(capsys, "show", number)[1]
    assert "uid 54321" in shown
    assert "mayor" not in shown
    with pytest.raises(SystemExit):
        cli.main(["people", "access", "--month", f"{NOW:%Y-%m}"])
    review = capsys.readouterr().out
    assert "close as o1" in review
    assert "mayor" not in review


def test_what_machines_and_alerts_said_acts_on_no_terminal(desk, capsys, monkeypatch) -> None:
    """Of a version that kept it as it was: escapes, lines and markup come out as letters."""
    attack = "[/]\x1b[2J\u202e[link=http://x]y\n17 closed"
    told = replace(alert(NOW), text_ko=attack, text_en=attack, dong=f"dong-1{attack}")
    with desk.transaction() as conn:
        desk.alert(conn, told, NOW)
    job = next(j for j in outbox.lease(desk.engine, "message", False, "t", NOW, 60, 9))
    desk.message_done(job.key, Delivery(DeliveryResult.failed, "sms", detail=attack + "x" * 5_000), NOW)
    with desk.engine.connect() as conn:
        kept = [*conn.scalars(select(tables.outbox.c.detail).where(tables.outbox.c.key == job.key)),
                *(what.get("detail", "") for what in conn.scalars(select(tables.case_events.c.what)))]  # fmt: skip
        assert len([detail for detail in kept if detail]) == 2
        assert all(detail.isprintable() and len(detail) <= 300 for detail in kept)
    for args in (("list",), ("show", "1"), ("deliveries",), ("past",)):
        code, said = run(capsys, *args)
        assert code == 0
        assert all(c == "\n" or c.isprintable() for c in said)
        assert "\n17 closed" not in said
