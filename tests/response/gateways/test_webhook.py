"""A vendor's webhook: believed only by its signature, put into our words."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from response.gateways.webhook import SignatureError, WebhookError, read_webhook, sign
from response.records import CallOutcome
from response.settings import HttpCallSettings

SECRET = "shared-0123456789abcdef"
SETTINGS = HttpCallSettings(secret=SECRET)


def signed(body: bytes, header: str = "X-Signature") -> dict[str, str]:
    """Headers of an honest vendor."""
    return {header: hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}


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
        secret=SECRET, id_field="data.ref", status_field="data.result.code", key_field="data.digits",
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


@pytest.mark.parametrize(
    ("status", "told", "key"),
    [
        ("answered", "1#", "1"),
        ("answered", "２", "2"),
        ("answered", "7 2", "2"),
        ("answered", "1,2", "2"),
        ("answered", "١", None),
        ("answered", "none", None),
        ("busy", "1", None),
        ("no-answer", "1", None),
        ("failed", "2", None),
    ],
)
def test_a_key_counts_in_an_answered_call_alone(status: str, told: str, key: str | None) -> None:
    """However the vendor writes it; a word is no key."""
    assert read({"id": "k", "status": status, "dtmf": told})[1].key == key


@pytest.mark.parametrize("key", ["c1-3\x00", "\ud800", "c1 3", "c1-3\n4", "김", "k" * 201])
def test_a_key_that_is_none_of_ours_is_refused(key: str) -> None:
    """A database that does not take it would be asked again for ever."""
    with pytest.raises(WebhookError, match="no key of ours"):
        read({"id": key, "status": "busy"})


@pytest.mark.parametrize("secret", ["s", "geheim", "0" * 40, "choose-a-long-secret"])
def test_a_secret_that_can_be_guessed_is_refused(secret: str) -> None:
    """At the start; it is not repeated."""
    with pytest.raises(ValidationError, match="can be guessed") as refused:
        HttpCallSettings(secret=secret)
    assert f"'{secret}'" not in str(refused.value)


@pytest.mark.parametrize(
    ("said", "hour"),
    [("2026-11-02T09:30:00+09:00", 0), ("2026-11-02T00:30:00Z", 0), (1793579400, 0), ("1793579400", 0)],
)
def test_the_time_of_the_end_is_the_vendors(said: Any, hour: int) -> None:
    """Where the settings say in which field it stands: signed with the rest."""
    settings = HttpCallSettings(secret=SECRET, time_field="at")
    _, done = read({"id": "k", "status": "answered", "dtmf": "1", "at": said}, settings)
    assert done.ended_at == datetime(2026, 11, 2, hour, 30, tzinfo=UTC)


@pytest.mark.parametrize("said", [None, "", "yesterday", "2026-11-02T09:30:00", "9" * 30, [1]])
def test_a_time_that_is_none_is_refused(said: Any) -> None:
    """Without it key 1 could be of any call."""
    settings = HttpCallSettings(secret=SECRET, time_field="at")
    with pytest.raises(WebhookError, match="'at' is no time"):
        read({"id": "k", "status": "answered", "dtmf": "1", "at": said}, settings)
