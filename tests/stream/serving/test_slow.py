"""Whoever is slow on purpose is ended; whoever comes meanwhile is answered."""

import socket
import time
from collections import Counter
from dataclasses import replace

import pytest

from tests.stream.serving.attacking import LIMITS, answer, ended, serving, status, until

pytestmark = pytest.mark.slow  # by the clock
HEAD = b"POST /read HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


HALVES = {
    b"": "head_slow",
    b"GET / HTT": "head_slow",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ": "head_slow",
    HEAD + b"Content-Length: 100\r\n\r\n": "body_slow",
    HEAD + b"Content-Length: 100\r\n\r\nabc": "body_slow",
    CHUNKED: "body_slow",
    CHUNKED + b"5\r\nab": "body_slow",
    CHUNKED + b"2\r\nab\r\n0\r\nTrailer: ": "body_slow",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHo": "head_slow",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc": "rest_of_body",
}


def test_a_request_that_stops_half_way_is_ended() -> None:
    """Nothing, half a head, half a body, a body that nobody reads: after its time the connection is gone."""
    with serving() as stand:
        clients = [stand.client(half) for half in HALVES]
        until(lambda: all(ended(client) for client in clients))
        assert stand.refused == Counter(HALVES.values())


def test_bytes_that_drip_in_do_not_help() -> None:
    """A byte every now and then keeps no connection."""
    drips = {b"GET / HTTP/1.1\r\nX-A: ": b"a", HEAD + b"Content-Length: 9999\r\n\r\n": b"a", CHUNKED: b"1\r\na\r\n"}
    with serving() as stand:
        clients = [(stand.client(said), more) for said, more in drips.items()]

        def gone(client: socket.socket, more: bytes) -> bool:
            try:
                client.sendall(more)
            except ConnectionError:
                return True
            return ended(client)

        until(lambda: not [one for one in clients if not gone(*one)])
        assert stand.refused == {"head_slow": 1, "body_slow": 2}


def test_the_slow_are_told() -> None:
    """An honest client on a broken line learns why: 408, with the headers of every answer."""
    with serving() as stand:
        said = answer(stand.client(b"GET / HTTP/1.1\r\nX-A: "))
        assert status(said) == 408
        assert b"content-security-policy" in said


def test_a_connection_that_asks_nothing_more_is_ended() -> None:
    """Kept open for the next request, it is closed after a while; that is no refusal."""
    with serving() as stand:
        client = stand.client(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: ended(client))
        assert not stand.refused


def test_a_body_that_comes_steadily_may_take_its_time() -> None:
    """A sender on a thin line is no attacker: longer than the first seconds, at the rate that is wanted."""
    limits = replace(LIMITS, body_s=1.0, body_rate=1000.0)
    with serving(limits=limits) as stand:
        client = stand.client(HEAD + b"Connection: close\r\nContent-Length: 9000\r\n\r\n")
        for _ in range(30):
            client.sendall(b"a" * 300)
            time.sleep(0.1)  # the line's speed: 3,000 bytes a second for three seconds
        assert status(answer(client)) == 200


@pytest.mark.parametrize("path", [b"/large", b"/"])
def test_an_answer_that_nobody_takes_is_thrown_away(path: bytes) -> None:
    """One who asks and never reads, once for much or again and again for little, holds nothing for long."""
    with serving() as stand, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", stand.port))
        client.setblocking(False)
        asked = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path
        more = [True]

        def given_up() -> bool:
            try:
                for _ in range(100 if path == b"/" else more.pop() if more else 0):
                    client.send(asked * (100 if path == b"/" else 1))
            except BlockingIOError:
                pass
            except ConnectionError:
                return True
            return bool(stand.refused["answer_not_taken"])

        until(given_up, 40)
        assert stand.refused == {"answer_not_taken": 1}
        assert stand.get() == 200
