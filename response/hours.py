"""When a resident may be rung and when the office is open: pure, in the households' time zone."""

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import holidays

from response.settings import HoursSettings

Kind = Literal["any", "calling", "office"]
_FAR_DAYS = 60
"""No office is closed for so long."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Calling hours (every day) and office hours (working days). ``until`` not after ``begin``: over midnight."""

    tz: ZoneInfo
    calling: tuple[time, time] = (time(8), time(21))
    office: tuple[time, time] = (time(9), time(18))
    closed: Container[date] = field(default_factory=frozenset)

    def open(self, kind: Kind, at: datetime) -> bool:
        """Whether it is such an hour. ``at`` is aware."""
        if kind == "any":
            return True
        local = at.astimezone(self.tz)
        begin, until = self.calling if kind == "calling" else self.office
        now, day = local.time(), local.date()
        if begin < until:
            return begin <= now < until and self._on(kind, day)
        return (now >= begin and self._on(kind, day)) or (now < until and self._on(kind, day - timedelta(1)))

    def next_open(self, kind: Kind, at: datetime) -> datetime:
        """The first moment from ``at`` on that is such an hour, in UTC."""
        if self.open(kind, at):
            return at.astimezone(UTC)
        begin = self.calling[0] if kind == "calling" else self.office[0]
        day = at.astimezone(self.tz).date()
        for n in range(_FAR_DAYS):
            moment = datetime.combine(day + timedelta(n), begin, self.tz).astimezone(UTC)
            if moment >= at and self.open(kind, moment):
                return moment
        raise ValueError(f"no {kind} hours within {_FAR_DAYS} days of {at:%Y-%m-%d}: see the settings of the hours")

    def _on(self, kind: Kind, day: date) -> bool:
        return kind == "calling" or (day.weekday() < 5 and day not in self.closed)


def hours_of(settings: HoursSettings, tz: str) -> Hours:
    """Hours of the settings.

    Raises:
        ValueError: when the country of the holidays is not known.
    """
    closed: Container[date] = frozenset()
    if settings.holidays:
        try:
            closed = holidays.country_holidays(settings.holidays)
        except NotImplementedError as e:
            raise ValueError(f"holidays of {settings.holidays!r} are not known: use a code such as KR, or none") from e
    return Hours(
        ZoneInfo(tz), (settings.calling_from, settings.calling_until), (settings.office_from, settings.office_until),
        closed,
    )  # fmt: skip
