"""Each reading's own interval, and short ones summed."""

from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from stream import files
from stream.intervals import steps
from stream.sources import Source
from tests.stream.suspicion_files import HEADER, csv, rows, uses

SEOUL = "Asia/Seoul"


def read(text: str, **how):
    """What a CSV text comes to."""
    return files.load(Source("m.csv", "csv", text.encode()), "meter", files.How(SEOUL, **how))


def chain(*parts):
    """(minutes, count) of regimes one after the other: times in seconds, and each one's minutes."""
    minutes = [m for m, count in parts for _ in range(count)]
    return np.concatenate(([0], np.cumsum(minutes)[:-1])) * 60, minutes


@pytest.mark.parametrize(
    "parts",
    [
        [(15, 16), (30, 16)],
        [(30, 16), (15, 16)],
        [(15, 8), (30, 8), (15, 8)],
        [(60, 12), (15, 40), (30, 20), (60, 9)],
        [(15, 96), (60, 6)],
    ],
)
def test_each_reading_has_its_own_step(parts):
    """A household may change its interval, any way, any number of times; order in the file is no matter."""
    time, minutes = chain(*parts)
    code = np.zeros(len(time), np.int64)
    assert (steps(code, time) // 60).tolist() == minutes
    order = np.random.default_rng(0).permutation(len(time))
    assert (steps(code, time[order]) // 60).tolist() == [minutes[i] for i in order]


def test_a_gap_is_no_longer_interval():
    """Readings lost here and there, and a row sent twice, leave the step what it is."""
    time = np.arange(400) * 900
    keep = np.random.default_rng(3).random(400) > 0.1
    time = np.sort(np.append(time[keep], time[keep][50]))
    assert set(steps(np.zeros(len(time), np.int64), time).tolist()) == {900}


def test_homes_do_not_disturb_each_other():
    """Three homes with three steps, mixed in the file."""
    time = np.concatenate([np.arange(50) * s for s in (900, 1800, 3600)])
    code = np.repeat([0, 1, 2], 50)
    order = np.random.default_rng(1).permutation(150)
    assert (steps(code[order], time[order]) == np.repeat([900, 1800, 3600], 50)[order]).all()


@pytest.mark.parametrize(("minutes", "whole"), [(1, 15), (5, 15), (10, 30)])
@pytest.mark.parametrize("said", [True, False])
def test_shorter_readings_are_summed(minutes, whole, said):
    """A day of them is a day of whole intervals with the same energy, whether the file says the interval or not."""
    values = uses(1, minutes)
    lines = [(*row, str(minutes)) if said else row for row in rows(values, minutes)]
    batch = read(csv(lines, HEADER + (",minutes" if said else "")))
    assert batch.suspicions == []
    assert batch.columns.minutes.tolist() == [whole] * (1440 // whole)
    each = whole // minutes
    assert batch.columns.kwh.tolist() == pytest.approx(
        [sum(values[i : i + each]) for i in range(0, len(values), each)], rel=1e-4
    )
    assert {b - a for a, b in pairwise(batch.columns.start.tolist())} == {whole * 60}


def test_a_sum_with_a_part_missing_is_missing_and_told():
    """Two five-minute readings lost cost their quarter-hours, and nothing is a third of itself."""
    lines = [row for i, row in enumerate(rows(uses(1, 5), 5)) if i not in (31, 100)]
    batch = read(csv(lines))
    assert len(batch.columns) == 96
    assert np.flatnonzero(np.isnan(batch.columns.kwh)).tolist() == [10, 33]
    assert [(one.what, one.blinds) for one in batch.suspicions] == [("parts_missing", False)]


def test_a_bad_part_is_refused_by_its_line_and_its_sum_is_missing():
    """A value below zero among five-minute readings."""
    lines = rows(uses(1, 5), 5)
    lines[7] = (*lines[7][:2], "-3")
    batch = read(csv(lines))
    assert [fault.row for fault in batch.bad] == [9]
    assert np.flatnonzero(np.isnan(batch.columns.kwh)).tolist() == [2]


@pytest.mark.parametrize("minutes", [5, 15, 30, 60])
def test_times_of_ends_are_moved_to_the_beginning(minutes):
    """A file from 00:15 to 24:00 is that day; without being told so, it is read as starts and the 24:00 is told."""
    values = uses(1, minutes)
    begin = datetime(2026, 3, 2)
    lines = []
    for i, value in enumerate(values, 1):
        time = f"{begin + timedelta(minutes=minutes * i):%Y-%m-%d %H:%M}"
        lines.append(("h1", time.replace("2026-03-03 00:00", "2026-03-02 24:00"), f"{value:g}"))
    ends = read(csv(lines), ends=True)
    starts = read(csv(rows(values, minutes)))
    assert (ends.bad, ends.columns.start.tolist()) == ([], starts.columns.start.tolist())
    assert ends.columns.kwh.tolist() == starts.columns.kwh.tolist()
    as_starts = read(csv(lines))
    assert len(as_starts.columns) >= len(starts.columns)
    assert as_starts.bad == []
    assert "to_midnight" in {one.what for one in as_starts.suspicions}
