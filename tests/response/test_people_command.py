"""`anbu people` as a person runs it."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from deploy.postgres.server import LocalPostgres
from response import database as db
from response import tables
from tests.anbu.conftest import Run, run  # noqa: F401 - the fixture
from tests.folders import open_folder
from tests.response.people import AT, KEY, KEY_2, add_case, add_household
from tests.response.test_people_files import DUTIES, GOOD

UNKNOWN = 54321
"""An account of no name."""
COMMANDS = (
    "import", "export", "duties", "leave", "key", "rotate", "show", "access", "forget", "sweep", "migrate",
)  # fmt: skip


@pytest.fixture
def people(run: Run, its_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:  # noqa: F811
    """``people("show", "r1")``: on a database of this test's own, with a key, and GOOD in people.csv."""
    monkeypatch.setenv("ANBU_RESPONSE__KEYS", f'["{KEY}"]')
    monkeypatch.setattr("os.getuid", lambda: UNKNOWN)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER", "SUDO_UID"):
        monkeypatch.setenv(name, "0" if name == "SUDO_UID" else "mayor")
    (tmp_path / "people.csv").write_text(GOOD, encoding="utf-8")
    (tmp_path / "duties.csv").write_text(DUTIES, encoding="utf-8")
    return lambda *args: run("people", *args)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(run: Run, command: str) -> None:  # noqa: F811
    """In both languages."""
    said = run("people", command, "--help")
    assert said.code == 0
    assert re.search("[가-힣].* · [a-z]", said.out)


@pytest.mark.postgres
def test_registering_showing_reviewing(people: Run) -> None:
    """In, once; shown for a reason; the review has both; what cannot be shown says why."""
    assert "new 4" in people("import", "people.csv").out
    said = people("import", "people.csv")
    assert (said.code, "nothing has changed" in said.out) == (0, True)
    shown = people("show", "r1", "--why", "visit")
    assert "김영희" in shown.out
    assert "010-1234-5678" in shown.out
    refused = people("show", "r1")
    assert (refused.code, "--why" in refused.err) == (2, True)
    assert people("show", "nobody", "--why", "visit").code == 2
    month = f"{datetime.now(UTC):%Y-%m}"
    review = people("access", "--month", month).out
    assert re.search(r"\? \(uid 54321\) +import +4회 · times +4명", review)
    entries = people("access", "--month", month, "--all", "--viewer", "?").out
    assert re.search(r"\? \(uid 54321\) .* show  r1  visit", entries)
    assert re.search(r"\? \(uid 54321\) .* show_refused  nobody  visit", entries)
    assert "mayor" not in review + entries
    assert people("access", "--month", "March").code == 2


@pytest.mark.postgres
def test_bad_lines_give_exit_code_1_and_the_good_are_in(people: Run, tmp_path: Path) -> None:
    """Told on stderr, by file and line."""
    (tmp_path / "bad.csv").write_text("person_id,role,dong\no1,officer,A\no2,boss,A\n", encoding="utf-8")
    said = people("import", "bad.csv")
    assert said.code == 1
    assert "bad.csv:3: role 'aaaa': " in said.err
    assert "new 1" in said.err
    assert people("show", "o1", "--why", "check").code == 0
    assert people("import", "missing.csv").code == 2


@pytest.mark.postgres
def test_export_asks_for_a_reason_and_comes_back(people: Run) -> None:
    """And never writes over a file."""
    people("import", "people.csv")
    assert people("export", "out.csv").code == 2
    assert people("export", "out.csv", "--why", "check").code == 0
    assert "same 4" in people("import", "out.csv").out
    assert people("export", "out.csv", "--why", "check").code == 2


@pytest.mark.postgres
def test_names_of_files_and_people_are_no_markup(people: Run, tmp_path: Path) -> None:
    """Nor do they act on the terminal, or break the line in the log of access."""
    (tmp_path / "[").mkdir()
    (tmp_path / "[" / "x]\x1b[2J\n✓.csv").write_text(GOOD, encoding="utf-8")
    file, who = "[/x]\x1b[2J\n✓.csv", "[/]\x1b\n"
    for args in (
        ("import", file), ("duties", file), ("export", "[/]y\n✓.csv", "--why", "x"), ("show", who, "--why", "x"),
        ("leave", who, "--back"), ("forget", who, "--yes"),
    ):  # fmt: skip
        said = people(*args)
        assert said.code in (0, 1, 2)
        assert all(c == "\n" or c.isprintable() for c in said.out + said.err)
        assert "\n✓" not in said.out + said.err
    entries = people("access", "--month", f"{datetime.now(UTC):%Y-%m}", "--all").out
    assert all(c == "\n" or c.isprintable() for c in entries)
    assert all(re.match(r"\d{4}-", line) for line in entries.splitlines())


