"""Which machine a name is of: what leaves this one without encryption is read by whoever stands between."""

from collections.abc import Iterable
from ipaddress import ip_address


def is_here(host: str) -> bool:
    """Whether a host is this machine: an address or name of loopback, a socket's path, or none at all."""
    plain = host.strip().removeprefix("[").removesuffix("]").partition("%")[0].lower()
    if not plain or plain.startswith(("/", "@")) or plain == "localhost":
        return True
    try:
        address = ip_address(plain)
    except ValueError:
        return False
    inner = getattr(address, "ipv4_mapped", None) or address
    return inner.is_loopback or inner.is_unspecified


def is_open(host: str) -> bool:
    """Whether who listens there is reached from other machines."""
    return not is_here(host) or host.strip("[]") in ("0.0.0.0", "::", "")  # noqa: S104 -- asked, not bound


def elsewhere(hosts: Iterable[str]) -> list[str]:
    """Those that are not this machine."""
    return [host for host in hosts if not is_here(host)]


def host_of(server: str) -> str:
    """The host of host, host:port, [address]:port, or of an address of IPv6 alone."""
    if server.startswith("["):
        return server[1:].partition("]")[0]
    host, colon, port = server.rpartition(":")
    return host if colon and port.isdecimal() and ":" not in host else server.removesuffix(":")
