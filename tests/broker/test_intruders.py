"""Somebody with an account on this machine and no password for the broker: nothing lets him in, nor keeps us out."""

import asyncio
import os
import socket
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import psutil
import pytest
from aiokafka.errors import KafkaError as KafkaFault
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from deploy.kafka import users
from deploy.kafka.broker import API_VERSIONS, LocalBroker
from deploy.kafka.ports import free_port
from stream import acls, topics
from stream.kafka import BrokerUnreachableError, admin
from stream.producer import FrameProducer
from stream.records import HOUSEHOLDS, Household
from stream.settings import BrokerSettings, Settings
from tests.broker.impostor import API_VERSIONS as ASKS_VERSIONS
from tests.broker.impostor import Impostor
from tests.broker.rawlogin import AUTHENTICATE, DESCRIBE_QUORUM, HANDSHAKE, Raw, logs_in, served

pytestmark = pytest.mark.broker
QUICK = {"bootstrap_timeout_ms": 3000, "request_timeout_ms": 3000}
HELD = 800
CLAIMED = 4000
"""Bytes that each held socket says it will send, and never does; more than the limit is refused at once."""


@pytest.fixture(scope="module")
def controller(broker: LocalBroker) -> int:
    """The broker's other port."""
    ports = {c.laddr.port for c in psutil.Process(broker.pid).net_connections() if c.status == psutil.CONN_LISTEN}
    (port,) = ports - {broker.port}
    return int(port)


MECHANISMS = ("PLAIN", "SCRAM-SHA-512", "SCRAM-SHA-256")
USERS = [users.name_of(role) for role in (users.ITSELF, *users.ROLES, "nobody")]


def admitted(port: int, passwords: Iterable[str]) -> list[tuple[str, str]]:
    """By which mechanism which users get in with one of these passwords."""
    tried = list(product(MECHANISMS, USERS, passwords))
    with ThreadPoolExecutor(16) as pool:  # the broker answers a wrong one late, on purpose
        let_in = pool.map(lambda one: logs_in(port, *one), tried)
        return [(mechanism, user) for (mechanism, user, _), good in zip(tried, let_in, strict=True) if good]


def test_nobody_gets_in_without_a_password(broker: LocalBroker) -> None:
    """In plain, or with none or a wrong one, by any mechanism, as any user; a right one opens one door."""
    assert not served(broker.port)
    assert admitted(broker.port, ("", "wrong")) == []
    known = users.passwords(broker.data_dir)
    assert admitted(broker.port, [known["http"]]) == [("SCRAM-SHA-512", "anbu-http")]
    assert admitted(broker.port, [known["admin"]]) == [("SCRAM-SHA-512", "anbu-admin")]


def test_the_controller_lets_nobody_in(broker: LocalBroker, controller: int) -> None:
    """Not a user of ours either; what one could ask there (the log of all metadata, new users) is not answered."""
    assert not served(controller)
    known = users.passwords(broker.data_dir)
    assert admitted(controller, ["", "wrong", *(known[role] for role in users.ROLES)]) == []
    with closing(Raw(controller)) as raw:
        assert raw.ask(DESCRIBE_QUORUM, 0, b"\x00\x02\x01\x00\x00") is None


def test_a_withdrawal_cannot_be_forged_nor_anything_read(settings: Settings, broker: LocalBroker) -> None:
    """The attack that deleted a person: one record in plain. Nor is a consumer given anything."""
    at = {"bootstrap_servers": broker.bootstrap, **QUICK}
    with pytest.raises(KafkaError):
        KafkaProducer(**at, max_block_ms=3000).send(settings.topic(HOUSEHOLDS), b"{}", b"h1").get(5)
    with pytest.raises(KafkaError):
        KafkaConsumer(settings.topic(HOUSEHOLDS), **at).poll(3000)


def test_no_password_is_on_a_command_line_or_in_a_log(own_broker: LocalBroker) -> None:
    """Not in what `ps` shows to everybody, nor in what is kept of the run; two files know them."""
    own_broker.restart()
    known = users.passwords(own_broker.data_dir).values()
    shown = " ".join(psutil.Process(own_broker.pid).cmdline())
    assert not [password for password in known if password in shown]
    files = [p for p in own_broker.data_dir.rglob("*") if p.is_file()]
    holding = {p.name for p in files for password in known if password.encode() in p.read_bytes()}
    assert holding == {users.FILE, "server.properties"}


_READ_ALL = """
import os, pathlib, sys
os.setgid(65534); os.setuid(65534)
for file in sys.argv[1:]:
    try:
        print(file, len(pathlib.Path(file).read_bytes()))
    except PermissionError:
        pass
"""


