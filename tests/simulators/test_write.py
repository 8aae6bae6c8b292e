"""A town as files with the truth beside."""

from datetime import date, datetime
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq

from simulators.events import Event, EventKind, apply
from simulators.plans import plan_weeks
from simulators.town import make_town
from simulators.write import Written, read_truth, write
from stream.records import Household

TOWN = make_town(30, 5, date(2026, 4, 6))


def test_files_hold_the_days(tmp_path: Path) -> None:
    """The meter and phone files hold every row of the days, times naive and local, and progress is told."""
    told: list[tuple[int, int]] = []
    done = write(TOWN, range(2), [], tmp_path, lambda a, b: told.append((a, b)))
    days = [TOWN.day(i) for i in range(2)]
    meter, phone = pq.read_table(tmp_path / "meter.parquet"), pq.read_table(tmp_path / "phone.parquet")
    assert meter.column_names == ["household_id", "timestamp", "kwh", "minutes", "quality"]
    assert phone.column_names == ["household_id", "timestamp", "kind", "duration_s"]
    assert meter["timestamp"][0].as_py() == datetime(2026, 4, 6)
    assert np.array_equal(meter["kwh"].to_numpy(), np.concatenate([d.meter.kwh for d in days]))
    assert set(meter["quality"].to_pylist()) == {"measured"}
    assert set(phone["kind"].to_pylist()) <= {"call_out", "call_answered", "call_missed", "sms_out", "sms_in", "data"}
    assert done == Written(len(meter), len(phone), 30, 0)
    assert told == [(1, 2), (2, 2)]


def test_missing_readings_are_null(tmp_path: Path) -> None:
    """A meter that was off has a row without a value, marked missing."""
    noon = TOWN.midnight(0) + 12 * 3600
    cut = Event(EventKind.power_cut, noon, noon + 3600, area="area-0000", details={"reads": "missing"})
    write(TOWN, range(1), [cut], tmp_path)
    meter = pq.read_table(tmp_path / "meter.parquet")
    missing = np.array(meter["quality"].to_pylist()) == "missing"
    assert meter["kwh"].null_count == missing.sum() == np.isnan(apply(TOWN, TOWN.day(0), [cut]).meter.kwh).sum() > 0


def test_the_truth_comes_back(tmp_path: Path) -> None:
    """truth.csv read again gives the events that were written."""
    events = plan_weeks(TOWN, range(60), share=0.5)
    write(TOWN, range(0), events, tmp_path)
    assert read_truth(tmp_path / "truth.csv") == events
    assert {e.kind for e in events} >= {EventKind.collapse, EventKind.trip, EventKind.power_cut}


def test_households_come_back_with_their_absences(tmp_path: Path) -> None:
    """households.jsonl has one record for each household, with the absences that were told."""
    trip = Event(EventKind.trip, TOWN.midnight(1), TOWN.midnight(3), ("h000004",),
                 details={"registered_at": TOWN.midnight(0)})
    write(TOWN, range(0), [trip], tmp_path)
    lines = (tmp_path / "households.jsonl").read_bytes().splitlines()
    found = [msgspec.json.decode(line, type=Household) for line in lines]
    assert [h.household_id for h in found] == [h.household_id for h in TOWN.households]
    assert [h.household_id for h in found if h.absences] == ["h000004"]


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    """The same town and events give the same files, byte for byte."""
    events = plan_weeks(TOWN, range(10))
    for name in ("a", "b"):
        write(TOWN, range(2), events, tmp_path / name)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
