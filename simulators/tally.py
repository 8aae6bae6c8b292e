"""Alerts of a history counted as they come: by level and week, by home, and what is kept of those that matter.

Of an alert that reached caution its days, reasons and the usual band are kept (some hundred bytes); of the others only
counts, so that a year of thousands of homes fits in memory.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from stream.records import Alert, Strip

LEVELS = ("attention", "caution", "serious")
_CAUTION = LEVELS.index("caution")
DAY_HOURS = 24
_NONE = np.zeros(len(LEVELS), np.int64)


@dataclass(slots=True)
class Episode:
    """An alert on silence that reached caution: its reasons as they were then, its level and period as they became.

    ``at``: when caution was reached; ``ended``: when it was cleared (None: not in this history). ``codes``: of its
    reasons. ``period``: return period in days, None where a limit spoke. ``band`` (24, 2): kWh an hour between which
    the home usually is, by hours since ``band_from`` (modulo a day); NaN: unknown.
    """

    alert_id: str
    household_id: str
    level: str
    onset: datetime
    at: datetime
    period: float | None
    codes: tuple[str, ...]
    text_ko: str
    text_en: str
    band_from: datetime
    band: NDArray[np.float32]
    ended: datetime | None = None

    @property
    def hours(self) -> float:
        """Hours from its beginning to its end; of one that did not end, to caution."""
        return ((self.ended or self.at) - self.onset).total_seconds() / 3600


@dataclass(slots=True)
class Tally:
    """Counts of alerts on silence by the level they reached, and `Episode`s; ``others``: alerts of other kinds.

    ``weeks``, ``homes``: by the Monday of the week and by household, how many reached each level, (3,).
    """

    weeks: dict[date, NDArray[np.int64]] = field(default_factory=dict)
    homes: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    episodes: list[Episode] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    _open: dict[str, tuple[int, Episode | None]] = field(default_factory=dict)

    def __call__(self, alert: Alert) -> None:
        """Count one event."""
        if alert.kind != "silence":
            self.others[alert.kind] += alert.event == "raised"
            return
        before, episode = self._open.pop(alert.alert_id, (-1, None))
        if alert.event == "cleared":
            if episode is not None:
                episode.ended = alert.at
            return
        level = max(LEVELS.index(alert.level), before)
        reached = np.array([before < i <= level for i in range(len(LEVELS))])
        week = week_of(alert.at)
        self.weeks[week] = self.weeks.get(week, _NONE) + reached
        self.homes[alert.household_id] = self.homes.get(alert.household_id, _NONE) + reached
        if level >= _CAUTION:
            episode = self._kept(alert, episode)
        self._open[alert.alert_id] = level, episode

    @property
    def total(self) -> NDArray[np.int64]:
        """Alerts that reached each level, (3,)."""
        return np.sum(list(self.homes.values()), axis=0) if self.homes else np.zeros(len(LEVELS), np.int64)

    def _kept(self, alert: Alert, before: Episode | None) -> Episode:
        if before is not None:
            before.level, before.period = alert.level, alert.return_period_days or before.period
            return before
        start, band = band_of(alert.strip, alert.at)
        codes = tuple(r.code for r in alert.reasons)
        now = Episode(
            alert.alert_id, alert.household_id, alert.level, alert.onset, alert.at, alert.return_period_days, codes,
            alert.text_ko, alert.text_en, start, band,
        )  # fmt: skip
        self.episodes.append(now)
        return now


def week_of(at: datetime) -> date:
    """The Monday of the week (local time of ``at``)."""
    return at.date() - timedelta(days=at.weekday())


def band_of(strip: Strip | None, at: datetime) -> tuple[datetime, NDArray[np.float32]]:
    """The usual band by hours of the day, from a strip's last day: its first hour, and (24, 2) kWh."""
    if strip is None:
        return at, np.full((DAY_HOURS, 2), np.nan, np.float32)
    band = np.array([strip.usual_low[-DAY_HOURS:], strip.usual_high[-DAY_HOURS:]], np.float32).T
    return strip.start + timedelta(hours=len(strip.usual_low) - DAY_HOURS), band
