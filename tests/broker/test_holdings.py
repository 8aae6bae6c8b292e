"""What each process of `anbu up` holds, as the system tells it: no secret of another's anywhere."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy.kafka import users
from deploy.kafka.ports import free_port
from response.vault import new_key
from tests.broker.running import Running

pytestmark = pytest.mark.broker
VAULT, API, TRUNK, ELSE = new_key(), "api-secret-0123456789abcdef", "trunk-secret-0123456789", "cloud-secret"
FILE = "file-secret-0123456789"
MAY = {"anbu response": {VAULT, TRUNK, FILE}, "anbu http": {API}}
"""Who may hold which of them; everybody else none."""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """All services with one worker, started with everything secret in one environment and one file."""
    names = ("BROKER__BOOTSTRAP", "HTTP__PORT", "METRICS_PORT", "RESPONSE__PORT", "RESPONSE__METRICS_PORT")
    ports = {f"ANBU_{name}": str(free_port()) for name in names}
    ports["ANBU_BROKER__BOOTSTRAP"] = f"127.0.0.1:{ports['ANBU_BROKER__BOOTSTRAP']}"
    folder = tmp_path_factory.mktemp("held")
    (folder / "anbu.toml").write_text(f'[response.drill_channels]\nsms = "jsons://{FILE}"\n')
    running = Running(
        folder, "up", **ports, ANBU_WORKERS="1", ANBU_HTTP__METER_KEYS__KEPCO=API,
        ANBU_RESPONSE__KEYS=f'["{VAULT}"]', ANBU_RESPONSE__SIP__PASSWORD=TRUNK, AWS_SECRET_ACCESS_KEY=ELSE,
    )  # fmt: skip
    running.until(lambda: all(running.children(f"anbu {name}") for name in ("http", "worker", "response")))
    yield running
    running.end()


def _held(process: psutil.Process) -> str:
    return "\n".join([*(f"{name}={value}" for name, value in process.environ().items()), *process.cmdline()])


def test_no_process_holds_a_secret_that_its_work_does_not_need(up: Running) -> None:
    """Environment and command line of every process below, the database's own children too."""
    kinds = ("kafka.Kafka", "postgres", "anbu worker", "anbu http", "anbu response")
    logins = users.passwords(up.output.parent / "data" / "kafka")
    seen = set()
    for process in up.children():
        command = " ".join(process.cmdline())
        kind = next((k for k in kinds if k in command), command)
        seen.add(kind)
        held = _held(process)
        assert {s for s in (VAULT, API, TRUNK, ELSE, FILE) if s in held} == MAY.get(kind, set()), command
        its_own = {kind.removeprefix("anbu ")} if kind.startswith("anbu ") else set()
        assert {role for role, password in logins.items() if password in held} == its_own, command
    assert seen >= set(kinds)


def test_servers_are_given_no_setting_at_all(up: Running) -> None:
    """Broker and database know where programs and files are, and the language."""
    for kind in ("kafka.Kafka", "postgres -D"):
        (server,) = up.children(kind)[:1]
        assert [name for name in server.environ() if name.startswith("ANBU")] == [], kind


def test_what_they_write_is_read_by_their_own_account_alone(up: Running) -> None:
    """Every log and file below the data folder, whatever the umask of who started it."""
    files = [Path(at) / name for at, _, names in os.walk(up.output.parent / "data") for name in names]
    modes = {file: file.lstat().st_mode for file in files}
    assert [f for f, mode in modes.items() if stat.S_IMODE(mode) & 0o077 and not stat.S_ISSOCK(mode)] == []


def _logged_in(up: Running) -> set[str]:
    """Roles of the sessions of our database, as its processes call themselves."""
    titles = (" ".join(process.cmdline()) for process in up.children("postgres: "))
    return {found[1] for title in titles if (found := re.match(r"postgres: (\w+) anbu \[local\]", title))}


def test_the_database_is_entered_as_the_application_and_nobody_else(up: Running) -> None:
    """Neither as its owner, once it is migrated, nor as its superuser."""
    up.until(lambda: "anbu_service" in _logged_in(up))
    assert _logged_in(up) <= {"anbu_service", "anbu_viewer"}


def test_no_process_has_a_file_open_that_is_anothers(up: Running) -> None:
    """Broker, database and workers have their own folders, all their own log: nobody another's passwords or tables."""
    data = up.output.parent / "data"
    own = {"kafka.Kafka": data / "kafka", "postgres": data / "postgres", "anbu worker": data / "faust"}
    for process in up.children():
        command = " ".join(process.cmdline())
        its = next((folder for kind, folder in own.items() if kind in command), None)
        log = data / command.rpartition(" anbu ")[2].split()[0]
        held = {Path(file.path) for file in process.open_files() if data in Path(file.path).parents}
        others = {file for file in held if its not in file.parents and not file.match(f"{log}*.log")}
        assert others == set(), command
