"""Histories of homes from readings of any country's meters, and their strips as the stream would write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from simulators.histories import Home, homes_of, step_of, strip_of, usable
from stream.calendar import Calendar
from stream.columns import MeterColumns
from stream.partition import Partition
from stream.records import QUALITIES, Household, Quality
from stream.rules import Rules
from stream.settings import Settings

DAY = 86_400


def at(tz: str, *when: int) -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(tz)).timestamp())


def readings(name: str, start: int, kwh: np.ndarray, minutes: int, quality: int = 0) -> MeterColumns:
    n = len(kwh)
    return MeterColumns(
        pa.array([name] * n).dictionary_encode(),
        start + np.arange(n, dtype=np.int64) * minutes * 60,
        kwh.astype(np.float32),
        np.full(n, minutes, np.uint8),
        np.full(n, quality, np.uint8),
    )


def together(*parts: MeterColumns) -> MeterColumns:
    names = [name for p in parts for name in p.household_id.to_pylist()]
    return MeterColumns(
        pa.array(names),
        np.concatenate([p.start for p in parts]),
        np.concatenate([p.kwh for p in parts]),
        np.concatenate([p.minutes for p in parts]),
        np.concatenate([p.quality for p in parts]),
    )


@pytest.mark.parametrize("minutes", [15, 30, 60])
@pytest.mark.parametrize("tz", ["Asia/Seoul", "Europe/London", "America/New_York", "Asia/Kolkata"])
def test_a_history_is_whole_local_days(tz: str, minutes: int) -> None:
    """What comes before the first local midnight and after the last is cut off; the rest stands at its place."""
    begin, n = at(tz, 2025, 1, 6, 7) // 3600 * 3600, 4 * 1440 // minutes
    home = homes_of(readings("h", begin, np.arange(n) / 1000, minutes), tz)[0]
    assert home.days == 3
    local = datetime.fromtimestamp(home.first * 900, UTC).astimezone(ZoneInfo(tz))
    assert (local.date().day, local.hour) == (7, 0)
    assert local.minute < minutes
    assert np.allclose(home.wh, (home.first * 900 - begin) / 60 / minutes + np.arange(len(home.wh)), atol=1e-3)


def test_what_was_not_measured_is_missing() -> None:
    """Gaps, estimated and missing values are NaN; rows in any order and told twice change nothing."""
    start, kwh = at("Asia/Seoul", 2025, 1, 6), np.full(96, 0.2)
    rows = readings("h", start, kwh, 30)
    rows.quality[10] = QUALITIES.index(Quality.estimated)
    rows.kwh[20] = np.nan
    keep = np.random.default_rng(1).permutation(np.r_[np.delete(np.arange(96), 30), 5, 6])
    ids = rows.household_id.take(pa.array(keep))
    shuffled = MeterColumns(ids, rows.start[keep], rows.kwh[keep], rows.minutes[keep], rows.quality[keep])
    home = homes_of(shuffled, "Asia/Seoul")[0]
    assert np.flatnonzero(np.isnan(home.wh)).tolist() == [10, 20, 30]
    assert np.nansum(home.wh) == pytest.approx(93 * 200)


def test_homes_are_told_apart_and_each_has_its_own_interval() -> None:
    """Homes come by id, with the interval of most of their readings; one without a whole day is left out."""
    start = at("Asia/Seoul", 2025, 1, 6)
    homes = homes_of(
        together(
            readings("b", start, np.full(48, 0.1), 60),
            readings("a", start, np.full(96 * 3, 0.3), 15),
            readings("c", start, np.full(20, 0.3), 30),
            readings("b", start + 2 * DAY, np.full(40, 0.9), 15),
        ),
        "Asia/Seoul",
    )
    assert [(h.household_id, h.minutes, h.days) for h in homes] == [("a", 15, 3), ("b", 60, 2)]
    assert np.all(homes[1].wh == np.float32(100))


def home(watts: np.ndarray, minutes: int = 30) -> Home:
    return Home("h", 0, minutes, (watts * minutes / 60).astype(np.float32))


def test_which_homes_can_be_used() -> None:
    """Long enough, used as one person may, whole, and not empty; a coarse meter's zeros are no emptiness."""
    day = np.full(160 * 48, 200.0)
    assert usable(home(day))
    assert not usable(home(day[: 140 * 48]))
    assert usable(home(day[: 40 * 48]), least_days=30)
    assert not usable(home(day / 10))
    assert not usable(home(day * 4))
    assert not usable(home(np.where(np.arange(len(day)) % 5 == 0, np.nan, day)))
    assert not usable(home(np.where(np.arange(len(day)) < 20 * 48, 0, day)))
    coarse = home(np.where(np.arange(len(day)) % 4 == 0, day * 4, 0))
    assert usable(coarse)
    assert not usable(coarse, zero_hours=0)


@pytest.mark.parametrize("step", [1.0, 10.0, 100.0])
def test_a_meters_step_is_found(step: float) -> None:
    """The coarsest step that all readings are whole numbers of, read from kWh; 0 for finer ones."""
    kwh = (np.random.default_rng(1).integers(0, 30, 500) * step / 1000).astype(np.float32)
    wh = kwh * np.float32(1000)
    wh[3] = np.nan
    assert step_of(wh) == step
    assert step_of(wh + np.float32(0.3)) == 0


@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_strips_are_those_the_stream_writes(minutes: int) -> None:
    """The same readings through a partition stand in its ring code for code."""
    tz, rng = "Asia/Seoul", np.random.default_rng(minutes)
    start, n = at(tz, 2025, 1, 6), 2880 // minutes
    rows = readings("h", start, rng.gamma(0.4, 0.6, n).round(3), minutes)
    rows.kwh[rng.random(n) < 0.1] = np.nan
    rows.kwh[rng.random(n) < 0.1] = 0
    settings = Settings(tz=tz)
    partition = Partition(0, Rules.of(settings), Calendar(tz))
    partition.households([Household(household_id="h", since=datetime.fromtimestamp(start, UTC))])
    partition.begin(start, 0)
    partition.meter(rows)
    written = partition.members.blocks[0].strips.read(start // 900, 192, slice(0, 1))[0][:, 0]
    told = homes_of(rows, tz)[0]
    assert np.array_equal(strip_of(told.wh, told.minutes), written)
    assert len(set(written.tolist())) > 10
