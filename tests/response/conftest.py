"""A real PostgreSQL for the tests: one server for all of them, a fresh database for each."""

import itertools
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from deploy.postgres.server import LocalPostgres
from response import database as db
from tests.folders import open_folder

TEMPLATE = "anbu_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalPostgres]:
    """One server that all tests share, with a migrated template. Never stop it."""
    with open_folder() as folder, LocalPostgres(folder, durable=False) as running:
        _execute(running, f"CREATE DATABASE {TEMPLATE}")
        db.migrate(running.url_of(TEMPLATE))
        yield running


@pytest.fixture
def database_url(postgres: LocalPostgres) -> Iterator[str]:
    """Address, as superuser, of a migrated database of this test's own."""
    name = f"test_{next(_numbers)}"
    _execute(postgres, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    yield postgres.url_of(name)
    _execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """Connections of the service (role anbu_service) to a migrated database of this test's own."""
    engine = db.engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def superuser(database_url: str) -> Iterator[Engine]:
    """Connections of the superuser to the same database."""
    engine = db.engine(database_url, role=None)
    yield engine
    engine.dispose()


def _execute(server: LocalPostgres, statement: str) -> None:
    engine = create_engine(server.url_of("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
