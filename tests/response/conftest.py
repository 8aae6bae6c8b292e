"""A real PostgreSQL for the tests: one server for all of them, a fresh database for each, and real logins."""

import itertools
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from deploy.postgres.logins import OWNER, SERVICE, VIEWER
from deploy.postgres.server import LocalPostgres
from response import access
from response import database as db
from response.access import Sight
from tests.folders import open_folder

TEMPLATE = "anbu_template"
ADMIN = "tests_admin"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalPostgres]:
    """One server that all tests share, with a migrated template and a superuser for the tests. Never stop it."""
    with open_folder() as folder:
        running = LocalPostgres(folder, durable=False)
        with running:
            pass
        running.alone([f"CREATE ROLE {ADMIN} LOGIN SUPERUSER PASSWORD '{ADMIN}'"], "postgres")
        with running:
            make_database(running, TEMPLATE, "anbu")
            db.migrate(running.url_of(OWNER, TEMPLATE))
            yield running


def admin_url(server: LocalPostgres, database: str) -> str:
    """Address of a database as the superuser of the tests."""
    head, _, tail = server.url_of(OWNER, database).partition("@")
    return f"{head.partition('//')[0]}//{ADMIN}:{ADMIN}@{tail}"


def make_database(server: LocalPostgres, name: str, template: str) -> None:
    """A database with the rights that our own has."""
    execute(server, f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template} STRATEGY FILE_COPY")
    execute(server, f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    execute(server, f"GRANT CONNECT ON DATABASE {name} TO {SERVICE}, {VIEWER}")


@pytest.fixture
def logins(postgres: LocalPostgres) -> Iterator[db.Logins]:
    """Addresses of a migrated database of this test's own."""
    name = f"test_{next(_numbers)}"
    make_database(postgres, name, TEMPLATE)
    yield db.Logins(*(postgres.url_of(login, name) for login in (SERVICE, VIEWER, OWNER)))
    execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(logins: db.Logins) -> str:
    """Address of that database as the application logs in."""
    return logins.service


@pytest.fixture
def its_settings(logins: db.Logins, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings name that database, each login of it."""
    for name in ("service", "viewer", "owner"):
        setting = "DATABASE" if name == "service" else name.upper()
        monkeypatch.setenv(f"ANBU_RESPONSE__{setting}_URL", getattr(logins, name))


@pytest.fixture
def database(logins: db.Logins) -> Iterator[Engine]:
    """Connections of the service to that database."""
    engine = db.engine(logins.service)
    yield engine
    engine.dispose()


@pytest.fixture
def sight(logins: db.Logins) -> Iterator[Sight]:
    """The way to look at people of that database."""
    made = access.sight(logins)
    yield made
    made.close()


@pytest.fixture
def owner(logins: db.Logins) -> Iterator[Engine]:
    """Connections of the owner to the same database."""
    engine = db.engine(logins.owner, role=None)
    yield engine
    engine.dispose()


@pytest.fixture
def superuser(postgres: LocalPostgres, database: Engine) -> Iterator[Engine]:
    """Connections of a superuser to the same database, whom the tests alone have."""
    engine = db.engine(admin_url(postgres, str(database.url.database)), role=None)
    yield engine
    engine.dispose()


def execute(server: LocalPostgres, statement: str) -> None:
    """One statement of the superuser."""
    engine = create_engine(admin_url(server, "postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
