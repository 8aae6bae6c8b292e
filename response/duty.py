"""Who is on duty: pure, from weekly patterns, public holidays and leave."""

from collections.abc import Container, Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from response.records import Role

_HOLIDAY = 7


class Duty(Struct, frozen=True):
    """A weekly pattern of one person. ``dong`` empty: every dong. ``days``: 0 or 1 a weekday, Monday first, by the day
    it begins on; an eighth says whether it holds on public holidays, without one these are days like others.
    ``until_time`` not after ``from_time``: it ends the next day. ``rank``: lower is asked first."""

    dong: str
    role: Role
    person_id: str
    days: str
    from_time: time
    until_time: time
    first_day: date | None = None
    last_day: date | None = None
    rank: int = 0


class Leave(Struct, frozen=True):
    """One person is away in [from_at, until_at), whatever the roster says."""

    person_id: str
    from_at: datetime
    until_at: datetime


def on_duty(
    duties: Iterable[Duty], leaves: Iterable[Leave], dong: str, role: Role, at: datetime, tz: ZoneInfo,
    holidays: Container[date] = frozenset(),
) -> list[str]:  # fmt: skip
    """Ids of those on duty for a dong in a role at a moment (aware), first to be asked first: by rank, then those of
    this dong alone, then by id."""
    away = {leave.person_id for leave in leaves if leave.from_at <= at < leave.until_at}
    local = at.astimezone(tz)
    there = [
        duty for duty in duties
        if duty.role == role and duty.dong in ("", dong) and duty.person_id not in away and holds(duty, local, holidays)
    ]  # fmt: skip
    there.sort(key=lambda duty: (duty.rank, duty.dong == "", duty.person_id))
    return list(dict.fromkeys(duty.person_id for duty in there))


def holds(duty: Duty, local: datetime, holidays: Container[date] = frozenset()) -> bool:
    """Whether a pattern holds at a local time."""
    now, day = local.time(), local.date()
    if duty.from_time < duty.until_time:
        return duty.from_time <= now < duty.until_time and begins_on(duty, day, holidays)
    began_today = now >= duty.from_time and begins_on(duty, day, holidays)
    return began_today or (now < duty.until_time and begins_on(duty, day - timedelta(1), holidays))


def begins_on(duty: Duty, day: date, holidays: Container[date] = frozenset()) -> bool:
    """Whether a pattern begins on a day."""
    if (duty.first_day and day < duty.first_day) or (duty.last_day and day > duty.last_day):
        return False
    if len(duty.days) > _HOLIDAY and day in holidays:
        return duty.days[_HOLIDAY] == "1"
    return duty.days[day.weekday()] == "1"
