"""A Korean vendor's messages by HTTP: one POST a message, and an answer that says whether it was taken.

Beside Apprise's json:// because such vendors answer a refusal with HTTP 200 and a code in the body.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import aiohttp

from response.channels.words import WordsError, render
from response.fields import overlapping, tree
from response.records import Delivery, DeliveryResult, GatewayError, Message, NotSent
from response.settings import VendorSettings
from stream.plain import SENTENCES, plain

PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[a-z_]+)?)\}")
MOST_BYTES = 256 * 1024
"""Of a vendor's answer."""
NUMBER = re.compile(r"\+?[\d-]{3,20}")
KNOWN = frozenset({"key", "number", "text", "sender", "template_code"})
"""Placeholders beside the message's own values (``{value.name}``)."""


class HttpChannel:
    """Sends by one vendor, at most once a message: a request whose end is unknown is not repeated."""

    real = True

    def __init__(self, name: str, settings: VendorSettings, timeout: float) -> None:
        """``timeout``: seconds until the end of a delivery counts as unknown.

        Raises:
            GatewayError: the settings cannot be used.
        """
        if not re.match(r"https?://[^\s/]", settings.url):
            raise GatewayError(
                f"채널 {name}의 주소는 http(s)여야 합니다 · response.{name}.url must begin with https:// or http://"
            )
        if fault := _fault(settings.body):
            raise GatewayError(f"채널 {name}의 요청 양식이 잘못되었습니다 · response.{name}.body: {fault}")
        self.name = name
        self._settings = settings
        self._timeout = timeout

    async def send(self, message: Message) -> Delivery:
        """Render and send."""
        result, detail = await self.post(message)
        reason = NotSent.no_address if result is DeliveryResult.not_sent else None
        return Delivery(result, self.name, reason, detail)

    async def post(self, message: Message, template_code: str = "") -> tuple[DeliveryResult, str]:
        """One request. ``failed``: certainly not taken; ``unknown``: it may have been; ``not_sent``: not a number."""
        if not NUMBER.fullmatch(message.address):
            return DeliveryResult.not_sent, "no usable number"
        try:
            given = self._given(message, template_code)
        except WordsError as e:
            return DeliveryResult.failed, str(e)
        fields = filled(self._settings.body, given)
        headers = {name: value.get_secret_value() for name, value in self._settings.headers.items()}
        timeout = aiohttp.ClientTimeout(
            total=3 * self._timeout, connect=min(5.0, self._timeout), sock_read=self._timeout
        )
        body: dict[str, Any] = {"data": fields} if self._settings.form else {"json": nested(fields)}
        try:
            # One session a message: no cookies from one to the next, no stale connection to fall over
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
                session.post(
                    self._settings.url, headers=filled(headers, given), allow_redirects=False, **body
                ) as answer,
            ):
                return self._judge(answer.status, await _said(answer))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL):
            return DeliveryResult.failed, "no connection"
        except TimeoutError:
            return DeliveryResult.unknown, "no answer in time"
        except (aiohttp.ClientError, OSError) as e:
            return DeliveryResult.unknown, f"the connection broke ({type(e).__name__})"

    async def close(self) -> None:
        """Nothing is kept open between messages."""

    def _given(self, message: Message, template_code: str) -> dict[str, str]:
        values = {f"value.{name}": plain(value, SENTENCES) for name, value in message.values.items()}
        return values | {
            "key": message.key,
            "number": message.address.replace("-", ""),
            "text": render(message).text,
            "sender": self._settings.sender,
            "template_code": template_code,
        }

    def _judge(self, status: int, text: str) -> tuple[DeliveryResult, str]:
        if status == 504:  # whoever stands before the vendor gave up waiting for it
            return DeliveryResult.unknown, "HTTP 504"
        if not 200 <= status < 300:
            return DeliveryResult.failed, f"HTTP {status}"
        if not self._settings.ok_field:
            return DeliveryResult.sent, ""
        said = _field(text, self._settings.ok_field)
        if said is None:
            return DeliveryResult.unknown, f"the answer has no {self._settings.ok_field}"
        if said == self._settings.ok_value:
            return DeliveryResult.sent, ""
        # a code helps whoever looks; a sentence may repeat the number or the message
        code = said if re.fullmatch(r"[A-Za-z_]{1,20}|-?\d{1,5}", said) else "refused"
        return DeliveryResult.failed, f"{self._settings.ok_field}: {code}"


async def _said(answer: aiohttp.ClientResponse) -> str:
    """The text of an answer, as far as one may be long; what is longer has no field that we know."""
    said = b""
    async for piece in answer.content.iter_chunked(MOST_BYTES):
        said += piece
        if len(said) > MOST_BYTES:
            return ""
    return said.decode(errors="replace")


def _fault(body: Mapping[str, str]) -> str:
    """What is wrong with the fields of a request; empty: nothing."""
    for field in body.values():
        for asked in PLACEHOLDER.findall(field):
            if asked not in KNOWN and not asked.startswith("value."):
                return f"{{{asked}}} is not known; there are {', '.join(sorted(KNOWN))} and value.*"
    both = overlapping(body)
    return f"{both} has a value and fields below it" if both is not None else ""


def filled(fields: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Fields with their placeholders filled; those that ask for what is not given are left out."""
    return {
        name: PLACEHOLDER.sub(lambda m: given[m[1]], field)
        for name, field in fields.items()
        if all(asked in given for asked in PLACEHOLDER.findall(field))
    }


def nested(fields: Mapping[str, str]) -> Any:
    """``{"a.0.b": x}`` as ``{"a": [{"b": x}]}``."""
    return _lists(tree(fields))


def _lists(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    if part and all(key.isdecimal() for key in part):
        return [_lists(part[key]) for key in sorted(part, key=int)]
    return {key: _lists(value) for key, value in part.items()}


def _field(text: str, path: str) -> str | None:
    """A field of a JSON answer as text (``true``, ``0``); None where it is not there."""
    try:
        at = json.loads(text)
        for part in path.split("."):
            at = at[int(part)] if isinstance(at, list) else at[part]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None
    return at if isinstance(at, str) else json.dumps(at)
