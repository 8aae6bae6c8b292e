"""What a vendor of calls tells us afterwards: read, checked and put into our words. No network here."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from response.gateways.keys import pressed
from response.records import CallOutcome, CallResult
from response.settings import HttpCallSettings

KEY = re.compile(r"[!-~]{1,200}")
"""What a key of ours may look like: nothing that no database takes gets as far as there."""


class WebhookError(Exception):
    """A webhook that is not believed or cannot be read: one line, without what it held."""


class SignatureError(WebhookError):
    """It does not come from the vendor, or we have no secret to know."""


def read_webhook(settings: HttpCallSettings, headers: Mapping[str, str], body: bytes) -> tuple[str, CallResult | None]:
    """Key of the call and what came of it; None where the call is not over yet (ringing, a status that is not in
    ``settings.statuses``).

    ``headers``: names in any case. ``body``: the bytes as they came, since the signature is of those.

    Raises:
        SignatureError: no secret is set, or the signature is not that of the body.
        WebhookError: no JSON object, or the fields named in the settings are not in it.
    """
    _check(settings, headers, body)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):  # of the encoding, too
        raise WebhookError("the webhook is no JSON") from None
    key, status = _field(told, settings.id_field), _field(told, settings.status_field)
    if not key or not status:
        missing = settings.id_field if not key else settings.status_field
        raise WebhookError(f"the webhook has no field {missing!r}: see ANBU_RESPONSE__HTTP_CALLS__*_FIELD")
    if not KEY.fullmatch(key):
        raise WebhookError(f"the webhook's {settings.id_field!r} is no key of ours: send the one of the request")
    outcome = settings.statuses.get(status) or None
    if outcome is None:
        return key, None
    at = _moment(told, settings.time_field) if settings.time_field else None
    answer = pressed(_field(told, settings.key_field))
    if answer and outcome in (CallOutcome.answered_no_key, CallOutcome.answered_key):
        return key, CallResult(CallOutcome.answered_key, answer, f"vendor says {status!r}", ended_at=at)
    if outcome is CallOutcome.answered_key:
        outcome = CallOutcome.answered_no_key  # no key came with it: nobody knows which it was
    return key, CallResult(outcome, None, f"vendor says {status!r}", ended_at=at)


def sign(secret: str, body: bytes) -> str:
    """Signature of a body: HMAC-SHA256 (RFC 2104) in lower-case hex."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _check(settings: HttpCallSettings, headers: Mapping[str, str], body: bytes) -> None:
    secret = settings.secret.get_secret_value() if settings.secret is not None else ""
    if not secret:
        raise SignatureError("no secret to check webhooks by: set ANBU_RESPONSE__HTTP_CALLS__SECRET")
    wanted = settings.signature_header.lower()
    given = next((value for name, value in headers.items() if name.lower() == wanted), "")
    given = given.strip().lower().removeprefix("sha256=")
    # compared as bytes: compare_digest refuses text that is not ASCII with an error of its own
    if not hmac.compare_digest(given.encode(), sign(secret, body).encode()):
        raise SignatureError("the signature of the webhook is not that of its body")


def _moment(told: Any, path: str) -> datetime:
    """When the call ended, by the vendor's clock."""
    said = _field(told, path)
    try:
        at = datetime.fromtimestamp(int(said), UTC) if said.isdecimal() else datetime.fromisoformat(said)
        if at.tzinfo is None:
            raise ValueError("no time zone")
        return at.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise WebhookError(f"the webhook's {path!r} is no time: RFC 3339 with a zone, or Unix seconds") from None


def _field(told: Any, path: str) -> str:
    """A field by its path, as text; empty where there is none or where it is no plain value."""
    for name in path.split("."):
        if not isinstance(told, dict):
            return ""
        told = told.get(name)
    return str(told).strip() if isinstance(told, str | int) and not isinstance(told, bool) else ""
