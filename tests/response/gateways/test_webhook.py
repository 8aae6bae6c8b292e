"""A vendor's webhook: believed only by its signature, put into our words."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from response.gateways.webhook import SignatureError, WebhookError, read_webhook, sign
from response.records import CallOutcome
from response.settings import HttpCallSettings

SETTINGS = HttpCallSettings(secret="shared")


def signed(body: bytes, header: str = "X-Signature") -> dict[str, str]:
    """Headers of an honest vendor."""
    return {header: hmac.new(b"shared", body, hashlib.sha256).hexdigest()}


def read(told: Any, settings: HttpCallSettings = SETTINGS) -> tuple[str, Any]:
    """What is read from a signed webhook."""
    body = json.dumps(told).encode()
    return read_webhook(settings, signed(body), body)


@given(st.binary(max_size=200), st.integers(0, 255), st.integers(0, 199))
def test_one_changed_byte_is_noticed(body: bytes, byte: int, at: int) -> None:
    """Whatever is changed in a body, its signature is not that of the body any more."""
    body = body or b"{}"
    changed = bytearray(body)
    changed[at % len(body)] = byte
    if bytes(changed) == body:
        return
    with pytest.raises(SignatureError):
        read_webhook(SETTINGS, signed(body), bytes(changed))


@given(st.text(max_size=100))
def test_no_other_signature_is_taken(signature: str) -> None:
    """Text of any kind, Hangul too, is refused and breaks nothing."""
    with pytest.raises(SignatureError):
        read_webhook(SETTINGS, {"X-Signature": signature}, b'{"id": "k", "status": "busy"}')


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_secret_all_is_refused(secret: str | None) -> None:
    """A signature by the empty secret is anybody's."""
    body = b'{"id": "k", "status": "busy"}'
    headers = {"X-Signature": sign("", body)}
    with pytest.raises(SignatureError, match="HTTP_CALLS__SECRET"):
        read_webhook(HttpCallSettings(secret=secret), headers, body)


@pytest.mark.parametrize("header", ["X-Signature", "x-signature", "X-SIGNATURE"])
def test_header_is_found_in_any_case(header: str) -> None:
    """Names of headers have no case; upper-case hex and `sha256=` before it are the same signature."""
    body = b'{"id": "k", "status": "busy"}'
    (value,) = signed(body).values()
    for written in (value, value.upper(), f"sha256={value}"):
        key, done = read_webhook(SETTINGS, {header: written}, body)
        assert key == "k"
        assert done is not None
        assert done.outcome is CallOutcome.busy


def test_nested_fields_of_another_vendor() -> None:
    """The settings say where things are and what they are called."""
    settings = HttpCallSettings(
        secret="shared", id_field="data.ref", status_field="data.result.code", key_field="data.digits",
        statuses={"10": CallOutcome.answered_key, "20": CallOutcome.no_answer, "5": ""},
    )  # fmt: skip
    key, done = read({"data": {"ref": "k", "result": {"code": 10}, "digits": "2"}}, settings)
    assert (key, done.outcome, done.pressed) == ("k", CallOutcome.answered_key, "2")
    _, done = read({"data": {"ref": "k", "result": {"code": 10}}}, settings)
    assert (done.outcome, done.pressed) == (CallOutcome.answered_no_key, None)
    assert read({"data": {"ref": "k", "result": {"code": 5}}}, settings) == ("k", None)


def test_word_that_nobody_knows_is_not_the_end() -> None:
    """A vendor may tell steps that the settings do not name."""
    assert read({"id": "k", "status": "queued"}) == ("k", None)


@pytest.mark.parametrize("told", [[], "x", None, 1, {}, {"id": "k"}, {"status": "busy"}, {"id": {}, "status": "busy"}])
def test_webhook_without_its_fields_is_refused(told: Any) -> None:
    """Signed, but nothing of ours in it."""
    with pytest.raises(WebhookError):
        read(told)


@given(st.binary(max_size=50))
@example(b"[" * 60_000)
def test_no_bytes_break_the_reader(body: bytes) -> None:
    """Whatever is signed, if it is no object with our fields it is refused in a line."""
    with pytest.raises(WebhookError) as refused:
        read_webhook(SETTINGS, signed(body), body)
    assert "\n" not in str(refused.value)
