"""The simulated town: the same lives whatever the size, in believable amounts."""

from dataclasses import fields
from datetime import date

import numpy as np
import pytest

from simulators.phones import CALL_ANSWERED, CALL_MISSED, CALL_OUT, DATA, SMS_IN, SMS_OUT
from simulators.town import BLOCK, Day, local_seconds, make_town
from stream.validate import check_meter, check_phone

SPRING = date(2026, 4, 6)


def same(a: Day, b: Day) -> bool:
    """Whether two days hold the same rows."""
    meters = all(np.array_equal(np.asarray(getattr(a.meter, f.name)), np.asarray(getattr(b.meter, f.name)))
                 for f in fields(a.meter))
    return meters and all(np.array_equal(np.asarray(getattr(a.phone, f.name)), np.asarray(getattr(b.phone, f.name)))
                          for f in fields(a.phone))


def test_same_seed_same_rows() -> None:
    """Two towns of one seed live the same day; another seed lives another."""
    assert same(make_town(40, 7, SPRING).day(3), make_town(40, 7, SPRING).day(3))
    assert not same(make_town(40, 7, SPRING).day(3), make_town(40, 8, SPRING).day(3))


def test_a_life_does_not_depend_on_the_number_of_households() -> None:
    """The first 150 households of a large town live as in a town of 150."""
    large, small = make_town(3 * BLOCK, 7, SPRING), make_town(150, 7, SPRING)
    assert large.households[:150] == small.households
    assert same(large.day(2, range(150)), small.day(2))


def test_chunks_of_households_make_up_the_day() -> None:
    """Asking for households in chunks that cut blocks gives the rows of the whole day."""
    town = make_town(300, 7, SPRING)
    parts = [town.day(1, range(at, at + 77)) for at in range(0, 300, 77)]
    whole = town.day(1)
    assert np.array_equal(np.concatenate([p.meter.kwh for p in parts]), whole.meter.kwh)
    assert np.array_equal(np.concatenate([p.phone.at for p in parts]), whole.phone.at)
    assert np.array_equal(np.concatenate([p.meter_home for p in parts]), whole.meter_home)


def test_a_date_is_lived_the_same_whenever_the_town_starts() -> None:
    """Day 5 of one town is day 0 of a town that starts five days later."""
    a, b = make_town(20, 7, date(2026, 4, 1)).day(5), make_town(20, 7, SPRING).day(0)
    assert np.array_equal(a.alone, b.alone)
    assert np.array_equal(a.phone.at, b.phone.at)


def test_rows_are_whole_days_of_each_interval() -> None:
    """Every household has its 96, 48 or 24 readings, from local midnight on, without a gap."""
    town = make_town(100, 7, SPRING)
    day = town.day(0)
    assert day.begin == 1775401200  # 2026-04-06 00:00 in Seoul
    counts = np.bincount(day.meter_home)
    assert np.array_equal(counts, 1440 // town.minutes.astype(int))
    for home in range(100):
        start = day.meter.start[day.meter_home == home]
        assert start[0] == day.begin
        assert np.all(np.diff(start) == int(town.minutes[home]) * 60)


def test_rows_pass_the_streams_own_checks() -> None:
    """Nothing the town makes is refused by the stream."""
    day = make_town(200, 7, SPRING).day(0)
    meter, bad_readings = check_meter(day.meter, day.end)
    phone, bad_events = check_phone(day.phone, day.end)
    assert (bad_readings, bad_events) == ([], [])
    assert (len(meter), len(phone)) == (len(day.meter), len(day.phone))


def test_meters_count_whole_steps() -> None:
    """Readings are whole watt-hours, or whole 100 Wh on coarse meters, and lose nothing over the day."""
    town = make_town(200, 7, SPRING, coarse=0.5)
    day = town.day(0)
    step = town.resolution[day.meter_home]
    assert np.allclose(day.meter.kwh / step, np.round(day.meter.kwh / step), atol=1e-3)
    shown, used = np.bincount(day.meter_home, day.meter.kwh), np.bincount(day.meter_home, day.alone + day.lived)
    assert np.all(np.abs(shown - used) <= town.resolution + 1e-6)
    assert set(town.resolution) == {0.001, 0.1}


@pytest.mark.parametrize("start", [date(2026, 1, 12), SPRING, date(2026, 8, 3)])
def test_days_use_what_real_homes_use(start: date) -> None:
    """Most homes use 3 to 15 kWh a day, have a quiet load of 30 to 150 W by night, and use more by day."""
    town = make_town(256, 3, start, minutes={30: 1.0})
    watts = np.stack([town.day(i).meter.kwh.reshape(256, 48) for i in range(7)], axis=1) * 2000
    daily = watts.mean(axis=(1, 2)) * 24 / 1000
    assert 4 < np.median(daily) < 9
    assert np.mean((daily > 2) & (daily < 16)) > 0.85
    quiet = np.percentile(watts, 10, axis=(1, 2))
    assert 45 < np.median(quiet) < 120
    peak = np.percentile(watts, 99, axis=(1, 2))
    assert np.median(peak / np.maximum(np.median(watts, axis=(1, 2)), 10)) > 4


def test_some_homes_hide_the_life_in_them() -> None:
    """A few homes show almost nothing of the life in them, and most show plenty."""
    day = make_town(512, 3, SPRING).day(0)
    share = np.bincount(day.meter_home, day.lived) / np.bincount(day.meter_home, day.lived + day.alone)
    assert 0.01 < np.mean(share < 0.12) < 0.10
    assert np.median(share) > 0.4


def test_heat_storage_runs_at_night() -> None:
    """In winter a few homes store heat by night, on their own, far above what living takes."""
    town = make_town(256, 3, date(2026, 1, 12), minutes={60: 1.0})
    alone = town.day(1).alone.reshape(256, 24)
    night, afternoon = alone[:, 0:2].mean(axis=1), alone[:, 12:18].mean(axis=1)
    assert 4 <= np.sum(night - afternoon > 1.5) <= 30
    assert np.median(night - afternoon) < 0.05


def test_people_phone_very_differently() -> None:
    """Some have no feed, some hardly phone, some phone a lot; phones also act by themselves at night."""
    town = make_town(512, 3, SPRING)
    days = [town.day(i) for i in range(14)]
    own = np.zeros(512)
    for day in days:
        active = np.isin(day.phone.kind, (CALL_OUT, CALL_ANSWERED, SMS_OUT))
        own += np.bincount(day.phone_home[active], minlength=512) / 14
    has = np.array([h.feeds.phone is not None for h in town.households])
    assert 0.03 < np.mean(~has) < 0.15
    assert own[~has].sum() == 0
    assert np.percentile(own[has], 10) < 0.6
    assert np.percentile(own[has], 90) > 5
    night = days[0].phone.at < days[0].begin + 4 * 3600
    by_itself = days[0].background
    assert (by_itself & night).sum() > 50
    assert set(days[0].phone.kind[by_itself]) == {DATA}


def test_calls_have_lengths_and_missed_ones_none() -> None:
    """Only calls that were held and data sessions have a duration."""
    phone = make_town(256, 3, SPRING).day(0).phone
    assert phone.duration_s[phone.kind == CALL_MISSED].max() == 0
    assert np.median(phone.duration_s[phone.kind == CALL_OUT]) > 20


def test_weekends_differ_from_weekdays() -> None:
    """Those who go out to work use more around noon on a Sunday than on a Tuesday."""
    town = make_town(512, 3, SPRING, minutes={60: 1.0})
    workers = np.concatenate([b.people.rhythm for b in town.blocks]) == 1
    noon = [town.day(i).lived.reshape(512, 24)[workers, 9:17].sum() for i in (1, 6)]
    assert noon[1] > 1.5 * noon[0]


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (SPRING, 24)])
def test_days_on_which_the_clock_changes(day: date, hours: int) -> None:
    """A day has 23 or 25 hours where summer time begins or ends, in UTC without gap or overlap."""
    town = make_town(30, 7, day, "Europe/London", minutes={60: 1.0})
    rows = town.day(0)
    assert np.array_equal(rows.meter.start[:hours], rows.begin + 3600 * np.arange(hours))
    assert len(rows.meter) == 30 * hours
    assert np.all((rows.phone.at >= rows.begin) & (rows.phone.at < rows.end))
    local = local_seconds(town, rows, rows.meter.start[:hours]) % 86_400 // 3600
    assert sorted(set(local.tolist())) == [h for h in range(24) if hours > 23 or h != 1]


