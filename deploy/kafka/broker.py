"""A real Kafka broker on this machine: one KRaft node as a child process, with nothing installed but Python."""

import os
import resource
import signal
import socket
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self

from deploy import private
from deploy.bare import JAVA, bare
from deploy.disk import cannot_use, short_of_room
from deploy.kafka import users
from deploy.kafka.errors import BrokerError
from deploy.kafka.jars import Progress, fetch_jars
from deploy.kafka.java import find_java
from deploy.kafka.owner import Owner
from deploy.kafka.ports import check_free, free_port
from deploy.kafka.reason import reason_in_log
from deploy.kafka.spawn import spawn

__all__ = ["BrokerError", "LocalBroker", "fetch_jars", "find_java", "free_port"]

_HERE = Path(__file__).parent
_START_LIMIT_S = 60.0
_STOP_LIMIT_S = 20.0
_CLOSE_LIMIT_S = 10.0
MOST_CONNECTIONS = 10_000
_STARTED = "Kafka Server started"
"""What it writes in its log when it is. That something answers at its port proves nothing: it could be anybody."""
API_VERSIONS = bytes.fromhex("0000000f 0012 0000 00000001 0005") + b"probe"
"""The smallest request that only a broker ready for clients answers, without a password: ApiVersions, version 0."""


