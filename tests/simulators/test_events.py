"""What events do to days, and which are planned."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from simulators.events import Event, EventKind, apply
from simulators.phones import CALL_ANSWERED, CALL_MISSED, CALL_OUT, DATA, SMS_IN, SMS_OUT
from simulators.plans import enrolments, plan_day, plan_life, plan_weeks
from simulators.town import Day, make_town
from stream.records import QUALITIES, Quality

TOWN = make_town(200, 5, date(2026, 4, 6))
DAY = TOWN.day(0)
NOON = DAY.begin + 12 * 3600
MISSING = QUALITIES.index(Quality.missing)


def everybody(kind: EventKind, start: int = NOON, until: int | None = None, **details: float | str) -> Event:
    """An event of all households."""
    return Event(kind, start, until, tuple(h.household_id for h in TOWN.households), details=details)


def after(day: Day, at: int = NOON) -> np.ndarray:
    """Meter rows that begin at or after a time."""
    return day.meter.start >= at


def own_use(day: Day) -> np.ndarray:
    """Phone rows that the person made."""
    return np.isin(day.phone.kind, (CALL_OUT, CALL_ANSWERED, SMS_OUT)) | ((day.phone.kind == DATA) & ~day.background)


def test_events_of_other_days_change_nothing() -> None:
    """A day that no event touches is returned as it is."""
    assert apply(TOWN, DAY, [everybody(EventKind.collapse, DAY.end)]) is DAY


def test_a_collapse_leaves_the_quiet_load() -> None:
    """From the collapse on only what runs by itself runs; before, nothing changed."""
    day = apply(TOWN, DAY, [everybody(EventKind.collapse)])
    late = after(day)
    assert np.all(day.lived[late] == 0)
    assert np.array_equal(day.alone, DAY.alone)
    shown, alone = (np.bincount(day.meter_home[late], x[late]) for x in (day.meter.kwh, day.alone))
    assert np.all(np.abs(shown - alone) <= TOWN.resolution + 1e-6)
    assert np.array_equal(day.meter.kwh[~late], DAY.meter.kwh[~late])


def test_a_collapse_within_an_interval_takes_its_share() -> None:
    """A collapse in the middle of an hourly interval leaves half of the hour's life in it."""
    hourly = make_town(20, 5, date(2026, 4, 6), minutes={60: 1.0})
    before = hourly.day(0)
    event = Event(EventKind.collapse, NOON + 1800, None, tuple(h.household_id for h in hourly.households))
    day = apply(hourly, before, [event])
    there = day.meter.start == NOON
    assert np.allclose(day.lived[there], before.lived[there] / 2)


def test_a_collapse_ends_the_own_phone_and_not_what_comes_in() -> None:
    """After a collapse nobody calls, writes or answers; answered calls are missed, spam and data go on."""
    day = apply(TOWN, DAY, [everybody(EventKind.collapse)])
    late, before = day.phone.at >= NOON, DAY.phone.at >= NOON
    assert own_use(DAY)[before].sum() > 100
    assert own_use(day)[late].sum() == 0
    came = np.isin(DAY.phone.kind[before], (CALL_ANSWERED, CALL_MISSED)).sum()
    assert (day.phone.kind[late] == CALL_MISSED).sum() == came
    assert day.phone.duration_s[day.phone.kind == CALL_MISSED].max() == 0
    assert (day.background & late).sum() == (DAY.background & before).sum()
    assert len(day.phone) == len(day.phone_home) == len(day.background)
    texts, sent = ((d.phone.kind == SMS_IN) & (d.phone.at >= NOON) for d in (day, DAY))
    assert 0 < texts.sum() < 0.7 * sent.sum()  # nobody answers texts that were not sent


def test_something_left_on_adds_its_energy() -> None:
    """A television left on adds its watts to every interval after the collapse."""
    day = apply(TOWN, DAY, [everybody(EventKind.collapse_left_on, watts=120.0)])
    late = after(day)
    hours = day.meter.minutes[late] / 60
    assert np.allclose(day.alone[late] - DAY.alone[late], 0.12 * hours)
    assert np.all(day.lived[late] == 0)


