"""Files of people and rosters: good lines go in, bad ones are told by line and column, twice changes nothing."""

import contextlib
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from response import tables
from response.access import ReasonNeededError, Sight, Viewer
from response.duty_files import add_leave, end_leave, import_duties, read_days
from response.people_files import FIELDS, Imported, cells, export_people, import_people
from response.registry import by_number, person
from response.rows import FieldError, Line, PeopleFileError, read_id, read_rows
from response.vault import Vault
from stream.shape import shape
from tests.response.people import AT, KEY, add_person

VAULT = Vault([KEY])
ME = Viewer("kim", "tty1", ("*",))
GOOD = """번호,역할,동,가구,이름,전화번호,이메일,주소,주소 확인일,채널,보호자 통보 동의,전화 가능
r1,대상자,A,h1,김영희,010-1234-5678,,"서울 A동 1, 2호",2026. 1. 5.,sms;alimtalk,예,아니오
g1,보호자,A,h1,김철수,+82 10 9999 8888,son@example.kr,,,,,
o1,담당자,A,,이담당,02-123-4567,o1@example.kr,,,email;sms,,
c1,관제센터,,,관제,031-000-0000,,,,,,
"""


def _file(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "people.csv"
    path.write_bytes(text.encode(encoding))
    return path


def _import(engine: Engine, path: Path, vault: Vault = VAULT) -> Imported:
    with engine.begin() as conn:
        return import_people(conn, vault, path, ME, AT)


def _counts(done: Imported) -> tuple[int, int, int, int]:
    return done.new, done.changed, done.same, len(done.faults)


def _rows(engine: Engine, table: str) -> int:
    with engine.begin() as conn:
        return conn.scalar(select(func.count()).select_from(tables.metadata.tables[table])) or 0


@pytest.mark.postgres
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_file_goes_in_once(database: Engine, tmp_path: Path, encoding: str) -> None:
    """Korean headers, as spreadsheets save them; the second run changes nothing, not even a sealed byte."""
    path = _file(tmp_path, GOOD, encoding)
    assert _counts(_import(database, path)) == (4, 0, 0, 0)
    with database.begin() as conn:
        before = conn.execute(select(tables.people).order_by("person_id")).all()
        one = person(conn, VAULT, "r1")
    assert one is not None
    assert (one.name, one.phone, one.address, one.address_at) == (
        "김영희", "+821012345678", "서울 A동 1, 2호", date(2026, 1, 5)
    )  # fmt: skip
    assert (one.role, one.channels, one.consent_guardian, one.calls) == ("resident", ("sms", "alimtalk"), True, False)
    assert _counts(_import(database, path)) == (0, 0, 4, 0)
    with database.begin() as conn:
        assert conn.execute(select(tables.people).order_by("person_id")).all() == before
    assert _rows(database, "access_log") == 4


@pytest.mark.postgres
def test_column_that_is_not_there_keeps_its_value(database: Engine, tmp_path: Path) -> None:
    """A file of numbers alone changes numbers alone; an empty cell empties."""
    _import(database, _file(tmp_path, GOOD))
    done = _import(database, _file(tmp_path, "person_id,role,phone,email\ng1,guardian,010-5555-4444,\n"))
    assert _counts(done) == (0, 1, 0, 0)
    with database.begin() as conn:
        one = person(conn, VAULT, "g1")
    assert one is not None
    assert (one.name, one.phone, one.email, one.household_id) == ("김철수", "+821055554444", "", "h1")


NUMBERS = "번호,역할,동,가구,이름,전화,채널\n"


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("010 0000 0001", "+821000000001"),
        ("010.0000.0002", "+821000000002"),
        ("+82 10-0000-0003", "+821000000003"),
        ("1000000001", "+821000000001"),
        ("82-10-0000-0002", "+821000000002"),
        ("00182-10-0000-0003", "+821000000003"),
        ("０１０－００００－０００４", "+821000000004"),
    ],
)
def test_a_number_has_one_form_from_here_on(database: Engine, tmp_path: Path, written: str, kept: str) -> None:
    """Stored, indexed for whoever rings back, and given out again as people write it."""
    _import(database, _file(tmp_path, f"{NUMBERS}r-1,대상자,d1,h1,가나,{written},sms\n"))
    with database.begin() as conn:
        one = person(conn, VAULT, "r-1")
        assert one is not None
        assert one.phone == kept
        assert by_number(conn, VAULT, kept) == [("r-1", "resident", "h1")]
    assert kept.replace("+82", "0") in {cell.replace("-", "") for cell in cells(one)}


