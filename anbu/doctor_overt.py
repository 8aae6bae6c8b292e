"""Whom we speak to without encryption, as the settings allow, and where we listen so: nobody has to remember it."""

from collections.abc import Iterator

from anbu.configuration import Settings
from anbu.doctor import Finding
from response.channels.apprise import AppriseChannel
from response.overt import overt
from response.records import GatewayError
from response.settings import ResponseSettings
from stream.hosts import elsewhere, host_of, is_open

WHAT = ("암호화", "encryption")


def look(settings: Settings) -> list[Finding]:
    """One finding for each; one that says so where there is none."""
    found = [
        Finding(True, *WHAT, f"{name}: {host}, 암호화 없음(설정으로 허용) · in the clear, as the settings allow")
        for name, host in _named(settings)
    ]
    found += [
        Finding(True, *WHAT, f"{name}: {host}, 앞에 TLS가 있어야 합니다 · others can reach it: TLS must stand in front")
        for name, host in (("http.host", settings.http.host), ("response.host", settings.response.host))
        if is_open(host)
    ]
    if settings.response.gateway == "sip" and elsewhere([host_of(settings.response.sip.domain)]):
        found.append(Finding(
            True, *WHAT, "response.sip: 통화와 누른 번호가 암호화되지 않습니다: 통신사 전용 회선이나 VPN을 쓰십시오 · "
            "calls and the keys pressed in them are not encrypted: use a line of the carrier's own, or a VPN",
        ))  # fmt: skip
    none = "이 기계 밖으로는 모두 암호화됩니다 · all that leaves this machine is encrypted"
    return found or [Finding(True, *WHAT, none)]


def _named(settings: Settings) -> Iterator[tuple[str, str]]:
    broker, own = settings.broker, settings.response
    if not broker.security_protocol.endswith("SSL"):
        yield from (("broker", host) for host in elsewhere(map(host_of, broker.bootstrap.split(","))))
    yield from ((f"response.{one.setting}", one.host) for one in overt(own))
    yield from _channels(own)


def _channels(own: ResponseSettings) -> Iterator[tuple[str, str]]:
    for kind, urls in (("channels", own.channels), ("drill_channels", own.drill_channels)):
        for name, url in urls.items():
            try:
                host = AppriseChannel(name, url.get_secret_value(), own.message_seconds).overt()
            except GatewayError:  # said elsewhere
                continue
            if host:
                yield f"response.{kind}.{name}", host
