"""Where a request came from. A proxy's word is taken by the server (``server.py``), from those alone that are named."""

from collections.abc import MutableMapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

UNKNOWN = "?"
V6_PREFIX = 64
"""Whoever has one IPv6 address has all of its /64."""


def source(scope: MutableMapping[str, Any]) -> str:
    """The address that an ASGI request came from; ``?`` where that is none (a proxy may write anything)."""
    client = scope.get("client")
    return address(client[0]) if client else UNKNOWN


def address(given: str) -> str:
    """An address in its one form, ``::ffff:192.0.2.1`` as ``192.0.2.1``; ``?`` for what is none."""
    try:
        found = ip_address(given.partition("%")[0])
    except ValueError:
        return UNKNOWN
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


def group(given: str) -> str:
    """Those who count as one: an IPv4 address, the /64 of an IPv6 address."""
    found = address(given)
    return str(ip_network(f"{found}/{V6_PREFIX}", strict=False)) if ":" in found else found


def a_proxy(value: str) -> str:
    """An address or network of a proxy. Raises ValueError."""
    try:
        return str(ip_network(value.strip()))
    except ValueError:
        raise ValueError(f"{value!r} is no address or network of a proxy: as 10.0.0.5 or 10.0.0.0/28") from None