@pytest.mark.postgres
@pytest.mark.parametrize("written", ["010-0000-000", "119", "010-0000-0001 (딸)", "02-123-4567/8", "1588-0000", "none"])
def test_what_cannot_be_a_residents_number_is_refused_with_its_line(
    database: Engine, tmp_path: Path, written: str
) -> None:
    """And not shown: it may be a number all the same."""
    done = _import(database, _file(tmp_path, f"{NUMBERS}r-1,대상자,d1,h1,가나,{written},sms\n"))
    assert [(fault.line, fault.column, fault.shown) for fault in done.faults] == [(2, "phone", shape(written))]
    assert done.new == 0


@pytest.mark.postgres
@pytest.mark.parametrize("role", ["대상자", "보호자", "담당자"])
def test_a_number_of_several_people_is_told(database: Engine, tmp_path: Path, role: str) -> None:
    """However it is written, in one file or in two; it goes in all the same. People of an office may share theirs."""
    first = "r-1,대상자,d1,h1,가나,010-0000-0001,sms\n"
    first += "o-1,담당자,d1,,박,02-123-4567,sms\no-2,담당자,d1,,최,021234567,sms\n"
    assert _import(database, _file(tmp_path, NUMBERS + first)).shared == []
    done = _import(database, _file(tmp_path, f"{NUMBERS}x-2,{role},d1,h2,다라,+82 10 0000 0001,sms\n"))
    assert (done.new, done.shared) == (1, [["r-1", "x-2"]])


def test_ids_that_look_alike_are_one_or_refused() -> None:
    """Full-width digits are digits; a Cyrillic letter is not the Latin one that it looks like."""
    assert read_id("ｈ１") == "h1"
    for other in ("h\u0430", "h\u0661", "h\u200b1", "\u00e91"):
        with pytest.raises(FieldError, match="letters"):
            read_id(other)


@pytest.mark.postgres
def test_bad_lines_are_told_and_the_good_go_in(database: Engine, tmp_path: Path) -> None:
    """Line, column, value and what to do; what is personal is not shown."""
    text = (
        "person_id,role,dong,household_id,phone,email,address_at,calls,channels\n"
        "r1,resident,A,h1,010-1234-5678,,,,\n"
        "r2,resident,A,h2,secret number,a@b,2026-13-01,maybe,!\n"
        "r3,resident,A,,,,,,\n"
        "\n"
        "r1,resident,A,h9,,,,,\n"
        "r4,resident,,h4,,,,,\n"
        ",resident,A,h5,,,,,\n"
        "r6,boss,A,h6,,,,,\n"
        'r7,resident,"A,B",h7,,,,,\n'
        "r8,resident,A,h8,,,,,,surplus\n"
        "r9,officer,A,,,,,,\n"
    )
    done = _import(database, _file(tmp_path, text))
    assert (done.new, _rows(database, "people")) == (2, 2)
    found = [(fault.line, fault.column, fault.shown) for fault in done.faults]
    assert found == [
        (3, "phone", "aaaaaa aaaaaa"), (3, "email", "a@a"), (3, "address_at", "9999-99-99"), (3, "calls", "aaaaa"),
        (3, "channels", "!"), (4, "household_id", ""), (6, "person_id", "r1"), (7, "dong", ""),
        (8, "person_id", ""), (9, "role", "aaaa"), (10, "dong", "a,a"), (11, "-", ""),
    ]  # fmt: skip
    assert all(" · " in str(fault) and "\n" not in str(fault) for fault in done.faults)
    assert "secret" not in " ".join(map(str, done.faults))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a column is missing: person_id, role"),
        ("person_id\nx\n", "a column is missing: role"),
        ("person_id,role,shoe size\n", "unknown column 'shoe size'"),
        ("o1,officer,A,홍길동\n", "line 1 is no header"),
        ("person_id,role,번호\n", "the column person_id is there twice"),
        ("person_id,role\n\x00,x\n", "not CSV"),
    ],
)
def test_file_that_cannot_be_used_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    """Before anything is asked of the database."""
    with pytest.raises(PeopleFileError, match=says) as e:
        import_people(None, VAULT, _file(tmp_path, text), ME, AT)  # type: ignore[arg-type]
    assert "\n" not in str(e.value)


