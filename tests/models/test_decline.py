"""A life that drifts over weeks: what is a decline, what is not, and how often it is told."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models import decline, evidence
from models import habit as habits
from models.decline import DECLINE, NIGHT, PHONE, REVERSAL, RHYTHM, USE
from models.slots import MISSING, OWN, ZERO, code_of_watts
from models.state import DRIFT, SIGNALS, Heads, fresh

BLOCKS = np.repeat(np.arange(12), 8)
Codes = NDArray[np.uint8]
QUIET, BUSY = code_of_watts(40), code_of_watts(400)


def life(days: int, n: int = 4, seed: int = 1) -> tuple[Codes, Codes]:
    """Meter and phone codes (days, 96, n) of regular homes: up from seven to eleven, busiest in the evening."""
    rng = np.random.default_rng(seed)
    hour = np.arange(96)[None, :, None] / 4
    busy = (hour >= 7) & (hour < 23) & (rng.random((days, 96, n)) < np.where(hour >= 17, 0.8, 0.4))
    meter = np.where(busy, BUSY, QUIET) + rng.integers(-6, 7, (days, 96, n))
    own = busy & (rng.random((days, 96, n)) < 0.15)
    return meter.astype(np.uint8), np.where(own, OWN, 0).astype(np.uint8)


def thinned(meter: Codes, phone: Codes, since: int, seed: int = 2) -> tuple[Codes, Codes]:
    """From day ``since`` activity falls to a half and calls to 30 % within four weeks."""
    rng = np.random.default_rng(seed)
    far = np.clip((np.arange(len(meter)) - since) / 28, 0, 1)[:, None, None]
    less = (meter > QUIET + 10) & (rng.random(meter.shape) < 0.5 * far)
    fewer = rng.random(phone.shape) < 0.7 * far
    return np.where(less, QUIET, meter).astype(np.uint8), np.where(fewer, 0, phone).astype(np.uint8)


def turned(codes: Codes, since: int) -> Codes:
    """From day ``since`` the day moves later by half an hour a day, ten hours in all."""
    late = np.clip(np.arange(len(codes)) - since, 0, 20) * 2
    return np.stack([np.roll(day, by, axis=0) for day, by in zip(codes, late.tolist(), strict=True)])


Told = list[tuple[int, int, int, bool]]


def lived(
    meter: Codes, phone: Codes, learn: Callable[[int], bool] = lambda day: True, heard: bool = True
) -> tuple[Told, NDArray[np.void]]:
    """Learn day after day: (day, row, kind, raised) of every change, and the drifts in the end."""
    n = meter.shape[2]
    kept = fresh(np.zeros(n, np.int64))
    habit, drift = kept.habit, np.zeros(n, DRIFT)
    heads, tables, found = Heads.of(kept.head), evidence.tables(habit), []
    everyone = np.ones(n, np.bool_)
    for day in range(len(meter)):
        today, metered = decline.signals(habit, tables, meter[day], phone[day], BLOCKS)
        learns = everyone & learn(day)
        rows, kinds, _ = decline.learn_day(drift, day, today, metered, everyone & heard, learns)
        now = decline.standing(drift["course"])
        found += [(day, r, k, bool(now[r, k])) for r, k in zip(rows.tolist(), kinds.tolist(), strict=True)]
        tables = habits.learn_day(
            kept, heads, meter[day], phone[day], BLOCKS, everyone & heard, learns, learns, evidence.floor(tables)
        )
    return found, drift


def raised(told: Told, kind: int) -> dict[int, int]:
    """Row -> first day on which this kind was raised."""
    out: dict[int, int] = {}
    for day, row, of, begins in told:
        if begins and of == kind:
            out.setdefault(row, day)
    return out


@pytest.mark.slow
def test_a_steady_life_raises_nothing() -> None:
    """A year of the same regular life, in eight homes."""
    assert lived(*life(365, 8))[0] == []


def test_a_decline_over_four_weeks_is_told_while_it_goes_on() -> None:
    """Activity to a half, calls to 30 %: told for each home after a week at least and within six."""
    found = raised(lived(*thinned(*life(160), 90))[0], DECLINE)
    assert sorted(found) == [0, 1, 2, 3]
    assert all(97 <= day <= 132 for day in found.values())


def test_a_decline_is_seen_by_use_and_rhythm_where_there_is_no_phone() -> None:
    """Regular homes without a phone feed: told for most, as both have to fall far; and the phone is no reason."""
    meter, phone = thinned(*life(170, 8), 90)
    told, drift = lived(meter, phone, heard=False)
    found = raised(told, DECLINE)
    assert len(found) >= 5
    assert all(97 <= day <= 150 for day in found.values())
    assert not decline.dropped(drift)[PHONE].any()


def test_day_turned_into_night_is_told_as_such() -> None:
    """Ten hours later within three weeks: a reversal in each home."""
    meter, phone = life(140)
    found = raised(lived(turned(meter, 90), turned(phone, 90))[0], REVERSAL)
    assert sorted(found) == [0, 1, 2, 3]
    assert all(97 <= day <= 125 for day in found.values())


def test_a_heater_less_in_spring_is_no_decline() -> None:
    """The energy of the busy hours falls by two thirds over two months for everybody, hours and calls do not."""
    meter, phone = life(240)
    steps = np.clip((np.arange(240) - 90) / 60, 0, 1) * 25.5 * np.log(3)
    busy = meter > QUIET + 10
    assert lived(np.where(busy, meter - steps[:, None, None], meter).astype(np.uint8), phone)[0] == []


@pytest.mark.slow
@given(st.integers(0, 10**6), st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_use_alone_never_suffices(seed: int, to: float) -> None:
    """However far the use of electricity falls, with rhythm and calls as ever nothing is told."""
    rng = np.random.default_rng(seed)
    drift, every = np.zeros(3, DRIFT), np.ones(3, np.bool_)
    for day in range(160):
        today = np.full((SIGNALS, 3), 120, np.float32) + rng.normal(0, 12, (SIGNALS, 3)).astype(np.float32)
        today[USE] *= np.sqrt(np.interp(day, [80, 110], [1, to]))
        assert not len(decline.learn_day(drift, day, np.clip(today, 0, 255), every, every, every)[0])


@pytest.mark.parametrize("why", ["absent or alarmed", "no readings", "nobody there"])
def test_two_weeks_of_which_nothing_is_to_be_learned_are_no_decline(why: str) -> None:
    """Absent or alarmed, without readings, or away unregistered with the phone in use: nothing is told."""
    meter, phone = life(150)
    gone = slice(100, 116)
    learn: Callable[[int], bool] = lambda day: True  # noqa: E731 -- three lives, one of them by another rule
    if why == "absent or alarmed":
        meter[gone], phone[gone] = QUIET, 0
        learn = lambda day: not gone.start <= day < gone.stop  # noqa: E731
    elif why == "no readings":
        meter[gone] = MISSING
    else:
        meter[gone] = QUIET
    assert lived(meter, phone, learn)[0] == []


def test_a_day_that_teaches_nothing_leaves_means_and_spread_as_they_were() -> None:
    """Byte for byte, days counted too."""
    drift = lived(*life(60))[1].copy()
    before, none = drift.copy(), np.zeros(4, np.bool_)
    decline.learn_day(drift, 60, np.zeros((SIGNALS, 4), np.float32), ~none, ~none, none)
    decline.learn_day(drift, 61, np.zeros((SIGNALS, 4), np.float32), none, none, ~none)
    assert drift.tobytes() == before.tobytes()


def test_a_phone_that_is_hardly_used_any_more_is_told_by_itself() -> None:
    """Electricity as ever, calls gone: after weeks a decline, with the phone as its only reason."""
    meter, phone = life(150)
    phone[100:] = 0
    told, drift = lived(meter[:125], phone[:125])
    assert sorted(raised(told, DECLINE)) == [0, 1, 2, 3]
    named = decline.dropped(drift)
    assert named[PHONE].all()
    assert not named[[USE, RHYTHM, NIGHT]].any()


@pytest.mark.parametrize(("calls", "kinds"), [(0.6, {0, 1, 2, 3}), (0.05, set())])
def test_of_who_hardly_uses_the_phone_it_tells_nothing(calls: float, kinds: set[int]) -> None:
    """Calls that end are told of who calls most days, not of who calls twice a month."""
    meter, phone = life(140)
    phone[:] = 0
    some = np.random.default_rng(4).random((140, 2, 4)) < calls
    phone[:, [40, 70]] = np.where(some, OWN, 0)
    phone[100:] = 0
    assert set(raised(lived(meter, phone)[0], DECLINE)) == kinds


def test_a_cup_of_tea_at_night_is_no_reversal() -> None:
    """The night's share grows many times, from next to nothing to some hundredths of the day: nothing is told."""
    meter, phone = life(140)
    meter[100:, 12:14] = BUSY
    told, drift = lived(meter, phone)
    assert decline.left(drift)[NIGHT].min() > 2
    assert told == []


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=250))
@settings(deadline=None)
def test_at_most_one_alert_a_month_and_none_stands_for_longer(days: list[tuple[bool, bool, bool]]) -> None:
    """Whatever shows or is over on whatever days: 30 days and more between two alerts, each ended within 30; its age
    is the days since it was raised; none begins or clears on a day that does not count, but by time."""
    course, begun, was = np.zeros(1, np.uint8), -100, False
    for day, (shows, over, counts) in enumerate(days):
        course = decline._course(course, np.array([shows]), np.array([over]), np.array([counts]))
        now = bool(decline.standing(course)[0])
        if now and not was:
            assert day - begun > decline.MONTH
            assert counts
            begun = day
        if now:
            assert decline.age(course)[0] == day - begun < decline.MONTH
        if was and not now:
            assert (counts and over) or day - begun == decline.MONTH
        was = now


