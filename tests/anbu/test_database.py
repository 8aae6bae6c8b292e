"""The database that a command works on."""

import threading

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from anbu import configuration, database
from deploy.postgres.server import LocalPostgres
from tests.folders import open_folder

pytestmark = pytest.mark.postgres


def works(url: str) -> bool:
    """Whether a session can be had."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return connection.execute(text("SELECT 1")).scalar() == 1


def test_the_first_of_two_commands_does_not_take_the_database_from_the_second() -> None:
    """The server that one has started stays until the other that came upon it is over, and then it ends."""
    with open_folder() as folder:
        settings = configuration.Settings(data_dir=folder / "data")
        first, second = database.address(settings, make=True), database.address(settings)
        first.__enter__()
        url = second.__enter__().service
        over = threading.Thread(target=first.__exit__, args=(None, None, None))
        over.start()
        over.join(0.3)
        assert over.is_alive()
        assert works(url)
        second.__exit__(None, None, None)
        over.join(30)
        assert not over.is_alive()
        assert not LocalPostgres(database.folder(settings)).ready