class LocalBroker:
    """One broker over ``data_dir`` on 127.0.0.1:``port`` (0: a free one is chosen and kept).

    ``start`` may be called again after ``stop`` or ``kill``: the data stay. Only one at a time may own ``data_dir``,
    whose files are for our account alone, passwords included: ``login``.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int,
        controller_port: int = 0,
        *,
        heap_mb: int = 512,
        progress: Progress | None = None,
        start_limit_s: float = _START_LIMIT_S,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.port = port or free_port()
        self.log = self.data_dir / "kafka.log"
        self._out = self.data_dir / "kafka.out"
        self._config = self.data_dir / "server.properties"
        self._controller_port = controller_port
        self._heap_mb = heap_mb
        self._progress = progress
        self._start_limit_s = start_limit_s
        self._owner = Owner(self.data_dir)
        self._process: subprocess.Popen[bytes] | None = None
        self._said_before = 0

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self.port}"

    def login(self, role: str) -> dict[str, str]:
        """How a role reaches it and logs in, as values of the settings below ``broker``; once it has been started."""
        return {"bootstrap": self.bootstrap, **users.login(self.data_dir, role)}

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process and self.alive else None

    @property
    def alive(self) -> bool:
        """Whether the process runs (not whether it answers)."""
        return self._process is not None and self._process.poll() is None

    def start(self, meanwhile: Callable[[], object] = object) -> None:
        """Start, and return when it answers clients; does nothing when it runs already. ``meanwhile`` is called again
        and again while one waits.

        Raises:
            BrokerError: port taken, data directory in use, no Java, jars not to be had, or the broker's own reason.
        """
        if self.alive:
            return
        try:  # what fails at once comes first: nobody should download jars to learn that a port is taken
            private.make(self.data_dir)
            if (full := short_of_room(self.data_dir)) is not None:
                raise BrokerError(full)
            left_behind = self._owner.take(str(self._config))
            check_free(self.port, _CLOSE_LIMIT_S if left_behind else 0)
            java, jars = find_java(), fetch_jars(self._progress)
            self._start(java, os.pathsep.join(map(str, jars)), meanwhile)
        except BaseException as e:  # a Ctrl-C while it starts must not leave it behind
            self.kill()
            self._owner.release()
            if isinstance(e, private.NotOursError):
                raise BrokerError(f"{e}, or set ANBU_DATA_DIR to one") from e
            if isinstance(e, OSError):
                raise BrokerError(cannot_use(e, self.data_dir, "the broker")) from e
            raise

    def _start(self, java: Path, class_path: str, meanwhile: Callable[[], object]) -> None:
        known = users.passwords(self.data_dir)
        self._write_configuration(known[users.ITSELF])
        log4j = f"-Dlog4j.configuration={(self.data_dir / 'log4j.properties').as_uri()}"
        command: list[str | Path] = [java, "-cp", class_path, log4j]
        if not (self.data_dir / "data" / "meta.properties").exists():
            self._format(command)
        self._said_before = self.log.stat().st_size if self.log.exists() else 0
        heap = [f"-Xmx{self._heap_mb}m", f"-Xms{min(256, self._heap_mb)}m", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"]
        self._process = spawn(
            [*command, *heap, "kafka.Kafka", self._config], self._out, env=bare(JAVA)
        )
        self._owner.note(self._process.pid)
        self._await(self._started, "start", meanwhile)
        users.admit(self.bootstrap, known)

    def _started(self) -> bool:
        """Whether our process, and no other, answers clients."""
        return _answers(self.port) and _STARTED in _tail(self.log, self._said_before)

    def _write_configuration(self, password: str) -> None:
        itself = users.name_of(users.ITSELF)
        values = {
            "port": self.port,
            "controller_port": self._controller_port or free_port(),
            "log_dir": self.data_dir / "data",
            "log_file": self.log,
            "refused_file": self.data_dir / "refused.log",
            "itself": itself,
            "admin": users.name_of("admin"),
            "jaas": "org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'username="{itself}" password="{password}" user_{itself}="{password}";',
            "connections": _most_connections(),
            "controller_connections": _most_connections() // 5,
        }
        for name in ("server.properties", "log4j.properties"):
            template = Template((_HERE / f"{name}.template").read_text())
            private.write(self.data_dir / name, template.substitute(values))

    def _format(self, command: list[str | Path]) -> None:
        """Make the empty storage. ``--ignore-formatted``: a run killed half way through this must not trip us."""
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = [*command, "-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool", "format", "--ignore-formatted"]
        # With "=", because one id in 64 begins with a dash.
        self._process = spawn([*tool, f"--cluster-id={cluster}", "-c", self._config], self._out, env=bare(JAVA))
        self._await(lambda: self._process is not None and self._process.poll() == 0, "format its storage")

    def _await(self, done: Callable[[], bool], what: str, meanwhile: Callable[[], object] = object) -> None:
        """Wait until ``done``; when the process ends before, or the limit passes, say why from its log."""
        until = time.monotonic() + self._start_limit_s
        while not done():
            code = self._process.poll() if self._process else None
            if code or time.monotonic() > until:
                within = "" if code else f" within {self._start_limit_s:.0f} s"
                raise BrokerError(f"the broker did not {what}{within}: {self.reason()} (log: {self.log})")
            meanwhile()
            time.sleep(0.05)

    def reason(self) -> str:
        """Why it ended, in one line: a signal, or what it wrote since its last start."""
        code = self._process.poll() if self._process else None
        return reason_in_log(_tail(self._out, 0) + "\n" + _tail(self.log, self._said_before), code)

    def stop(self, limit_s: float = _STOP_LIMIT_S) -> None:
        """End it cleanly, or with SIGKILL when it has not ended after ``limit_s`` seconds."""
        if self._process is not None and self.alive:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(limit_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self.kill()

    def kill(self) -> None:
        """End it at once (-9), as a power cut would; harmless when it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._owner.release()

    def restart(self) -> None:
        """Stop and start over the same data and port."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def _most_connections() -> int:
    """As many as leave it half of the files that it may open. A held one costs it some kilobytes."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if files == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, files // 2)


def _answers(port: int) -> bool:
    """Whether a broker on the port answers a request."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(API_VERSIONS)
            return len(connection.recv(8)) == 8
    except OSError:
        return False


def _tail(file: Path, start: int) -> str:
    """What a log has from a place on; all of it where it has been begun anew since."""
    try:
        with open(file, "rb") as f:
            f.seek(start if start <= os.fstat(f.fileno()).st_size else 0)
            return f.read().decode(errors="replace")
    except OSError:
        return ""
