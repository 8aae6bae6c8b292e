"""What services answer to Apprise is read to a bound and within a time.

Apprise makes a session of requests for each message and takes none of ours, and requests reads an answer whole: one
without end filled the memory of the process that places the calls.
"""

import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from response.channels.http import MOST_BYTES

MOST_S = 30.0
"""Until an answer has to have ended that comes byte by byte."""
_AT_ONCE = 16 * 1024
_send = HTTPAdapter.send


def bound_requests() -> None:
    """From now on every answer that requests reads whole in this process is bounded; twice is well."""
    HTTPAdapter.send = _bounded  # type: ignore[method-assign, assignment]


def _bounded(
    adapter: HTTPAdapter, request: requests.PreparedRequest, stream: bool = False, *how: Any, **named: Any
) -> requests.Response:
    """As requests sends it, with the content in the answer already. Who asks for a stream reads it piece by piece
    (the broker's jars, megabytes each, come so in the same process), and has it untouched.

    Raises:
        requests.RequestException: it has no end; what was asked may have been taken.
    """
    built = _send(adapter, request, stream, *how, **named)
    if stream:
        return built
    answer: Any = built.raw
    until, read = time.monotonic() + MOST_S, bytearray()
    try:
        while piece := answer.read1(_AT_ONCE, decode_content=True):
            read += piece
            if len(read) > MOST_BYTES:
                raise requests.exceptions.ContentDecodingError(f"an answer of over {MOST_BYTES} bytes")
            if time.monotonic() > until:
                raise requests.exceptions.ReadTimeout("timed out: an answer without end")
    except requests.RequestException:
        answer.close()
        raise
    except Exception as e:
        answer.close()
        raise requests.exceptions.ConnectionError(e) from e
    built._content, built._content_consumed = bytes(read), True
    return built
