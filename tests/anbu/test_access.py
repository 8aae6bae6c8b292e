"""How a command finds the login for the broker of this machine, and what it says where there is none."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from anbu import access, holdings, services
from anbu.access import acting_as
from anbu.errors import UserError
from anbu.processes import Supervisor
from deploy.kafka import users
from stream.brokers import BrokerSettings, PasswordSettings, UserSettings
from stream.kafka import client_options
from stream.rights import TOPICS
from stream.settings import Settings
from tests.anbu.test_services import Started


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of an account whose broker has been started once."""
    folder = tmp_path / access.FOLDER
    folder.mkdir()
    users.passwords(folder)
    return Settings(data_dir=tmp_path)


def test_each_role_has_a_login_of_its_own(settings: Settings) -> None:
    """Five users, five passwords, none of which is the broker's own; the table of rights knows all of them."""
    roles = (*TOPICS, "admin")
    assert sorted(roles) == sorted(users.ROLES)
    found = [client_options(acting_as(role, settings)) for role in roles]
    assert {o["security_protocol"] for o in found} == {"SASL_PLAINTEXT"}
    assert [o["sasl_plain_username"] for o in found] == [f"anbu-{role}" for role in roles]
    passwords = {o["sasl_plain_password"] for o in found}
    assert len(passwords) == len(roles)
    assert min(map(len, passwords)) >= 32
    assert users.passwords(settings.data_dir / access.FOLDER)[users.ITSELF] not in passwords


def test_each_child_is_given_its_own_login_and_no_other(settings: Settings) -> None:
    """Of all the passwords its environment holds one."""
    known = users.passwords(settings.data_dir / access.FOLDER)
    children = Started()
    services.start_workers(children, settings.model_copy(update={"workers": 1}), settings.data_dir)
    held = "\n".join(f"{name}={value}" for name, value in children.env["worker-0"].items())
    assert {role for role, password in known.items() if password in held} == {"worker"}
    assert children.env["worker-0"]["ANBU_BROKER__SASL_USERNAME"] == "anbu-worker"
    assert isinstance(children, Supervisor)


def test_a_login_that_the_settings_give_is_used_as_it_is(settings: Settings) -> None:
    """A city's cluster: what is kept here of another broker has no part in it."""
    theirs = BrokerSettings(
        bootstrap="127.0.0.1:9092", security_protocol="SASL_SSL", sasl_username="u", sasl_password=SecretStr("p")
    )
    given = settings.model_copy(update={"broker": theirs})
    assert acting_as("worker", given) is given


def test_on_a_cluster_each_role_takes_its_own_of_several_passwords(tmp_path: Path) -> None:
    """One environment starts all: a process is given its user and password, and nobody else's."""
    given = PasswordSettings(worker=SecretStr("w-secret"), http=SecretStr("h-secret"))
    city = BrokerSettings(
        bootstrap="kafka-1:9093", security_protocol="SASL_SSL", users=UserSettings(worker="city-worker"),
        passwords=given, sasl_username="everybody", sasl_password=SecretStr("e-secret"),
    )  # fmt: skip
    settings = Settings(data_dir=tmp_path, broker=city)
    worker, response = acting_as("worker", settings).broker, acting_as("response", settings).broker
    assert (worker.sasl_username, response.sasl_username) == ("city-worker", "everybody")
    held = str(holdings.environment("worker", acting_as("worker", settings)))
    assert [word for word in ("w-secret", "h-secret", "e-secret") if word in held] == ["w-secret"]
    assert worker.users.worker == "city-worker"


def test_where_no_broker_was_ever_started_one_tries_and_a_process_says_so(tmp_path: Path) -> None:
    """A command is told by the client that nobody answers; a process would wait for ever, and is not started."""
    nobody = Settings(data_dir=tmp_path, broker=BrokerSettings(bootstrap="127.0.0.1:1"))
    assert acting_as("operator", nobody) is nobody
    with pytest.raises(UserError, match="anbu up"):
        acting_as("worker", nobody, stays=True)


def test_somebody_elses_broker_at_the_port_gets_nothing(tmp_path: Path) -> None:
    """No password is known for what listens there: it is said, and nothing is sent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        theirs = Settings(data_dir=tmp_path, broker=BrokerSettings(bootstrap=f"127.0.0.1:{port}"))
        with pytest.raises(UserError, match=rf"port {port}.*ANBU_DATA_DIR"):
            acting_as("operator", theirs)
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


_AS_NOBODY = """
import os, sys
from pathlib import Path
from anbu.access import acting_as
from anbu.errors import UserError
from stream.settings import Settings
settings = Settings(data_dir=Path(sys.argv[1]))
os.setgid(65534)
os.setuid(65534)
try:
    print("IN", acting_as("operator", settings).broker.sasl_password)
except UserError as e:
    print(e)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_another_account_is_told_whose_the_broker_is(settings: Settings) -> None:
    """It cannot read the passwords, and learns what to do instead."""
    folder = settings.data_dir
    for path in (folder, *list(folder.parents)[:-2]):
        path.chmod(0o755)
    (folder / access.FOLDER).chmod(0o700)
    said = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, str(folder)], capture_output=True, text=True,
        env={"PATH": "", "PYTHONPATH": os.pathsep.join(sys.path)}, timeout=60,
    )  # fmt: skip
    assert "another account's" in said.stdout, said.stderr
