import asyncio
from typing import Any

import pytest

from response.channels.alimtalk import AlimtalkChannel
from response.channels.http import HttpChannel, filled, nested
from response.records import Delivery, DeliveryResult, GatewayError, NotSent
from response.settings import AlimtalkSettings, VendorSettings
from tests.response.channels.messages import FULL, message
from tests.response.channels.vendor import Vendor, closed_port, vendor

OK = {"ok_field": "header.resultCode", "ok_value": "0"}
TAKEN = '{"header": {"resultCode": 0}}'
REFUSED = '{"header": {"resultCode": -1030, "resultMessage": "010-2345-6789"}}'


def _alimtalk(port: int, sms: Vendor | None, **more: Any) -> AlimtalkChannel:
    settings = {"url": f"http://127.0.0.1:{port}/at", "template_codes": {"tell_officer": "ANBU01"}} | OK | more
    by_sms = HttpChannel("sms", VendorSettings(url=sms.url), 2) if sms else None
    return AlimtalkChannel(AlimtalkSettings.model_validate(settings), by_sms, 0.5)


async def test_alimtalk_in_a_shape_of_the_vendors_own() -> None:
    """Nested fields, template parameters, the key as a header: as the settings say."""
    body = {
        "senderKey": "{sender}",
        "templateCode": "{template_code}",
        "recipientList.0.recipientNo": "{number}",
        "recipientList.0.templateParameter.name": "{value.name}",
        "recipientList.0.templateParameter.office": "{value.office}",
    }
    headers = {"X-Secret-Key": "secret-7", "X-NC-API-IDEMPOTENCY-KEY": "{key}"}
    with vendor(body=TAKEN) as it:
        channel = _alimtalk(it.port, None, body=body, headers=headers, sender="S1")
        delivery = await channel.send(message(channel="alimtalk"))
    assert (delivery.result, delivery.channel) == (DeliveryResult.sent, "alimtalk")
    (request,) = it.asked
    assert request.json == {
        "senderKey": "S1",
        "templateCode": "ANBU01",
        "recipientList": [{"recipientNo": "01023456789", "templateParameter": {"name": "김○수"}}],
    }
    assert (request.headers["X-Secret-Key"], request.headers["X-NC-API-IDEMPOTENCY-KEY"]) == ("secret-7", "c7-3")


@pytest.mark.parametrize(
    ("ways", "detail"),
    [
        ({"body": REFUSED}, "header.resultCode: -1030"),
        ({"status": 503}, "HTTP 503"),
        ({"status": 400}, "HTTP 400"),
    ],
)
async def test_refused_goes_by_sms(ways: dict[str, Any], detail: str) -> None:
    """A clear refusal is told by SMS, and the delivery says so."""
    with vendor(**ways) as it, vendor() as sms:
        delivery = await _alimtalk(it.port, sms).send(message(channel="alimtalk"))
    assert delivery == Delivery(DeliveryResult.sent, "sms", None, f"alimtalk: {detail}; sms: sent")
    assert (len(it.asked), len(sms.asked)) == (1, 1)
    assert sms.asked[0].json["to"] == "01023456789"


async def test_no_connection_goes_by_sms() -> None:
    """Nothing went out."""
    with vendor() as sms:
        delivery = await _alimtalk(closed_port(), sms).send(message(channel="alimtalk"))
    assert (delivery.result, delivery.channel) == (DeliveryResult.sent, "sms")


async def test_a_template_without_a_code_goes_by_sms() -> None:
    """알림톡 takes approved templates alone; the vendor is not asked."""
    with vendor(body=TAKEN) as it, vendor() as sms:
        delivery = await _alimtalk(it.port, sms).send(message("calmed", channel="alimtalk"))
    assert (delivery.result, delivery.channel) == (DeliveryResult.sent, "sms")
    assert (len(it.asked), len(sms.asked)) == (0, 1)


@pytest.mark.parametrize(
    ("ways", "detail"),
    [
        ({"way": "hang"}, "no answer in time"),
        ({"way": "drop"}, "the connection broke (ServerDisconnectedError)"),
        ({"status": 504}, "HTTP 504"),
        ({"body": "<html>"}, "the answer has no header.resultCode"),
    ],
)
async def test_what_may_have_arrived_is_not_sent_again(ways: dict[str, Any], detail: str) -> None:
    """The request went out and nobody knows: unknown, and no SMS."""
    with vendor(**ways) as it, vendor() as sms:
        delivery = await _alimtalk(it.port, sms).send(message(channel="alimtalk"))
    assert delivery == Delivery(DeliveryResult.unknown, "alimtalk", None, detail)
    assert (len(it.asked), len(sms.asked)) == (1, 0)


