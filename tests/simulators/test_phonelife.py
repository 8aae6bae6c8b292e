"""A year of one real person's phone, made of his or her own days, and what is left of it after an end."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.slots import DATA, INCOMING, NOTHING, OWN
from simulators.phonelife import PhoneLife, persons_of, phone_life, weekday_of
from stream.calendar import Calendar
from stream.columns import PhoneColumns
from stream.kinds import phone_codes
from stream.partition import Partition
from stream.records import KINDS, Household, Kind
from stream.rules import Rules
from stream.settings import Settings

MONDAY = int(datetime(2025, 1, 6, tzinfo=UTC).timestamp())
"""00:00 of a Monday in UTC."""
DAY, HOUR = 86_400, 3600

Event = tuple[int, Kind, float]
"""Seconds after the beginning, kind, duration."""


def events(name: str, found: list[Event], begin: int = MONDAY) -> PhoneColumns:
    return PhoneColumns(
        pa.array([name] * len(found)).dictionary_encode(),
        np.array([begin + e[0] for e in found], np.int64),
        np.array([KINDS.index(e[1]) for e in found], np.uint8),
        np.array([e[2] for e in found], np.float32),
    )


def daily(*of_day: Event, days: int = 28, weekend: tuple[Event, ...] | None = None) -> list[Event]:
    found: list[Event] = []
    for day in range(days):
        chosen = of_day if weekend is None or day % 7 < 5 else weekend
        found += [(day * DAY + second, kind, length) for second, kind, length in chosen]
    return found


def lived(found: list[Event], days: int = 70, seed: int = 1, begin: int = MONDAY) -> PhoneLife:
    person = persons_of(events("p", found), "UTC")[0]
    return phone_life(person, begin // 900, days * 96, np.random.default_rng(seed))


def hours(codes: np.ndarray, code: int) -> np.ndarray:
    return np.flatnonzero(codes == code) % 96 / 4


def test_a_life_is_made_of_the_persons_own_days() -> None:
    """Every day has what this person's days have, at about the same times."""
    life = lived(daily((9 * HOUR, Kind.call_out, 60), (20 * HOUR, Kind.sms_in, 0)))
    per_day = life.codes.reshape(70, 96)
    assert np.all((per_day == OWN).sum(axis=1) == 1)
    assert np.all((per_day == INCOMING).sum(axis=1) == 1)
    own = hours(life.codes, OWN)
    assert np.all(np.abs(own - 9) < 1)
    assert 0.08 < own.std() < 0.3


