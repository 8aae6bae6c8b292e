"""Text of others as one harmless line: what moves, hides or breaks lines is refused, or shown as what it is."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from response.settings import ResponseSettings
from stream import enrolment, plain, warned
from stream.ids import reserved
from stream.records import AreaWarning, Household, Reason

ATTACKS = {
    "a line break": "a\nb", "a carriage return": "a\rb", "a tabulator": "a\tb", "an escape": "\x1b[2Jb",
    "CSI of C1": "\x9b31mb", "a link of a terminal": "\x1b]8;;http://x\x07b", "a bell": "a\x07",
    "a backspace": "abc\x08\x08", "NUL": "a\0b", "delete": "a\x7f", "next line": "a\x85b",
    "a line separator": "a\u2028b", "a paragraph separator": "a\u2029b", "right to left": "a\u202eb",
    "an isolate": "a\u2066b\u2069", "an Arabic mark": "a\u061cb", "no width": "a\u200bb", "a joiner": "a\u200db",
    "a byte order mark": "a\ufeffb", "a soft hyphen": "a\u00adb", "a filler of Hangul": "a\u3164b",
    "a half-width filler": "a\uffa0b", "a blank of Braille": "a\u2800b", "a tag": "a\U000e0041b",
    "a selector": "a\ufe00b", "a surrogate": "a\ud800b", "nothing yet": "a\u0378b", "private": "a\ue000b",
}  # fmt: skip
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
GOOD = ("김철수", "O'Brien, 101-1203호", "별빛1동　가", "오전 9시 ❤️ 😀", "a\u00a0b", "")


@pytest.mark.parametrize("what", ATTACKS)
def test_what_moves_hides_or_breaks_lines_is_refused_and_else_made_harmless(what: str) -> None:
    """By its code point, never repeating the text; shown, it is one line that can be written anywhere."""
    text = ATTACKS[what]
    wrong = plain.fault(text, 100)
    assert wrong is not None
    assert "U+" in wrong[0]
    assert all(word.isprintable() and text not in word for word in wrong)
    shown = plain.plain(text)
    assert plain.fault(shown, 100) is None
    assert shown.encode()


@pytest.mark.parametrize("text", GOOD)
def test_what_people_write_is_left_as_it_is(text: str) -> None:
    """Letters, signs, blanks of any width, a heart."""
    assert plain.fault(text, 100) is None
    assert plain.plain(text) == text


@given(st.text(st.characters(), max_size=40))
def test_nothing_harmful_is_left_and_twice_changes_nothing(text: str) -> None:
    """Whatever the characters."""
    shown = plain.plain(text, 20)
    assert plain.fault(shown, 20) is None
    assert plain.plain(shown, 20) == shown


def test_length_is_bounded_with_its_number() -> None:
    """One more is refused, and cut where it is only shown."""
    assert plain.fault("가" * 64, plain.NAME) is None
    assert "64" in str(plain.fault("가" * 65, plain.NAME))
    assert plain.plain("가" * 65, 64) == "가" * 63 + "…"


def test_every_text_of_a_record_is_made_harmless() -> None:
    """However deep; numbers stay."""
    told = plain.harmless(json.loads('{"a\\n": ["\\u001b[31m", 1, null, {"b": "\\u202e"}]}'))
    assert told == {"a ": ["\ufffd[31m", 1, None, {"b": "\ufffd"}]}


@pytest.mark.parametrize("name", [
    "system", "SYSTEM", "ｓｙｓｔｅｍ", "sys.tem", "5ystem", "resident", "Res1dent", "re\u0455ident", "stream",
    "strearn", "clock", "c10ck", "-", "..", ":_.", "시스템", "본인",
])  # fmt: skip
def test_what_logs_call_the_system_nobody_is_called(name: str) -> None:
    """In any case, width or form that looks like it; no home is either."""
    assert reserved(name)
    if name.isascii():
        assert enrolment.fault_of(Household(name, SINCE))[0] is Reason.bad_household


@pytest.mark.parametrize("name", ["o1", "system-1", "centre", "operator", "resi-h1", "h-1", "streamer"])
def test_other_names_are_free(name: str) -> None:
    """A word of ours inside another is none."""
    assert not reserved(name)


BLANKS = {"an ideographic blank": "a\u3000b", "a blank that does not break": "a\u00a0b"}


@pytest.mark.parametrize("what", [*ATTACKS, *BLANKS])
def test_names_of_areas_and_dongs_are_plain(what: str) -> None:
    """In enrolments and in warnings of heat: two that look the same are one."""
    text = {**ATTACKS, **BLANKS}[what]
    for told in (Household("h1", SINCE, area=text), Household("h1", SINCE, dong=text)):
        assert enrolment.fault_of(told)[0] is Reason.wrong_type
    assert warned.fault_of(AreaWarning(text, "heat", 1, SINCE, SINCE))[0] is Reason.wrong_type


@pytest.mark.parametrize("what", ATTACKS)
def test_settings_hold_no_such_text_however_deep(what: str) -> None:
    """The office speaks to residents, places stand in every message, headers go to vendors."""
    text = ATTACKS[what]
    for given_ in (
        {"office_name": text}, {"sip": {"user": text}}, {"sip": {"domain": text}}, {"places": {"d1": text}},
        {"sms": {"headers": {"X": text}}}, {"channels": {"email": text}},
    ):  # fmt: skip
        with pytest.raises(ValueError, match="unprintable"):
            ResponseSettings.model_validate(given_)
