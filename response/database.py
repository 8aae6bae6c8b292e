"""The way to the database: connections, the schema's version, and how it is brought to this one."""

from dataclasses import dataclass, field
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

SERVICE = "anbu_service"
"""The role of the service: all it needs of the tables, nothing of the schema."""
VIEWER = "anbu_viewer"
"""The role through which people are looked at: whom the access log names for its ticket (`response.access`)."""
VIEWS_AT_ONCE = 3
_MIGRATING = 0x616E6275
"""Key of the advisory lock: one migration at a time."""


class SchemaError(Exception):
    """The database cannot be used as it is: one line, what and what to do."""


@dataclass(frozen=True, slots=True)
class Logins:
    """Addresses of one database, by who logs in. ``owner``: for ``migrate`` and for sealing anew, nothing else."""

    service: str = field(repr=False)
    viewer: str = field(repr=False)
    owner: str = field(repr=False)


def address(url: str) -> URL:
    """A PostgreSQL address as SQLAlchemy has it, with psycopg 3 as the driver.

    Raises:
        SchemaError: where it is none.
    """
    try:
        made = make_url(url)
    except ArgumentError as e:
        raise SchemaError(
            "데이터베이스 주소가 아닙니다 · not a database address: "
            "ANBU_RESPONSE__DATABASE_URL=postgresql://user:password@host/name"
        ) from e
    if made.get_backend_name() not in ("postgresql", "postgres"):
        raise SchemaError(
            f"PostgreSQL이 필요합니다 · {made.get_backend_name()} is not PostgreSQL: use postgresql://..."
        )
    return made.set(drivername="postgresql+psycopg")


def engine(
    url: str, *, role: str | None = SERVICE, pool_size: int = 10, statement_seconds: float = 30.0,
    writes: bool = True,
) -> Engine:  # fmt: skip
    """Connections as ``role`` (None: as whoever logs in). A statement that takes longer than ``statement_seconds`` is
    ended by the server, and so is a transaction that was left open and idle for ten times as long.

    The login is that role, or a member of it and of nothing else: what it is, SQL that got in becomes too. The schema
    must be there: ``migrate`` makes the role too. Raises SchemaError for a wrong address.
    """
    limit = int(statement_seconds * 1000)
    options = [f"statement_timeout={limit}", f"idle_in_transaction_session_timeout={10 * limit}", "timezone=UTC"]
    if not writes:
        options.append("default_transaction_read_only=on")
    if role is not None:
        options.append(f"role={role}")
    return create_engine(
        address(url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,  # no value of a row in an error's text
        connect_args={
            "options": " ".join(f"-c {o}" for o in options),
            "connect_timeout": 10,
            "application_name": "anbu",
        },
    )


def viewer(url: str) -> Engine:
    """Connections through which people are looked at. Raises SchemaError for a wrong address."""
    return engine(url, role=VIEWER, pool_size=VIEWS_AT_ONCE, writes=False)


def configuration() -> Config:
    """Alembic's, without a file: the migrations are in this package."""
    config = Config()
    config.set_main_option("script_location", str(files("response") / "migrations").replace("%", "%%"))
    return config


def migrate(url: str, revision: str = "head") -> None:
    """Bring the schema to this version, in one transaction. Twice, or from two processes at once, is harmless.

    The login needs the right to make tables and roles (the owner of the database; of our own server it is).

    Raises:
        SchemaError: not reachable, not permitted, or a schema of a later version.
    """
    made = create_engine(address(url), poolclass=NullPool, hide_parameters=True)
    try:
        with made.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
            _known(connection)
            config = configuration()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    except DBAPIError as e:
        raise SchemaError(f"데이터베이스를 준비할 수 없습니다 · the database cannot be prepared: {said(e)}") from e


def check(made: Engine) -> None:
    """Raise SchemaError where the schema is not of this version or the database does not answer."""
    try:
        with made.connect() as connection:
            have = _known(connection)
    except DBAPIError as e:
        raise SchemaError(
            f"데이터베이스에 닿지 않습니다 · the database cannot be used ({said(e)}): "
            "see `anbu doctor`, or prepare a new one with `anbu people migrate`"
        ) from e
    want = wanted()
    if have != want:
        raise SchemaError(
            f"데이터베이스 구조가 이 버전이 아닙니다 · the schema is {have or 'empty'}, this version needs {want}: "
            "run `anbu people migrate`"
        )


def wanted() -> str:
    """The revision of this version."""
    return ScriptDirectory.from_config(configuration()).get_current_head() or ""


def _known(connection: Connection) -> str | None:
    """The schema's revision; None: no schema yet. Raises SchemaError for one we do not know."""
    have = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()}
    if have is not None and have not in known:
        raise SchemaError(
            f"데이터베이스가 더 새 버전의 것입니다 · the schema is {have}, of a later version: use that version of anbu"
        )
    return have


def said(e: DBAPIError) -> str:
    """The first line of what the database said, without statement and values."""
    lines = str(e.orig).strip().splitlines()
    return " ".join(lines[0].split()) if lines else type(e).__name__