def test_no_file_of_the_broker_can_be_read_by_another_account(own_broker: LocalBroker) -> None:
    """All modes, and tried as nobody; in a data directory that an earlier version left open as well."""
    folder = own_broker.data_dir
    own_broker.stop()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    own_broker.start()
    paths = [folder, *folder.rglob("*")]
    assert len(paths) > 20
    assert [str(p) for p in paths if stat.S_IMODE(p.stat().st_mode) & 0o077] == []
    if os.geteuid() == 0:
        for above in (folder.parent, *list(folder.parents)[1:-2]):
            above.chmod(0o755)
        read = subprocess.run(
            [sys.executable, "-c", _READ_ALL, *map(str, paths)], capture_output=True, text=True, timeout=60
        )
        assert read.returncode == 0, read.stderr
        assert read.stdout == ""


NEW = ("listener.", "sasl.", "authorizer", "super", "allow.", "max.conn", "connections.", "socket.")
OLD = "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"


def _in_plain(properties: str) -> str:
    """The configuration as an earlier version wrote it."""
    lines = [line for line in properties.splitlines() if not line.startswith(NEW)]
    return "\n".join([*lines, OLD, ""]).replace("CLIENTS", "PLAINTEXT")


def test_a_data_directory_of_an_open_broker_is_closed_by_the_next_start(
    own_broker: LocalBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it holds is there, the users are let in, and nobody else; without hands."""
    own_broker.stop()
    (own_broker.data_dir / users.FILE).unlink()
    with monkeypatch.context() as before:
        write = own_broker._write_configuration

        def former(password: str) -> None:
            write(password)
            own_broker._config.write_text(_in_plain(own_broker._config.read_text()))

        before.setattr(own_broker, "_write_configuration", former)
        before.setattr(users, "admit", lambda *_: None)
        own_broker.start()
        at = {"bootstrap_servers": own_broker.bootstrap, **QUICK}
        assert served(own_broker.port)
        with pytest.raises(acls.NoAuthorizerError, match="whoever reaches it"):
            acls.check(Settings(broker=BrokerSettings(bootstrap=own_broker.bootstrap, security_protocol="PLAINTEXT")))
        with closing(KafkaAdminClient(**at)) as client:
            client.create_topics({"kept": {"num_partitions": 1, "replication_factor": 1}})
        own_broker.stop()
    own_broker.start()
    assert not served(own_broker.port)
    with admin(Settings(broker=BrokerSettings(**own_broker.login("admin")))) as client:  # type: ignore[arg-type]
        assert "kept" in client.list_topics()


def test_hundreds_of_held_sockets_keep_nobody_out(
    own_broker: LocalBroker, make_settings: Callable[..., Settings]
) -> None:
    """Half-open at both ports, each claiming as much as one may before the login: an admin and a producer that come
    after are served, and the broker has not grown by more than some megabytes."""
    settings = make_settings(own_broker)
    process = psutil.Process(own_broker.pid)
    listening = [c.laddr.port for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    with admin(settings) as client:
        client.create_topics({settings.topic(HOUSEHOLDS): {"num_partitions": 4, "replication_factor": 1}})
    before = process.memory_info().rss
    with ExitStack() as held:
        for n in range(HELD):
            raw = held.enter_context(socket.create_connection(("127.0.0.1", listening[n % 2]), timeout=10))
            raw.sendall(struct.pack(">i", CLAIMED) + b"x" if n % 3 else b"\0")
        began = time.monotonic()
        with admin(settings) as client:
            assert settings.topic(HOUSEHOLDS) in client.list_topics()
        asyncio.run(_sent(settings))
        assert time.monotonic() - began < 10
        assert process.memory_info().rss - before < 150 << 20
        assert own_broker.alive


async def _sent(settings: Settings) -> None:
    async with FrameProducer(settings, answer_s=10) as producer:
        await producer.send_household(Household("h1", datetime(2026, 1, 1, tzinfo=UTC)))


async def test_beyond_the_bound_connections_that_stand_go_on_and_the_silent_are_shed(
    own_broker: LocalBroker, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With bounds small enough to be tried: all places are taken, a producer that is in sends on, no file more is open
    for the others, and as soon as the silence is over new ones are let in, though nobody has hung up."""
    write, quick = own_broker._write_configuration, "connections.max.idle.ms=4000"

    def small(password: str) -> None:
        write(password)
        text = own_broker._config.read_text()
        own_broker._config.write_text(text.replace("connections.max.idle.ms=90000", quick))

    own_broker.stop()
    monkeypatch.setattr("deploy.kafka.broker.MOST_CONNECTIONS", 200)
    monkeypatch.setattr(own_broker, "_write_configuration", small)
    own_broker.start()
    assert quick in own_broker._config.read_text()
    settings = make_settings(own_broker)
    topics.ensure(settings)
    files = psutil.Process(own_broker.pid).num_fds()
    async with FrameProducer(settings, answer_s=10) as producer:
        await producer.heartbeat("meter", "kepco", 1_790_000_000)
        with ExitStack() as held:
            for _ in range(400):
                held.enter_context(socket.create_connection(("127.0.0.1", own_broker.port), timeout=10))
            await producer.heartbeat("meter", "kepco", 1_790_000_900)
            assert psutil.Process(own_broker.pid).num_fds() < files + 300
            until = time.monotonic() + 30
            while not await asyncio.to_thread(served_after_login, own_broker):
                assert time.monotonic() < until


def served_after_login(broker: LocalBroker) -> bool:
    """Whether the admin gets in now."""
    return logs_in(broker.port, "SCRAM-SHA-512", "anbu-admin", broker.login("admin")["sasl_password"])


@pytest.mark.parametrize("size", [4097, 512 * 1024, 100 << 20, 2**31 - 1])
def test_who_is_not_logged_in_can_claim_no_memory(broker: LocalBroker, size: int) -> None:
    """A message longer than a login is refused by its length, before there is room made for it."""
    with socket.create_connection(("127.0.0.1", broker.port), timeout=10) as raw:
        raw.sendall(struct.pack(">i", size) + b"x")
        assert raw.recv(16) == b""


def test_who_knocks_in_vain_washes_no_log_away(own_broker: LocalBroker) -> None:
    """A line for each, with the address, in a file of its own, which is two megabytes at most; none in the broker's."""
    before, refused = own_broker.log.stat().st_size, own_broker.data_dir / "refused.log"
    for _ in range(400):
        with socket.create_connection(("127.0.0.1", own_broker.port), timeout=10) as raw:
            raw.sendall(struct.pack(">i", 2**31 - 1) + b"x")
    assert not logs_in(own_broker.port, "SCRAM-SHA-512", "anbu-admin", "wrong")
    until = time.monotonic() + 20
    while (text := refused.read_text()).count("Failed authentication with /127.0.0.1") < 401:
        assert time.monotonic() < until, text[-500:]
    assert own_broker.log.stat().st_size - before < 20_000
    limits = (own_broker.data_dir / "log4j.properties").read_text()
    assert "refused.MaxFileSize=1MB" in limits
    assert "refused.MaxBackupIndex=1" in limits


def test_a_probe_is_answered_before_the_login(broker: LocalBroker) -> None:
    """Those who keep the broker ask so (anbu/servers.py), and learn nothing but that it lives."""
    with socket.create_connection(("127.0.0.1", broker.port), timeout=10) as raw:
        raw.sendall(API_VERSIONS)
        assert len(raw.recv(8)) == 8


def _logs_in(settings: Settings) -> None:
    """A client of each library."""
    with pytest.raises((BrokerUnreachableError, ValueError)), admin(settings, timeout_s=3):
        pytest.fail("kafka-python is content")
    with pytest.raises((KafkaFault, TimeoutError, ValueError)):
        asyncio.run(asyncio.wait_for(_sent(settings), 5))


@pytest.mark.parametrize("offers", [("PLAIN",), ("SCRAM-SHA-512", "PLAIN"), ("PLAIN", "SCRAM-SHA-512")])
def test_who_takes_the_port_while_it_is_down_learns_no_password(offers: tuple[str, ...], tmp_path: Path) -> None:
    """He hears a SCRAM login, which he can neither repeat nor answer, and nothing that comes after: no client goes on
    with a server that does not know its password, nor falls back to another way of logging in."""
    password = users.passwords(tmp_path)["http"]
    login = {**users.login(tmp_path, "http"), "bootstrap": f"127.0.0.1:{(port := free_port())}"}
    with Impostor(port, offers) as impostor:
        _logs_in(Settings(broker=BrokerSettings(**login)))  # type: ignore[arg-type]
    assert impostor.asked >= {ASKS_VERSIONS, HANDSHAKE}
    assert (b"n=anbu-http" in impostor.said) == ("SCRAM-SHA-512" in offers)
    assert password.encode() not in impostor.said
    assert not impostor.asked - {ASKS_VERSIONS, HANDSHAKE, AUTHENTICATE}
