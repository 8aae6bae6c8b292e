"""Gaps in the readings: begun when asked, for a person after a day, over with data or an absence."""

import numpy as np

from models import gaps, judge
from models.judge import Day
from models.slots import MISSING
from models.state import Heads
from tests.models.test_judge import QUIET, home, lately, span


def _gap(heads: Heads, day: Day, code: int, number: int, asked: bool = True, absent: bool = False) -> gaps.Moved | None:
    given_span = span([code], first=number, heard=False, watched=not absent)
    (told,) = judge.weigh(day, given_span)
    judge.advance(heads, lately(heads), day, told, np.array([10_000], np.uint16))
    mask = np.array([True])
    return gaps.advance(heads, told, mask & (asked and not absent), mask if absent else None, 24, 96)


def test_a_gap_begins_deepens_and_ends_by_readings() -> None:
    """Six hours without a reading is a gap, a day without any sign of life is for a person, a reading ends it."""
    heads, day = home()
    states = []
    for number in range(1, 120):
        _gap(heads, day, MISSING, number)
        states.append(int(heads.gap[0]))
    assert states == [gaps.NONE] * 22 + [gaps.GAP] * 72 + [gaps.PERSON] * 25
    moved = _gap(heads, day, QUIET, 120, asked=False)
    assert moved is not None
    assert (heads.gap[0], heads.data[0], moved[1].tolist(), moved[2].tolist()) == (gaps.NONE, 120, [gaps.PERSON], [-1])


def test_a_gap_is_entered_only_when_asked() -> None:
    """Between the hours nothing is entered, however long data is missing."""
    heads, day = home()
    assert all(_gap(heads, day, MISSING, number, asked=False) is None for number in range(1, 120))


def test_life_by_phone_keeps_a_gap_from_needing_a_person() -> None:
    """Who is known to live needs no visit because of a meter."""
    heads, day = home()
    for number in range(1, 200):
        heads.life[:] = number - 1
        _gap(heads, day, MISSING, number)
    assert heads.gap[0] == gaps.GAP


def test_an_absence_ends_a_gap_and_its_clock_begins_anew() -> None:
    """Nobody waits for data of who is away; six hours count from the return."""
    heads, day = home()
    for number in range(1, 50):
        _gap(heads, day, MISSING, number)
    assert heads.gap[0] == gaps.GAP
    assert _gap(heads, day, MISSING, 50, absent=True) is not None
    assert heads.gap[0] == gaps.NONE
    for number in range(51, 74):
        _gap(heads, day, MISSING, number)
    assert heads.gap[0] == gaps.NONE
    _gap(heads, day, MISSING, 74)
    assert heads.gap[0] == gaps.GAP
