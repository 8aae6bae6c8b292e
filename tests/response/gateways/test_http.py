"""Calls by a vendor's HTTP: a real server on loopback plays the vendor, and ours hears its webhooks."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from response.gateways.http import PATH, HttpGateway, check, request_body, webhook_route
from response.gateways.webhook import sign
from response.records import Announcement, Call, CallOutcome, CallResult, GatewayError
from response.settings import HttpCallSettings
from tests.response.gateways.serving import serving

SECRET = "shared-0123456789abcdef"
CALL = Call("case-1/ask", "p-1", "01012345678", Announcement("안내 {key} 입니다", "check.wav"), ring_s=25)
LIMIT_S = 20.0

Does = Callable[["Vendor", dict[str, Any]], Awaitable[Response]]


class Vendor:
    """What the vendor was asked, and where it tells its webhooks."""

    def __init__(self, does: Does) -> None:
        self.does, self.asked, self.headers = does, [], []
        self.asked: list[dict[str, Any]]
        self.headers: list[dict[str, str]]
        self.told: list[int] = []
        self.ours = ""

    async def call(self, request: Request) -> Response:
        """POST /calls."""
        self.asked.append(await request.json())
        self.headers.append(dict(request.headers))
        return await self.does(self, self.asked[-1])

    async def tell(self, body: dict[str, Any], secret: str = SECRET) -> int:
        """Send a webhook; gives the status it was answered with."""
        raw = json.dumps(body).encode()
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.ours + PATH, data=raw, headers={"X-Signature": sign(secret, raw)}) as answer,
        ):
            self.told.append(answer.status)
            return answer.status


@asynccontextmanager
async def at_work(
    does: Does, **settings: Any
) -> AsyncIterator[tuple[HttpGateway, Vendor, list[tuple[str, CallResult]]]]:
    """A vendor that ``does`` with requests, our gateway and what it had stored."""
    stored: list[tuple[str, CallResult]] = []

    async def store(key: str, result: CallResult) -> None:
        stored.append((key, result))

    vendor = Vendor(does)
    async with serving(Starlette(routes=[Route("/calls", vendor.call, methods=["POST"])])) as theirs:
        given = {"url": f"{theirs}/calls", "headers": {"Authorization": "Key k"}, "secret": SECRET, **settings}
        gateway = HttpGateway(HttpCallSettings(**given), store=store)
        async with serving(Starlette(routes=[webhook_route(gateway)])) as vendor.ours:
            await gateway.start()
            try:
                yield gateway, vendor, stored
            finally:
                await gateway.close()


async def test_what_cannot_be_stored_is_answered_5xx_and_taken_the_second_time() -> None:
    """The vendor sends it again: key 2 is not forgotten because the database was away."""
    stored: list[CallResult] = []
    away = True

    async def store(key: str, result: CallResult) -> None:
        if away:
            raise ConnectionError
        stored.append(result)

    gateway, vendor = HttpGateway(HttpCallSettings(secret=SECRET), store=store), Vendor(takes)
    async with serving(Starlette(routes=[webhook_route(gateway)])) as vendor.ours:
        pressed = {"id": "k", "status": "answered", "dtmf": "2"}
        assert await vendor.tell(pressed) == 503
        away = False
        assert await vendor.tell(pressed) == 204
    assert [result.key for result in stored] == ["2"]


async def test_it_is_stored_before_it_is_answered_though_somebody_waits_for_it() -> None:
    """A process that ends between the two would take the key with it."""
    async with at_work(answers("answered", dtmf="2")) as (gateway, _, stored):
        done = await asyncio.wait_for(gateway.place(CALL), LIMIT_S)
    assert done.key == "2"
    assert [result.key for _, result in stored] == ["2"]


def answers(status: str, **more: Any) -> Does:
    """A vendor whose webhook is faster than its answer to the request."""

    async def does(vendor: Vendor, asked: dict[str, Any]) -> Response:
        await vendor.tell({"id": asked["id"], "status": "ringing"})
        await vendor.tell({"id": asked["id"], "status": status, **more})
        return JSONResponse({}, 202)

    return does


async def takes(vendor: Vendor, asked: dict[str, Any]) -> Response:
    """A vendor that takes the request and tells nothing by itself."""
    return JSONResponse({}, 202)


@pytest.mark.parametrize(
    ("status", "more", "outcome", "pressed"),
    [
        ("answered", {"dtmf": "1"}, CallOutcome.answered_key, "1"),
        ("answered", {"dtmf": 2}, CallOutcome.answered_key, "2"),
        ("answered", {"dtmf": None}, CallOutcome.answered_no_key, None),
        ("busy", {}, CallOutcome.busy, None),
        ("no-answer", {"dtmf": ""}, CallOutcome.no_answer, None),
        ("rejected", {}, CallOutcome.rejected, None),
        ("failed", {}, CallOutcome.failed, None),
    ],
)
async def test_call_ends_as_the_webhook_says(
    status: str, more: dict[str, Any], outcome: CallOutcome, pressed: str | None
) -> None:
    """Ringing is not the end; the vendor's word becomes ours."""
    async with at_work(answers(status, **more)) as (gateway, vendor, stored):
        done = await asyncio.wait_for(gateway.place(CALL), LIMIT_S)
    assert (done.outcome, done.pressed) == (outcome, pressed)
    assert done.dialled_at is not None
    assert done.ended_at is not None
    assert done.dialled_at <= done.ended_at
    assert vendor.told == [204, 204]
    assert vendor.asked == [{"id": CALL.key, "to": "01012345678", "text": "안내 {key} 입니다"}]
    assert vendor.headers[0]["authorization"] == "Key k"
    assert [(key, result.outcome, result.pressed) for key, result in stored] == [(CALL.key, outcome, pressed)]


