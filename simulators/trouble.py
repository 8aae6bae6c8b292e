"""Homes that will make trouble: which they are, what it comes from, and what would help.

A cause is told where a plain count says so; a home may have several, or none that figures can show.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from simulators.tally import LEVELS, Episode

MOST = 20
"""Homes that are told of at most."""
_LEAST, _TIMES = 3, 2.0  # alerts a home must have, and times the average of all homes, to be one of them
_HALF = 0.5
_LONG_HOURS = 36.0  # an alert that lasts so long is rarely a nap
_DAY_PARTS, _SAME_PART = 4, 0.6  # six hours each; by chance a quarter of the alerts falls into one
_WEEKS, _OF_WEEKS = 4, 16  # a time of change, in a history that is at least so long
_HARDLY = 1.0  # quarter-hours with own use a day
_GAP_HOURS = 24.0  # hours without readings a month
_LITTLE_HOURS = 24.0  # expected hours to caution beyond which the signals tell little

CAUTION = LEVELS.index("caution")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a home's cautions. ``share`` of all homes' cautions; ``calls``: quarter-hours a day with own use
    of the phone (None: no phone feed); ``lost_hours``: hours a month without a reading (None: no meter);
    ``to_caution``: hours until caution is expected, were nobody there (None: not known)."""

    household_id: str
    episodes: Sequence[Episode]
    share: float
    weeks: float
    calls: float | None
    lost_hours: float | None
    to_caution: float | None

    @property
    def count(self) -> int:
        """Cautions."""
        return len(self.episodes)


def worst(cautions: Mapping[str, int], homes: int) -> list[str]:
    """Ids of the homes with most cautions: at least three and twice the average of ``homes``, most first, twenty at
    most; of as many, the lower id first."""
    average = sum(cautions.values()) / max(homes, 1)
    found = [h for h, n in cautions.items() if n >= _LEAST and n >= _TIMES * average]
    return sorted(found, key=lambda h: (-cautions[h], h))[:MOST]


def main_reason(episodes: Sequence[Episode]) -> tuple[str, int]:
    """The most common first reason and how many of the alerts had it (ties: the first by name)."""
    counts = Counter(e.codes[0] for e in episodes if e.codes)
    return min(counts.items(), key=lambda item: (-item[1], item[0]), default=("", 0))


def causes(f: Facts) -> list[tuple[str, Mapping[str, float]]]:
    """Causes by name with the figures that show them, those easiest to mend first; [("unclear", {})] if none."""
    found: list[tuple[str, Mapping[str, float]]] = []
    for name, test in _TESTS.items():
        if (values := test(f)) is not None:
            found.append((name, values))
    return found or [("unclear", {})]


def _share(f: Facts, test: Callable[[Episode], bool]) -> float:
    return sum(map(test, f.episodes)) / max(f.count, 1)


def _percent(share: float) -> dict[str, float]:
    return {"percent": round(100 * share)}


def _gaps(f: Facts) -> dict[str, float] | None:
    by_gap = _share(f, lambda e: "meter_gap" in e.codes)
    lost = f.lost_hours or 0.0
    return {"hours": round(lost)} if by_gap >= _HALF or lost >= _GAP_HOURS else None


def _limit(f: Facts) -> dict[str, float] | None:
    share = _share(f, lambda e: "limit" in e.codes)
    return _percent(share) if share >= _HALF else None


def _away(f: Facts) -> dict[str, float] | None:
    share = _share(f, lambda e: e.hours >= _LONG_HOURS)
    return {**_percent(share), "hours": _LONG_HOURS} if share >= _HALF else None


def _changed(f: Facts) -> dict[str, float] | None:
    if f.weeks < _OF_WEEKS:
        return None
    at = [e.at for e in f.episodes]
    most = max((sum(a <= b < a + timedelta(weeks=_WEEKS) for b in at) for a in at), default=0)
    return _percent(most / f.count) | {"weeks": _WEEKS} if f.count and most / f.count >= _SAME_PART else None


def _hours(f: Facts) -> dict[str, float] | None:
    parts = np.bincount([e.at.hour * _DAY_PARTS // 24 for e in f.episodes], minlength=_DAY_PARTS)
    share = parts.max() / max(f.count, 1)
    begins = int(parts.argmax()) * 24 // _DAY_PARTS
    return _percent(share) | {"from": begins, "until": begins + 6} if share >= _SAME_PART else None


def _little(f: Facts) -> dict[str, float] | None:
    return {"hours": round(f.to_caution)} if f.to_caution is not None and f.to_caution > _LITTLE_HOURS else None


def _phone(f: Facts) -> dict[str, float] | None:
    return {"calls": round(f.calls, 1)} if f.calls is not None and f.calls < _HARDLY else None


def _no_phone(f: Facts) -> dict[str, float] | None:
    return {} if f.calls is None else None


_TESTS: dict[str, Callable[[Facts], dict[str, float] | None]] = {
    "gaps": _gaps, "away": _away, "limit": _limit, "changed": _changed, "little": _little, "hours": _hours,
    "phone": _phone, "no_phone": _no_phone,
}  # fmt: skip


def lost_hours(seen: NDArray[np.float64], since: NDArray[np.int64], last: int) -> NDArray[np.float64]:
    """Hours a month (30 days) without a reading, (n,): ``seen`` hours with one, watched in slots [since, last)."""
    watched = np.maximum(last - since, 0) / 4
    return np.asarray(np.maximum(watched - seen, 0) / np.maximum(watched, 1) * 24 * 30, np.float64)
