"""A key in the stack's trace."""

import pytest

from response.gateways.info import read

HEAD = "RX UDP 127.0.0.1:5060 -> 127.0.0.1:5061\n"


def info(kind: str, body: str, call_id: str = "Call-ID: abc@x", method: str = "INFO") -> str:
    """A message as the trace has it."""
    return (
        f"{HEAD}{method} sip:0701@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP x\r\n{call_id}\r\nCSeq: 2 INFO\r\n"
        f"Content-Type: {kind}\r\n\r\n{body}"
    )


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (info("application/dtmf", "2"), ("abc@x", "2")),
        (info("application/dtmf", "2\r\n", "i: abc@x"), ("abc@x", "2")),
        (info("Application/DTMF-relay", "signal=1\r\nDuration=160"), ("abc@x", "1")),
        (info("application/dtmf-relay", "Signal= *\r\n"), ("abc@x", "*")),
        (info("application/vnd.nortelnetworks.digits+dtmf", "d=??"), ("abc@x", None)),
        (info("application/dtmf", "Signal=12"), ("abc@x", None)),
        (info("application/dtmf", ""), ("abc@x", None)),
        (info("application/sdp", "2"), None),
        (info("application/dtmf", "2", method="MESSAGE"), None),
        (info("application/dtmf", "2").replace("RX", "TX"), None),
        ("", None),
    ],
)
def test_keys_are_read(message: str, found: tuple[str, str | None] | None) -> None:
    """What is no key is said to be none."""
    assert read(message) == found