async def test_webhook_after_a_restart_goes_to_who_keeps_the_results() -> None:
    """Nobody waits for that key any more: the end is not lost."""
    async with at_work(takes) as (_, vendor, late):
        assert await vendor.tell({"id": "case-0/ask", "status": "answered", "dtmf": "1"}) == 204
    assert [(key, done.outcome, done.pressed) for key, done in late] == [("case-0/ask", CallOutcome.answered_key, "1")]


async def test_webhook_of_a_stranger_ends_no_call() -> None:
    """A wrong signature is refused, and the call is waited for as before."""

    async def does(vendor: Vendor, asked: dict[str, Any]) -> Response:
        await vendor.tell({"id": asked["id"], "status": "answered", "dtmf": "1"}, secret="guessed")
        await vendor.tell({"id": asked["id"], "status": "busy"})
        return JSONResponse({}, 202)

    async with at_work(does) as (gateway, vendor, stored):
        done = await asyncio.wait_for(gateway.place(CALL), LIMIT_S)
    assert done.outcome is CallOutcome.busy
    assert vendor.told == [401, 204]
    assert [result.outcome for _, result in stored] == [CallOutcome.busy]


async def test_webhook_without_our_fields_is_refused() -> None:
    """The vendor's log shows the answer: 400, and which field is missing."""
    async with at_work(takes) as (_, vendor, late):
        assert await vendor.tell({"status": "busy"}) == 400
        assert await vendor.tell({"id": "k", "status": "busy", "more": "x" * 70_000}) == 413
    assert late == []


async def test_no_webhook_leaves_the_end_unknown() -> None:
    """A telephone may have rung: it is not tried again blindly."""
    async with at_work(takes, result_seconds=0.2) as (gateway, _, _late):
        done = await asyncio.wait_for(gateway.place(CALL), LIMIT_S)
    assert done.outcome is CallOutcome.unknown
    assert done.detail == "no webhook within 0.2 seconds"


@pytest.mark.parametrize("status", [302, 400, 401, 500, 503])
async def test_vendor_that_refuses_is_a_failed_call(status: int) -> None:
    """Nobody was rung; the line has no number of the person. A redirect is not followed: the number stays here."""

    async def does(vendor: Vendor, asked: dict[str, Any]) -> Response:
        return Response(f"no such number {asked['to']}", status, {"location": "http://127.0.0.1:1/"})

    async with at_work(does) as (gateway, _, _late):
        done = await asyncio.wait_for(gateway.place(CALL), LIMIT_S)
    assert done.outcome is CallOutcome.failed
    assert done.detail == f"vendor refused the request: HTTP {status}"


