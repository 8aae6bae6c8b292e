"""The database a command works on: the one of the settings, the one that runs here already, or our own for so long."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from anbu.configuration import Settings
from deploy.postgres.server import LocalPostgres, PostgresInUseError
from response import database as db

_WAIT_S = 15.0


def folder(settings: Settings) -> Path:
    """Where our own server keeps its data, from one start to the next."""
    return settings.data_dir / "postgres"


@contextmanager
def address(settings: Settings, *, migrate: bool = False) -> Iterator[str]:
    """Address of the database. Our own server is started where no other process (`anbu up`) has it running, brought to
    this version, and ended afterwards; another server is brought to it only where ``migrate`` says so.

    Raises:
        PostgresError, SchemaError: one line each.
    """
    given = settings.response.database_url
    if given is not None:
        if migrate:
            db.migrate(given.get_secret_value())
        yield given.get_secret_value()
        return
    server = LocalPostgres(folder(settings))
    try:
        try:
            server.start()
        except PostgresInUseError as e:
            _await_the_other(server, e)
        else:
            migrate = True
        if migrate:
            db.migrate(server.url)
        yield server.url
    finally:
        server.stop()


def _await_the_other(server: LocalPostgres, refused: PostgresInUseError) -> None:
    """Wait until the server that another process is starting is ready, or say that it is in use."""
    until = time.monotonic() + _WAIT_S
    while not server.ready:
        if time.monotonic() > until:
            raise refused
        time.sleep(0.05)


@contextmanager
def connected(settings: Settings, role: str | None = db.SERVICE) -> Iterator[Engine]:
    """Connections as ``role`` (None: as the database's owner) to a database that is of this version.

    Raises:
        PostgresError, SchemaError: one line each.
    """
    with address(settings) as url:
        made = db.engine(url, role=role)
        try:
            db.check(made)
            yield made
        finally:
            made.dispose()