def test_something_left_on_may_cycle() -> None:
    """A heater on its thermostat switches: intervals differ, and the mean is its duty."""
    event = everybody(EventKind.collapse_left_on, watts=1000.0, cycle_minutes=40.0, duty=0.5)
    day = apply(TOWN, DAY, [event])
    short = after(day) & (day.meter.minutes == 15)
    added = day.alone[short] - DAY.alone[short]
    assert added.min() < 0.05
    assert added.max() > 0.2
    assert np.isclose(added.mean() * 4, 0.5, atol=0.03)


def test_a_trip_keeps_the_phone() -> None:
    """On a trip the home is quiet, the phone goes on as ever, and life returns with the person."""
    day = apply(TOWN, DAY, [everybody(EventKind.trip, NOON, NOON + 4 * 3600)])
    away = after(day) & ~after(day, NOON + 4 * 3600)
    assert day.lived[away].sum() == 0
    assert np.array_equal(day.lived[~away], DAY.lived[~away])
    assert np.array_equal(day.phone.at, DAY.phone.at)


def test_in_hospital_some_phone_use_goes_on() -> None:
    """In hospital part of the own phone use goes on, the same part each time it is asked."""
    event = everybody(EventKind.hospital, DAY.begin, None, phone_share=0.3)
    day = apply(TOWN, DAY, [event])
    assert 0.2 < own_use(day).sum() / own_use(DAY).sum() < 0.4
    assert np.array_equal(day.phone.at, apply(TOWN, DAY, [event]).phone.at)


def test_a_lost_phone_leaves_the_home_alive() -> None:
    """A lost phone is silent while the meter shows life; with a dead battery its own data ends too."""
    day = apply(TOWN, DAY, [everybody(EventKind.phone_lost)])
    late = day.phone.at >= NOON
    assert np.array_equal(day.meter.kwh, DAY.meter.kwh)
    assert own_use(day)[late].sum() == 0
    assert day.background[late].any()
    dead = apply(TOWN, DAY, [everybody(EventKind.phone_lost, battery="dead")])
    assert not dead.background[dead.phone.at >= NOON].any()


def test_a_guest_adds_to_life() -> None:
    """With a guest in the home more of it is lived in."""
    day = apply(TOWN, DAY, [everybody(EventKind.guest, DAY.begin, DAY.end, factor=1.5)])
    assert np.isclose(day.lived.sum(), 1.5 * DAY.lived.sum())


@pytest.mark.parametrize("reads", ["zero", "missing"])
def test_a_power_cut_takes_its_area_only(reads: str) -> None:
    """In a cut an area's meters count nothing or are off, and the other areas go on."""
    cut = Event(EventKind.power_cut, NOON, NOON + 2 * 3600, area="area-0001", details={"reads": reads})
    day = apply(TOWN, DAY, [cut])
    area = np.isin(day.meter_home, TOWN.areas["area-0001"])
    dark = area & after(day) & ~after(day, NOON + 2 * 3600)
    assert len(set(day.meter_home[dark])) == 64
    if reads == "zero":
        fine = TOWN.resolution[day.meter_home] < 0.01
        assert day.meter.kwh[dark & fine].max() == 0
        assert np.all(day.meter.quality == 0)
    else:
        assert np.all(np.isnan(day.meter.kwh[dark]))
        assert np.array_equal(day.meter.quality == MISSING, dark)
    assert np.array_equal(day.meter.kwh[~area], DAY.meter.kwh[~area])
    again = apply(TOWN, day, [replace(cut, start=DAY.begin, until=DAY.begin + 3600)])
    assert np.array_equal(np.isnan(again.meter.kwh) & dark, np.isnan(day.meter.kwh) & dark)


