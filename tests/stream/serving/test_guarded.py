"""Every request within its bounds, every answer with its headers, whatever is asked and whatever goes wrong."""

import logging
import socket

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from stream.serving.guarded import HEADERS, Guarded
from stream.serving.limits import Limits
from tests.stream.serving.attacking import answer, serving, status, until

SECRET = "resident 김영자 010-1234-5678"


async def form(request: Request) -> Response:
    """Takes a body."""
    return PlainTextResponse(str(len(await request.body())))


async def broken(request: Request) -> Response:
    """Fails with what it holds in its words."""
    raise RuntimeError(SECRET)


async def own(request: Request) -> Response:
    """Has a policy of its own."""
    return PlainTextResponse("", headers={"Content-Security-Policy": "mine"})


ROUTES = [Route("/form", form, methods=["POST"]), Route("/broken", broken), Route("/own", own)]
LIMITS = Limits(body_bytes=1000, bodies_bytes=1500)
CHUNKS = b"POST /form HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def client() -> TestClient:
    """A client of the routes, which sees a 500 as others do."""
    return TestClient(Guarded(Starlette(routes=ROUTES), LIMITS), raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("method", "path", "told", "expected"),
    [
        ("POST", "/form", {"content": b"a" * 1000}, 200),
        ("POST", "/form", {"content": b"a" * 1001}, 413),
        ("GET", "/form", {}, 405),
        ("GET", "/nothing", {}, 404),
        ("GET", "/broken", {}, 500),
        ("GET", "/own", {"headers": {f"X-{n}": "" for n in range(101)}}, 431),
    ],
)
def test_every_answer_has_the_headers(client: TestClient, method: str, path: str, told: dict, expected: int) -> None:
    """200 and what is refused alike: no script, no frame, no guessing of types, no copy."""
    said = client.request(method, path, **told)
    assert said.status_code == expected
    assert [(n, said.headers[n.decode()].encode()) for n, _ in HEADERS] == list(HEADERS)
    assert "server" not in said.headers


def test_a_policy_of_ones_own_stays(client: TestClient) -> None:
    """The page names its style sheet."""
    assert client.get("/own").headers["content-security-policy"] == "mine"


def test_a_fault_shows_nothing_of_what_is_inside(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the answer nor the log has the words of an exception: a person may be in them."""
    with caplog.at_level(logging.DEBUG):
        said = client.get("/broken")
    assert said.status_code == 500
    assert "김영자" not in said.text + caplog.text
    assert "Traceback" not in said.text + caplog.text


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"\0\1\2 nothing\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000, 400),
        (b"GET /" + b"a" * 20_000, 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 101 + b"\r\n", 431),
        (b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b"GET /broken HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 500),
        (CHUNKS + b"zz\r\n", 400),
        (CHUNKS + b"3e9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n", 413),
        (b"GET /form HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n", 405),
        (b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n", 400),
        (b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\nConnection: close\r\n\r\n", 413),
    ],
)
def test_on_the_wire_too(said: bytes, expected: int) -> None:
    """What the server itself refuses, before any application, has the headers as well; no name of the server."""
    with serving(Starlette(routes=ROUTES), LIMITS) as stand:
        client = stand.client()
        client.sendall(said)
        client.shutdown(socket.SHUT_WR)
        told = answer(client)
        assert status(told) == expected
        head = told.partition(b"\r\n\r\n")[0].lower()
        assert all(name + b": " + value.lower() in head for name, value in HEADERS)
        assert b"server:" not in head


def test_garbage_in_the_midst_of_an_answer_ends_the_connection() -> None:
    """No second answer into the first, no line of log from the event loop."""
    with serving() as stand:
        client = stand.client(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 200"
        client.sendall(b"\0\1\2\r\n\r\n" * 100)
        assert b"HTTP/1.1 400" not in answer(client)
        assert stand.get() == 200


def test_all_bodies_together_are_bounded() -> None:
    """One who holds a body half sent leaves no room for the next: 503, to be sent again; then there is."""
    with serving(Starlette(routes=ROUTES), LIMITS) as stand:
        first = stand.client(b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b"a" * 999)
        body = b"POST /form HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 900\r\n\r\n" + b"a" * 900
        until(lambda: status(answer(stand.client(body))) == 503)
        assert b"retry-after: " in answer(stand.client(body)).lower()
        first.close()
        until(lambda: status(answer(stand.client(body))) == 200)


def test_who_goes_away_in_the_midst_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    """A connection that is closed before the body's end is not counted and says nothing."""
    with serving(Starlette(routes=ROUTES), LIMITS) as stand:
        for _ in range(20):
            stand.client(CHUNKS + b"5\r\na").close()
        assert stand.get("/own") == 200
        assert not stand.refused
    assert caplog.text == ""


async def test_nothing_but_http_is_served() -> None:
    """A web socket is a fault of the configuration."""

    async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    with pytest.raises(ValueError, match="websocket"):
        await Guarded(nothing, LIMITS)({"type": "websocket"}, None, None)  # type: ignore[arg-type]
