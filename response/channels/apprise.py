"""A channel that is one Apprise URL: e-mail, an SMS service, a webhook. ``{address}`` in it is whom it goes to.

Any vendor's JSON or form over HTTP is such a URL too: ``jsons://host/path?:to={address}&:message=text&+X-Api-Key=...``
(docs/messages.md). Apprise does not raise for what a service does: it answers false and writes a log line, which may
hold a number or a host. So its log goes nowhere, and is read here alone to tell "refused" from "nobody knows".
"""

import logging
import re
from collections.abc import Sequence
from urllib.parse import quote

import apprise
from apprise.logger import NotifyLogEntry
from apprise.result import AppriseResult, AppriseResultStatus

from response.channels.answers import bound_requests
from response.channels.words import Rendered, WordsError, render
from response.records import Delivery, DeliveryResult, GatewayError, Message, NotSent
from stream.hosts import is_here

SAMPLES = ("someone@example.org", "01000000000", "%2B821000000000")
"""Addresses that a URL is tried with at the start: what kind it takes only Apprise knows."""

NOT_GONE = re.compile(
    r"refused|establish a new connection|connect timeout|name or service|resol(ve|ution)|getaddrinfo|unreachable"
    r"|no route|certificate",
    re.IGNORECASE,
)
"""What an exception says where the connection never stood."""


class AppriseChannel:
    """Sends by one Apprise URL, at most once a message: no retries, no redirects."""

    def __init__(self, name: str, url: str, timeout: float, real: bool = True) -> None:
        """``timeout``: seconds until the end of a delivery counts as unknown.

        Raises:
            GatewayError: Apprise cannot use the URL.
        """
        self.name = name
        self.real = real
        self._url = url
        self._timeout = timeout
        silence_apprise()
        bound_requests()
        if self.service() is None:
            scheme = re.match(r"\w+://", url)
            raise GatewayError(
                f"채널 {name}의 주소를 쓸 수 없습니다 · response.channels.{name} cannot be used "
                f"({scheme[0] + '***' if scheme else 'no scheme'}): see docs/messages.md"
            )

    async def send(self, message: Message) -> Delivery:
        """Render and send. ``unknown`` where the request may have gone out and no answer came."""
        if "{address}" in self._url and not re.fullmatch(r"[^\s,;]+", message.address):
            return self._delivery(DeliveryResult.not_sent, "no usable address", NotSent.no_address)
        try:
            words = render(message)
        except WordsError as e:
            return self._delivery(DeliveryResult.failed, str(e))
        service = self._service(message.address, message.key)
        if service is None:
            return self._delivery(DeliveryResult.not_sent, "the service takes no such address", NotSent.no_address)
        return await self._notify(service, words)

    def overt(self) -> str:
        """The host of another machine that is spoken to in the clear, or whoever it is (``verify=no``); empty: none."""
        service, scheme = self.service(), self._url.partition("://")[0].lower()
        if service is None:
            return ""
        mode = getattr(service, "secure_mode", None)  # of mail, which begins in the clear and goes on encrypted
        plain = mode == "insecure" if mode is not None else scheme in _names(service.protocol)
        host = str(getattr(service, "smtp_host", None) or getattr(service, "host", None) or "")
        return host if (plain or not service.verify_certificate) and not is_here(host) else ""

    async def close(self) -> None:
        """Nothing is kept open between messages."""

    def service(self) -> apprise.NotifyBase | None:
        """Apprise's service with some address, to see where it leads; None: it takes none that we know."""
        return next((made for s in SAMPLES if (made := self._service(s, "key")) is not None), None)

    async def _notify(self, service: apprise.NotifyBase, words: Rendered) -> Delivery:
        sender = apprise.Apprise(asset=_asset())
        sender.add(service)
        # log_level: the lines at DEBUG are what tells a refusal from a broken line; they stay in the result
        with await sender.async_notify(
            title=words.subject, body=words.text, body_format=apprise.NotifyFormat.TEXT,
            timeout=self._timeout, log_level=logging.DEBUG,
        ) as result:  # fmt: skip
            return self._delivery(*outcome(result))

    def _service(self, address: str, key: str) -> apprise.NotifyBase | None:
        url = self._url.replace("{address}", quote(address, safe="")).replace("{key}", quote(key, safe=""))
        service = apprise.Apprise.instantiate(url, asset=_asset())
        if service is not None:
            service.redirects = False  # ?redirect=yes would carry keys and numbers to where nobody sent them
            service.retry = 0  # ?retry= in the URL would send again what may have arrived
            if not re.search(r"[?&]rto=", url):
                service.socket_read_timeout = self._timeout
        return service

    def _delivery(self, result: DeliveryResult, detail: str, reason: NotSent | None = None) -> Delivery:
        return Delivery(result, self.name, reason, detail)


def outcome(result: AppriseResult) -> tuple[DeliveryResult, str]:
    """What came of a notification, and one line on it without address, text or URL."""
    if result.status == AppriseResultStatus.SUCCESS:
        return DeliveryResult.sent, ""
    if result.status == AppriseResultStatus.TIMEOUT:
        return DeliveryResult.unknown, "no answer in time"
    return _failed([entry for service in result.results for entry in service.logs()])


def _failed(said: Sequence[NotifyLogEntry]) -> tuple[DeliveryResult, str]:
    """Of a failure: the lines at DEBUG that are no exception hold the text and the answer, and are not looked at."""
    warned = "\n".join(entry.message for entry in said if entry.level != "DEBUG")
    broke = "\n".join(e.message for e in said if e.level == "DEBUG" and re.match(r"[\w ]+ Exception: ", e.message))
    if status := re.search(r"error=(\d{3})\b", warned):
        # 504: whoever stands before the service gave up waiting for it
        gone = status[1] == "504"
        return DeliveryResult.unknown if gone else DeliveryResult.failed, f"HTTP {status[1]}"
    if not broke:
        return DeliveryResult.failed, "refused"
    if status := re.search(r"\((\d{3}), b['\"]", broke):
        return DeliveryResult.failed, f"SMTP {status[1]}"
    if NOT_GONE.search(broke) or "Connection error while submitting" in warned:
        return DeliveryResult.failed, "no connection"
    return DeliveryResult.unknown, "no answer in time" if "timed out" in broke else "the connection broke"


def _names(protocol: object) -> tuple[str, ...]:
    """Schemes as Apprise lists them: none, one, or several."""
    return (protocol,) if isinstance(protocol, str) else tuple(protocol or ())  # type: ignore[arg-type]


def silence_apprise() -> None:
    """Apprise's own log lines go nowhere (they name hosts and numbers); urllib3's with paths neither."""
    log = logging.getLogger("apprise")
    log.propagate = False
    log.setLevel(logging.DEBUG)
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    logging.getLogger("urllib3").setLevel(logging.WARNING)


def _asset() -> apprise.AppriseAsset:
    """No templates in URLs, no redirects (they would carry keys and numbers to where nobody sent them), no files."""
    return apprise.AppriseAsset(
        app_id="anbu", app_desc="anbu", allow_templates=False, http_redirects=False, storage_mode="memory"
    )
