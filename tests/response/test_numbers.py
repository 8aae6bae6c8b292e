"""Telephone numbers: one form for all ways of writing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from response.numbers import normalise

MOBILES = st.from_regex(r"01[016789][0-9]{7,8}", fullmatch=True)
LANDLINES = st.from_regex(r"0(2|[3-6][1-5])[2-9][0-9]{6,7}", fullmatch=True)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("010-1234-5678", "01012345678"),
        (" 010 1234 5678 ", "01012345678"),
        ("010.1234.5678", "01012345678"),
        ("(010) 1234-5678", "01012345678"),
        ("+82 10-1234-5678", "01012345678"),
        ("+82 (0)10-1234-5678", "01012345678"),
        ("821012345678", "01012345678"),
        ("0082-10-1234-5678", "01012345678"),
        ("tel:+821012345678", "01012345678"),
        ("０１０－１２３４－５６７８", "01012345678"),
        ("+82-2-312-3456", "023123456"),
        ("02-3123-4567", "0231234567"),
        ("1588-1588", "15881588"),
        ("+82 1588-1588", "15881588"),
        ("119", "119"),
        ("+49 30 123456", "+4930123456"),
    ],
)
def test_ways_of_writing_come_to_one(written: str, kept: str) -> None:
    """People, files and trunks write the same number differently."""
    assert normalise(written) == kept


@pytest.mark.parametrize(
    "written", ["", "anonymous", "010-1234-56x8", "+", "++82101234567", "1", "1" * 16, "010-1234-5678 (딸)"]
)
def test_what_is_no_number_is_refused_without_repeating_it(written: str) -> None:
    """The line is for a log: it must not hold what may be a number with one letter too many."""
    with pytest.raises(ValueError, match="no telephone number") as refused:
        normalise(written)
    assert len(written) < 2 or written not in str(refused.value)


@given(st.one_of(MOBILES, LANDLINES))
def test_with_and_without_country_code_are_the_same(number: str) -> None:
    """What the registry holds and what the network says meet in one form."""
    abroad = number.removeprefix("0")
    assert normalise(number) == normalise(f"+82{abroad}") == normalise(f"+82-{number}") == number


@given(st.one_of(MOBILES, LANDLINES, st.from_regex(r"\+(1|4[0-9]|81)[0-9]{6,11}", fullmatch=True)))
def test_twice_is_once(number: str) -> None:
    """What is normalised is not changed again."""
    assert normalise(normalise(number)) == normalise(number)
