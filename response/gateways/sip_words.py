"""SIP's words put into ours: how a call ended, who rang. Pure."""

import re
from collections.abc import Mapping
from urllib.parse import unquote

from response.numbers import REGION, normal, plain
from response.records import CallOutcome

BUSY = {486, 600}
REJECTED = {603, 607, 608}
NO_ANSWER = {408, 480, 487}
"""Request Timeout, Temporarily Unavailable (switched off, not there), Request Terminated (the network stopped it)."""
IDENTITY = "P-Asserted-Identity"
"""Header in which a trunk says who really rings (RFC 3325)."""
_NAME = re.compile(r'"(?:[^"\\]|\\.)*"')
"""A display name: whoever rings writes into it what they like, a number too."""
_URI = re.compile(r"<([^>]*)>")
_USER = re.compile(r"\s*(?:sips?|tel):([^@;>?\s]+)", re.IGNORECASE)


def ended(reason: str) -> tuple[CallOutcome, str]:
    """Outcome and detail of a call that was never answered, by the stack's reason: ``486 Busy Here``, or a plain
    sentence where the network and not the far end stopped it.

    The far end's own phrase is left out of the detail: it may hold the number.
    """
    head = reason[:3]
    if not (head.isdecimal() and head.isascii() and reason[3:4] in ("", " ")):
        said = " ".join(re.sub(r"[^A-Za-z ]", " ", reason).split())[:60].lower()
        return CallOutcome.failed, f"trunk does not answer: {said or 'no reason given'}"
    status = int(head)
    if status in BUSY:
        return CallOutcome.busy, f"SIP {status}"
    if status in REJECTED:
        return CallOutcome.rejected, f"SIP {status}"
    if status in NO_ANSWER:
        return CallOutcome.no_answer, f"SIP {status}"
    return CallOutcome.failed, f"SIP {status}"


def caller(peer: str | None, headers: Mapping[str, str], region: str = REGION) -> str:
    """Number of whoever rings in its one form (``response.numbers``); empty where it is withheld or no number."""
    asserted = headers.get(IDENTITY, "")
    if "anonymous" in asserted.lower():  # then what the caller says of itself is worth nothing
        return ""
    for told in (asserted, peer or ""):
        bare = _NAME.sub("", told)
        uri = _URI.search(bare)
        found = _USER.match(uri[1] if uri is not None else bare)
        if found is None:
            continue
        try:
            return normal(unquote(found[1]), region)
        except ValueError:
            continue
    return ""


def dialled(number: str) -> str:
    """The number as it goes into a SIP address.

    Raises:
        ValueError: it is no telephone number (nothing else may get into the address).
    """
    return plain(number)
