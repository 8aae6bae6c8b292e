"""Rosters: weeks, nights over midnight, holidays, first and last day, leave."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from response.duty import Duty, Leave, holds, on_duty

SEOUL = ZoneInfo("Asia/Seoul")
KR = holidays.country_holidays("KR")
WEEKDAYS, ALWAYS = "11111000", "1111111"
OFFICE = Duty("A", "officer", "kim", "11111000", time(9), time(18))
NIGHT = Duty("", "centre", "night", "11111000", time(18), time(9))
WEEKEND = Duty("", "centre", "weekend", "00000111", time(9), time(9))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL).astimezone(UTC)


def who(moment: str, role: str = "centre", *leaves: Leave, dong: str = "A") -> list[str]:
    return on_duty([OFFICE, NIGHT, WEEKEND], leaves, dong, role, at(moment), SEOUL, KR)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("moment", "role", "expected"),
    [
        ("2026-03-04 09:00", "officer", ["kim"]),
        ("2026-03-04 17:59", "officer", ["kim"]),
        ("2026-03-04 18:00", "officer", []),
        ("2026-03-07 12:00", "officer", []),  # Saturday
        ("2026-09-25 12:00", "officer", []),  # Friday, Chuseok
        ("2026-03-04 18:00", "centre", ["night"]),
        ("2026-03-05 08:59", "centre", ["night"]),
        ("2026-03-05 09:00", "centre", []),
        ("2026-03-07 08:59", "centre", ["night"]),  # Friday's night, on Saturday morning
        ("2026-03-07 09:00", "centre", ["weekend"]),
        ("2026-03-09 08:59", "centre", ["weekend"]),
        ("2026-09-25 12:00", "centre", ["weekend"]),  # its eighth day
        ("2026-09-23 23:00", "centre", ["night"]),  # the night before the holidays begin
        ("2026-09-24 03:00", "centre", ["night"]),
        ("2026-09-24 20:00", "centre", ["weekend"]),
    ],
)
def test_week_of_a_centre(moment: str, role: str, expected: list[str]) -> None:
    """Office by day, centre by night, at weekends and on public holidays."""
    assert who(moment, role) == expected


def test_first_and_last_day_are_those_it_begins_on() -> None:
    """A night that begins on the last day goes on to its end."""
    duty = Duty("A", "officer", "kim", ALWAYS, time(22), time(6), date(2026, 3, 2), date(2026, 3, 3))
    nights = [m for m in ("03-01 23", "03-02 03", "03-02 23", "03-03 23", "03-04 05", "03-04 23")
              if holds(duty, datetime.fromisoformat(f"2026-{m}:00"))]  # fmt: skip
    assert nights == ["03-02 23", "03-03 23", "03-04 05"]


def test_seven_days_hold_on_holidays_too() -> None:
    """Whoever says nothing of holidays is on duty on them: rather somebody too many than nobody."""
    duty = Duty("A", "centre", "all", ALWAYS, time(0), time(0))
    assert holds(duty, datetime(2026, 9, 25, 12), KR)


def test_order_is_by_rank_then_the_own_dong() -> None:
    """Who is asked first."""

    def duty(person: str, dong: str, rank: int) -> Duty:
        return Duty(dong, "officer", person, ALWAYS, time(0), time(0), rank=rank)

    duties = [duty("c", "", 1), duty("b", "A", 1), duty("a", "A", 2), duty("z", "", 0), duty("x", "B", 0)]
    assert on_duty(duties, [], "A", "officer", at("2026-03-04 12:00"), SEOUL) == ["z", "b", "c", "a"]


def test_leave_begins_and_ends_at_its_times() -> None:
    """From the first moment on, until the last one."""
    leave = Leave("kim", at("2026-03-04 13:00"), at("2026-03-04 15:00"))
    found = [bool(who(f"2026-03-04 {m}", "officer", leave)) for m in ("12:59", "13:00", "14:59", "15:00")]
    assert found == [True, False, False, True]


DAYS = st.text("01", min_size=8, max_size=8)
TIMES = st.times().map(lambda t: t.replace(second=0, microsecond=0))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31))


@given(DAYS, TIMES, TIMES, MOMENTS)
def test_the_other_days_and_the_other_hours_make_a_whole(days: str, begin: time, end: time, moment: datetime) -> None:
    """A pattern, that of the other days, and both for the rest of the day: somebody is on duty at any moment, and of
    the two of one time of day exactly one."""
    other = "".join("10"[int(day)] for day in days)
    here, there = (Duty("A", "centre", "x", d, begin, end) for d in (days, other))
    rest = [Duty("A", "centre", "x", d, end, begin) for d in (days, other)] if begin != end else []
    now = [holds(duty, moment, KR) for duty in (here, there, *rest)]
    assert sum(now) == 1


@given(DAYS, TIMES, TIMES, MOMENTS, st.integers(0, 10_000), st.integers(1, 10_000))
def test_nobody_on_leave_is_on_duty(
    days: str, begin: time, end: time, moment: datetime, before: int, length: int
) -> None:
    """Whatever the pattern, and whoever else is there."""
    duties = [Duty("A", "officer", p, days, begin, end) for p in ("a", "b")]
    now = moment.replace(tzinfo=UTC)
    leave = Leave("a", now - timedelta(minutes=before), now - timedelta(minutes=before) + timedelta(minutes=length))
    found = on_duty(duties, [leave], "A", "officer", now, SEOUL, KR)
    assert ("a" in found) <= (length <= before)
    assert found in ([], ["a", "b"], ["b"])
