"""The kernel lets in what comes from the addresses given, and nothing else."""

import socket
from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from structlog.testing import capture_logs

from response.gateways.gate import Gate, host, networks, program, shut


@pytest.fixture
def ear() -> Iterator[socket.socket]:
    """A socket on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.setblocking(False)
        yield ear


def heard(ear: socket.socket, by: str) -> bool:
    """Whether what ``by`` sends is heard (on loopback it is there when sending has returned)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        mouth.bind((by, 0))
        mouth.sendto(b"INVITE", ear.getsockname())
    try:
        return ear.recv(64) == b"INVITE"
    except BlockingIOError:
        return False


@pytest.mark.parametrize(
    ("let_in", "one", "two", "far"),
    [
        (["127.0.0.1"], True, False, False),
        (["127.0.0.2"], False, True, False),
        (["127.0.0.0/30"], True, True, False),
        (["127.0.0.0/8"], True, True, True),
        (["127.0.0.1", "127.9.9.9"], True, False, True),
        (["::1", "2001:db8::/32"], False, False, False),
        (["0.0.0.0/0"], True, True, True),
        ([], False, False, False),
    ],
)
def test_who_is_let_in(ear: socket.socket, let_in: list[str], one: bool, two: bool, far: bool) -> None:
    """Addresses and networks; with none, nobody."""
    assert shut([ear.getsockname()[1]], [ip_network(net) for net in let_in]) == ["127.0.0.1"]
    assert [heard(ear, by) for by in ("127.0.0.1", "127.0.0.2", "127.9.9.9")] == [one, two, far]


@pytest.mark.parametrize(("let_in", "taken"), [("::1", True), ("::/64", True), ("2001:db8::/32", False)])
def test_the_same_by_ipv6(let_in: str, taken: bool) -> None:
    """Addresses of sixteen bytes."""
    with (
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as ear,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as mouth,
    ):
        ear.bind(("::1", 0))
        ear.settimeout(5 if taken else 0.05)
        shut([ear.getsockname()[1]], [ip_network(let_in)])
        mouth.sendto(b"INVITE", ear.getsockname())
        if taken:
            assert ear.recv(64) == b"INVITE"
        else:
            with pytest.raises(TimeoutError):
                ear.recv(64)


async def test_a_trunk_nobody_knows_lets_nobody_in_and_is_said(ear: socket.socket) -> None:
    """A name server that is away opens nothing."""
    with capture_logs() as told:
        await Gate(["trunk.invalid"], [ear.getsockname()[1]]).shut()
    assert [line["event"] for line in told] == ["sip_trunk_unknown"]
    assert not heard(ear, "127.0.0.1")


def test_names_addresses_and_hosts() -> None:
    """What a setting may hold."""
    assert networks(["203.0.113.7", "203.0.113.9/28"]) == {ip_network("203.0.113.7"), ip_network("203.0.113.0/28")}
    assert ip_network("127.0.0.1") in networks(["localhost"])
    hosts = ("a.example", "a.example:5060", "[::1]:5060", "::1", "192.0.2.1:5060")
    assert [host(one) for one in hosts] == ["a.example", "a.example", "::1", "::1", "192.0.2.1"]


def test_too_many_addresses_are_refused() -> None:
    """The kernel would not take the program."""
    with pytest.raises(ValueError, match="give networks"):
        program(ip_network(n) for n in range(2000))
