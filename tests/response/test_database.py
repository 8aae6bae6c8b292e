"""The schema: the migrations make what the tables say, once, and say clearly where they cannot."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError

from deploy.postgres.logins import OWNER, SERVICE, VIEWER
from deploy.postgres.server import LocalPostgres
from response import access
from response import database as db
from response.forget import forget
from response.tables import metadata
from tests.folders import open_folder
from tests.response.conftest import ADMIN, execute, make_database
from tests.response.people import AT, add_case, add_event, add_household, add_person

pytestmark = pytest.mark.postgres


@pytest.fixture
def empty_url(postgres: LocalPostgres, request: pytest.FixtureRequest) -> str:
    """Address of an empty database of this test's own."""
    name = f"empty_{abs(hash(request.node.name))}"
    make_database(postgres, name, "anbu")
    return postgres.url_of(OWNER, name)


def test_migrated_schema_is_that_of_the_tables(superuser: Engine) -> None:
    """Tables and migrations cannot drift apart: names, types, defaults, indexes and keys are the same."""
    with superuser.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True, "compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_and_from_two_at_once_is_harmless(empty_url: str) -> None:
    """Whoever comes second waits and finds all done."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(db.migrate, [empty_url] * 4))
    db.migrate(empty_url)
    made = db.engine(empty_url, role=None)
    db.check(made)
    made.dispose()


def test_check_says_that_a_database_is_empty_or_of_another_version(superuser: Engine) -> None:
    """One line that names both revisions and the command."""
    db.check(superuser)
    with superuser.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(db.SchemaError, match=rf"the schema is 0001, this version needs {db.wanted()}: run"):
        db.check(superuser)
    with superuser.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    with pytest.raises(db.SchemaError, match="the schema is empty"):
        db.check(superuser)


def test_schema_of_a_later_version_is_left_alone(superuser: Engine, logins: db.Logins) -> None:
    """An older anbu neither uses nor changes it."""
    with superuser.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for use in (lambda: db.check(superuser), lambda: db.migrate(logins.owner)):
        with pytest.raises(db.SchemaError, match="of a later version"):
            use()


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://a/b"])
def test_wrong_address_is_one_line(url: str) -> None:
    """What is no PostgreSQL address is refused before anything is tried."""
    with pytest.raises(db.SchemaError, match=r"postgresql://"):
        db.engine(url)


def test_database_that_does_not_answer_is_one_line_without_its_password(tmp_path: object) -> None:
    """Nobody listens: said in one line."""
    made = db.engine("postgresql://a:hidden@127.0.0.1:1/b")
    with pytest.raises(db.SchemaError, match="cannot be used") as e:
        db.check(made)
    assert "\n" not in str(e.value)
    assert "hidden" not in str(e.value)


def test_connections_are_of_the_service_and_have_a_limit(database: Engine, logins: db.Logins) -> None:
    """The role is the service's, UTC is the time zone, and a statement that takes too long ends."""
    with database.connect() as connection:
        assert connection.scalar(text("SELECT current_user")) == db.SERVICE
        assert connection.scalar(text("SHOW timezone")) == "UTC"
    hurried = db.engine(logins.service, statement_seconds=0.05)
    with pytest.raises(DBAPIError, match="statement timeout"), hurried.connect() as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    hurried.dispose()


def test_service_cannot_change_the_schema(database: Engine) -> None:
    """Neither its tables nor its triggers."""
    for statement in ("DROP TRIGGER append_only ON case_events", "CREATE TABLE mine (a int)", "DROP TABLE access_log"):
        with pytest.raises(DBAPIError, match=r"must be owner|permission denied"), database.begin() as connection:
            connection.execute(text(statement))


def test_owner_of_a_database_who_is_no_superuser_can_prepare_and_use_it() -> None:
    """As on a server that others run: the right to make roles is all it takes, and the log is as safe."""
    with open_folder() as folder, LocalPostgres(folder, durable=False) as server:
        server.stop()
        server.alone([f"CREATE ROLE {ADMIN} LOGIN SUPERUSER PASSWORD '{ADMIN}'"], "postgres")
        server.start()
        url = server.url_of(OWNER, "theirs")
        passwords = make_url(url).password
        for statement in (
            "DROP DATABASE anbu", "DROP ROLE anbu_owner, anbu_service, anbu_viewer, anbu_keeper",
            f"CREATE ROLE anbu_owner LOGIN CREATEROLE PASSWORD '{passwords}'",
            "CREATE DATABASE theirs OWNER anbu_owner",
        ):  # fmt: skip
            execute(server, statement)
        db.migrate(url)
        db.migrate(url)
        owner = db.engine(url, role=None)
        with owner.begin() as conn:
            for login in (SERVICE, VIEWER):
                password = make_url(server.url_of(login)).password
                conn.execute(text(f"ALTER ROLE {login} LOGIN PASSWORD '{password}'"))
        logins = db.Logins(server.url_of(SERVICE, "theirs"), server.url_of(VIEWER, "theirs"), url)
        made, sight = db.engine(logins.service), access.sight(logins)
        db.check(made)
        with made.begin() as conn:
            add_household(conn, "h1")
            add_person(conn, "p", "resident", household_id="h1")
            add_event(conn, add_case(conn, "h1"), 0, {"event": "Noted", "comment": "x"})
        seen = sight.people(access.Viewer("k", "", ("A",)), [("p", "show")], "why", AT)
        assert [row.person_id for row in seen] == ["p"]
        with made.begin() as conn:
            assert forget(conn, "h1", AT).comments == 1
        with owner.begin() as conn:
            conn.execute(text("SELECT anbu_reseal(1, 0, 'y')"))
        with pytest.raises(DBAPIError, match="append only"), owner.begin() as conn:
            conn.execute(text("DELETE FROM case_events"))
        for end in (made, owner, sight.service, sight.viewer):
            end.dispose()