def test_what_nobody_asked_for_comes_by_day_and_goes_on_after_an_end() -> None:
    """Texts of shops come besides, as often before an end as after, and change nothing of own use."""
    person = persons_of(events("p", daily((23 * HOUR, Kind.call_out, 60))), "UTC")[0]
    plain, more = (
        phone_life(person, MONDAY // 900, 700 * 96, np.random.default_rng(3), rate) for rate in (0.0, 1.2)
    )
    assert np.array_equal(plain.codes == OWN, more.codes == OWN)
    assert not (plain.codes == INCOMING).any()
    for codes in (more.codes, more.alone):
        assert 1.0 < (codes == INCOMING).sum() / 700 < 1.4
        assert 8 <= hours(codes, INCOMING).min() <= hours(codes, INCOMING).max() < 21


@pytest.mark.parametrize("begin", [MONDAY, MONDAY + 3 * DAY, MONDAY + 5 * DAY, MONDAY - 300 * DAY])
def test_weekends_are_lived_on_weekends(begin: int) -> None:
    """Own use of the days of work never falls on a weekend, whichever weekday the life begins with."""
    life = lived(daily((12 * HOUR, Kind.call_out, 9), weekend=((12 * HOUR, Kind.call_missed, 0),)), begin=begin)
    weekday = (weekday_of(begin // 900) + np.arange(70)) % 7
    used = (life.codes.reshape(70, 96) == OWN).any(axis=1)
    assert np.array_equal(used, weekday < 5)


@pytest.mark.parametrize("tz", ["Asia/Seoul", "UTC", "America/New_York", "Asia/Kolkata"])
def test_weekdays_are_local(tz: str) -> None:
    """A slot of local midnight is of the local date's weekday."""
    calendar = Calendar(tz)
    midnight = calendar.day_start(MONDAY // 900 + 48)
    assert calendar.time(midnight).weekday() == weekday_of(midnight) == 0


def test_a_life_is_in_runs_of_the_persons_days() -> None:
    """Days follow one another as they did more often than chance would have it, and not always."""
    spread = [(day * DAY + (day % 28) * 1800 + 4 * HOUR, Kind.call_out, 9.0) for day in range(28)]
    life = lived(spread, days=700)
    number = np.rint((hours(life.codes, OWN) - 4) * 2).astype(int)
    follow = np.mean(np.abs((np.diff(number) - 1) % 28) <= 1)
    assert 0.25 < follow < 0.8  # by chance 0.11


def test_what_belongs_together_is_moved_together() -> None:
    """Calls within an hour of each other keep their distance; the evening's is moved by itself."""
    half, evening = (9 * HOUR + 450 + 1800, Kind.sms_in, 0.0), (20 * HOUR, Kind.data, 60.0)
    life = lived(daily((9 * HOUR + 450, Kind.call_out, 60), half, evening))
    call, answer, data = (hours(life.codes, code) for code in (OWN, INCOMING, DATA))
    assert np.all(np.abs(answer - call - 0.5) < 0.01)
    assert len(set(np.round(data - call, 2))) > 3


def test_after_an_end_there_is_no_own_use_and_nothing_that_answers_it() -> None:
    """Own calls go, with the SMS that answer them; calls ring in vain and what others send comes still."""
    life = lived(
        daily(
            (9 * HOUR, Kind.call_out, 60),
            (9 * HOUR + 600, Kind.sms_in, 0),
            (14 * HOUR, Kind.call_answered, 120),
            (19 * HOUR, Kind.sms_in, 0),
        )
    )
    assert np.all((life.codes == OWN).reshape(70, 96).sum(axis=1) == 2)
    left = life.alone.reshape(70, 96)
    assert OWN not in life.alone
    assert np.all((left == INCOMING).sum(axis=1) == 2)
    when = hours(life.alone, INCOMING)
    assert np.all((np.abs(when - 14) < 1) | (np.abs(when - 19) < 1))


def test_a_life_is_untouched_before_its_end() -> None:
    """Before the slot of the end all is as it was, from it on nobody does anything."""
    life = lived(daily((9 * HOUR, Kind.call_out, 60), (14 * HOUR, Kind.call_answered, 120)))
    end = 30 * 96 + 50
    codes = life.stopped(end)
    assert np.array_equal(codes[:end], life.codes[:end])
    assert OWN not in codes[end:]
    assert INCOMING in codes[end:]


def test_data_goes_on_as_often_as_at_night() -> None:
    """A phone with data by day alone falls silent; one with data at all hours goes on."""
    by_day = [(h * HOUR, Kind.data, 60.0) for h in range(8, 22)]
    always = [(h * HOUR + 1800, Kind.data, 60.0) for h in range(24)]
    call = (12 * HOUR, Kind.call_out, 9.0)
    assert DATA not in lived(daily(call, *by_day)).alone
    assert np.mean(lived(daily(call, *always)).alone == DATA) > 0.2


def test_who_can_be_lent_a_life() -> None:
    """Two weeks of record with own use on most days; who is only called is not used."""
    call, missed = (12 * HOUR, Kind.call_out, 9.0), (13 * HOUR, Kind.call_missed, 0.0)
    assert len(persons_of(events("p", daily(call, days=14)), "UTC")) == 1
    assert persons_of(events("p", daily(call, days=13)), "UTC") == []
    assert len(persons_of(events("p", daily(call, days=13)), "UTC", least_days=10)) == 1
    assert persons_of(events("p", daily(missed)), "UTC") == []
    seldom = daily(missed) + [(day * DAY, Kind.sms_out, 0.0) for day in range(0, 28, 3)]
    assert persons_of(events("p", seldom), "UTC") == []
    assert len(persons_of(events("p", seldom), "UTC", least_own_per_day=0.3)) == 1


def test_silence_at_the_ends_counts_where_all_were_observed_together() -> None:
    """A person heard of for two of four weeks has two silent ones, when the others' record says so."""
    call = (12 * HOUR, Kind.call_out, 9.0)
    a, b = events("a", daily(call, call)), events("b", daily(call, call, days=14))
    both = PhoneColumns(
        pa.array(a.household_id.to_pylist() + b.household_id.to_pylist()),
        *(np.concatenate([getattr(a, f), getattr(b, f)]) for f in ("at", "kind", "duration_s")),
    )
    assert [len(p.weekday) for p in persons_of(both, "UTC")] == [28, 14]
    assert [len(p.weekday) for p in persons_of(both, "UTC", together=True)] == [28, 28]
    assert [len(e[1]) for e in persons_of(both, "UTC", together=True)[1].days] == [2] * 14 + [0] * 14


def test_codes_are_those_the_stream_writes() -> None:
    """Every kind of event, held or not, through a partition stands in its ring with the same code."""
    found = [(900 * i, kind, length) for i, (kind, length) in enumerate((k, d) for k in KINDS for d in (0.0, 30.0))]
    rows = events("p", found)
    partition = Partition(0, Rules.of(Settings()), Calendar("UTC"))
    partition.households([Household(household_id="p", since=datetime.fromtimestamp(MONDAY, UTC))])
    partition.begin(MONDAY, 0)
    partition.phone(rows)
    written = partition.members.blocks[0].strips.read(MONDAY // 900, len(found), slice(0, 1))[1][:, 0]
    assert np.array_equal(phone_codes(rows.kind), written)


@given(
    st.lists(
        st.tuples(st.integers(0, 20 * DAY - 1), st.sampled_from(KINDS), st.sampled_from([0.0, 30.0])), max_size=60
    ),
    st.integers(0, 2**32 - 1),
)
def test_an_end_only_ever_takes_away(found: list[Event], seed: int) -> None:
    """Whatever a person's record: without its resident a phone shows no own use and nowhere more than with, and the
    same seed gives the same life."""
    whole = [(0, Kind.call_out, 9.0), *found, (20 * DAY - 1, Kind.call_out, 9.0)]
    person = persons_of(events("p", whole), "UTC", least_own_per_day=0.0)[0]
    assert [len(day[1]) for day in person.days] == np.bincount([e[0] // DAY for e in whole], minlength=20).tolist()
    life = phone_life(person, MONDAY // 900, 30 * 96, np.random.default_rng(seed))
    again = phone_life(person, MONDAY // 900, 30 * 96, np.random.default_rng(seed))
    assert np.all(life.alone <= life.codes)
    assert OWN not in life.alone
    assert set(np.unique(life.codes)) <= {NOTHING, DATA, INCOMING, OWN}
    assert np.array_equal(life.codes, again.codes)
    assert np.array_equal(life.alone, again.alone)
