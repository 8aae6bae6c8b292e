"""Sentences in Korean and English."""

import re
import string

import pytest

from models.reasons import SENTENCES, sentences


@pytest.mark.parametrize("code", SENTENCES)
def test_both_languages_tell_the_same_values(code: str) -> None:
    """A value told in one language is told in the other."""
    korean, english = ({f for _, f, _, _ in string.Formatter().parse(text) if f} for text in SENTENCES[code])
    assert korean == english


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_is_in_its_own_language(code: str) -> None:
    """The first has Hangul, the second none."""
    korean, english = SENTENCES[code]
    assert re.search("[가-힣]", korean)
    assert not re.search("[가-힣]", english)


def test_numbers_are_told_without_needless_digits() -> None:
    """12.0 is 12, 6.5 stays, 31.4 is 31."""
    reasons = [("silent", {"hours": 31.4, "usual_hours": 6.5}), ("limit", {"limit_hours": 12.0})]
    assert sentences(reasons)[1] == (
        "No sign of life for 31 h; the longest silence of a usual day is about 6.5 h. "
        "The fixed limit of 12 h has passed."
    )