@pytest.mark.slow
@given(st.integers(0, 10**6), st.permutations(range(6)))
@settings(max_examples=8, deadline=None)
def test_one_home_comes_out_alone_as_among_others_in_any_order(seed: int, order: list[int]) -> None:
    """Six homes, some of them declining or without some readings: byte for byte the same in any company."""
    rng = np.random.default_rng(seed)
    meter, phone = thinned(*life(70, 6, seed), 45)
    meter[rng.random(meter.shape) < 0.05] = MISSING
    meter[:, :, 2] = ZERO
    told, many = lived(meter, phone)
    mixed = lived(meter[:, :, order], phone[:, :, order])[1]
    assert mixed.tobytes() == many[order].tobytes()
    row = order[0]
    alone_told, alone = lived(meter[:, :, [row]], phone[:, :, [row]])
    assert alone.tobytes() == many[[row]].tobytes()
    assert alone_told == [(d, 0, k, b) for d, r, k, b in told if r == row]


def test_what_is_usual_and_what_is_now_are_told_in_their_own_units() -> None:
    """Of a regular home: a third of the day in use, five calls, next to nothing at night."""
    drift = lived(*life(80))[1]
    usual, now = decline.typical(drift)
    assert usual[USE] == pytest.approx(np.full(4, (6 * 0.8 + 10 * 0.4) / 24), abs=0.05)
    assert usual[PHONE] == pytest.approx(np.full(4, 96 * 0.15 * (6 * 0.8 + 10 * 0.4) / 24), abs=1)
    assert (usual[NIGHT] < 0.03).all()
    assert now == pytest.approx(usual, rel=0.3, abs=0.03)
