"""Alerts chosen by rule to be looked at, and the hours around them as readings and phone marks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.slots import INCOMING, OWN
from simulators.tally import Episode
from stream.columns import MeterColumns, PhoneColumns
from stream.kinds import phone_codes
from stream.records import QUALITIES, Quality

_LEARNING = "silent_new"  # the reason of an alert while the home was still being learned
HOURS_BEFORE, HOURS_AFTER = 48, 24
_MEASURED = QUALITIES.index(Quality.measured)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rarest, the middle and the most doubtful of a history's alerts; fewer where there are not so many."""

    clearest: Episode | None
    typical: Episode | None
    doubtful: Episode | None


def choose(episodes: Sequence[Episode]) -> Chosen:
    """Of the alerts that ended: first the rarest (the highest return period, then the longest); of the rest the
    one that ended soonest after caution; of the rest the one in the middle by return period.

    Those of a home's first week are left out, and a home is shown once, where there are others. Ties go to the earlier,
    then to the lower id: the same history, the same examples. A limit's alert has no return period and counts as the
    least rare.
    """
    ended = [e for e in episodes if e.ended is not None]
    left = [e for e in ended if _LEARNING not in e.codes] or ended
    clearest = min(left, key=lambda e: (-(e.period or 0), -e.hours, *_order(e)), default=None)
    left = _others(left, clearest)
    doubtful = min(left, key=lambda e: (_lasted(e), *_order(e)), default=None)
    left = sorted(_others(left, doubtful), key=lambda e: (e.period or 0, *_order(e)))
    return Chosen(clearest, left[(len(left) - 1) // 2] if left else None, doubtful)


def _order(e: Episode) -> tuple[datetime, str]:
    return e.at, e.alert_id


def _lasted(e: Episode) -> timedelta:
    return (e.ended or e.at) - e.at


def _others(left: list[Episode], taken: Episode | None) -> list[Episode]:
    if taken is None:
        return left
    other = [e for e in left if e.household_id != taken.household_id]
    return other or [e for e in left if e is not taken]


@dataclass(frozen=True, slots=True)
class Around:
    """Three days of one home from ``first``, hour by hour: ``kwh`` (72,), NaN where not measured, ``band`` (72, 2) the
    usual, ``own`` and ``missed`` (72,): events in which the resident used the phone and was not reached."""

    episode: Episode
    first: datetime
    kwh: NDArray[np.float64]
    band: NDArray[np.float64]
    own: NDArray[np.int64]
    missed: NDArray[np.int64]


def around(episode: Episode, meter: MeterColumns, phone: PhoneColumns) -> Around:
    """The hours around an alert, of the history's own rows (in any order)."""
    last = int(episode.at.timestamp()) // 3600
    first, hours = last - HOURS_BEFORE, HOURS_BEFORE + HOURS_AFTER
    at = _rows(meter.household_id, meter.start // 3600 - first, episode.household_id, hours)
    at = at[(meter.quality[at] == _MEASURED) & ~np.isnan(meter.kwh[at])]
    hour = meter.start[at] // 3600 - first
    kwh = np.bincount(hour, meter.kwh[at].astype(np.float64), hours).astype(np.float64)
    kwh[np.bincount(hour, meter.minutes[at].astype(np.float64), hours) < 60] = np.nan
    at = _rows(phone.household_id, phone.at // 3600 - first, episode.household_id, hours)
    codes, hour = phone_codes(phone.kind[at]), phone.at[at] // 3600 - first
    own, missed = (np.bincount(hour[codes == c], minlength=hours) for c in (OWN, INCOMING))
    days = (first + np.arange(hours) - int(episode.band_from.timestamp()) // 3600) % len(episode.band)
    start = datetime.fromtimestamp(first * 3600, UTC).astimezone(episode.at.tzinfo)
    return Around(episode, start, kwh, episode.band[days].astype(np.float64), own, missed)


def _rows(ids: pa.Array, hour: NDArray[np.int64], household: str, hours: int) -> NDArray[np.int64]:
    at = np.flatnonzero((hour >= 0) & (hour < hours))
    same = pc.equal(ids.take(pa.array(at)), pa.scalar(household, pa.string()))
    return at[np.asarray(same.to_numpy(zero_copy_only=False), np.bool_)]
