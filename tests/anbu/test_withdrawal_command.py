"""``anbu withdrawal`` on a real database: who can be undone, undoing it, and what is refused in one line."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from anbu import cli
from response import homes, tables
from stream import ingest
from stream.records import Household
from tests.response.casework import alert, desk_of
from tests.response.conftest import database, its_settings, logins, postgres  # noqa: F401 -- fixtures
from tests.response.people import KEY, add_person

pytestmark = pytest.mark.postgres


@pytest.fixture
def now() -> datetime:
    """When this test runs. The suite may have been read long before."""
    return datetime.now(UTC)


@pytest.fixture
def desk(database, its_settings, monkeypatch, now):  # type: ignore[no-untyped-def]  # noqa: F811
    """h1 had a case and has just withdrawn; its resident was registered, an officer is."""
    monkeypatch.setenv("ANBU_RESPONSE__KEYS", f'["{KEY}"]')
    made = desk_of(database)
    home = Household("h1", now - timedelta(days=60), "area-1", "dong-1")
    with made.transaction() as conn:
        add_person(conn, "o1", "officer", dong="dong-1", name="박지은")
        add_person(conn, "r1", "resident", dong="dong-1", household_id="h1", name="김영자")
        homes.take(made, conn, home, now)
        made.alert(conn, alert(now), now)
        gone = Household("h1", home.since, withdrawn=now - timedelta(minutes=1))
        homes.take(made, conn, gone, now)
    return made


def run(capsys, *args: str) -> tuple[int, str]:  # type: ignore[no-untyped-def]
    """Exit code and everything said."""
    with pytest.raises(SystemExit) as e:
        cli.main([*args])
    said = capsys.readouterr()
    return int(e.value.code or 0), said.out + said.err


def test_a_withdrawal_is_listed_and_undone_by_a_record_of_now(desk, now, capsys, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """The list says until when; the undoing is consent from now on with all else as it was, and is in the access log
    with reason and account."""
    sent: list[Household] = []

    async def enrol(records, settings) -> None:  # type: ignore[no-untyped-def]
        sent.extend(records)

    monkeypatch.setattr(ingest, "enrol", enrol)
    said = run(capsys, "withdrawal", "list")[1]
    assert "h1" in said
    assert "23h 5" in said
    assert run(capsys, "withdrawal", "list", "--ids")[1] == "h1\n"
    code, said = run(capsys, "withdrawal", "undo", "h1", "h9", "--by", "o1", "--why", "위조된 철회")
    assert code == 1
    assert "h9: 되돌릴 철회가 없습니다" in said
    (record,) = sent
    assert (record.household_id, record.area, record.withdrawn) == ("h1", "area-1", None)
    assert record.since >= now
    with desk.engine.connect() as conn:
        a = tables.access_log.c
        (entry,) = conn.execute(select(a.subject, a.action, a.reason)).all()
    assert entry == ("h1", "withdrawal undo as o1", "위조된 철회")
    with desk.transaction() as conn:
        homes.take(desk, conn, record, record.since + timedelta(seconds=1))
    assert "no withdrawal waits" in run(capsys, "withdrawal", "list")[1]
    assert "김영자" in run(capsys, "people", "show", "r1", "--why", "확인")[1]


@pytest.mark.parametrize("by", ["nobody", "r1"])
def test_only_the_staff_undo(desk, capsys, by: str) -> None:  # type: ignore[no-untyped-def]
    """In one line, and nothing is sent."""
    code, said = run(capsys, "withdrawal", "undo", "h1", "--by", by, "--why", "x")
    assert (code, said.count("\n")) == (2, 1)
    assert "담당자가 아닙니다" in said


def test_meanwhile_no_command_shows_anything(desk, capsys, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Neither the person, nor the course of a case, nor an export."""
    assert "nobody is registered" in run(capsys, "people", "show", "r1", "--why", "x")[1]
    assert "nothing of it is shown" in run(capsys, "cases", "show", "1", "--names", "--why", "x")[1]
    assert run(capsys, "people", "export", str(tmp_path / "all.csv"), "--why", "x")[0] == 0
    assert "김영자" not in (tmp_path / "all.csv").read_text("utf-8-sig")
