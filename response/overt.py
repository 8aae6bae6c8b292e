"""Where personal data, links or secrets would travel in the clear: by the settings alone, nobody is asked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from stream.hosts import elsewhere, host_of

if TYPE_CHECKING:
    from response.settings import ResponseSettings

ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})
"""What `sslmode` must be: its default takes a connection in the clear where the server offers no other."""


@dataclass(frozen=True, slots=True)
class Overt:
    """A setting by which another machine is spoken to without encryption, and what would mend it."""

    setting: str
    host: str
    mend: str

    def __str__(self) -> str:
        return (
            f"response.{self.setting}: {self.host} would be spoken to without encryption: {self.mend}, or "
            f"ANBU_RESPONSE__ALLOW_PLAIN='[\"{self.host}\"]' where all of the way is yours"
        )


def overt(own: "ResponseSettings") -> list[Overt]:
    """All of them but channels by Apprise URL, which Apprise alone can read; allowed or not."""
    return [*_web(own), *_database(own)]


def _web(own: "ResponseSettings") -> Iterator[Overt]:
    urls = {
        "http_calls.url": own.http_calls.url, "http_calls.callback_url": own.http_calls.callback_url,
        "sms.url": own.sms.url, "alimtalk.url": own.alimtalk.url, "link_url": own.link_url,
        "deadman_url": own.deadman_url,
    }  # fmt: skip
    for setting, url in urls.items():
        if url and not url.startswith("https://"):
            for host in elsewhere([urlsplit(url).hostname or "(no host)"]):
                yield Overt(setting, host, "use https://")


def _database(own: "ResponseSettings") -> Iterator[Overt]:
    """Every address that is a secret is one of the database."""
    for setting in type(own).model_fields:
        value = getattr(own, setting)
        if setting.endswith("_url") and isinstance(value, SecretStr):
            yield from _login(setting, value.get_secret_value())


def _login(setting: str, url: str) -> Iterator[Overt]:
    at, asked = _server(url), parse_qs(url.partition("?")[2])
    if (modes := asked.get("sslmode")) and ENCRYPTED.issuperset(modes):
        return
    named = [at, *asked.get("host", ()), *asked.get("hostaddr", ()), *asked.get("service", ())]
    hosts = [host_of(server) for servers in named for server in servers.split(",")]
    for host in elsewhere(hosts)[:1]:
        yield Overt(setting, host, "add ?sslmode=verify-full&sslrootcert=... to it")


def _server(url: str) -> str:
    """host:port of a database's address; a password may have any sign in it but @."""
    rest = url.partition("://")[2]
    if "@" in rest and not rest.startswith("/"):
        rest = rest.partition("@")[2]
    return re.split(r"[/?]", rest)[0]
