"""Homes judged side by side: what is recorded of a case is what judging its whole history would have said."""

from dataclasses import replace

import numpy as np
import pytest

from models import state
from models.features import NAMES, Moment
from models.slots import INCOMING, NOTHING, OWN, SLOTS_PER_DAY, SLOTS_PER_HOUR
from simulators.empty import study
from simulators.histories import Home, strip_of
from simulators.phonelife import PhoneLife
from simulators.splice import AWAY, FULL_STOP, GAP, LEFT_ON, PHONE_LOST, Case, Reach, splice
from simulators.study import BEGIN, HOURS, Column, Lived, Recorder, live
from stream.calendar import Calendar
from stream.life import Life, Rows
from stream.rules import Rules
from stream.settings import Settings
from stream.watch import WHO

DAYS, REACH = 40, Reach(context_days=10, after_days=4, unseen_days=12)
RULES = Rules.of(Settings())
HEARD = np.array([0, 1 << 40, 1 << 40])


def column(seed: int, minutes: int, onsets: dict[str, float], phone: bool = True) -> Column:
    """A home that lives by day, with calls, and cases in it: scenario -> day of the onset."""
    rng, per_day = np.random.default_rng(seed), 1440 // minutes
    hour = np.arange(DAYS * per_day) % per_day * 24 / per_day
    busy = (hour >= 7) & (hour < 23) & (rng.random(len(hour)) < 0.4)
    watts = rng.uniform(50, 60, len(hour)) + busy * rng.gamma(2, 150, len(hour))
    first = (19_000 + seed) * SLOTS_PER_DAY
    home = Home(f"h{seed}", first, minutes, np.rint(watts * minutes / 60).astype(np.float32))
    awake = np.repeat(hour, minutes // 15) >= 8
    codes = np.where(awake, rng.choice([NOTHING, INCOMING, OWN], home.slots, p=[0.9, 0.02, 0.08]), NOTHING)
    codes = codes.astype(np.uint8)
    life = PhoneLife(f"p{seed}", first, codes, np.where(codes == OWN, NOTHING, codes).astype(np.uint8))
    empty, talked = study(home), life if phone else None
    cases = [splice(empty, talked, s, int(day * per_day), rng, REACH) for s, day in onsets.items()]
    return Column(empty, talked, False, cases)


COLUMNS = [
    column(1, 30, {FULL_STOP: 20.4, AWAY: 30.9, PHONE_LOST: 26.0}),
    column(2, 60, {LEFT_ON: 25.7, GAP: 14.3}),
    column(3, 15, {FULL_STOP: 33.3}, phone=False),
]


@pytest.fixture(scope="module")
def lived() -> Lived:
    return live(COLUMNS, RULES)


def whole(col: Column, case: Case) -> tuple[np.ndarray, int, int]:
    """Features (hours, features) of the home's whole record with the case in it, judged alone from the first day on;
    the hour of the midnight before the onset, and the hour at which what is shown of the case ends."""
    home = col.empty.home
    meter = strip_of(home.wh, home.minutes)
    phone = np.zeros_like(meter) if col.life is None else col.life.codes.copy()
    at, shown = case.first - home.first, strip_of(case.wh, case.minutes)
    meter[at : at + len(shown)], phone[at : at + len(shown)] = shown, case.phone
    recorder = Recorder(BEGIN, DAYS * HOURS, 1)
    who = np.zeros(1, WHO)
    who["since"], who["meter_feed"], who["phone_feed"] = BEGIN, 1, 2 if col.life else 0
    who["step"] = home.minutes // 15

    def read(first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        part = slice(first - BEGIN, first - BEGIN + count)
        return meter[part, None], phone[part, None]

    life = Life(replace(RULES, model=recorder), Calendar("UTC"))
    life.run(Rows(state.fresh(np.array([BEGIN])), who, read), BEGIN, BEGIN + DAYS * SLOTS_PER_DAY, HEARD)
    midnight = (case.onset - home.first) // SLOTS_PER_DAY * HOURS
    return recorder.x[:, 0], midnight, (at + len(shown)) // SLOTS_PER_HOUR


@pytest.mark.slow
@pytest.mark.parametrize("number", range(6))
def test_a_fork_is_the_whole_history(lived: Lived, number: int) -> None:
    """From the midnight before the onset on, a case has the bits that the whole spliced history gives."""
    col, case = COLUMNS[lived.of[number]], lived.each[number]
    x, begin, end = whole(col, case)
    hours = min(end - begin, len(lived.cases))
    got = lived.cases[:hours, number]
    assert hours >= 2 * HOURS
    assert np.array_equal(got, x[begin : begin + hours], equal_nan=True)
    onset = (case.onset - col.empty.home.first) // SLOTS_PER_HOUR - begin
    silent = got[onset + 1 :]
    assert (~np.isnan(silent[:, 0])).any() or case.scenario == GAP


def test_a_case_is_a_year_that_went_otherwise(lived: Lived) -> None:
    """Until the onset a case is the year, hour by hour; after it they part."""
    for number, case in enumerate(lived.each):
        i = lived.of[number]
        slot = case.onset - COLUMNS[i].empty.home.first
        begin, onset = slot // SLOTS_PER_DAY * HOURS, slot // SLOTS_PER_HOUR
        year, forked = lived.years[begin:, i], lived.cases[:, number]
        assert np.array_equal(forked[: onset - begin], year[: onset - begin], equal_nan=True)
        many = min(len(year), len(forked))
        assert not np.array_equal(forked[:many], year[:many], equal_nan=True)


@pytest.mark.slow
def test_columns_do_not_know_of_each_other(lived: Lived) -> None:
    """In another order, each column and each case is the same."""
    order = [2, 0, 1]
    other = live([COLUMNS[i] for i in order], RULES)
    assert np.array_equal(other.years, lived.years[:, order], equal_nan=True)
    at = {id(case): i for i, case in enumerate(lived.each)}
    same = [at[id(case)] for case in other.each]
    assert sorted(same) == list(range(len(lived.each)))
    assert np.array_equal(other.cases, lived.cases[:, same], equal_nan=True)


def test_years_are_asked_once_an_hour_when_nights_are_known(lived: Lived) -> None:
    """After the first days every measured hour has its features, none of them NaN, whatever the meter's interval."""
    assert lived.years.shape == (DAYS * HOURS, len(COLUMNS), len(NAMES))
    later = lived.years[10 * HOURS :]
    assert not np.isnan(later).any()


@pytest.mark.slow
def test_without_cases_there_are_years_alone() -> None:
    """A home that is only taught from."""
    alone = live([replace(COLUMNS[1], cases=())], RULES)
    assert alone.cases.shape == (0, 0, len(NAMES))
    assert len(alone.years) == DAYS * HOURS


def test_a_recorder_says_that_everybody_lives() -> None:
    """It watches: no level is raised by it, and whoever was not asked stays unknown."""
    recorder = Recorder(BEGIN, 2, 3)
    x = np.arange(len(NAMES), dtype=np.float32)[:, None]
    said = recorder.log_odds(x, np.array([1]), Moment(0, 1.0, BEGIN + SLOTS_PER_HOUR))
    assert said.max() < -5
    assert np.array_equal(recorder.x[1, 1], x[:, 0])
    assert np.isnan(recorder.x).sum() == 5 * len(NAMES)
    assert not recorder.scale