def test_picture_is_no_file_of_people(tmp_path: Path) -> None:
    """Bytes that are no text."""
    path = tmp_path / "p.png"
    path.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(PeopleFileError, match="neither UTF-8 nor CP949"):
        import_people(None, VAULT, path, ME, AT)  # type: ignore[arg-type]


@pytest.mark.postgres
@pytest.mark.parametrize(
    "line",
    [
        "홍길동,r-1,대상자,h1,010-1234-5678,sms", "r-1,홍길동,d1,h1,010-1234-5678,sms",
        "r-1,대상자,d1,홍길동,h1,010-1234-5678", "r-1,대상자,d1,h1,홍길동,010-1234-5678",
        "r-1,대상자,홍길동*,h1,010-1234-5678,sms", "r-1,대상자,d1,h1,010-1234-5678,sms,홍길동",
    ],
)  # fmt: skip
def test_no_cell_is_repeated_whatever_column_it_stands_in(database: Engine, tmp_path: Path, line: str) -> None:
    """Where columns are shifted a name is a role, and a number a channel."""
    done = _import(database, _file(tmp_path, f"번호,역할,동,가구,전화,채널\n{line}\n"))
    said = " ".join(map(str, done.faults))
    assert said
    assert not any(part in said for part in ("홍길동", "홍", "1234", "5678"))


@pytest.mark.postgres
def test_what_comes_out_goes_in_again(database: Engine, sight: Sight, tmp_path: Path) -> None:
    """Export gives what import takes, for its owner alone, for a reason, each person in the log."""
    _import(database, _file(tmp_path, GOOD))
    out = tmp_path / "out.csv"
    with pytest.raises(ReasonNeededError):
        export_people(sight, VAULT, out, ME, " ", AT)
    assert export_people(sight, VAULT, out, ME, "yearly check", AT) == 4
    assert out.stat().st_mode & 0o077 == 0
    assert _counts(_import(database, out)) == (0, 0, 4, 0)
    with database.begin() as conn:
        log = tables.access_log.c
        entries = conn.execute(select(log.subject, log.reason).where(log.action == "export")).all()
        assert {tuple(entry) for entry in entries} == {(i, "yearly check") for i in ("r1", "g1", "o1", "c1")}
    with pytest.raises(FileExistsError):
        export_people(sight, VAULT, out, ME, "again", AT)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("월-금", "11111000"), ("월~금", "11111000"), ("월수금", "10101000"), ("토,일 공휴일", "00000111"),
        ("Mon-Fri", "11111000"), ("Saturday sunday", "00000110"), ("금-월", "10001110"), ("매일", "11111111"),
        ("daily", "11111111"), ("월요일-수요일", "11100000"), ("1111111", "1111111"), ("00000001", "00000001"),
    ],
)  # fmt: skip
def test_days_are_read_as_people_write_them(text: str, days: str) -> None:
    """Korean, English, ranges over the weekend, holidays."""
    assert read_days(text) == days


@given(st.text(max_size=12))
def test_any_text_of_days_is_read_or_refused(text: str) -> None:
    """Nothing but a line about the value."""
    with contextlib.suppress(FieldError):
        days = read_days(text)
        assert set(days) <= {"0", "1"}
        assert len(days) in (7, 8)


DUTIES = """동,역할,번호,요일,시작,끝,첫날,마지막날,순서
A,담당자,kim,월-금,09:00,18:00,,,1
A,담당자,lee,월-금,9:00,18:00,2026-03-01,2026-03-31,0
,관제센터,cen,매일,18:00,24:00,,,
"""


