"""Row checks: which rows are refused, for which reason, in which words."""

import numpy as np
import pyarrow as pa
import pytest

from stream.columns import MeterColumns, PhoneColumns
from stream.records import KINDS, QUALITIES, Kind, Quality, Reason
from stream.validate import check_meter, check_phone, valid_ids

T = 1_767_225_600  # 2026-01-01T00:00:00Z
MISSING = QUALITIES.index(Quality.missing)


def meter(household_id="h1", start=T, kwh=0.1, minutes=15, quality=0):
    """Columns of one reading between two good ones."""
    return MeterColumns(
        pa.array(["good", household_id, "good"]),
        np.array([T, start, T], np.int64),
        np.array([0.1, kwh, 0.1], np.float32),
        np.array([15, minutes, 15], np.uint8),
        np.array([0, quality, 0], np.uint8),
    )


def phone(household_id="h1", at=T, kind=0, duration_s=0.0):
    """Columns of one event between two good ones."""
    return PhoneColumns(
        pa.array(["good", household_id, "good"]),
        np.array([T, at, T], np.int64),
        np.array([0, kind, 0], np.uint8),
        np.array([0, duration_s, 0], np.float32),
    )


@pytest.mark.parametrize(
    ("row", "reason", "says"),
    [
        ({"household_id": ""}, Reason.bad_household, "missing"),
        ({"household_id": None}, Reason.bad_household, "missing"),
        ({"household_id": "a" * 65}, Reason.bad_household, "65 characters"),
        ({"household_id": "홍길동"}, Reason.bad_household, "not ASCII"),
        ({"household_id": "a b"}, Reason.bad_household, "a blank"),
        ({"household_id": "a\nb"}, Reason.bad_household, "cannot be seen"),
        ({"start": 0}, Reason.bad_time, "after 2000"),
        ({"start": np.iinfo(np.int64).min}, Reason.bad_time, "after 2000"),
        ({"start": np.iinfo(np.int64).max}, Reason.bad_time, "after 2000"),
        ({"start": T + 60}, Reason.bad_time, "2026-01-01T00:01:00Z"),
        ({"start": T - 1200, "minutes": 30}, Reason.bad_time, "30-minute"),
        ({"start": T + 3600}, Reason.future, "3600 s ahead"),
        ({"minutes": 0}, Reason.bad_interval, "minutes is 0"),
        ({"minutes": 20}, Reason.bad_interval, "minutes is 20"),
        ({"quality": 3}, Reason.bad_quality, "quality is no name"),
        ({"kwh": -0.5}, Reason.bad_energy, "-0.5"),
        ({"kwh": np.nan}, Reason.bad_energy, "not a number"),
        ({"kwh": np.inf}, Reason.bad_energy, "inf"),
        ({"kwh": 7.6}, Reason.bad_energy, "7.6 in 15 minutes"),
        ({"kwh": np.nan, "quality": 1}, Reason.bad_energy, "not a number"),
    ],
)
def test_a_bad_reading_is_refused_with_its_reason_and_value_and_the_others_go_on(row, reason, says):
    """A bad reading is reported with position, reason and value; its neighbours are kept."""
    good, bad = check_meter(meter(**row), now=T)
    assert [(b.row, b.reason) for b in bad] == [(1, reason)]
    assert says in bad[0].detail
    assert "\n" not in bad[0].detail
    assert good.household_id.to_pylist() == ["good", "good"]
    assert good.start.tolist() == [T, T]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"household_id": "a/b"}, Reason.bad_household),
        ({"at": 0}, Reason.bad_time),
        ({"at": T + 601}, Reason.future),
        ({"kind": len(KINDS)}, Reason.bad_kind),
        ({"kind": 255}, Reason.bad_kind),
        ({"duration_s": -1}, Reason.bad_duration),
        ({"duration_s": np.nan}, Reason.bad_duration),
        ({"duration_s": 86_401}, Reason.bad_duration),
        ({"kind": KINDS.index(Kind.call_answered), "duration_s": 0}, Reason.bad_duration),
    ],
)
def test_a_bad_event_is_refused_with_its_reason_and_the_others_go_on(row, reason):
    """A bad event is reported with position and reason; its neighbours are kept."""
    good, bad = check_phone(phone(**row), now=T)
    assert [(b.row, b.reason) for b in bad] == [(1, reason)]
    assert len(good) == 2


def test_good_columns_come_back_as_they_are():
    """Nothing is copied where nothing is wrong."""
    readings, events = meter(), phone(kind=KINDS.index(Kind.data), duration_s=86_400)
    assert check_meter(readings, now=T) == (readings, [])
    assert check_meter(readings, now=T)[0] is readings
    assert check_phone(events, now=T)[0] is events


@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_an_interval_may_begin_at_any_quarter_hour(minutes):
    """Intervals follow the clock on the utility's wall; zones of :30 and :45 are no whole hours from UTC."""
    for quarter in range(4):
        assert check_meter(meter(start=T - 900 * quarter, minutes=minutes), now=T)[1] == []


@pytest.mark.parametrize(("minutes", "limit"), [(15, 7.5), (30, 15.0), (60, 30.0)])
def test_thirty_kilowatts_is_the_most_a_home_draws(minutes, limit):
    """Exactly 30 kW of average power is accepted in spite of float32; a little more is not."""
    assert check_meter(meter(kwh=limit, minutes=minutes), now=T)[1] == []
    assert check_meter(meter(kwh=limit * 1.001, minutes=minutes), now=T)[1][0].reason == Reason.bad_energy


def test_a_missing_value_is_nan_whatever_number_came_with_it():
    """Quality missing is no fault, and its number is never evidence."""
    for kwh in (np.nan, 0.0, -5.0, 1e9):
        good, bad = check_meter(meter(kwh=kwh, quality=MISSING), now=T)
        assert bad == []
        assert np.isnan(good.kwh).tolist() == [False, True, False]


def test_float_noise_below_zero_is_zero():
    """A register difference of -1e-8 is an idle quarter-hour, not an error."""
    good, bad = check_meter(meter(kwh=-1e-8), now=T)
    assert bad == []
    assert good.kwh[1] == 0


def test_the_input_is_never_changed():
    """Checks write into no array they were given."""
    readings = meter(kwh=-1e-8)
    check_meter(readings, now=T)
    assert readings.kwh[1] < 0


def test_future_is_judged_only_against_a_given_clock():
    """Ten minutes of clock skew are fine; without a clock any time to the year 2200 is."""
    assert check_phone(phone(at=T + 600), now=T)[1] == []
    assert check_phone(phone(at=T + 10**9), now=None)[1] == []


def test_a_row_has_the_reason_of_its_first_fault():
    """A row with several faults is counted once."""
    _, bad = check_meter(meter(household_id="", kwh=-1, minutes=7), now=T)
    assert [b.reason for b in bad] == [Reason.bad_household]


def test_ids_are_judged_alike_in_every_layout():
    """Plain, sliced, dictionary-encoded and null ids give the same verdicts."""
    values = ["skip", "ok-1", "bad id", "", None, "A.b_c:9", "x" * 64, "x" * 65]
    expected = [True, False, False, False, True, True, False]
    plain = pa.array(values)
    assert valid_ids(plain[1:]).tolist() == expected
    assert valid_ids(plain.dictionary_encode()[1:]).tolist() == expected
    assert valid_ids(plain[:0]).tolist() == []
    assert valid_ids(pa.array([None, ""], pa.string())).tolist() == [False, False]
