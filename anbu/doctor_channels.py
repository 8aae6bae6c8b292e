"""Whether what calls and tells people can be reached: each channel and the telephone, without sending anything."""

import socket
import ssl
import urllib.request
from contextlib import suppress
from urllib.parse import urlsplit

from pydantic import SecretStr

from anbu.doctor import Finding
from response.channels import make as channels
from response.channels.apprise import AppriseChannel
from response.gateways import http
from response.records import GatewayError
from response.settings import ResponseSettings

TIMEOUT_S = 3.0
PORTS = {"http": 80, "https": 443}
Endpoint = tuple[str, int, bool]
"""Host, port, whether TLS is spoken there."""


def messages(own: ResponseSettings) -> list[Finding]:
    """One finding a channel; one alone where there is none, or where those that there are cannot be used."""
    what = ("메시지", "messages")
    mend = ("위의 줄대로 설정을 고치십시오", "mend the setting that the line names (docs/messages.md)")
    try:
        for drill in (False, True):
            channels.make(own, drill)
    except GatewayError as e:
        return [Finding(False, *what, str(e), *mend)]
    named = {name: _of_url(name, url) for name, url in own.channels.items()}
    named |= {n: _of_http(v.url) for n, v in (("sms", own.sms), ("alimtalk", own.alimtalk)) if v.url}
    if not named:
        real = own.gateway != "simulated"
        return [Finding(
            not real, *what, "보낼 수단이 없습니다: 아무에게도 알리지 못합니다 · no channel: nobody can be told",
            "response.channels 또는 response.sms를 설정하십시오",
            "set response.channels or response.sms (docs/messages.md)", unreal=True,
        )]  # fmt: skip
    return [_tried(f"메시지 {name}", f"messages by {name}", at) for name, at in named.items()]


def telephone(own: ResponseSettings) -> list[Finding]:
    """The trunk or the vendor of calls; nothing where calls are simulated."""
    what = ("전화 연결", "telephone line")
    if own.gateway == "simulated":
        return []
    mend = ("설정을 고치십시오", "mend the settings (docs/operations.md)")
    if own.gateway == "http":
        try:
            http.check(own.http_calls)
        except GatewayError as e:
            return [Finding(False, *what, str(e), *mend)]
        return [_tried(*what, _of_http(own.http_calls.url))]
    if not own.sip.domain or not own.sip.user:
        missing = "response.sip.domain" if not own.sip.domain else "response.sip.user"
        return [Finding(False, *what, f"정하지 않음 · not set: {missing}", *mend)]
    host, _, port = own.sip.domain.partition(":")
    if own.sip.transport == "tcp":
        return [_tried(*what, (host, int(port or 5060), False))]
    try:
        socket.getaddrinfo(host, int(port or 5060), type=socket.SOCK_DGRAM)
    except OSError as e:
        return [_refused(*what, own.sip.domain, e)]
    return [Finding(True, *what, f"{own.sip.domain} (UDP: 이름만 확인, 걸어 보지 않음 · the name alone was looked up)")]


def _of_http(url: str) -> Endpoint:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 443), parts.scheme == "https"


def _of_url(name: str, url: SecretStr) -> Endpoint | None:
    """Where an Apprise URL leads, as far as its service says so."""
    service = AppriseChannel(name, url.get_secret_value(), TIMEOUT_S).service()
    host = getattr(service, "smtp_host", None) or getattr(service, "host", None)
    if service is None or not host or not hasattr(service, "port") or "." not in str(host) + ".":
        return None
    secure = bool(service.secure)
    mail = hasattr(service, "smtp_host")  # begins in the clear, or is no HTTP
    return str(host), int(service.port or (587 if mail else 443 if secure else 80)), secure and not mail


def _tried(ko: str, en: str, at: Endpoint | None) -> Finding:
    """Connect, and speak TLS where that is spoken; not a byte of a request."""
    if at is None:
        return Finding(True, ko, en, "설정만 확인, 연결은 해 보지 않음 · the setting alone, no connection was tried")
    host, port, secure = at
    shown = f"{host}:{port}"
    if secure and "https" in urllib.request.getproxies() and not urllib.request.proxy_bypass(host):
        return Finding(True, ko, en, f"{shown} (프록시를 거침, 해 보지 않음 · through a proxy, not tried)")
    try:
        with socket.create_connection((host, port), TIMEOUT_S) as line:
            if secure:
                with suppress(ssl.SSLEOFError), ssl.create_default_context().wrap_socket(line, server_hostname=host):
                    pass
    except OSError as e:
        return _refused(ko, en, shown, e)
    return Finding(True, ko, en, f"{shown} (연결됨 · connects)")


def _refused(ko: str, en: str, shown: str, error: OSError) -> Finding:
    why = error.strerror or str(error) or type(error).__name__
    return Finding(
        False, ko, en, f"{shown}: {why}", "주소와 방화벽을 확인하십시오: 지금은 아무것도 나가지 않습니다",
        "check the address and the firewall: nothing goes out as it is",
    )  # fmt: skip
