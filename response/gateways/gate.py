"""Who may speak to our telephone: what does not come from the trunk's addresses is dropped by the kernel, by a filter
on the SIP sockets (classic BPF), before the stack reads it. The stack itself never says where a message came from."""

import asyncio
import ctypes
import os
import socket
import stat
import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_network

import structlog

Network = IPv4Network | IPv6Network
SO_ATTACH_FILTER = 26
_NET = 0xFFF00000
"""SKF_NET_OFF: loads count from the IP header on."""
_BYTE, _WORD, _SHIFT, _AND, _EQUAL, _GO, _END = 0x30, 0x20, 0x74, 0x54, 0x15, 0x05, 0x06
_ALL, _NOTHING = 0xFFFFFFFF, 0
_MOST = 4096
"""Longest program that the kernel takes."""
FIRST_S, AGAIN_S = 1.0, 60.0
KEPT_S = 3600.0
"""A trunk with several addresses does not name all of them at each answer of the name server."""
log = structlog.get_logger(__name__)


class Gate:
    """Keeps our sockets at ``ports`` shut to all but ``names`` (addresses, networks, host names)."""

    def __init__(self, names: Iterable[str], ports: Iterable[int]) -> None:
        self._names, self._ports = tuple(names), tuple(ports)
        self._seen: dict[Network, float] = {}

    async def shut(self) -> list[str]:
        """Look the names up and let nobody else in; the addresses our sockets are bound to. Where no name is known
        nobody is let in at all, and that is said. Raises OSError, ValueError."""
        known, now = await asyncio.to_thread(networks, self._names), time.monotonic()
        self._seen = {net: at for net, at in self._seen.items() if now - at < KEPT_S} | dict.fromkeys(known, now)
        if not self._seen:
            log.error(
                "sip_trunk_unknown", remedy="no address of the trunk is known, so no call can be placed or taken: see "
                "ANBU_RESPONSE__SIP__DOMAIN and ANBU_RESPONSE__SIP__ACCEPT_FROM",
            )  # fmt: skip
        return shut(self._ports, self._seen)

    async def keep(self) -> None:
        """Again and again: trunks move, interfaces come, a connection may have been taken before the gate was shut."""
        pause = FIRST_S
        while True:
            await asyncio.sleep(pause)
            pause = AGAIN_S
            try:
                await self.shut()
            except (OSError, ValueError) as e:
                log.error("sip_gate", error=str(e))


def networks(names: Iterable[str]) -> frozenset[Network]:
    """The addresses of these: addresses, networks (203.0.113.0/28) and host names. A name that is not known now gives
    none. Waits for the name server."""
    found: set[Network] = set()
    for name in names:
        try:
            found.add(ip_network(name, strict=False))
            continue
        except ValueError:
            pass
        with suppress(OSError, UnicodeError):
            found |= {ip_network(str(info[4][0]).partition("%")[0]) for info in socket.getaddrinfo(name, None)}
    return frozenset(found)


def host(address: str) -> str:
    """The host of ``host``, ``host:port``, ``[v6]:port``."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def ours(ports: Iterable[int]) -> Iterator[socket.socket]:
    """The sockets of this process (copies, closed at the next one) that are bound to one of these ports."""
    wanted = set(ports)
    for fd in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # gone already
            if not stat.S_ISSOCK(os.stat(f"/proc/self/fd/{fd}").st_mode):
                continue
            with socket.socket(fileno=os.dup(int(fd))) as copy:
                if copy.family in (socket.AF_INET, socket.AF_INET6) and copy.getsockname()[1] in wanted:
                    yield copy


def shut(ports: Iterable[int], let_in: Iterable[Network]) -> list[str]:
    """Let nothing but packets from these networks reach our sockets at ``ports``, connections taken already too. Gives
    the addresses of the sockets. Again with other networks, the new ones alone count. Raises OSError, ValueError."""
    code = program(let_in)
    kept = ctypes.create_string_buffer(code, len(code))
    filter_ = struct.pack("HP", len(code) // 8, ctypes.addressof(kept))
    found = []
    for sock in ours(ports):
        sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, filter_)
        found.append(str(sock.getsockname()[0]))
    return found


def program(let_in: Iterable[Network]) -> bytes:
    """The filter: the whole packet where its source is of one of the networks, else nothing of it.

    Raises:
        ValueError: too many networks.
    """
    four: list[bytes] = []
    six: list[bytes] = []
    for network in sorted(set(let_in), key=str):
        (four if isinstance(network, IPv4Network) else six).extend(_matches(network))
    end = _step(_END, _NOTHING)
    code = [
        _step(_BYTE, _NET), _step(_SHIFT, 4), _step(_EQUAL, 4, 1, 0), _step(_GO, len(four) + 1), *four, end, *six, end,
    ]  # fmt: skip
    if len(code) > _MOST:
        raise ValueError("too many addresses: give networks")
    return b"".join(code)


def _matches(network: Network) -> list[bytes]:
    """Ends the program with the whole packet where the source is of the network, else goes on behind."""
    at = 12 if isinstance(network, IPv4Network) else 8
    size = len(network.network_address.packed) // 4
    wanted = struct.unpack(f">{size}I", network.network_address.packed)
    masks = struct.unpack(f">{size}I", network.netmask.packed)
    code: list[bytes] = []
    for n, (value, mask) in enumerate(zip(wanted, masks, strict=True)):
        past = 3 * (size - 1 - n) + 1
        code += [_step(_WORD, _NET + at + 4 * n), _step(_AND, mask), _step(_EQUAL, value, 0, past)]
    return [*code, _step(_END, _ALL)]


def _step(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, k)
