"""SIP's words in ours: the end of a call, and who rang."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from response.gateways.sip_words import caller, dialled, ended
from response.records import CallOutcome


@pytest.mark.parametrize(
    ("reason", "outcome", "detail"),
    [
        ("486 Busy Here", CallOutcome.busy, "SIP 486"),
        ("603 Decline", CallOutcome.rejected, "SIP 603"),
        ("480 01012345678 is not there", CallOutcome.no_answer, "SIP 480"),
        ("500", CallOutcome.failed, "SIP 500"),
        ("Connection refused [111]", CallOutcome.failed, "trunk does not answer: connection refused"),
        ("", CallOutcome.failed, "trunk does not answer: no reason given"),
        ("4861 things", CallOutcome.failed, "trunk does not answer: things"),
    ],
)
def test_reasons(reason: str, outcome: CallOutcome, detail: str) -> None:
    """A status is ours to read; a sentence means that the network, not the resident, ended it."""
    assert ended(reason) == (outcome, detail)


@given(st.text(max_size=80))
def test_no_reason_brings_a_number_into_the_log(reason: str) -> None:
    """Whatever the far end writes: a line, no more than three digits in a row, no answer made up."""
    outcome, detail = ended(reason)
    assert "\n" not in detail
    assert sum(char.isdigit() for char in detail) <= 3
    assert not outcome.startswith("answered")


@pytest.mark.parametrize(
    ("peer", "asserted", "number"),
    [
        ("sip:01012345678@trunk.example", "", "+821012345678"),
        ("sip:+82-10-1234-5678@trunk.example;user=phone", "", "+821012345678"),
        ("sip:%2B821012345678@trunk.example", "", "+821012345678"),
        ("sip:anonymous@anonymous.invalid", "", ""),
        ("sip:anonymous@anonymous.invalid", '"Kim" <sip:+821012345678@trunk.example>', "+821012345678"),
        ("sip:0200000000@trunk.example", "<tel:+82-10-1234-5678>", "+821012345678"),
        ("sip:01012345678@trunk.example", "rubbish", "+821012345678"),
        ("sip:01012345678@trunk.example", "<sip:anonymous@anonymous.invalid>", ""),
        ("sip:x@trunk.example", '"sip:01012345678@a" <sip:+821087654321@trunk.example>', "+821087654321"),
        ("sip:x@trunk.example", 'sip:01012345678@a <sip:+821087654321@trunk.example>', "+821087654321"),
        ("sip:x@trunk.example", '"a\\" <sip:01012345678@a>" <sip:+821087654321@trunk.example>', "+821087654321"),
        ("sip:119@trunk.example", "", ""),
        (None, "", ""),
    ],
)
def test_who_rings(peer: str | None, asserted: str, number: str) -> None:
    """What the trunk vouches for comes before what the caller says of itself."""
    assert caller(peer, {"P-Asserted-Identity": asserted}) == number


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_header_breaks_it(peer: str, asserted: str) -> None:
    """Strangers ring too: a number in its form, or none."""
    number = caller(f"sip:{peer}", {"P-Asserted-Identity": f"sip:{asserted}"})
    assert number == "" or number.removeprefix("+").isdecimal()


@pytest.mark.parametrize("number", [
    "010-1234-5678\r\nX-Evil: 1", "01012345678@evil.example", "01012345678;phone-context=x", "sip:01012345678>",
    "010\x001234", "0101234567\x1b[2J", "<01012345678>",
])  # fmt: skip
def test_nothing_but_a_number_gets_into_an_address(number: str) -> None:
    """Neither a header nor a parameter nor another host."""
    with pytest.raises(ValueError, match="number"):
        dialled(number)
