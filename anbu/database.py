"""The database a command works on: the one of the settings, the one that runs here already, or our own for so long.

None is made by the way: a command in a wrong folder would find an empty one, and say that all is calm.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from anbu.configuration import Settings
from anbu.errors import UserError
from deploy.postgres.logins import OWNER, SERVICE, VIEWER
from deploy.postgres.server import LocalPostgres, PostgresInUseError
from response import access
from response import database as db
from response.access import Sight
from response.settings import ResponseSettings

_WAIT_S = 15.0


def folder(settings: Settings) -> Path:
    """Where our own server keeps its data, from one start to the next."""
    return settings.data_dir / "postgres"


def given(own: ResponseSettings) -> db.Logins | None:
    """The logins of another server that the settings name; None: our own is meant."""
    if own.database_url is None:
        return None
    service = own.database_url.get_secret_value()
    viewer, owner = ((url or own.database_url).get_secret_value() for url in (own.viewer_url, own.owner_url))
    return db.Logins(service, viewer, owner)


def logins(server: LocalPostgres) -> db.Logins:
    """Those of our own server."""
    return db.Logins(server.url_of(SERVICE), server.url_of(VIEWER), server.url_of(OWNER))


@contextmanager
def address(settings: Settings, *, migrate: bool = False, make: bool = False) -> Iterator[db.Logins]:
    """Addresses of the database. Our own server is started where no other process (`anbu up`) has it running, brought
    to this version, and ended when the last command that came upon it is over; another server is brought to it only
    where ``migrate`` says so. Where there are no data of our own yet, ``make`` makes them.

    Raises:
        UserError, PostgresError, SchemaError: one line each.
    """
    others = given(settings.response)
    if others is not None:
        if migrate:
            db.migrate(others.owner)
        yield others
        return
    server = LocalPostgres(folder(settings))
    if not (server.made or make):
        raise UserError(
            f"데이터베이스가 없습니다 · no database here ({folder(settings).absolute()}): run in the folder of "
            "`anbu up`, or set data_dir (ANBU_DATA_DIR); `anbu people migrate` makes a new one"
        )
    with _among_others(settings) as await_them:
        try:
            try:
                server.start()
            except PostgresInUseError as e:
                _await_the_other(server, e)
            else:
                migrate = True
            ours = logins(server)
            if migrate:
                db.migrate(ours.owner)
            yield ours
        finally:
            try:
                if server.alive:
                    await_them()
            finally:
                server.stop()


@contextmanager
def _among_others(settings: Settings) -> Iterator[Callable[[], None]]:
    """Be counted among those who use our own server. What it gives waits until one is alone, and keeps newcomers out
    from then on; after a while it gives up: some command may stay for ever."""
    folder(settings).mkdir(parents=True, exist_ok=True)
    with open(folder(settings) / "users.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)

        def await_them() -> None:
            until = time.monotonic() + _WAIT_S
            while time.monotonic() < until:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                except BlockingIOError:
                    time.sleep(0.05)

        yield await_them


def _await_the_other(server: LocalPostgres, refused: PostgresInUseError) -> None:
    """Wait until the server that another process is starting is ready, or say that it is in use."""
    until = time.monotonic() + _WAIT_S
    while not server.ready:
        if time.monotonic() > until:
            raise refused
        time.sleep(0.05)


@contextmanager
def connected(settings: Settings, *, owner: bool = False) -> Iterator[Engine]:
    """Connections as the service (``owner``: as the database's owner) to a database that is of this version.

    Raises:
        UserError, PostgresError, SchemaError: one line each.
    """
    with address(settings) as to:
        made = db.engine(to.owner, role=None) if owner else db.engine(to.service)
        try:
            db.check(made)
            yield made
        finally:
            made.dispose()


@contextmanager
def looking(settings: Settings) -> Iterator[tuple[Engine, Sight]]:
    """As ``connected``, with the way to look at people."""
    with address(settings) as to:
        made, sight = db.engine(to.service), access.sight(to)
        try:
            db.check(made)
            yield made, sight
        finally:
            sight.close()
            made.dispose()
