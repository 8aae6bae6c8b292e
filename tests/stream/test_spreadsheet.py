"""CSV that people open in a spreadsheet: nothing in it is calculated, and what comes back is what went out."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream import spreadsheet

FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＋1", "－1", "＠SUM", " =1", "\u3000=1",
    "=cmd|' /C calc'!A0", "'=1", "''+1",
)  # fmt: skip


def written(*cells: object) -> str:
    file = io.StringIO(newline="")
    spreadsheet.Writer(file).row(cells)
    return file.getvalue()


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text_and_comes_back(text: str) -> None:
    """An apostrophe in front, which only the reading that put it there takes away."""
    cell = spreadsheet.cell(text)
    assert cell == f"'{text}"
    assert spreadsheet.read(cell) == text


@pytest.mark.parametrize("text", ["김철수", "'quoted'", "O'Brien", "a=b", "010-1234-5678", "", "'"])
def test_what_is_no_formula_is_left_as_it_is(text: str) -> None:
    """Apostrophes of people's own too."""
    assert spreadsheet.cell(text) == spreadsheet.read(text) == text


LETTERS = st.one_of(st.sampled_from("=+-@'\"; ,\t\r\n＝－a1"), st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.text(LETTERS)))
def test_every_line_comes_back_as_it_was(cells: list[str]) -> None:
    """Whatever stands in it."""
    back = next(csv.reader(io.StringIO(written("first", *cells), newline="")))
    assert [spreadsheet.read(cell) for cell in back] == ["first", *cells]
    assert not any(cell[:1] in ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠") for cell in back if cell)


def test_no_cell_begins_behind_a_semicolon() -> None:
    """A spreadsheet of a country that writes 1,5 divides lines at the semicolon, but not inside quotes."""
    back = next(csv.reader(io.StringIO(written("sms;=1+1", "b")), delimiter=";"))
    assert not any(cell.startswith("=") for cell in back)


def test_numbers_stay_numbers() -> None:
    """A negative figure is no formula."""
    assert written(-1.5, 2, "a") == '-1.5,2,"a"\r\n'