async def test_without_sms_it_is_told_as_it_is() -> None:
    """Nothing to fall back to: failed, or not sent for want of a channel."""
    with vendor(status=503) as it:
        channel = _alimtalk(it.port, None)
        assert (await channel.send(message(channel="alimtalk"))).result is DeliveryResult.failed
        delivery = await channel.send(message("calmed", channel="alimtalk"))
    assert (delivery.result, delivery.reason) == (DeliveryResult.not_sent, NotSent.no_channel)


async def test_an_sms_vendor_that_refuses_with_200() -> None:
    """A form, and a refusal that only the body tells: failed, not sent."""
    settings = VendorSettings(url="", form=True, body={"receiver": "{number}", "msg": "{text}"}, ok_field="code",
                              ok_value="0")  # fmt: skip
    with vendor(body='{"code": -101}') as it:
        channel = HttpChannel("sms", settings.model_copy(update={"url": it.url}), 2)
        delivery = await channel.send(message())
        nowhere = await channel.send(message(address="kim@office.example"))
    assert (delivery.result, delivery.detail) == (DeliveryResult.failed, "code: -101")
    assert it.asked[0].form["receiver"] == "01023456789"
    assert it.asked[0].form["msg"].startswith("[심각]")
    assert (nowhere.result, nowhere.reason, len(it.asked)) == (DeliveryResult.not_sent, NotSent.no_address, 1)


@pytest.mark.parametrize(
    "settings",
    [{"url": ""}, {"url": "https://x", "body": {"a": "{txet}"}},
     {"url": "https://x", "body": {"a": "1", "a.b": "2"}}],
)  # fmt: skip
def test_settings_that_cannot_be_used(settings: dict[str, Any]) -> None:
    """One line at the start: no URL, a placeholder nobody knows, a field that is two things."""
    with pytest.raises(GatewayError, match=r"response\.sms\."):
        HttpChannel("sms", VendorSettings.model_validate(settings), 1)


def test_fields_nest_and_what_is_not_given_is_left_out() -> None:
    """Dots are objects, numbers are places of a list."""
    given = {"number": "1", "value.name": "{text}"}
    fields = filled({"l.1.n": "{number}", "l.0.n": "x{value.name}", "gone": "{value.link}", "c": "fix"}, given)
    assert nested(fields) == {"l": [{"n": "x{text}"}, {"n": "1"}], "c": "fix"}


async def test_nothing_of_it_is_logged(logged: list[str]) -> None:
    """Neither number nor text, nor what the vendor says of them."""
    with vendor(body=REFUSED) as it, vendor(status=500) as sms:
        delivery = await _alimtalk(it.port, sms).send(message(channel="alimtalk"))
    assert delivery.result is DeliveryResult.failed
    for hidden in ("010-2345-6789", "01023456789", "김○수", FULL["link"]):
        assert hidden not in "\n".join(logged) + repr(delivery)


def test_a_code_for_a_text_that_there_is_not_is_refused() -> None:
    """Misspelt, it would be passed over and every such message go by SMS."""
    settings = AlimtalkSettings(url="https://x.kr", template_codes={"tell_oficer": "A1"})
    with pytest.raises(GatewayError, match=r"response\.alimtalk\.template_codes: no template tell_oficer"):
        AlimtalkChannel(settings, None, 1)


@pytest.mark.parametrize("way", ["endless", "drip"])
async def test_an_answer_without_end_holds_nobody(way: str) -> None:
    """Read to a bound and within a time: nobody knows whether the message was taken, and the next one is sent."""
    settings = VendorSettings(url="", body={"to": "{number}"}, ok_field="code", ok_value="0")
    with vendor(way=way) as it:
        channel = HttpChannel("sms", settings.model_copy(update={"url": it.url}), 0.5)
        delivery = await asyncio.wait_for(channel.send(message()), 20)
    assert delivery.result is DeliveryResult.unknown
    assert it.given < 20_000_000
    assert len(it.asked) == 1


async def test_an_answer_nested_without_end_is_no_answer() -> None:
    """A hundred thousand brackets are no reason to fail."""
    settings = VendorSettings(url="", body={"to": "{number}"}, ok_field="code", ok_value="0")
    with vendor(body="[" * 100_000) as it:
        delivery = await HttpChannel("sms", settings.model_copy(update={"url": it.url}), 2).send(message())
    assert (delivery.result, delivery.detail) == (DeliveryResult.unknown, "the answer has no code")
