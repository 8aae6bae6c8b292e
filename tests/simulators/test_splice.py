"""Collapses spliced into real homes' histories: what is changed, what is not, and where the empty load comes from."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from models.slots import INCOMING, NOTHING, OWN
from simulators.empty import Empty, study, unoccupied
from simulators.histories import Home, runs
from simulators.phonelife import Person, PhoneLife, persons_of
from simulators.splice import (
    AWAY,
    EMERGENCIES,
    FULL_STOP,
    GAP,
    LEFT_ON,
    PHONE_LOST,
    SCENARIOS,
    UNTOUCHED,
    Case,
    Reach,
    cases,
    draw_onset,
    fold_of,
    hidden_of,
    rng_of,
    settle,
    splice,
)
from stream.columns import PhoneColumns

FIRST = 20_000 * 96
REACH = Reach(context_days=14, after_days=5, unseen_days=30)


def lived_in(minutes: int = 30, days: int = 120, trips: tuple[int, ...] = (10, 90)) -> Home:
    """A home with 50-60 W at night, 300-900 W by day, and trips of three days."""
    rng, per_day = np.random.default_rng(5), 1440 // minutes
    hour = np.arange(days * per_day) % per_day * 24 / per_day
    watts = np.where(hour < 7, rng.uniform(50, 60, len(hour)), rng.uniform(300, 900, len(hour)))
    for day in trips:
        watts[day * per_day : (day + 3) * per_day] = rng.uniform(50, 58, 3 * per_day)
    return Home("h1", FIRST, minutes, np.rint(watts * minutes / 60).astype(np.float32))


def talked(home: Home) -> PhoneLife:
    """A phone used, called and silent slot by slot; without its resident somebody still calls."""
    codes = np.random.default_rng(6).choice(np.array([NOTHING, INCOMING, OWN], np.uint8), home.slots)
    return PhoneLife("p1", home.first, codes, np.where(codes == OWN, NOTHING, codes).astype(np.uint8))


def persons(n: int) -> list[Person]:
    """Persons who call once a day, each at an hour of his or her own."""
    at = np.concatenate([np.arange(20) * 86_400 + (6 + i) * 3600 for i in range(n)])
    names = pa.array([f"p{i}" for i in range(n) for _ in range(20)])
    columns = PhoneColumns(names, at, np.zeros(20 * n, np.uint8), np.full(20 * n, 9, np.float32))
    return persons_of(columns, "UTC")


@pytest.fixture(params=[15, 30, 60])
def empty(request: pytest.FixtureRequest) -> Empty:
    return study(lived_in(request.param))


def window(empty: Empty, case: Case) -> slice:
    begin = (case.first - empty.home.first) // empty.home.width
    return slice(begin, begin + len(case.wh))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_before_the_onset_is_changed(empty: Empty, scenario: str) -> None:
    """Up to the onset a case is the home and the phone life as they were."""
    life, onset = talked(empty.home), 60 * empty.home.per_day + 5
    case = splice(empty, life, scenario, onset, np.random.default_rng(1), REACH)
    at, width = onset - window(empty, case).start, empty.home.width
    assert (case.onset - case.first) == at * width
    assert at == REACH.context_days * empty.home.per_day
    assert np.array_equal(case.wh[:at], empty.home.wh[window(empty, case)][:at])
    begin = case.first - empty.home.first
    assert np.array_equal(case.phone[: at * width], life.codes[begin : begin + at * width])
    assert len(case.phone) == len(case.wh) * width


def test_a_stopped_life_neither_uses_the_phone_nor_the_home(empty: Empty) -> None:
    """After the onset no own use is left, calls still come in, and the load is that of the quiet nights."""
    case = splice(empty, talked(empty.home), FULL_STOP, 60 * empty.home.per_day, np.random.default_rng(2), REACH)
    at = case.onset - case.first
    assert OWN in case.phone[:at]
    assert OWN not in case.phone[at:]
    assert INCOMING in case.phone[at:]
    after = case.wh[at // empty.home.width :] * 60 / empty.home.minutes
    assert 45 < after.mean() < 65
    assert after.max() < 85


def test_what_is_left_on_comes_on_top(empty: Empty) -> None:
    """A left-on home uses 10 to 1300 W more than the empty home, for as long as the case is shown."""
    many = cases(empty, talked(empty.home), np.random.default_rng(3), {LEFT_ON: 60}, REACH)
    watts = [c.wh[(c.onset - c.first) // empty.home.width :].mean() * 60 / c.minutes for c in many]
    assert len(many) == 60
    assert min(watts) > 60
    assert max(watts) < 1400
    assert len({c.left for c in many}) >= 3


@pytest.mark.parametrize("scenario", [AWAY, PHONE_LOST, GAP, UNTOUCHED])
def test_no_emergency_leaves_the_other_signal_alone(empty: Empty, scenario: str) -> None:
    """Who is away phones on; a lost phone and a gap leave the load, and after ``until`` all is as it was."""
    life, home = talked(empty.home), empty.home
    case = splice(empty, life, scenario, 60 * home.per_day, np.random.default_rng(4), Reach(14, 12, 30))
    where, until = window(empty, case), case.until - case.first
    begin = case.first - home.first
    phone, wh = life.codes[begin : begin + len(case.phone)], home.wh[where]
    assert np.array_equal(case.phone, phone) == (scenario != PHONE_LOST)
    assert np.array_equal(case.wh, wh) == (scenario in (PHONE_LOST, UNTOUCHED))
    assert np.array_equal(case.phone[until:], phone[until:])
    assert np.array_equal(case.wh[until // home.width :], wh[until // home.width :])
    hours = (case.until - case.onset) / 4
    low, high = {AWAY: (48, 240), PHONE_LOST: (72, 72), GAP: (12, 48), UNTOUCHED: (288, 288)}[scenario]
    assert low - 1 <= hours <= high


def test_a_gap_is_missing_and_nothing_else(empty: Empty) -> None:
    """Between onset and ``until`` of a gap there is no reading, elsewhere every one."""
    case = splice(empty, None, GAP, 60 * empty.home.per_day, np.random.default_rng(4), REACH)
    width = empty.home.width
    span = [(case.onset - case.first) // width, (case.until - case.first) // width]
    assert runs(np.isnan(case.wh)).tolist() == [span]


@pytest.mark.parametrize("origin", ["absence", "nights"])
def test_the_empty_load_comes_from_outside_what_is_seen(origin: str) -> None:
    """A home half as quiet in all that is hidden, trips and nights, never shows that in its empty load."""
    home = lived_in(trips=(5, 60, 100))
    hidden = (40 * home.per_day, 80 * home.per_day)
    wh = home.wh.copy()
    wh[slice(*hidden)] *= 0.5
    empty = study(replace(home, wh=wh))
    assert len(empty.absences) == 3
    made = [unoccupied(empty, 70 * 48 + s, 240, hidden, np.random.default_rng(s)) for s in range(40)]
    loads = np.concatenate([load for load, told in made if told == origin])
    assert len(loads) >= 10 * 240
    assert loads.min() * 2 > 0.8 * 50 - 2
    assert loads.max() * 2 < 1.2 * 60 + 2


def test_what_is_hidden_reaches_as_far_as_a_detector_remembers() -> None:
    """From the longer of context and memory before the onset to the end of the case."""
    empty, onset = study(lived_in()), 70 * 48 + 7
    assert hidden_of(empty, onset, Reach(14, 5, 30)) == (onset - 30 * 48, onset + 5 * 48)
    assert hidden_of(empty, onset, Reach(45, 3, 30)) == (onset - 45 * 48, onset + 3 * 48)
    assert hidden_of(empty, onset, Reach(14, 5, 120)) == (0, onset + 5 * 48)


def test_an_absence_begins_an_hour_after_life_ends() -> None:
    """An hour is left off at both edges of a stretch at quiet load."""
    home = lived_in(trips=(10,))
    begin, end = study(home).absences[0] / home.per_day
    assert begin == pytest.approx(10 + 1 / 24)  # the night before it counts, from midnight on
    assert end == pytest.approx(13 + 6 / 24)


def test_absences_are_at_the_same_hours() -> None:
    """Load from absences stands at the hour of the day at which it was used."""
    home = lived_in(trips=(10, 30, 100))
    hour = np.arange(len(home.wh)) % 48 // 2
    away = np.isin(np.arange(len(home.wh)) // 48, [10, 11, 12, 30, 31, 32, 100, 101, 102])
    empty = study(replace(home, wh=np.where(away, 20 + hour / 3, home.wh).astype(np.float32)))
    empty = replace(empty, step=0.0)
    assert len(empty.absences) == 3
    onset, rng = 60 * 48 + 13, np.random.default_rng(1)
    loads = [unoccupied(empty, onset, 200, (onset - 480, onset + 200), rng) for _ in range(20)]
    found = [load for load, origin in loads if origin == "absence"]
    assert 4 <= len(found) <= 16
    clock = hour[onset : onset + 200]
    day = clock >= 8  # an absence begins and ends with a night at home
    assert all(np.allclose(load[day] / (20 + clock[day] / 3), 1, atol=0.21) for load in found)


def test_a_home_that_always_looks_empty_has_no_absences() -> None:
    """A home at quiet load for over a quarter of its time says nothing by it."""
    assert len(study(lived_in(trips=(10, 30))).absences) == 2
    assert len(study(lived_in(trips=tuple(range(10, 100, 8)))).absences) == 0


def test_the_same_seed_makes_the_same_cases(empty: Empty) -> None:
    """Cases are those of seed and home, whatever else is made; another seed makes others."""

    def made(seed: int) -> list[Case]:
        return cases(empty, talked(empty.home), rng_of(seed, empty.home.household_id), reach=REACH)

    a, b, c = made(1), made(1), made(2)
    assert [x.onset for x in a] == [x.onset for x in b] != [x.onset for x in c]
    assert all(np.array_equal(x.wh, y.wh, equal_nan=True) for x, y in zip(a, b, strict=True))
    assert all(np.array_equal(x.phone, y.phone) for x, y in zip(a, b, strict=True))


def test_onsets_are_spread_over_the_whole_day() -> None:
    """A collapse happens at any hour, with its context before it and its days after it in the record."""
    empty = study(lived_in())
    rng, home = np.random.default_rng(3), empty.home
    onsets = np.array([draw_onset(empty, rng, REACH) for _ in range(2000)], int)
    assert onsets.min() >= REACH.context_days * 48
    assert onsets.max() + REACH.after_days * 48 <= len(home.wh)
    hours = np.bincount(onsets % 48 // 2, minlength=24)
    assert hours.min() > 0.6 * 2000 / 24
    assert hours.max() < 1.5 * 2000 / 24


def test_no_onset_where_nothing_was_measured() -> None:
    """A home without readings, or shorter than a case, has no cases and raises nothing."""
    home = lived_in()
    missing = study(replace(home, wh=np.full_like(home.wh, np.nan)))
    short = study(replace(home, wh=home.wh[: 15 * 48]))
    rng = np.random.default_rng(1)
    assert cases(missing, None, rng, reach=REACH) == []
    assert cases(short, None, rng, reach=REACH) == []


def test_an_onset_has_a_measured_week_behind_it() -> None:
    """No collapse begins in or just after ten days without readings, and some do elsewhere."""
    home = lived_in()
    wh = home.wh.copy()
    wh[50 * 48 : 60 * 48] = np.nan
    empty, rng = study(replace(home, wh=wh)), np.random.default_rng(1)
    days = np.array([draw_onset(empty, rng, REACH) for _ in range(500)], float) / 48
    assert not np.any((days > 51) & (days < 66))
    assert np.any(days < 50)
    assert np.any(days > 67)


def test_missing_readings_stay_missing_after_the_onset() -> None:
    """A collapse does not mend a meter that does not report."""
    home = lived_in()
    wh = home.wh.copy()
    wh[62 * 48 : 62 * 48 + 7] = np.nan
    case = splice(study(replace(home, wh=wh)), None, FULL_STOP, 60 * 48, np.random.default_rng(1), REACH)
    at = (62 - 60 + REACH.context_days) * 48
    assert runs(np.isnan(case.wh)).tolist() == [[at, at + 7]]


def test_a_coarse_meter_stays_coarse() -> None:
    """After the onset a register of 100 Wh still shows whole 100 Wh, and as much as the empty home uses."""
    home = lived_in()
    total = np.floor(np.cumsum(home.wh.astype(np.float64)) / 100) * 100
    empty = study(replace(home, wh=np.diff(total, prepend=0).astype(np.float32)))
    assert empty.step == 100
    for scenario in EMERGENCIES:
        case = splice(empty, None, scenario, 60 * 48, np.random.default_rng(1), REACH)
        assert np.all(case.wh % 100 == 0)
    hidden = hidden_of(empty, 60 * 48, REACH)
    load = np.concatenate([unoccupied(empty, 60 * 48, 240, hidden, np.random.default_rng(s))[0] for s in range(40)])
    assert 45 < load.mean() * 2 < 65


def test_folds_are_of_equal_size_and_depend_on_names_alone() -> None:
    """Whole homes are left out: each in one fold, whatever the order they come in."""
    names = [f"h{i}" for i in range(53)]
    folds = fold_of(names, 5)
    assert folds == fold_of(names[::-1], 5)
    assert sorted(np.bincount(list(folds.values()))) == [10, 10, 11, 11, 11]


def test_a_home_is_settled_whoever_its_neighbours_are() -> None:
    """Who lives in a home and how depends on its name and the seed, not on the homes beside it."""
    homes = [replace(lived_in(), household_id=f"h{i}") for i in range(12)]
    alone = persons(9)
    a, b = settle(homes, alone, 1), settle(homes[3:], alone, 1)
    who = [life.person_id for _, life in a if life]
    assert len(set(who)) > 3
    for (empty, life), (_, again) in zip(a[3:], b, strict=True):
        assert life is not None
        assert again is not None
        assert np.array_equal(life.codes, again.codes)
        assert (life.first, len(life.codes)) == (empty.home.first, empty.home.slots)
    assert who != [life.person_id for _, life in settle(homes, alone, 2) if life]
    assert all(life is None for _, life in settle(homes, [], 1))


def test_an_unknown_scenario_is_refused() -> None:
    """A scenario that there is not is named in the error."""
    with pytest.raises(ValueError, match="'flood'"):
        splice(study(lived_in()), None, "flood", 60 * 48, np.random.default_rng(1), REACH)
