"""A real PostgreSQL on this machine: the server of a pip wheel as a child process, reached by a Unix socket alone."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from deploy.bare import NO_ACCESS_TO_OTHERS, bare
from deploy.disk import cannot_use, short_of_room
from deploy.kafka.owner import Owner
from deploy.kafka.spawn import spawn
from deploy.postgres import account, logins
from deploy.postgres.account import User
from deploy.postgres.errors import PostgresError, PostgresInUseError
from deploy.postgres.folders import own_folder, private, written
from deploy.postgres.logins import DATABASE, LOGINS, SERVICE, SUPERUSER
from deploy.postgres.programs import programs
from deploy.postgres.reason import reason_in_log

__all__ = ["LocalPostgres", "PostgresError", "PostgresInUseError"]

SSL_REQUEST = bytes.fromhex("00000008 04d2162f")
"""The smallest request that only a server that takes connections answers: N (or S), one byte."""
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
        self._passwords = self.data_dir / "logins.json"
        self._start_limit_s = start_limit_s
        self._durable = durable
        self._owner = Owner(
            self.data_dir, "postgres.pid", what="a database server", error=PostgresInUseError,
            ask=signal.SIGINT, force=signal.SIGQUIT,
        )  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self._said_before = 0

    def url_of(self, login: str = SERVICE, database: str = DATABASE) -> str:
        """Address of a database of this server for SQLAlchemy, by who logs in (`deploy.postgres.logins`).

        Raises:
            PostgresError: no passwords here, or for another account alone.
        """
        passwords = logins.kept(self._passwords)
        if passwords is None:
            raise PostgresError(f"the passwords of the database are missing ({self._passwords}): start `anbu up` anew")
        at = quote(str(self._socket_dir), safe="")
        return f"postgresql+psycopg://{login}:{passwords[login]}@/{database}?host={at}"

    @property
    def _socket_dir(self) -> Path:
        """The data's own folder, which only the server's account may enter; where its path is too long for a socket, a
        folder like it among the temporary ones."""
        if len(str(self._data / ".s.PGSQL.5432").encode()) <= _LONGEST_SOCKET:
            return self._data
        short = hashlib.sha256(str(self._data).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"anbu-{short}"

    @property
    def socket(self) -> Path:
        """The socket it listens on."""
        return self._socket_dir / ".s.PGSQL.5432"

    @property
    def pid(self) -> int | None:
        """Process id while it runs as our child."""
        return self._process.pid if self._process and self.alive else None

    @property
    def alive(self) -> bool:
        """Whether our child runs (not whether it answers)."""
        return self._process is not None and self._process.poll() is None

    @property
    def made(self) -> bool:
        """Whether there are data of a server in this folder."""
        return self._data.exists()

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

    def start(self, meanwhile: Callable[[], object] = object) -> None:
        """Start, and return when it takes connections; does nothing when it runs already. ``meanwhile`` is called again
        and again while one waits. Call it from a thread that lives as long as the program (the main one).

        Raises:
            PostgresError: data in use by another process, no account to run as, disk full, or the server's own reason.
        """
        if self.alive:
            return
        try:
            private(self.data_dir)
            if (full := short_of_room(self.data_dir)) is not None:
                raise PostgresError(full)
            self._owner.take(str(self._data))
            self._start(meanwhile)
        except BaseException as e:  # a Ctrl-C while it starts must not leave it behind
            self.kill()
            if isinstance(e, OSError):
                raise PostgresError(cannot_use(e, self.data_dir, "the database")) from e
            raise

    def _start(self, meanwhile: Callable[[], object]) -> None:
        user = account.account(self._data)
        self._said_before = self.log.stat().st_size if self.log.exists() else 0
        if not self._data.exists():
            self._initialise(user)
        if logins.kept(self._passwords) is None:
            self._prepare(user)
        self._run(user, meanwhile)
        if not self._lets_in():  # data of a backup, a password that somebody changed
            self._end(_STOP_LIMIT_S)
            self._prepare(user)
            self._run(user, meanwhile)
            if not self._lets_in():
                raise PostgresError(f"the database does not let us in: {self.reason()} (log: {self.log})")

    def _run(self, user: User | None, meanwhile: Callable[[], object]) -> None:
        own_folder(self._socket_dir, user)
        here = account.folder_of(self._data, user)
        socket_dir = here if self._socket_dir == self._data else self._socket_dir
        config = {**_CONFIGURED, "unix_socket_directories": str(socket_dir)}
        config["anbu.data"] = str(self._data)  # no setting of the server: we know our own by it, however it calls them
        if not self._durable:
            config |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings = [part for name, value in config.items() for part in ("-c", f"{name}={value}")]
        written(self._data / "pg_hba.conf", logins.HBA, user)
        command: list[str | Path] = [programs(user) / "postgres", "-D", here, *settings]
        # SIGINT, its fast and clean end: it ends its sessions and writes all down.
        self._process = spawn(command, self.log, append=True, cwd=self._data, user=user, dies_by=signal.SIGINT)
        self._owner.note(self._process.pid)
        self._await(lambda: self.ready, "start", meanwhile)

    def _initialise(self, user: User | None) -> None:
        """Make the data beside their place, then move them: a run killed half way does not trip the next."""
        half = self.data_dir / "data.new"
        shutil.rmtree(half, ignore_errors=True)
        own_folder(half, user)
        command: list[str | Path] = [
            programs(user) / "initdb", "-D", account.folder_of(half, user), "-U", SUPERUSER, "--auth=reject",
            "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        ]  # fmt: skip
        if not self._durable:
            command.append("--no-sync")
        elif sys.platform == "linux":
            command.append("--sync-method=syncfs")  # a thousand small files, one by one, take seconds on a busy disk
        self._process = spawn(command, self.log, append=True, cwd=half, user=user)
        self._await(lambda: self._process is not None and self._process.poll() == 0, "make its data")
        half.rename(self._data)

    def _prepare(self, user: User | None) -> None:
        """Give every role its rights and a new password: what only the superuser may do, and nobody logs in as it."""
        self.alone(logins.of_the_server(logins.make(self._passwords)), "postgres", user)
        self.alone(logins.OF_THE_DATABASE, DATABASE, user)

    def alone(self, statements: Sequence[str], database: str = DATABASE, user: User | None = None) -> None:
        """Run statements as the superuser while the server is down; one that fails is in the log, the others run.

        Raises:
            PostgresError: it could not be run at all.
        """
        user = user or account.account(self._data)
        command: list[str | Path] = [
            programs(user) / "postgres", "--single", "-j", "-D", account.folder_of(self._data, user),
            "-c", "log_min_error_statement=panic", "-c", "log_min_messages=error", database,
        ]  # fmt: skip
        with open(self.log, "ab") as log:
            done = subprocess.run(
                command, input="".join(f"{one};\n\n" for one in statements).encode(), stdout=subprocess.DEVNULL,
                stderr=log, env=bare(), umask=NO_ACCESS_TO_OTHERS, cwd=self._data, check=False,
                user=user[0] if user else None, group=user[1] if user else None, extra_groups=() if user else None,
            )  # fmt: skip
        if done.returncode:
            raise PostgresError(f"the database cannot be prepared: {self.reason()} (log: {self.log})")

    def _lets_in(self) -> bool:
        """Whether everybody who is to log in can."""
        from sqlalchemy import create_engine
        from sqlalchemy.exc import DBAPIError
        from sqlalchemy.pool import NullPool

        try:
            for login in LOGINS:
                create_engine(self.url_of(login), poolclass=NullPool, hide_parameters=True).connect().close()
        except DBAPIError:  # not only refused: a role may have set for itself what no session begins with
            return False
        return True

    def _await(self, done: Callable[[], bool], what: str, meanwhile: Callable[[], object] = object) -> None:
        """Wait until ``done``; when the process ends before, or the limit passes, say why from its log."""
        until = time.monotonic() + self._start_limit_s
        while not done():
            code = self._process.poll() if self._process else None
            if code is not None and done():
                return
            if code is not None or time.monotonic() > until:
                within = "" if code is not None else f" within {self._start_limit_s:.0f} s"
                raise PostgresError(f"the database did not {what}{within}: {self.reason()} (log: {self.log})")
            meanwhile()
            time.sleep(0.01)

    def reason(self) -> str:
        """Why it ended, in one line: a signal, or what it wrote since its last start."""
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
        self._end(limit_s)
        self.kill(5.0)

    def _end(self, limit_s: float) -> None:
        if self._process is not None and self.alive:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(limit_s)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(5.0)

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


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
