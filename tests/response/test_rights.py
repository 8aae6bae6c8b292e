"""What SQL that got in could do, as the application's real logins: each line here was tried, and is refused."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, create_engine, insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from deploy.postgres.logins import OWNER, SERVICE, VIEWER
from deploy.postgres.server import LocalPostgres
from response import access, tables
from response import database as db
from response.access import Sight, Viewer
from tests.response.people import AT, add_case, add_event, add_household, add_person

pytestmark = pytest.mark.postgres
REFUSED = "|".join((
    "permission denied", "must be", "append only", "cannot", "not allowed", "only superusers", "Only roles",
    "does not exist", "not available", "not its next", "row-level security",
))  # fmt: skip
EVERYBODY = (SERVICE, VIEWER, OWNER)
THE_APPLICATION = (SERVICE, VIEWER)

OF_THE_SYSTEM = (
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('/proc/self/environ')",
    "SELECT pg_ls_dir('/')",
    "SELECT pg_stat_file('/etc/passwd')",
    "SELECT * FROM pg_ls_logdir()",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/x')",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_create(0)",
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "COPY people FROM PROGRAM 'cat /proc/1/environ'",
    "COPY (SELECT 1) TO '/tmp/x'",
    "COPY people FROM '/etc/passwd'",
    "CREATE EXTENSION dblink",
    "CREATE EXTENSION file_fdw",
    "CREATE LANGUAGE plpython3u",
    "LOAD '/tmp/x.so'",
    "ALTER SYSTEM SET log_statement = 'all'",
    "SELECT pg_reload_conf()",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_hba_file_rules",
    "SELECT * FROM pg_shadow",
    "SET session_replication_role = replica",
    "SET log_statement = 'all'",
)
"""Nobody who logs in may do these, the owner neither."""
OF_OTHERS = (
    "SET ROLE anbu",
    "SET ROLE anbu_keeper",
    "SET ROLE anbu_owner",
    "SET SESSION AUTHORIZATION anbu",
    "SET SESSION AUTHORIZATION anbu_owner",
    "CREATE ROLE mine SUPERUSER",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER ROLE anbu_owner PASSWORD 'mine'",
    "ALTER ROLE anbu_owner SET search_path = mine",
    "ALTER ROLE anbu LOGIN",
    "GRANT anbu_owner TO CURRENT_USER",
    "GRANT anbu_keeper TO CURRENT_USER",
    "GRANT pg_read_server_files TO CURRENT_USER",
    "CREATE TABLE mine (a int)",
    "CREATE TEMP TABLE access_log (a int)",
    "CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE sql RETURN '2000-01-01'::timestamptz",
    "CREATE FUNCTION anbu_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
    "CREATE OR REPLACE FUNCTION anbu_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
    "CREATE OPERATOR = (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
    "CREATE SCHEMA mine",
    "CREATE VIEW mine AS SELECT 1",
    "DROP TRIGGER append_only ON access_log",
    "DROP TRIGGER next_in_order ON case_events",
    "ALTER TABLE access_log DISABLE TRIGGER ALL",
    "ALTER TABLE access_log DISABLE TRIGGER append_only",
    "ALTER TABLE people DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE access_log OWNER TO CURRENT_USER",
    "CREATE POLICY mine ON people USING (true)",
    "CREATE RULE mine AS ON DELETE TO access_log DO INSTEAD NOTHING",
    "DROP TABLE access_log",
    "TRUNCATE access_log",
    "TRUNCATE case_events",
    "TRUNCATE people",
    "UPDATE access_log SET viewer = 'x'",
    "UPDATE case_events SET at = now()",
    "UPDATE case_events SET written_at = now()",
    "DELETE FROM access_log",
    "DELETE FROM case_events",
    "DELETE FROM cases",
    "MERGE INTO access_log a USING (SELECT 1) x ON true WHEN MATCHED THEN DELETE",
    "UPDATE alembic_version SET version_num = '0001'",
    "SELECT anbu_reseal(1, 0, 'x')",
    "SELECT setval('access_log_entry_id_seq', 1)",
    "SELECT nextval('access_log_entry_id_seq')",
    "CREATE TRIGGER mine BEFORE INSERT ON access_log FOR EACH ROW EXECUTE FUNCTION anbu_refuse()",
    "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION anbu_refuse()",
    "COMMENT ON TABLE access_log IS 'mine'",
)
"""Nor the application these."""


@pytest.fixture
def url(postgres: LocalPostgres, database: Engine) -> dict[str, str]:
    """Addresses of the test's database by who logs in."""
    with database.begin() as conn:
        for dong in ("A", "B"):
            add_household(conn, f"h{dong}", dong)
            add_person(conn, f"res{dong}", "resident", dong=dong, household_id=f"h{dong}", name=f"이름{dong}")
            add_person(conn, f"off{dong}", "officer", dong=dong, name=f"담당{dong}")
            add_event(conn, add_case(conn, f"h{dong}", dong), 0, {"event": "Noted", "comment": ""})
        access.viewing(conn, "kim", "here", "resA", "show", "visit", None, AT)
    return {login: postgres.url_of(login, str(database.url.database)) for login in EVERYBODY}


