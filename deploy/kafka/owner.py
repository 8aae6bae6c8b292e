"""One data directory, one server (a broker, a database): who owns it now, and what a killed run left behind."""

import fcntl
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import IO

from deploy import private
from deploy.bare import bare
from deploy.kafka.errors import BrokerError

_ORPHAN_LIMIT_S = 15.0


def command_line(pid: int) -> str:
    """Command line of a process; empty when there is none with this id."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        pass
    if Path("/proc/self").exists():
        return ""
    try:  # not Linux
        ask = ["/bin/ps", "-p", str(pid), "-o", "command="]
        return subprocess.run(ask, capture_output=True, text=True, env=bare()).stdout
    except OSError:
        return ""


class Owner:
    """A lock on a data directory that ends with its process, and the id of the server started under it.

    ``what``: the server in words, for errors. ``ask``, ``force``: the signals by which an orphan is ended.
    """

    def __init__(
        self,
        data_dir: Path,
        pid_name: str = "kafka.pid",
        *,
        what: str = "a broker",
        error: type[Exception] = BrokerError,
        ask: int = signal.SIGTERM,
        force: int = signal.SIGKILL,
    ) -> None:
        self._lock_file = data_dir / "owner.lock"
        self._pid_file = data_dir / pid_name
        self._what, self._error, self._ask, self._force = what, error, ask, force
        self._lock: IO[str] | None = None

    def take(self, mark: str) -> bool:
        """Take the directory, and end a server that a killed run left in it (known by ``mark`` in its command line).

        Gives whether there was one: its sockets may be open for a moment after it has ended. A directory that is ours
        already, because our server was killed, stays ours.

        Raises:
            BrokerError (or ``error``): when a living run owns it, or the orphan does not end.
        """
        if self._lock is None:
            self._lock = self._locked()
        return self._end_orphan(mark)

    def _locked(self) -> IO[str]:
        lock = open(self._lock_file, "a+", opener=private.opener)  # noqa: SIM115 - held until release
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            lock.seek(0)
            owner = lock.read().strip() or "?"
            lock.close()
            raise self._error(
                f"{self._lock_file.parent} is in use by another run (process {owner}): end that one, "
                "or set ANBU_DATA_DIR to another folder"
            ) from e
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        return lock

    def _end_orphan(self, mark: str) -> bool:
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return False
        until = time.monotonic() + _ORPHAN_LIMIT_S
        asked = False
        while mark in command_line(pid):  # a reused process id has another command line
            try:
                os.kill(pid, self._force if asked else self._ask)
            except (ProcessLookupError, PermissionError) as e:
                if isinstance(e, ProcessLookupError):
                    break
                raise self._error(f"{self._what} of an earlier run (process {pid}) is not ours: end it") from e
            if asked and time.monotonic() > until:
                raise self._error(f"{self._what} of an earlier run (process {pid}) does not end: end it and run again")
            time.sleep(0.1 if asked else 0.05)
            asked = asked or time.monotonic() > until - _ORPHAN_LIMIT_S / 2
        self._pid_file.unlink(missing_ok=True)
        return True

    def note(self, pid: int) -> None:
        """Remember the server started under this lock."""
        private.write(self._pid_file, f"{pid}\n")

    def release(self) -> None:
        """Give the directory free; harmless when it is not ours."""
        if self._lock is not None:
            self._pid_file.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None
