"""Keys that a trunk sends as SIP INFO. The stack reads ``application/dtmf-relay`` alone and answers the rest 488; what
it shows of its messages (its trace) has the key all the same."""

import asyncio
import logging
import re
from collections.abc import Callable

import structlog

TRACE = "baresip.native.sip"
_CALL_ID = re.compile(r"^(?:call-id|i)\s*:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_DTMF = re.compile(r"^(?:content-type|c)\s*:\s*\S*dtmf", re.IGNORECASE | re.MULTILINE)
_KEY = re.compile(r"(?:signal\s*=\s*)?([0-9A-D*#])\s*(?:\n|$)", re.IGNORECASE)
log = structlog.get_logger(__name__)


def read(message: str) -> tuple[str, str | None] | None:
    """Call-ID and key of an INFO with a key, from a line of the trace (``RX ...``, then the message); the key None
    where it cannot be read, all None where it is nothing of the kind."""
    way, _, text = message.partition("\n")
    if not (way.startswith("RX") and text.startswith("INFO ")):
        return None
    head, _, body = text.replace("\r", "").partition("\n\n")
    call_id = _CALL_ID.search(head)
    if call_id is None or _DTMF.search(head) is None:
        return None
    key = _KEY.match(body.strip())
    return call_id[1], key[1] if key is not None else None


class Keys(logging.Handler):
    """Reads the trace, in the stack's thread, and tells ``press`` (Call-ID, key) in the loop's. Nothing of the trace
    goes anywhere else: it is full of numbers."""

    def __init__(self, loop: asyncio.AbstractEventLoop, press: Callable[[str, str], None]) -> None:
        super().__init__()
        self._loop, self._press, self._told = loop, press, False

    def emit(self, record: logging.LogRecord) -> None:
        """One message of the trace."""
        found = read(record.getMessage())
        if found is None:
            return
        call_id, key = found
        if key is None:
            log.error("sip_key_unreadable", remedy="have the trunk send keys as RFC 4733 (telephone-event)")
            return
        if not self._told:
            self._told = True
            log.warning("sip_keys_by_info", remedy="they are taken, but have the trunk send RFC 4733 (telephone-event)")
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._press, call_id, key)

    def listen(self) -> None:
        """From now on. One listener a process, as there is one stack."""
        trace = logging.getLogger(TRACE)
        trace.handlers = [self]
        trace.propagate = False
        trace.setLevel(logging.DEBUG)