def _try(url: str, *statements: str) -> None:
    """As somebody who has a connection of this login to themselves, each statement by itself."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        for statement in statements:
            conn.execute(text(statement))


@pytest.mark.parametrize("login", EVERYBODY)
@pytest.mark.parametrize("statement", OF_THE_SYSTEM)
def test_nobody_who_logs_in_gets_out_of_the_database(statement: str, login: str, url: dict[str, str]) -> None:
    """No file, no program, no setting of the server, no password: the superuser does not log in at all."""
    with pytest.raises(DBAPIError, match=REFUSED):
        _try(url[login], statement)


@pytest.mark.parametrize("login", THE_APPLICATION)
@pytest.mark.parametrize("statement", OF_OTHERS)
def test_the_application_owns_nothing_and_becomes_nobody(
    statement: str, login: str, url: dict[str, str], database: Engine
) -> None:
    """What it could do is refused, also after it has tried to become who it was before; the logs are as they were."""
    with pytest.raises(DBAPIError, match=REFUSED):
        _try(url[login], "RESET ROLE", "RESET SESSION AUTHORIZATION", statement)
    with database.begin() as conn:
        assert conn.scalar(text("SELECT count(*) FROM access_log")) == 1
        assert conn.scalar(text("SELECT count(*) FROM case_events")) == 2


@pytest.mark.parametrize("login", EVERYBODY)
def test_roles_have_no_attribute_and_no_membership_beyond_their_own(login: str, url: dict[str, str]) -> None:
    """Plain roles. Nothing of the database is the application's; a session's user is the login itself."""
    with create_engine(url[login], poolclass=NullPool).connect() as conn:
        assert conn.execute(text("SELECT session_user, current_user")).one() == (login, login)
        attributes = (
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles "
            "WHERE rolname = session_user"
        )
        assert not any(conn.execute(text(attributes)).one())
        of = "SELECT rolname FROM pg_roles WHERE rolname <> session_user AND pg_has_role(session_user, oid, 'MEMBER')"
        assert set(conn.scalars(text(of))) == ({"anbu_keeper", "pg_database_owner"} if login == OWNER else set())
        owned = "SELECT count(*) FROM pg_class WHERE relowner = session_user::regrole"
        assert bool(conn.scalar(text(owned))) == (login == OWNER)


@pytest.mark.parametrize("login", THE_APPLICATION)
def test_nobody_makes_a_table_of_a_session_in_any_database(login: str, postgres: LocalPostgres) -> None:
    """Neither where everybody might otherwise, nor a connection there."""
    for other in ("postgres", "template1"):
        with pytest.raises(DBAPIError, match="permission denied"):
            _try(postgres.url_of(login, other), "SELECT 1")


def test_what_a_role_sets_for_itself_opens_nothing(url: dict[str, str], superuser: Engine) -> None:
    """PostgreSQL lets a role keep settings of its own: the guards do not depend on them."""
    for setting in ("search_path = pg_temp, mine", "role = 'none'", "row_security = off"):
        try:
            _try(url[SERVICE], f"ALTER ROLE CURRENT_USER SET {setting}")
            for statement in ("DELETE FROM public.access_log", "UPDATE public.case_events SET at = now()"):
                with pytest.raises(DBAPIError, match=REFUSED):
                    _try(url[SERVICE], statement)
        finally:
            with superuser.begin() as conn:
                conn.execute(text("ALTER ROLE anbu_service RESET ALL"))


def test_times_and_numbers_of_the_logs_are_the_databases_own(url: dict[str, str], database: Engine) -> None:
    """Whoever writes an entry of last year has it stand at today; it cannot be deleted, and no number be chosen."""
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    entry = (
        "INSERT INTO access_log (at, viewer, source, subject, action, reason{}) {} "
        "VALUES ('2020-01-01', 'k', 'h', 's', 'show', 'w'{})"
    )
    for columns, overriding, values in (
        (", written_at", "", ", '2020-01-01'"),
        (", entry_id", "OVERRIDING SYSTEM VALUE", ", 99999999"),
    ):
        with pytest.raises(DBAPIError, match="permission denied"):
            _try(url[SERVICE], entry.format(columns, overriding, values))
    with pytest.raises(DBAPIError, match="permission denied"):
        _try(url[SERVICE], "INSERT INTO case_events (case_id, seq, at, \"by\", what, written_at) "
             "VALUES (1, 1, now(), 'x', '{}', '2020-01-01')")  # fmt: skip
    with database.begin() as conn:
        access.viewing(conn, "kim", "here", "resA", "backdated", "visit", None, long_ago)
        conn.execute(insert(tables.case_events).values(case_id=1, seq=1, at=long_ago, by="x", what={}))
    with pytest.raises(DBAPIError, match="append only"):
        _try(url[SERVICE], "DELETE FROM access_log WHERE action = 'backdated'")
    with database.begin() as conn:
        for table in (tables.access_log, tables.case_events):
            written = conn.scalar(text(f"SELECT max(written_at) FROM {table.name} WHERE at = :at"), {"at": long_ago})
            assert abs(written - datetime.now(UTC)) < timedelta(minutes=5)
        assert access.sweep(conn, 731, datetime.now(UTC)) == 0


@pytest.mark.parametrize("seq", [-1, 0, 2, 1000])
def test_an_event_is_the_next_of_its_case(seq: int, url: dict[str, str]) -> None:
    """None is put in between or before, no number left out."""
    with pytest.raises(DBAPIError, match=r"not its next|duplicate key"):
        _try(url[SERVICE], 'INSERT INTO case_events (case_id, seq, at, "by", what) '
             f"VALUES (1, {seq}, now(), 'x', '{{}}')")  # fmt: skip


@pytest.fixture
def injected(sight: Sight, url: dict[str, str]) -> Iterator[Connection]:
    """A connection of the viewer in which an officer of dong A has just looked at a resident: SQL gets in here."""
    seen = {}
    officer = Viewer("kim", "10.0.0.7", ("A",))
    real = access.secrets.token_urlsafe
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access.secrets, "token_urlsafe", lambda n: seen.setdefault("ticket", real(n)))
        rows = sight.people(officer, [("resA", "show"), ("resB", "show")], "visit", AT)
    assert [row.person_id for row in rows] == ["resA"]  # the database looks at the dong too
    with create_engine(url[VIEWER], poolclass=NullPool).connect() as conn:
        conn.execute(text("SELECT set_config('anbu.ticket', :ticket, true)"), seen)
        yield conn


@pytest.mark.parametrize(
    "attack",
    [
        "SELECT 1",
        "RESET ROLE",
        "SET SESSION AUTHORIZATION DEFAULT",
        "SELECT set_config('anbu.dongs', '*', false)",
        "SET row_security = on",
        "SET search_path = pg_temp, public",
        "SET transaction_read_only = off",
    ],
)
def test_sql_in_a_view_sees_no_other_dongs_person(attack: str, injected: Connection) -> None:
    """Whatever is tried on the connection, it reads whom the log names for its ticket, and nobody else."""
    injected.execute(text(attack))
    everybody = injected.scalars(text("SELECT person_id FROM people WHERE true OR person_id = 'resB'")).all()
    assert everybody == ["resA"]
    assert injected.scalar(text("SELECT count(*) FROM people p, anbu_looked_at() seen")) == 1
    for other in ("", "x", "*", "%"):
        injected.execute(text("SELECT set_config('anbu.ticket', :other, true)"), {"other": other})
        assert injected.scalar(text("SELECT count(*) FROM people")) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM access_log", "SELECT ticket FROM access_log", "SELECT * FROM cases", "SELECT * FROM case_events",
        "SELECT * FROM outbox", "SELECT * FROM links", "SELECT * FROM households", "SELECT * FROM duties",
        "SELECT anbu_forget('hB')", "UPDATE people SET dong = 'A'", "DELETE FROM people",
        "INSERT INTO access_log (at, viewer, source, subject, action, reason) VALUES (now(), '', '', 'resB', '', '')",
    ],
)  # fmt: skip
def test_sql_in_a_view_reads_no_log_and_writes_nothing(statement: str, injected: Connection) -> None:
    """Nobody gives themselves a ticket."""
    injected.execute(text("SET TRANSACTION READ WRITE"))
    with pytest.raises(DBAPIError, match="permission denied"):
        injected.execute(text(statement))


def test_a_ticket_is_good_for_minutes_and_in_the_log_first(injected: Connection, owner: Engine) -> None:
    """An old one shows nobody; and where the entry cannot be written, nobody is read."""
    ticket = injected.scalar(text("SELECT current_setting('anbu.ticket')"))
    injected.rollback()
    with owner.begin() as conn:
        conn.execute(text("ALTER TABLE access_log DISABLE TRIGGER append_only"))
        conn.execute(text("UPDATE access_log SET written_at = written_at - interval '6 minutes'"))
        conn.execute(text("ALTER TABLE access_log ENABLE ALWAYS TRIGGER append_only"))
    injected.execute(text("SELECT set_config('anbu.ticket', :ticket, true)"), {"ticket": ticket})
    assert injected.scalar(text("SELECT count(*) FROM people")) == 0


def test_whoever_holds_a_link_sees_the_home_of_its_case_and_colleagues(sight: Sight, url: dict[str, str]) -> None:
    """Without any dong: by the case that the entry is of, in the database itself."""
    holder = Viewer("offA", "page 10.0.0.7", ())
    asked = [("resA", "case page"), ("resB", "case page"), ("offB", "name")]
    assert [row.person_id for row in sight.people(holder, asked, "case", AT, case_id=1)] == ["offB", "resA"]
    assert [row.person_id for row in sight.people(holder, asked, "case", AT)] == ["offB"]


def test_names_of_the_roles_are_one(url: dict[str, str]) -> None:
    """Who makes them and who uses them."""
    assert (db.SERVICE, db.VIEWER) == (SERVICE, VIEWER)
