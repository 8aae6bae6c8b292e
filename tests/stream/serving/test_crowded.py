"""Hundreds of connections that ask nothing: who comes with a request is answered, and no file is used up."""

import asyncio
import resource
import threading
import time
from contextlib import suppress
from dataclasses import replace

import psutil
import pytest
from starlette.types import Receive, Scope, Send

from stream.serving import server
from tests.stream.serving.attacking import LIMITS, echo, ended, serving, status, until

PATIENT = replace(LIMITS, head_s=60.0, body_s=60.0)
"""So that nothing but room is what ends a connection."""
HALVES = (
    b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
    b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na",
)  # fmt: skip


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("sources", [1, 50])
def test_who_asks_is_answered_while_hundreds_are_held_half_open(half: bytes, sources: int) -> None:
    """Five times as many as there may be, of one address or of many: an honest request has its answer in two seconds,
    from elsewhere and from the attacker's own address."""
    with serving(limits=PATIENT) as stand:
        for n in range(300):
            stand.client(half, f"127.0.1.{n % sources + 1}")
        for source in ("127.0.0.9", "127.0.1.1"):
            at = time.monotonic()
            assert stand.get("/", source, 2.0) == 200
            assert time.monotonic() - at < 2
        assert stand.refused["crowded"] >= 200
        until(lambda: len(psutil.Process().net_connections("tcp4")) < 1000)


def test_a_slow_sender_is_not_the_one_to_go() -> None:
    """The upload of one address stays while another's half-open connections make room for each other."""
    with serving(limits=PATIENT) as stand:
        sender = stand.client(b"POST /read HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 6\r\n\r\nabc")
        attackers = [stand.client(b"GET /", "127.0.0.2") for _ in range(200)]
        until(lambda: stand.refused["crowded"] >= 140)
        sender.sendall(b"def")
        assert status(sender.recv(1000)) == 200
        assert ended(attackers[0])


def test_who_asks_without_end_keeps_nobody_out() -> None:
    """Every place taken by one who always has a next request: each has one answer, then there is room for others."""
    asked = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 400
    with serving(limits=PATIENT) as stand:
        for n in range(60):
            with suppress(ConnectionError):
                stand.client(source=f"127.0.1.{n + 1}").sendall(asked)
        at = time.monotonic()
        assert stand.get("/", "127.0.0.9", 2.0) == 200
        assert time.monotonic() - at < 2


def test_where_there_is_room_a_connection_is_kept() -> None:
    """A busy sender asks again and again on one connection."""
    with serving() as stand:
        client = stand.client()
        for _ in range(5):
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            said = b""
            while not said.endswith(b"0\r\n\r\n"):
                said += client.recv(1000)
            assert status(said) == 200


def test_where_all_wait_for_us_the_next_is_refused_and_later_answered() -> None:
    """Requests that are being answered are not ended for others; once they are, there is room."""
    go, inside = threading.Event(), []

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        inside.append(scope)
        while not go.is_set():
            await asyncio.sleep(0.01)
        await echo(scope, receive, send)

    with serving(slow, replace(PATIENT, connections=16)) as stand:
        asked = [stand.client(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(16)]
        until(lambda: len(inside) == 16)
        late = stand.client(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: ended(late))
        assert stand.refused == {"full": 1}
        go.set()
        assert [status(one.recv(1000)) for one in asked] == [200] * 16
        assert stand.get() == 200


@pytest.fixture
def few_files():
    """The most files that this process may have open, as a test asks for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def may(soft_: int) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft_, hard))

    yield may
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_files_are_allowed_for_as_many_connections(few_files) -> None:
    """The usual 1,024 would be used up by them and the broker's, the database's and the telephone's: more are asked."""
    few_files(256)
    assert server.files_for(500) == 500
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 500 + 256 + 512


def test_where_no_more_files_may_be_had_there_are_fewer_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system does not allow is not used up."""
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(server.resource, "getrlimit", lambda which: (256, 1024))
    monkeypatch.setattr(server.resource, "setrlimit", lambda which, limits: given.append(limits))
    assert server.files_for(500) == 1024 - 256 - 512
    assert given == [(1024, 1024)]
    monkeypatch.setattr(server.resource, "getrlimit", lambda which: (128, 128))
    assert server.files_for(500) == 16
