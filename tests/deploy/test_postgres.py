"""The database we start ourselves: it starts, survives, ends with us, and says clearly why it cannot."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from anbu.processes import Supervisor
from anbu.servers import kept_database
from deploy.postgres.logins import OWNER
from deploy.postgres.reason import reason_in_log
from deploy.postgres.server import LocalPostgres, PostgresError
from tests.folders import open_folder

pytestmark = pytest.mark.postgres


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's account can be let into."""
    with open_folder() as made:
        yield made


@pytest.fixture
def server(folder: Path) -> Iterator[LocalPostgres]:
    """A running server of this test alone, which writes to the disk as a real one does."""
    with LocalPostgres(folder / "postgres") as running:
        yield running


def _run(server: LocalPostgres, statement: str) -> object:
    """Run one statement in a transaction of its own; its first value."""
    with create_engine(server.url_of(OWNER), poolclass=NullPool).begin() as connection:
        result = connection.execute(text(statement))
        return result.scalar() if result.returns_rows else None


def _until(condition: Callable[[], object], limit_s: float = 20) -> None:
    """Wait for a condition; fail when it does not come."""
    until = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < until, "did not come within the limit"
        time.sleep(0.01)


def _gone(pid: int, limit_s: float = 20) -> bool:
    """Wait until a process has ended (a zombie counts as ended)."""
    until = time.monotonic() + limit_s
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_stopped_and_started_again_it_has_what_it_had(server: LocalPostgres) -> None:
    """After a clean end and after a -9 the data are there, and writing goes on."""
    _run(server, "CREATE TABLE kept AS SELECT 1 AS a")
    server.stop()
    assert not server.alive
    server.start()
    _run(server, "INSERT INTO kept VALUES (2)")
    server.kill()
    server.start()
    _run(server, "INSERT INTO kept VALUES (3)")
    assert _run(server, "SELECT sum(a) FROM kept") == 6


def test_killed_by_another_it_is_started_again_under_our_own_lock(server: LocalPostgres) -> None:
    """kill -9 from outside: the reason is the signal, and we do not stand in our own way."""
    _run(server, "CREATE TABLE kept AS SELECT 1 AS a")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    _until(lambda: not server.alive)
    assert "signal 9" in server.reason()
    server.start()
    assert _run(server, "SELECT a FROM kept") == 1
    with pytest.raises(PostgresError, match="in use by another run"):
        LocalPostgres(server.data_dir).start()


def test_frozen_it_is_ended_and_started_again(server: LocalPostgres, capsys: pytest.CaptureFixture[str]) -> None:
    """One that runs and does not answer is no database: `anbu up` notices, and the data are there again."""
    _run(server, "CREATE TABLE kept AS SELECT 1 AS a")
    kept, frozen = kept_database(server), server.pid
    kept.probe.every_s, kept.probe.wait_s, kept.probe.limit_s = 0.05, 0.3, 0.6
    _until(lambda: kept.tend(Supervisor(), object) or kept.probe._answered)
    assert frozen is not None
    os.kill(frozen, signal.SIGSTOP)
    _until(lambda: kept.tend(Supervisor(), object) or server.pid != frozen)
    _until(lambda: kept.tend(Supervisor(), object) or kept.probe._answered)
    assert _run(server, "SELECT a FROM kept") == 1
    assert "no answer" in capsys.readouterr().err


def test_stop_does_not_wait_for_open_sessions(server: LocalPostgres) -> None:
    """A client that stays connected keeps nobody from ending the server."""
    client = create_engine(server.url_of(OWNER))
    with client.connect() as connection:
        connection.execute(text("SELECT 1"))
        before = time.monotonic()
        server.stop(limit_s=20)
        assert time.monotonic() - before < 10
        connection.invalidate()
    client.dispose()


def test_no_network_reaches_it_and_no_other_account_its_socket(server: LocalPostgres) -> None:
    """No TCP port; the socket's folder is for the server's account alone, and folders above are not listed."""
    assert server.pid is not None
    assert [c for c in psutil.Process(server.pid).net_connections("inet") if c.status == "LISTEN"] == []
    data = server.data_dir / "data"
    assert (data / ".s.PGSQL.5432").is_socket()
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert not server.data_dir.parent.stat().st_mode & stat.S_IROTH


def test_path_too_long_for_a_socket_works_too(folder: Path) -> None:
    """The socket is in a short folder of its own then, for the server's account alone."""
    with LocalPostgres(folder / ("folder_" * 14), durable=False) as server:
        assert _run(server, "SELECT 1") == 1
        assert stat.S_IMODE(server._socket_dir.stat().st_mode) == 0o700
    server._socket_dir.rmdir()