def test_areas_and_dongs() -> None:
    """Households belong to areas of 64 and dongs of several areas, and every one to exactly one of each."""
    town = make_town(1100, 1, SPRING)
    assert sum(len(numbers) for numbers in town.areas.values()) == 1100
    assert max(len(numbers) for numbers in town.areas.values()) == 64
    assert {h.dong for h in town.households} == {"dong-000", "dong-001", "dong-002"}


def test_bad_arguments_are_named() -> None:
    """A mix of intervals that does not add up says so."""
    with pytest.raises(ValueError, match="add up to 1"):
        make_town(10, minutes={15: 0.5})
    with pytest.raises(ValueError, match="negative"):
        make_town(-1)


def test_own_texts_come_several_together_and_are_answered() -> None:
    """As in real records: three in five follow another within the hour, and most of what comes in is an answer."""
    town = make_town(300, 7, SPRING)
    soon, texts, answers, came = 0, 0, 0, 0
    for day in (town.day(i) for i in range(4)):
        for home in np.unique(day.phone_home):
            mine = day.phone_home == home
            at, kind = day.phone.at[mine], day.phone.kind[mine]
            own = at[kind == SMS_OUT]
            texts, soon = texts + len(own), soon + int((np.diff(own) < 3600).sum())
            comes = at[kind == SMS_IN]
            own = np.concatenate([[0], own])
            answers += int((comes - own[np.searchsorted(own, comes, side="right") - 1] < 3600).sum())
            came += len(comes)
    assert 0.5 < soon / texts < 0.8
    assert 0.5 < answers / came < 0.9


def test_a_day_is_like_the_next_and_no_more_of_a_piece_than_that() -> None:
    """What is used in the morning and in the evening of a day has little in common, and a day as much with the next:
    in real homes both correlate by 0.1 to 0.2."""
    town = make_town(100, 7, SPRING, minutes={60: 1.0})
    lived = np.stack([town.day(i).lived.reshape(100, 24) for i in range(42)])
    weekday = np.arange(42) % 7

    def apart(kwh: np.ndarray) -> np.ndarray:
        log = np.log(kwh + 0.15 * np.median(kwh, axis=0) + 0.001)
        return np.stack([log[d] - log[weekday == weekday[d]].mean(axis=0) for d in range(42)])

    def alike(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.median([np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(100)]))

    total = apart(lived.sum(axis=2))
    assert 0.05 < alike(apart(lived[:, :, 6:11].sum(axis=2)), apart(lived[:, :, 18:23].sum(axis=2))) < 0.28
    assert 0.05 < alike(total[1:], total[:-1]) < 0.4
