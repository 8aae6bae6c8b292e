"""``anbu cases`` on a real database: lists, one case, what a person does, and mistakes in one line."""

import base64
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select

from anbu import cli
from response import tables
from response.desk import Desk
from tests.response.casework import desk_of, opened
from tests.response.conftest import database, database_url, postgres  # noqa: F401 -- fixtures

pytestmark = pytest.mark.postgres
NOW = datetime.now(UTC)


@pytest.fixture
def desk(database, database_url, monkeypatch) -> Desk:  # noqa: F811
    """A database with an officer in it, that the commands use."""
    monkeypatch.setenv("ANBU_RESPONSE__DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    with database.begin() as conn:
        row = {"person_id": "o1", "role": "officer", "dong": "dong-1", "channels": ["sms"], "updated_at": NOW}
        conn.execute(insert(tables.people).values(row))
    return desk_of(database)


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
    assert "o1" in run(capsys, "list", "--dong", "dong-1")[1]
    assert run(capsys, "close", number, "safe_visited", "--by", "o1")[0] == 0
    assert "no case is open" in run(capsys, "list")[1]
    assert "방문해 안전 확인" in run(capsys, "list", "--all")[1]
    assert "cancelled" in run(capsys, "deliveries", "--case", number)[1]


def test_mistakes_are_one_line(desk, capsys) -> None:
    """No such case, nobody of that name, an outcome without an end, a comment without keys."""
    number = str(opened(desk, NOW))
    for args, said in (
        (("show", "99"), "there is no case 99"),
        (("take", number, "--by", "nobody"), "nobody who may act"),
        (("close", number, "hospital", "--by", "o1"), "needs an end"),
        (("note", number, "--by", "o1", "--comment", "words"), "ANBU_RESPONSE__KEYS"),
        (("take", number, "--by", "o1", "--until", "soon"), "is no time"),
    ):
        code, line = run(capsys, *args)
        assert (code, line.count("\n")) == (2, 1)
        assert said in line


def test_names_need_a_reason_that_is_recorded(desk, capsys, monkeypatch) -> None:
    """Without one nothing is shown; with one the log of access has it, and comments are opened."""
    monkeypatch.setenv("ANBU_RESPONSE__KEYS", f'["{base64.b64encode(bytes(32)).decode()}"]')
    number = str(opened(desk, NOW))
    run(capsys, "note", number, "--by", "o1", "--comment", "문 앞에 [신문] [b]x")
    assert "문 앞에 [신문]" not in run(capsys, "show", number)[1]
    assert run(capsys, "show", number, "--names")[0] == 2
    assert "문 앞에 [신문] [b]x" in run(capsys, "show", number, "--names", "--why", "audit")[1]
    with desk.engine.connect() as conn:
        assert "audit" in conn.scalars(select(tables.access_log.c.reason)).all()
