import asyncio

import pytest
import requests

from response.channels import answers
from response.channels.apprise import AppriseChannel
from response.channels.http import MOST_BYTES
from response.records import DeliveryResult, GatewayError, NotSent
from tests.response.channels.messages import FULL, message
from tests.response.channels.vendor import closed_port, mailbox, vendor

QUERY = "?:to={address}&:message=text&:version=&:attachments=&:type=&:title=&+X-Key={key}&+Authorization=secret-7"
ADDRESS = "010-2345-6789"


def _channel(port: int, more: str = "", timeout: float = 5) -> AppriseChannel:
    return AppriseChannel("sms", f"json://127.0.0.1:{port}/send{QUERY}{more}", timeout)


async def test_a_vendor_of_json_gets_what_it_asks_for() -> None:
    """Own names of fields, own headers, our key, and nothing that it did not ask for."""
    with vendor() as it:
        delivery = await _channel(it.port).send(message())
    assert (delivery.result, delivery.channel) == (DeliveryResult.sent, "sms")
    (request,) = it.asked
    assert request.json.keys() == {"to", "text"}
    assert request.json["to"] == ADDRESS
    assert request.json["text"].startswith("[심각] 김○수")
    assert (request.headers["X-Key"], request.headers["Authorization"]) == ("c7-3", "secret-7")


async def test_a_form_too() -> None:
    """form:// sends the same as fields of a form; an address with signs arrives as it is."""
    with vendor() as it:
        channel = AppriseChannel("sms", f"form://127.0.0.1:{it.port}/?:to={{address}}&:message=text", 5)
        assert (await channel.send(message(address="+82 10".replace(" ", "") + "&x=1#"))).result == "sent"
    assert it.asked[0].form["to"] == "+8210&x=1#"


@pytest.mark.parametrize(
    ("ways", "result", "detail"),
    [
        ({"status": 401}, "failed", "HTTP 401"),
        ({"status": 500, "body": "error=504 refused Socket Exception: x"}, "failed", "HTTP 500"),
        ({"status": 504}, "unknown", "HTTP 504"),
        ({"way": "moved"}, "failed", "HTTP 307"),
        ({"way": "hang"}, "unknown", "no answer in time"),
        ({"way": "drop"}, "unknown", "the connection broke"),
    ],
)
async def test_what_a_service_does(ways: dict[str, str | int], result: str, detail: str) -> None:
    """Refused is failed; gone out without an answer is unknown; it is asked once, whatever the URL says of it."""
    with vendor(**ways) as it:
        delivery = await _channel(it.port, "&retry=3&wait=0&redirect=yes", timeout=0.5).send(message())
    assert (str(delivery.result), delivery.detail) == (result, detail)
    assert len(it.asked) == 1


async def test_an_answer_without_end_is_not_kept() -> None:
    """Nobody knows whether the message was taken; no more of it is read than of any vendor's."""
    with vendor(way="endless") as it:
        delivery = await _channel(it.port, timeout=20).send(message())
        assert it.given < 20_000_000
    assert (delivery.result, len(it.asked)) == (DeliveryResult.unknown, 1)


def test_who_reads_piece_by_piece_has_it_all() -> None:
    """The broker's jars come by the same library into the same process, and are larger than any vendor's answer."""
    much = "x" * (4 * MOST_BYTES)
    answers.bound_requests()
    with vendor(body=much) as it, requests.get(it.url, stream=True, timeout=10) as answer:
        assert b"".join(answer.iter_content(8192)).decode() == much


async def test_an_answer_that_drips_lets_its_thread_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then: given up in time, and the connection closed, not only looked away from."""
    monkeypatch.setattr(answers, "MOST_S", 1.0)
    with vendor(way="drip") as it:
        delivery = await _channel(it.port, timeout=0.5).send(message())
        assert await asyncio.to_thread(it.gone.wait, 10)
    assert (delivery.result, delivery.detail) == (DeliveryResult.unknown, "no answer in time")


async def test_nobody_there_is_failed() -> None:
    """Where the connection never stood nothing went out."""
    delivery = await _channel(closed_port()).send(message())
    assert (delivery.result, delivery.detail) == (DeliveryResult.failed, "no connection")


@pytest.mark.parametrize("address", ["", "010 1", "a@b.c,d@e.f", "010;011"])
async def test_an_address_is_one_address(address: str) -> None:
    """An empty one, or several in one, is not sent to anybody."""
    with vendor() as it:
        delivery = await _channel(it.port).send(message(address=address))
    assert (delivery.result, delivery.reason) == (DeliveryResult.not_sent, NotSent.no_address)
    assert it.asked == []


def _mail(port: int) -> AppriseChannel:
    url = f"mailto://127.0.0.1:{port}?from=anbu@example.org&to={{address}}&mode=insecure&format=text"
    return AppriseChannel("email", url, 5)


async def test_mail_arrives_as_it_is_written() -> None:
    """To the address, with subject and the long form."""
    with mailbox() as it:
        delivery = await _mail(it.port).send(message(channel="email", address="kim@office.example", drill=True))
    assert (delivery.result, delivery.channel) == (DeliveryResult.sent, "email")
    ((to, subject, text),) = it.mails
    assert (to, subject) == ("kim@office.example", "[훈련] [심각] 도움 요청 김○수 · 역삼1동")
    assert text.startswith("[훈련] 본인이")
    assert FULL["link"] in text


@pytest.mark.parametrize(
    ("ways", "result", "detail"),
    [({"refuse": "550 nobody"}, "failed", "SMTP 550"), ({"way": "drop"}, "unknown", "the connection broke")],
)
async def test_what_a_mail_server_does(ways: dict[str, str], result: str, detail: str) -> None:
    """A refusal is failed; a line that breaks after the mail was handed over is unknown."""
    with mailbox(**ways) as it:
        delivery = await _mail(it.port).send(message(channel="email", address="kim@office.example"))
    assert (str(delivery.result), delivery.detail) == (result, detail)


async def test_no_mail_server_is_failed() -> None:
    """Nothing was handed over."""
    delivery = await _mail(closed_port()).send(message(channel="email", address="kim@office.example"))
    assert (delivery.result, delivery.detail) == (DeliveryResult.failed, "no connection")


@pytest.mark.parametrize("url", ["twili://AC1:tok-secret@1/{address}", "tok-secret", "", "json://"])
def test_a_url_that_cannot_be_used_is_one_line_without_its_secrets(url: str) -> None:
    """At the start, not at the first message."""
    with pytest.raises(GatewayError) as caught:
        AppriseChannel("sms", url, 5)
    assert "response.channels.sms" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "tok-secret" not in str(caught.value)


@pytest.mark.parametrize("ways", [{}, {"status": 500, "body": ADDRESS}, {"way": "drop"}, {"way": "hang"}])
async def test_nothing_of_it_is_logged(ways: dict[str, str], logged: list[str]) -> None:
    """Neither address nor text nor keys, at any level, of ours or of the libraries."""
    with vendor(**ways) as it:
        delivery = await _channel(it.port, timeout=0.4).send(message())
    for hidden in (ADDRESS, ADDRESS.replace("-", ""), "김○수", "secret-7", FULL["link"], "/send"):
        assert hidden not in "\n".join(logged) + repr(delivery)
