"""Alerts chosen to be looked at."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.examples import HOURS_BEFORE, around, choose
from simulators.tally import Episode
from stream.columns import MeterColumns, PhoneColumns
from stream.records import KINDS, Kind

T = datetime(2026, 3, 2, 9, tzinfo=UTC)
BAND = np.stack([np.arange(24), np.arange(24) + 1], axis=1).astype(np.float32)


def episode(n: int, home: str, period: float | None, lasted: float | None, code: str = "unlike") -> Episode:
    """One that reached caution n hours after T and was over so many hours later."""
    at = T + timedelta(hours=n)
    ended = None if lasted is None else at + timedelta(hours=lasted)
    return Episode(f"id{n}", home, "caution", at - timedelta(hours=8), at, period, (code,), "", "", T, BAND, ended)


MANY = [
    episode(1, "a", 90, 5), episode(2, "b", 4000, 9), episode(3, "c", 71, 0.5), episode(4, "d", 200, 7),
    episode(5, "e", 9000, None), episode(6, "f", 150, 30), episode(7, "g", None, 3), episode(8, "h", 800, 4),
    episode(9, "i", 50_000, 4, "silent_new"), episode(10, "b", 5000, 0.2),
]  # fmt: skip


@given(st.permutations(MANY))
def test_the_same_alerts_are_chosen_in_any_order(episodes: list[Episode]) -> None:
    """The rarest that ended, the soonest over, the middle of the rest; a home once; not of a first week."""
    chosen = choose(episodes)
    assert chosen.clearest is MANY[9]
    assert chosen.doubtful is MANY[2]
    assert chosen.typical is MANY[5]  # of None, 90, 150, 200, 800


def test_few_alerts_are_each_shown_once() -> None:
    """Two of one home: both; none: none; only of a first week: those."""
    two = [episode(1, "a", 90, 5), episode(2, "a", 80, 1)]
    chosen = choose(two)
    assert (chosen.clearest, chosen.doubtful, chosen.typical) == (two[0], two[1], None)
    assert choose([]).clearest is None
    assert choose([MANY[8]]).clearest is MANY[8]


def test_hours_around_an_alert_are_the_historys_own() -> None:
    """Sums by the hour of the home's own measured rows, NaN for half an hour; the band by the hour of the day."""
    e = episode(0, "a", 90, 5)
    first = int((T - timedelta(hours=HOURS_BEFORE)).timestamp())
    start = first + np.repeat(np.arange(-3, 80), 2) * 3600 + np.tile([0, 1800], 83)
    kwh = np.tile([0.1, 0.2], 83).astype(np.float32)
    lost, quality = 2 * 3 + 2 * 5 + 1, np.zeros(len(start), np.uint8)
    kwh[2 * 3 + 2 * 7] = np.nan
    quality[lost] = 1
    other = np.arange(len(start)) % 2
    ids = pa.array(["a"] * len(start) + ["b"] * len(start))
    minutes = np.full(2 * len(start), 30, np.uint8)
    meter = MeterColumns(
        ids, np.tile(start, 2), np.concatenate([kwh, 9 + kwh]), minutes, np.concatenate([quality, other * 0])
    )
    kinds = np.array([KINDS.index(k) for k in (Kind.call_out, Kind.call_missed, Kind.call_in, Kind.data)], np.uint8)
    at = first + np.array([4 * 3600, 4 * 3600 + 60, 6 * 3600, 8 * 3600])
    phone = PhoneColumns(pa.array(["a"] * 4), at, kinds, np.array([60, 0, 0, 0], np.float32))
    found = around(e, meter, phone)
    assert np.flatnonzero(np.isnan(found.kwh)).tolist() == [5, 7]
    assert np.nan_to_num(found.kwh, nan=0.3).tolist() == pytest.approx([0.3] * 72)
    assert np.flatnonzero(found.own).tolist() == [4]
    assert np.flatnonzero(found.missed).tolist() == [4, 6]
    assert found.first == T - timedelta(hours=HOURS_BEFORE)
    assert found.band[HOURS_BEFORE].tolist() == [0, 1]
    assert found.band[HOURS_BEFORE + 5].tolist() == [5, 6]