def test_unknown_households_are_named() -> None:
    """An event of a household or area that is not in the town says which."""
    with pytest.raises(ValueError, match="'nobody'"):
        apply(TOWN, DAY, [Event(EventKind.collapse, NOON, None, ("nobody",))])
    with pytest.raises(ValueError, match="'nowhere'"):
        apply(TOWN, DAY, [Event(EventKind.power_cut, NOON, None, area="nowhere")])


def test_a_planned_day_has_what_was_asked_for() -> None:
    """plan_day gives the counts asked for, each to a household of its own, none of them busy."""
    busy = [h.household_id for h in TOWN.households[:150]]
    events = plan_day(TOWN, 3, np.random.default_rng(1), busy=busy)
    kinds = [e.kind.value for e in events]
    assert {k: kinds.count(k) for k in kinds} == {
        "collapse": 6, "collapse_left_on": 2, "trip": 6, "hospital": 1, "phone_lost": 1, "guest": 1, "power_cut": 1,
        "late_concentrator": 1,
    }
    homes = [h for e in events for h in e.households]
    assert len(homes) == len(set(homes)) == 17
    assert not set(homes) & set(busy)
    assert len({e.area for e in events if e.area}) == 2
    assert all(TOWN.midnight(3) <= e.start < TOWN.midnight(4) for e in events)
    assert events == plan_day(TOWN, 3, np.random.default_rng(1), busy=busy)


def test_a_small_town_has_fewer_events() -> None:
    """A planned day in a town of three households still works."""
    small = make_town(3, 1)
    assert len([e for e in plan_day(small, 0, np.random.default_rng(1)) if e.households]) == 3


def test_ordinary_absences_do_not_depend_on_the_chunk() -> None:
    """Planning sixty days at once or in two halves, or for a larger town, gives a household the same absences."""
    whole = plan_life(TOWN, range(60))
    assert len(whole) > 50
    key = [(e.start, e.households) for e in whole]
    assert key == [(e.start, e.households) for e in plan_life(TOWN, range(30)) + plan_life(TOWN, range(30, 60))]
    larger = plan_life(make_town(400, 5, date(2026, 4, 6)), range(60))
    assert [e for e in larger if TOWN.number.get(e.households[0]) is not None] == whole


def test_nobody_collapses_while_away() -> None:
    """In planned weeks no ordinary absence overlaps or follows the same household's collapse."""
    events = plan_weeks(TOWN, range(60), share=0.5)
    fallen = {e.households[0]: e.start for e in events if e.kind is EventKind.collapse}
    assert len(fallen) > 10
    assert min(fallen.values()) >= TOWN.midnight(21)
    trips = [e for e in events if e.kind is EventKind.trip and e.households[0] in fallen]
    assert trips
    assert all(e.until is not None and e.until <= fallen[e.households[0]] for e in trips)


def test_registered_absences_reach_the_register() -> None:
    """The households topic has each enrolment first, then each absence at the time it was told."""
    events = plan_weeks(TOWN, range(60))
    records = enrolments(TOWN, events)
    told = [e for e in events if "registered_at" in e.details]
    assert told
    assert len(records) == 200 + len(told)
    assert [at for at, _ in records] == sorted(at for at, _ in records)
    event = told[0]
    final = {h.household_id: h for _, h in records}[event.households[0]]
    assert event.start in [int(a.from_.timestamp()) for a in final.absences]
    assert all(a.until > a.from_ for h in (r for _, r in records) for a in h.absences)


def test_events_keep_the_columns_types() -> None:
    """Applying events keeps the types of the columns."""
    day = apply(TOWN, DAY, [everybody(EventKind.collapse)])
    for name in ("start", "kwh", "minutes", "quality"):
        assert getattr(day.meter, name).dtype == getattr(DAY.meter, name).dtype
    for name in ("at", "kind", "duration_s"):
        assert getattr(day.phone, name).dtype == getattr(DAY.phone, name).dtype