async def test_vendor_that_is_not_there_is_a_failed_call() -> None:
    """Connection refused: said in a line."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: nobody answers there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/calls"
        gateway = HttpGateway(HttpCallSettings(url=url, secret=SECRET))
        await gateway.start()
        done = await asyncio.wait_for(gateway.place(CALL), LIMIT_S)
        await gateway.close()
    assert done.outcome is CallOutcome.failed
    assert done.detail.startswith("vendor cannot be reached: ")
    assert CALL.number not in done.detail


async def test_request_without_an_answer_may_have_been_taken() -> None:
    """The vendor hangs after it took the request: its webhook still counts."""
    asked_for, over = asyncio.Event(), asyncio.Event()

    async def does(vendor: Vendor, asked: dict[str, Any]) -> Response:
        asked_for.set()
        await over.wait()
        return JSONResponse({}, 202)

    async with at_work(does, request_seconds=0.2) as (gateway, vendor, _):
        placed = asyncio.create_task(gateway.place(CALL))
        await asyncio.wait_for(asked_for.wait(), LIMIT_S)
        await vendor.tell({"id": CALL.key, "status": "answered", "dtmf": "1"})
        done = await asyncio.wait_for(placed, LIMIT_S)
        over.set()
    assert (done.outcome, done.pressed) == (CallOutcome.answered_key, "1")


async def test_cancelled_call_is_forgotten_and_its_webhook_is_late() -> None:
    """The ladder was stopped: what the vendor tells afterwards goes to the log of the case."""
    asked_for = asyncio.Event()

    async def does(vendor: Vendor, asked: dict[str, Any]) -> Response:
        asked_for.set()
        return JSONResponse({}, 202)

    async with at_work(does) as (gateway, vendor, late):
        placed = asyncio.create_task(gateway.place(CALL))
        await asyncio.wait_for(asked_for.wait(), LIMIT_S)
        placed.cancel()
        await asyncio.wait([placed], timeout=LIMIT_S)
        assert placed.cancelled()
        await vendor.tell({"id": CALL.key, "status": "busy"})
    assert [key for key, _ in late] == [CALL.key]


async def test_close_leaves_the_end_unknown() -> None:
    """We end while the vendor rings: nobody can tell."""
    asked_for = asyncio.Event()

    async def does(vendor: Vendor, asked: dict[str, Any]) -> Response:
        asked_for.set()
        return JSONResponse({}, 202)

    async with at_work(does) as (gateway, _, _late):
        placed = asyncio.create_task(gateway.place(CALL))
        await asyncio.wait_for(asked_for.wait(), LIMIT_S)
        await gateway.close()
        done = await asyncio.wait_for(placed, LIMIT_S)
    assert done.outcome is CallOutcome.unknown


def test_request_has_the_vendors_shape() -> None:
    """Nested fields, the ringing time as a number, and no placeholder inside what was filled in."""
    settings = HttpCallSettings(
        callback_url="https://anbu.example/v1/calls/status",
        body={
            "call.to": "82{number}", "call.ring": "{ring_seconds}", "call.id": "{key}", "say": "{text}",
            "file": "{recording}", "hook": "{callback_url}", "kind": "ars",
        },
    )  # fmt: skip
    assert request_body(settings, CALL) == {
        "call": {"to": "8201012345678", "ring": 25, "id": "case-1/ask"},
        "say": "안내 {key} 입니다",
        "file": "check.wav",
        "hook": "https://anbu.example/v1/calls/status",
        "kind": "ars",
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"secret": SECRET}, "HTTP_CALLS__URL"),
        ({"url": "https://vendor.example"}, "HTTP_CALLS__SECRET"),
        ({"url": "https://vendor.example", "secret": SECRET, "body": {"to": "{phone}"}}, "use key, number"),
        ({"url": "https://vendor.example", "secret": SECRET, "body": {"to": "a", "to.x": "b"}}, "field 'to'"),
    ],
)
def test_settings_that_cannot_work_are_named(given: dict[str, Any], said: str) -> None:
    """Before anybody is to be called, in one line."""
    with pytest.raises(GatewayError, match=said) as refused:
        check(HttpCallSettings(**given))
    assert "\n" not in str(refused.value)


def test_a_word_of_ours_that_is_none_is_refused() -> None:
    """A typing error in the statuses would leave every call unknown."""
    with pytest.raises(ValidationError, match="statuses"):
        HttpCallSettings(statuses={"done": "anwsered"})
