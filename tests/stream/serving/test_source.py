"""Where a request came from: a proxy's word counts where the proxy is named, nobody else's."""

import pytest
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from response.settings import ResponseSettings
from stream.serving.source import address, group, source
from stream.settings import HttpSettings
from tests.stream.serving.attacking import answer, serving


async def told(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the source."""
    await PlainTextResponse(source(Request(scope).scope))(scope, receive, send)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        ((), ["203.0.113.7"], "127.0.0.1"),
        (("10.0.0.1",), ["203.0.113.7"], "127.0.0.1"),
        (("127.0.0.1",), ["203.0.113.7"], "203.0.113.7"),
        (("127.0.0.0/8",), ["203.0.113.7"], "203.0.113.7"),
        (("127.0.0.1",), [], "127.0.0.1"),
        (("127.0.0.1",), ["8.8.8.8, 203.0.113.7"], "203.0.113.7"),
        (("127.0.0.1",), ["8.8.8.8", "203.0.113.7"], "203.0.113.7"),
        (("127.0.0.1", "10.0.0.0/24"), ["8.8.8.8, 203.0.113.7, 10.0.0.5"], "203.0.113.7"),
        (("127.0.0.1",), ["2001:DB8::1"], "2001:db8::1"),
        (("127.0.0.1",), ["[2001:db8::1]:4711"], "2001:db8::1"),
        (("127.0.0.1",), ["officer's desk"], "?"),
    ],
)
def test_a_forwarded_address_is_that_of_the_last_one_who_is_no_proxy_of_ours(
    proxies: tuple[str, ...], forwarded: list[str], expected: str
) -> None:
    """By default the header is nobody's, not loopback's either; what a client puts before the proxy's word is not read;
    what is no address is none."""
    with serving(told, proxies=proxies) as stand:
        lines = "".join(f"X-Forwarded-For: {one}\r\n" for one in forwarded)
        said = answer(stand.client(f"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n".encode()))
        assert said.decode().rpartition("\r\n\r\n")[2] == expected


@pytest.mark.parametrize(
    ("given", "one", "all_of_it"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1:aaaa::1", "2001:db8:0:1:aaaa::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("", "?", "?"),
        ("localhost", "?", "?"),
        ("1.2.3.4, 5.6.7.8", "?", "?"),
    ],
)
def test_an_address_has_one_form_and_a_64_is_one(given: str, one: str, all_of_it: str) -> None:
    """Whoever has an IPv6 address has 2^64 of them."""
    assert (address(given), group(given)) == (one, all_of_it)


@pytest.mark.parametrize("settings", [HttpSettings, ResponseSettings])
@pytest.mark.parametrize("proxy", ["*", "", "proxy.example", "10.0.0.1/8", "300.0.0.1"])
def test_a_proxy_that_is_no_address_is_refused_at_the_start(settings: type, proxy: str) -> None:
    """`*` would believe everybody."""
    with pytest.raises(ValidationError, match=r"10\.0\.0\.5"):
        settings(proxies=[proxy])
    assert settings(proxies=["10.0.0.0/28", "::1"]).proxies == ("10.0.0.0/28", "::1/128")