@pytest.mark.postgres
def test_rosters_and_leave(people: Run, tmp_path: Path) -> None:
    """A roster of people who are there; leave with an end, and back."""
    people("import", "people.csv")
    assert people("duties", "duties.csv").code == 1
    (tmp_path / "duties.csv").write_text(DUTIES.replace("kim", "o1").replace("lee", "o1").replace("cen\n", "c1\n")
                                         .replace("cen,", "c1,"), encoding="utf-8")  # fmt: skip
    assert "new 3" in people("duties", "duties.csv").out
    assert people("leave", "o1").code == 2
    until = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
    assert people("leave", "o1", "--until", until).code == 0
    assert "1 끝남" in people("leave", "o1", "--back").out
    assert people("leave", "nobody", "--until", until).code == 2
    entries = people("access", "--month", f"{datetime.now(UTC):%Y-%m}", "--all").out
    assert entries.count("  leave  o1  ") == 2
    assert "  duties  o1  duties duties.csv" in entries


@pytest.mark.postgres
def test_key_is_changed(people: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new key in front, rotate, the old one goes."""
    people("import", "people.csv")
    assert len(people("key").out.strip()) == 44
    monkeypatch.setenv("ANBU_RESPONSE__KEYS", f'["{KEY_2}"]')
    lost = people("rotate")
    assert (lost.code, "add that key" in lost.err) == (2, True)
    monkeypatch.setenv("ANBU_RESPONSE__KEYS", f'["{KEY_2}", "{KEY}"]')
    assert "4명" in people("rotate").out
    monkeypatch.setenv("ANBU_RESPONSE__KEYS", f'["{KEY_2}"]')
    assert "김영희" in people("show", "r1", "--why", "check").out
    monkeypatch.setenv("ANBU_RESPONSE__KEYS", "[]")
    none = people("import", "people.csv")
    assert (none.code, "anbu people key" in none.err) == (2, True)


@pytest.mark.postgres
def test_household_is_forgotten(people: Run, database: Engine) -> None:
    """Its people go; that it was done is in the log; the sweep leaves that."""
    people("import", "people.csv")
    with database.begin() as conn:
        add_household(conn, "h1")
        add_case(conn, "h1", closed_at=AT)
    assert "2명" in people("forget", "h1", "--yes").out
    assert people("show", "r1", "--why", "check").code == 2
    assert "✓ 0" in people("sweep").out
    with database.begin() as conn:
        log = tables.access_log.c
        assert conn.scalars(select(log.action).where(log.subject == "h1")).all() == ["forget"]


@pytest.mark.postgres
def test_schema_that_is_not_of_this_version_is_one_line(people: Run, superuser: Engine) -> None:
    """And `anbu people migrate` names itself as the remedy."""
    with superuser.begin() as conn:
        conn.execute(text("DELETE FROM alembic_version"))
    said = people("sweep")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "anbu people migrate" in said.err


def _anbu(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "ANBU_RESPONSE__DATABASE_URL"}
    env |= {"ANBU_DATA_DIR": str(folder), "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        [sys.executable, "-m", "anbu", "people", *args], capture_output=True, text=True, env=env, cwd=folder,
        timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.postgres
def test_without_a_server_it_starts_its_own_and_with_one_it_joins() -> None:
    """Whether `anbu up` runs or not, the same data are there; it ends only what it started."""
    with open_folder() as folder:
        _own_and_joined(folder)


def _own_and_joined(folder: Path) -> None:
    none = _anbu(folder, "sweep")
    assert (none.returncode, none.stdout, none.stderr.count("\n")) == (2, "", 1)
    assert "no database here" in none.stderr
    assert not (folder / "postgres").exists()
    assert _anbu(folder, "migrate").returncode == 0
    first = _anbu(folder, "sweep")
    assert (first.returncode, first.stdout.strip()) == (0, "✓ 0"), first.stderr
    server = LocalPostgres(folder / "postgres")
    assert not server.ready
    with server:
        made = db.engine(server.url_of())
        with made.begin() as conn:
            add_household(conn, "h1")
        assert _anbu(folder, "forget", "h1", "--yes").returncode == 0
        assert server.alive
        with made.begin() as conn:
            assert conn.scalar(select(tables.households.c.withdrawn_at)) is not None
        made.dispose()
