"""Files of people made to deceive: no formula goes out, nothing unseen comes in, nobody is called the system."""

import csv
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert

from response import people_files, tables
from response.access import ReasonNeededError, Sight, Viewer, viewing
from response.people_files import FIELDS, export_people, import_people
from response.records import Person
from response.registry import person
from response.rows import Line, read_rows
from response.vault import Vault, place
from stream import plain
from tests.anbu.conftest import Run, run  # noqa: F401 - the fixture
from tests.response.people import AT, KEY, add_person
from tests.stream.test_plain import ATTACKS

VAULT = Vault([KEY])
ME = Viewer("kim", "tty1", ("*",))
HEAD = "person_id,role,dong,household_id,name,email,address\n"


def read(path: Path) -> list[object]:
    return list(read_rows(path, FIELDS))


@pytest.mark.parametrize("what", [w for w in ATTACKS if w not in ("NUL", "a surrogate")])
@pytest.mark.parametrize("column", ["dong", "household_id", "name", "email", "address"])
def test_what_is_not_seen_does_not_come_in(tmp_path: Path, column: str, what: str) -> None:
    """In any column: a line that says which, and what to do, and does not repeat it."""
    values = {"dong": "A", "household_id": "h1", "name": "김", "email": "a@b.kr", "address": "1"}
    values[column] = f"x{ATTACKS[what]}@b.kr"
    with (tmp_path / "p.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEAD.strip().split(","), ["p1", "resident", *values.values()]])
    (faults,) = read(tmp_path / "p.csv")
    assert [fault.column for fault in faults] == [column]
    assert str(faults[0]).isprintable()


@pytest.mark.parametrize(("column", "most"), [("name", plain.NAME), ("address", plain.ADDRESS), ("email", plain.EMAIL)])
def test_each_free_text_has_a_longest_length(tmp_path: Path, column: str, most: int) -> None:
    """One letter more is refused."""
    tail = "@b.kr" if column == "email" else ""
    for more, ok in ((0, True), (1, False)):
        text = f"person_id,role,dong,{column}\no1,officer,A,{'x' * (most + more - len(tail))}{tail}\n"
        (tmp_path / "p.csv").write_text(text, encoding="utf-8")
        assert isinstance(read(tmp_path / "p.csv")[0], Line) is ok


@pytest.mark.parametrize("name", ["system", "SYSTEM", "ｒｅｓｉｄｅｎｔ", "5ystem", "s.y.s.t.e.m", "-", "시스템"])
def test_nobody_is_registered_as_the_system(tmp_path: Path, name: str) -> None:
    """Nor a home."""
    (tmp_path / "p.csv").write_text(f"{HEAD}{name},officer,A,,,,\np1,resident,A,{name},,,\n", encoding="utf-8")
    faults = [fault.column for line in read(tmp_path / "p.csv") for fault in line]
    assert faults == ["person_id", "household_id"]


TEXT = st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from("=+-@'＝－ "), max_size=30)
TEXT = TEXT.map(lambda text: unicodedata.normalize("NFC", text.strip()))  # as files are read


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(name=TEXT, address=TEXT, household=st.from_regex(r"[A-Za-z0-9._:-]{1,8}x", fullmatch=True))
def test_what_is_exported_holds_no_formula_and_is_imported_unchanged(
    tmp_path: Path, name: str, address: str, household: str
) -> None:
    """Every text that comes in goes out as text, and in again as it was."""
    if plain.fault(name + address, 100):
        return
    one = Person("p1", "resident", "A", household, name, "+821012345678", address=address)
    with (tmp_path / "out.csv").open("w", newline="", encoding="utf-8-sig") as file:
        people_files.write(file, [one])
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8-sig") as file:
        assert not any(cell[:1] in tuple("=+-@＝＋－＠\t\r") for line in csv.reader(file) for cell in line if cell)
    (line,) = read(tmp_path / "out.csv")
    assert isinstance(line, Line)
    assert Person(**line.values) == one


@pytest.mark.postgres
def test_formulas_go_out_as_text_and_come_back(database: Engine, sight: Sight, tmp_path: Path) -> None:
    """From a file, through the registry, to a file, and again."""
    (tmp_path / "in.csv").write_text(f'{HEAD}o1,officer,A,,"=HYPERLINK(1)",,"@SUM(1)"\n', encoding="utf-8")
    with database.begin() as conn:
        assert import_people(conn, VAULT, tmp_path / "in.csv", ME, AT).new == 1
    export_people(sight, VAULT, tmp_path / "out.csv", ME, "check", AT)
    with database.begin() as conn:
        assert person(conn, VAULT, "o1").name == "=HYPERLINK(1)"
    assert "\"'=HYPERLINK(1)\"" in (tmp_path / "out.csv").read_text("utf-8-sig")
    with database.begin() as conn:
        assert import_people(conn, VAULT, tmp_path / "out.csv", ME, AT).same == 1


@pytest.mark.postgres
@pytest.mark.parametrize("what", [*ATTACKS, "too long"])
def test_a_reason_that_deceives_is_none(database: Engine, what: str) -> None:
    """It would stand in the log of access as another line."""
    with database.begin() as conn, pytest.raises(ReasonNeededError, match="the reason"):
        viewing(conn, "kim", "tty1", "r1", "show", {**ATTACKS, "too long": "x" * 201}[what], None, AT)


@pytest.mark.postgres
def test_what_came_in_before_is_harmless_where_it_is_opened(database: Engine) -> None:
    """A name of an older version, with an escape and a line of its own."""
    name = "김\x1b[2J\n철수"
    with database.begin() as conn:
        add_person(conn, "o1", "officer", dong="A", name=name)
        assert VAULT.seal(name, place("people", "name", "o1"))
        assert person(conn, VAULT, "o1").name == "김\ufffd[2J 철수"


@pytest.mark.postgres
def test_a_look_of_before_makes_no_line_of_its_own_in_the_review(database: Engine, run: Run, monkeypatch) -> None:  # noqa: F811
    """Reasons and accounts of a version that took them as they were."""
    monkeypatch.setenv("ANBU_RESPONSE__DATABASE_URL", database.url.render_as_string(hide_password=False))
    forged = "x\n2026-03-04 10:00:00  mayor  here  show  r1  visit\x1b[2J"
    entry = {"at": AT, "viewer": forged, "source": forged, "subject": forged, "action": forged, "reason": forged}
    with database.begin() as conn:
        conn.execute(insert(tables.access_log), [entry])
    for more in ([], ["--all"]):  # of the month in which it was written down, whatever it says of itself
        said = run("people", "access", "--month", f"{datetime.now(UTC):%Y-%m}", *more).out
        assert said.count("\n") == 1
        assert "\x1b" not in said
