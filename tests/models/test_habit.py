"""What is learned of a home in a day."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models import evidence
from models import habit as habits
from models.slots import ESTIMATED, MISSING, OWN, ZERO
from models.state import NIGHTS, UNIT, Heads, fresh

BLOCKS = np.repeat(np.arange(12), 8)
YES, NO = np.array([True]), np.array([False])


def day_of(night: int = 60, evening: int = 160) -> NDArray[np.uint8]:
    """A day's meter codes: quiet but for the evening."""
    codes = np.full((96, 1), night, np.uint8)
    codes[72:88] = evening
    return codes


def learn(
    habit: NDArray[np.void], codes: NDArray[np.uint8], phone: int = 0, peak: float = 6, stretch: int = 20,
    heard: NDArray[np.bool_] = YES, there: NDArray[np.bool_] = YES, learns: NDArray[np.bool_] = YES,
) -> None:  # fmt: skip
    """Take in one day."""
    kept = fresh(np.zeros(1, np.int64))
    kept.habit = habit
    heads = Heads.of(kept.head)
    heads.peak[:], heads.stretch[:] = peak * UNIT, stretch
    floor = evidence.floor(evidence.tables(habit))
    habits.learn_day(
        kept, heads, codes, np.full((96, 1), phone, np.uint8), BLOCKS, heard & there, there, learns, floor
    )


def new() -> NDArray[np.void]:
    """A home of which nothing is known."""
    return fresh(np.zeros(1, np.int64)).habit


def test_two_weeks_of_evenings_are_known_as_such() -> None:
    """Quiet nights, hours of life and the usual worst come out of the days, and hardly a home like any other."""
    habit = new()
    for _ in range(14):
        learn(habit, day_of())
    assert (habit["nights"][0] == 60).sum() == NIGHTS * 8
    assert habit["active"][0, 9] > 230
    assert habit["active"][0, 2] < 10
    assert (habit["profile"][0, 2], habit["profile"][0, 9]) == (60, 160)
    assert habit["days"][0] == 14
    assert habit["worst"][0] == pytest.approx(6)
    assert (habit["stretch"][0], habit["record"][0]) == (20, 20)


@pytest.mark.slow
def test_shares_are_forgotten_for_another_life() -> None:
    """After a year of one life and a month of another the table shows the other."""
    habit = new()
    for _ in range(365):
        learn(habit, day_of())
    for _ in range(30):
        learn(habit, day_of(evening=60))
    assert habit["active"][0, 9] < 80


@pytest.mark.parametrize("code", [MISSING, ESTIMATED])
def test_days_without_readings_teach_nothing_about_the_meter(code: int) -> None:
    """Neither nights nor shares move by what was not measured."""
    habit = new()
    for _ in range(5):
        learn(habit, day_of())
    before = habit.copy()
    learn(habit, np.full((96, 1), code, np.uint8))
    assert (habit["nights"] == before["nights"]).all()
    assert all((habit[name] == before[name]).all() for name in ("active", "bins", "profile"))


@pytest.mark.parametrize("why", ["not enrolled or absent", "nothing came"])
def test_days_on_which_nobody_was_watched_leave_everything_as_it_was(why: str) -> None:
    """No day is counted and nothing is forgotten."""
    habit = new()
    for _ in range(5):
        learn(habit, day_of())
    before = habit.tobytes()
    if why == "nothing came":
        learn(habit, np.zeros((96, 1), np.uint8), peak=50, stretch=90, heard=NO)
    else:
        learn(habit, day_of(), peak=50, stretch=90, there=NO, learns=NO)
    assert habit.tobytes() == before


def test_an_alarmed_day_is_not_taken_for_life() -> None:
    """While an alarm stands the tables do not learn that silence is usual, only how bad days can be."""
    habit = new()
    for _ in range(5):
        learn(habit, day_of())
    before = habit.copy()
    learn(habit, day_of(evening=60), peak=40, stretch=90, learns=NO)
    for name in ("nights", "active", "bins", "profile", "calls"):
        assert (habit[name] == before[name]).all()
    assert habit["worst"][0] > before["worst"][0]
    assert habit["record"][0] == 90


def test_a_record_is_forgotten_slowly() -> None:
    """A month later a silence of four days counts as about a day and a half."""
    habit = new()
    learn(habit, day_of())
    learn(habit, day_of(), stretch=384)
    for _ in range(30):
        learn(habit, day_of())
    assert 130 <= habit["record"][0] <= 170


def test_nights_with_somebody_up_are_not_quiet_nights() -> None:
    """A night busier than usual is not kept."""
    habit = new()
    for _ in range(8):
        learn(habit, day_of())
    learn(habit, day_of(night=120))
    assert 120 not in habit["nights"]


def test_nights_without_power_are_not_quiet_nights() -> None:
    """A week of exactly nothing leaves a home that always draws something as it was."""
    habit = new()
    for _ in range(8):
        learn(habit, day_of())
    before = habit.copy()
    for _ in range(7):
        learn(habit, day_of(night=ZERO, evening=ZERO))
    assert (habit["nights"] == before["nights"]).all()
    assert all((habit[name] == before[name]).all() for name in ("active", "bins", "profile"))


def test_calls_are_learned_by_four_hours_and_only_when_the_feed_was_complete() -> None:
    """Own use counts in its four hours; a day the feed was behind counts for nothing."""
    habit = new()
    learn(habit, day_of(), phone=OWN)
    assert habit["calls"][0].tolist() == [16] * 6
    learn(habit, day_of(), phone=OWN, heard=NO)
    assert (habit["calls"][0].tolist(), int(habit["calls_days"][0])) == ([16] * 6, 1)
    for _ in range(200):
        learn(habit, day_of(), phone=OWN)
    assert habit["calls_days"][0] <= 24