@pytest.mark.postgres
def test_rosters_go_in_once_and_change_and_are_replaced(database: Engine, tmp_path: Path) -> None:
    """New, then the same, then changed; with replace, what is not in the file goes, of its dongs and roles alone."""
    with database.begin() as conn:
        for who, role in (("kim", "officer"), ("lee", "officer"), ("cen", "centre"), ("res", "resident")):
            add_person(conn, who, role)
        path = _file(tmp_path, DUTIES)
        assert _counts(import_duties(conn, path, ME, AT)) == (3, 0, 0, 0)
        assert _counts(import_duties(conn, path, ME, AT)) == (0, 0, 3, 0)
        shorter = _file(tmp_path, "\n".join(DUTIES.splitlines()[:2]).replace("18:00", "17:00"))
        assert _counts(import_duties(conn, shorter, ME, AT)) == (0, 1, 0, 0)
        assert _counts(import_duties(conn, shorter, ME, AT, replace_all=True)) == (0, 1, 1, 0)
        assert set(conn.scalars(select(tables.duties.c.person_id))) == {"kim", "cen"}


@pytest.mark.postgres
def test_bad_rosters_are_told(database: Engine, tmp_path: Path) -> None:
    """Unknown people, residents, days, times; with replace nothing is removed while a line is at fault."""
    with database.begin() as conn:
        add_person(conn, "kim", "officer")
        add_person(conn, "res", "resident")
        import_duties(conn, _file(tmp_path, "role,person_id,days,from,until\nofficer,kim,daily,00:00,00:00\n"), ME, AT)
        text = (
            "role,person_id,days,from,until\nofficer,nobody,daily,09:00,18:00\nofficer,res,daily,09:00,18:00\n"
            "officer,kim,someday,25:00,9\nresident,kim,daily,09:00,18:00\nofficer,kim,Mon,09:00,18:00\n"
        )
        done = import_duties(conn, _file(tmp_path, text), ME, AT, replace_all=True)
        assert [(f.line, f.column) for f in done.faults] == [
            (2, "person_id"), (3, "person_id"), (4, "days"), (4, "from_time"), (4, "until_time"), (5, "role"),
        ]  # fmt: skip
        assert done.new == 1
        assert conn.scalar(select(func.count()).select_from(tables.duties)) == 2


@pytest.mark.postgres
def test_leave_is_registered_once_and_ends_when_somebody_is_back(database: Engine) -> None:
    """It always has an end, and belongs to somebody."""
    hour = timedelta(hours=1)
    with database.begin() as conn:
        add_person(conn, "kim", "officer")
        assert add_leave(conn, "kim", AT, AT + hour)
        assert not add_leave(conn, "kim", AT, AT + hour)
        assert add_leave(conn, "kim", AT, AT + 3 * hour)
        assert add_leave(conn, "kim", AT + 9 * hour, AT + 10 * hour)
        assert end_leave(conn, "kim", AT + 2 * hour) == 2
        leaves = conn.execute(select(tables.leaves.c.from_at, tables.leaves.c.until_at)).all()
        assert [tuple(leave) for leave in leaves] == [(AT, AT + 2 * hour)]
        with pytest.raises(PeopleFileError, match="nobody is registered as nobody"):
            add_leave(conn, "nobody", AT, AT + hour)
        with pytest.raises(PeopleFileError, match="before it begins"):
            add_leave(conn, "kim", AT, AT)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("person_id," * 2_000, "too many columns"),
        ("person_id,role,name\n" + 'r1,resident,"' + "a" * 200_000, "not CSV"),
        ("person_id,role,name\n" + 'r1,resident,"a\n' + 'b","c\n' * 100_000, "does not end"),
        ("person_id,role,name\nr1,resident," + "a," * 200_000, "does not end"),
        ("person_id,role,name\n" + "r1,nobody,x\n" * 10_001, "lines are wrong"),
    ],
    ids=["columns", "a cell", "quotes", "a row", "faults"],
)
def test_a_file_without_end_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    """Nothing of it is kept, and no object is made of each of its faults."""
    with pytest.raises(PeopleFileError, match=says):
        list(read_rows(_file(tmp_path, text), FIELDS))


def test_a_device_that_never_ends_is_one_line() -> None:
    """Of a file more than it may have is not read."""
    with pytest.raises(PeopleFileError, match="too large"):
        list(read_rows(Path("/dev/zero"), FIELDS))


def test_a_cell_without_end_is_a_fault_of_its_line(tmp_path: Path) -> None:
    """The others of the file are taken."""
    text = "person_id,role,e-mail\nr1,operator," + "a.b" * 5_000 + "\nr2,operator,\n"
    first, second = read_rows(_file(tmp_path, text), FIELDS)
    assert isinstance(first, list)
    assert "characters: at most" in str(first[0])
    assert isinstance(second, Line)
