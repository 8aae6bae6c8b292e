"""Telephone numbers: one form for all ways of writing, and nothing taken for one that is none."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from response.numbers import dialled, normal, of_a_person, shown

MOBILES = st.from_regex(r"010[0-9]{8}", fullmatch=True)
LANDLINES = st.from_regex(r"0(2|3[1-3]|4[1-4]|5[1-5]|6[1-4])[2-9][0-9]{6,7}", fullmatch=True)


@pytest.mark.parametrize(
    ("written", "one"),
    [
        ("010-1234-5678", "+821012345678"),
        (" 010 1234 5678 ", "+821012345678"),
        ("010.1234.5678", "+821012345678"),
        ("010·1234·5678", "+821012345678"),
        ("010–1234−5678", "+821012345678"),
        ("010\u00a01234\u20095678", "+821012345678"),
        ("\u202a010-1234-5678\u202c", "+821012345678"),
        ("(010) 1234-5678", "+821012345678"),
        ("+82 10-1234-5678", "+821012345678"),
        ("+82 (0)10-1234-5678", "+821012345678"),
        ("+82-010-1234-5678", "+821012345678"),
        ("82 10 1234 5678", "+821012345678"),
        ("8201012345678", "+821012345678"),
        ("0082-10-1234-5678", "+821012345678"),
        ("0082 (0)10 1234 5678", "+821012345678"),
        ("00182-10-1234-5678", "+821012345678"),
        ("00282 10 1234 5678", "+821012345678"),
        ("00700 82 10 1234 5678", "+821012345678"),
        ("1012345678", "+821012345678"),
        ("1012345678.0", "+821012345678"),
        ("'01012345678", "+821012345678"),
        ("tel:+821012345678", "+821012345678"),
        ("TEL:010-1234-5678", "+821012345678"),
        ("０１０－１２３４－５６７８", "+821012345678"),
        ("＋８２ １０ １２３４ ５６７８", "+821012345678"),
        ("010 0000 0001", "+821000000001"),
        ("+82-2-312-3456", "+8223123456"),
        ("0082 2 1234 5678", "+82212345678"),
        ("02-3123-4567", "+82231234567"),
        ("21234567.0", "+8221234567"),
        ("031-234-5678", "+82312345678"),
        ("031-000-0000", "+82310000000"),
        ("070-1234-5678", "+827012345678"),
        ("0502-1234-5678", "+8250212345678"),
        ("011-123-4567", "+82111234567"),
        ("1588-1588", "+8215881588"),
        ("+82 1588-1588", "+8215881588"),
        ("+49 30 123456", "+4930123456"),
        ("0049 30 123456", "+4930123456"),
    ],
)
def test_ways_of_writing_come_to_one(written: str, one: str) -> None:
    """People, files, spreadsheets and trunks write the same number differently."""
    assert normal(written) == one
    assert normal(one) == one


@pytest.mark.parametrize(
    "written",
    [
        "", "anonymous", "010-1234-56x8", "010-ABCD-1234", "+", "++82101234567", "1", "1" * 16, "010-1234-5678 (딸)",
        "010-1234-567", "010-1234-56789", "82 10 0000 002", "+82 10 123 4567", "119", "112", "02-123-4567/8",
        "010-1234-5678, 010-2222-3333", "010-1234-5678 ext 5", "1.01235E+09", "+010-1234-5678", "82+1012345678",
        "٠١٠١٢٣٤٥٦٧٨", "0000000000", "+82119", "010-1234-5678;phone-context=x",
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_without_repeating_it(written: str) -> None:
    """A digit lost or added, two in one cell, an emergency number. The line is for a log: it holds none of it."""
    with pytest.raises(ValueError, match="no telephone number") as refused:
        normal(written)
    assert len(written) < 4 or written not in str(refused.value)


@example("01059700000")  # an exchange that the library does not know
@given(st.one_of(MOBILES, LANDLINES))
def test_with_and_without_country_code_are_the_same(number: str) -> None:
    """What the registry holds and what the network says meet in one form, and are dialled alike."""
    abroad = number.removeprefix("0")
    ways = {normal(way) for way in (number, f"+82{abroad}", f"+82-{number}", f"0082{abroad}", f"00182{abroad}")}
    assert ways == {f"+82{abroad}"}
    assert dialled(f"+82{abroad}") == number
    assert normal(shown(number)) == f"+82{abroad}"


@pytest.mark.parametrize(
    ("number", "at_home", "abroad"),
    [
        ("+821012345678", "01012345678", "+821012345678"),
        ("+8215881588", "15881588", "+8215881588"),
        ("+4930123456", "+4930123456", "+4930123456"),
    ],
)
def test_a_number_is_dialled_as_the_setting_says(number: str, at_home: str, abroad: str) -> None:
    """Vendors at home take numbers as people there write them."""
    assert (dialled(number), dialled(number, form="e164")) == (at_home, abroad)


def test_the_region_is_that_of_the_setting() -> None:
    """The same digits are another number in another country."""
    assert normal("030 123456", "DE") == "+4930123456"
    assert dialled("+4930123456", "DE") == "030123456"
    with pytest.raises(ValueError, match="no telephone number"):
        normal("010-1234-5678", "US")


def test_service_numbers_are_nobodys_own() -> None:
    """They can be rung, but nobody lives there."""
    service = ("1588-1234", "080-123-4567", "060-700-1234")
    people = ("010-1234-5678", "02-312-3456", "070-1234-5678", "0502-1234-5678")
    assert not any(of_a_person(normal(number)) for number in service)
    assert all(of_a_person(normal(number)) for number in people)