def test_short_folder_of_another_account_is_refused(folder: Path) -> None:
    """Nobody can put a folder there before us and read what we say."""
    server = LocalPostgres(folder / ("folder_" * 14), durable=False)
    server._socket_dir.symlink_to(folder)
    try:
        with pytest.raises(PostgresError, match="belongs to another account"):
            server.start()
    finally:
        server._socket_dir.unlink()


def test_a_second_run_on_the_same_data_is_refused_while_the_first_lives(server: LocalPostgres) -> None:
    """The second says who owns the data, sees that it is ready, and the first goes on."""
    second = LocalPostgres(server.data_dir)
    with pytest.raises(PostgresError, match=rf"in use by another run \(process {os.getpid()}\)"):
        second.start()
    assert second.ready
    assert server.alive


_OWNER = """
import sys
from pathlib import Path
from sqlalchemy import create_engine, text
from deploy.postgres.logins import OWNER
from deploy.postgres.server import LocalPostgres
server = LocalPostgres(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
with create_engine(server.url_of(OWNER)).connect() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS kept (a int)"))
    connection.commit()
    for n in range(10_000_000):
        connection.execute(text("INSERT INTO kept VALUES (:n)"), {"n": n})
        connection.commit()
        print(n, flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_it_ends_with_a_parent_that_was_killed_and_nothing_is_lost(folder: Path) -> None:
    """kill -9 of the owner in the middle of writing ends the server; what was committed is there at the next start."""
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(folder / "pg")], stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    committed = [int(owner.stdout.readline()) for _ in range(50)]
    owner.send_signal(signal.SIGKILL)
    committed += [int(line) for line in owner.communicate()[0].splitlines() if line.isdigit()]
    assert _gone(pid)
    with LocalPostgres(folder / "pg") as server:
        kept = _run(server, "SELECT count(DISTINCT a) FROM kept")
        # The last line may have been cut off, the last row committed and not yet told.
        assert committed[-1] <= int(str(kept)) <= committed[-1] + 2


def test_an_orphan_of_a_killed_run_is_ended(server: LocalPostgres) -> None:
    """A server whose owner is gone (its lock is free) is found by its pid file and ended cleanly by the next run."""
    pid = server.pid
    assert pid is not None
    _run(server, "CREATE TABLE kept AS SELECT 7 AS a")
    server._owner._lock.close()  # type: ignore[union-attr]  # what the kernel does when the owner dies
    with LocalPostgres(server.data_dir) as second:
        assert _gone(pid)
        assert _run(second, "SELECT a FROM kept") == 7


def test_a_run_killed_while_the_data_were_made_does_not_trip_the_next(folder: Path) -> None:
    """Half-made data are made anew."""
    half = folder / "pg" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with LocalPostgres(folder / "pg", durable=False) as server:
        assert _run(server, "SELECT 1") == 1


def test_its_own_reason_is_in_the_error(folder: Path) -> None:
    """When it refuses to start, the line from its log is in the error, with the log's path."""
    with LocalPostgres(folder / "pg", durable=False) as server:
        data = server.data_dir / "data"
    (data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(PostgresError, match=r"did not start: database files are incompatible.*postgres\.log") as e:
        server.start()
    assert "\n" not in str(e.value)
    assert not server.alive


def test_folder_that_cannot_be_made_is_one_line(folder: Path) -> None:
    """A file where the folder should be."""
    (folder / "pg").write_text("")
    with pytest.raises(PostgresError, match="set ANBU_DATA_DIR"):
        LocalPostgres(folder / "pg").start()


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        ("2026 [1] LOG:  starting\n2026 [1] FATAL:  lock file exists\n", 1, "lock file exists"),
        ("[2] PANIC:  could not write: No space left on device\n[3] FATAL:  x", 1, "the disk is full"),
        ("[2] FATAL:  the database system is starting up\n", -9, "ended by signal 9"),
        ("[2] FATAL:  role \"x\" does not exist\n", -9, "ended by signal 9"),
        ("[2] FATAL:  role \"x\" does not exist\n[1] LOG:  database system is shut down", 0, "asked to end"),
        ("[2] FATAL:  old\n" + "[3] LOG:  at work\n" * 400 + "[1] LOG:  why\n", 1, "LOG:  why"),
        ("", None, "it said nothing"),
    ],
)
def test_reason_is_the_telling_line(said: str, code: int | None, reason: str) -> None:
    """The line a person needs, not the last one."""
    assert reason in reason_in_log(said, code)
