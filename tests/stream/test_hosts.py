"""Which hosts are this machine: none that only looks like it."""

import pytest
from pydantic import ValidationError

from stream.hosts import host_of, is_here, is_open
from stream.settings import BrokerSettings


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "::1", "[::1]", "", "/run/pg",
                                  "::ffff:127.0.0.1", "0.0.0.0"])  # fmt: skip
def test_this_machine(host: str) -> None:
    """Loopback by number or name, sockets."""
    assert is_here(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost.example.org", "127.0.0.1.example.org", "2001:db8::1", "kafka",
                                  "::ffff:10.0.0.1", "127.1.example", "local"])  # fmt: skip
def test_not_this_machine(host: str) -> None:
    """Private networks are networks too."""
    assert not is_here(host)


@pytest.mark.parametrize(
    ("host", "open_"),
    [("127.0.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True), ("::", True), ("10.0.0.1", True)],
)
def test_who_is_reached_from_elsewhere(host: str, open_: bool) -> None:
    """All addresses of this machine are more than loopback."""
    assert is_open(host) is open_


@pytest.mark.parametrize(
    ("server", "host"),
    [("h:9092", "h"), ("h", "h"), ("[::1]:9092", "::1"), ("::1", "::1"), ("2001:db8::1", "2001:db8::1"), ("", "")],
)
def test_the_host_of_a_server(server: str, host: str) -> None:
    """With and without a port, IPv6 too."""
    assert host_of(server) == host


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT"])
def test_a_broker_elsewhere_is_not_spoken_to_in_the_clear(protocol: str) -> None:
    """One of several is enough; with encryption, or where the operator says so, it is."""
    servers = "127.0.0.1:9092,kafka-1:9092"
    with pytest.raises(ValidationError, match=r"kafka-1 would be .* ANBU_BROKER__ALLOW_PLAIN"):
        BrokerSettings(bootstrap=servers, security_protocol=protocol)  # type: ignore[arg-type]
    BrokerSettings(bootstrap=servers, security_protocol="SASL_SSL")
    BrokerSettings(bootstrap=servers, security_protocol=protocol, allow_plain=True)  # type: ignore[arg-type]
    BrokerSettings(bootstrap="localhost:1,[::1]:2", security_protocol=protocol)  # type: ignore[arg-type]
