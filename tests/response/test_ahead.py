"""A week ahead: where nobody could be told, dong by dong, as the ladder itself would find it."""

import random
import time as clock
from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from response.ahead import EVERY, Gap, Roll, gaps, ways
from response.circle import circle
from response.duty import Duty, Leave
from response.hours import hours_of
from response.ladder import DEFAULT
from response.settings import HoursSettings
from tests.response.casework import local

HOURS = hours_of(HoursSettings(), "Asia/Seoul")
NOW = local("02 10:00")  # a Monday in March 2026, a substitute holiday
ALWAYS = (time(0), time(0))


def person(person_id: str, role: str, dong: str = "", **more: Any) -> Any:
    """A row of the registry."""
    row = {"person_id": person_id, "role": role, "dong": dong, "calls": True, "channels": ["sms"], "phone": True,
           "email": False}  # fmt: skip
    return SimpleNamespace(**(row | more))


OTHERS = [person("d", "deputy", "A"), person("c", "centre"), person("op", "operator")]


def found(
    people: list[Any], duties: tuple[Duty, ...] = (), leaves: tuple[Leave, ...] = (), dongs: tuple[str, ...] = ("A",),
    channels: tuple[str, ...] = ("sms",), unusable: tuple[str, ...] = (),
) -> list[Gap]:  # fmt: skip
    """The gaps of a week from Monday at ten."""
    roll = Roll(people, duties, leaves, dongs)
    return gaps(roll, DEFAULT, HOURS, ways(roll, frozenset(channels), frozenset(unusable)), NOW)


def test_somebody_for_every_role_is_no_gap() -> None:
    """Without rosters everybody registered is on duty."""
    assert found([person("o", "officer", "A"), *OTHERS]) == []


def test_a_role_that_nobody_has_is_a_gap_in_each_of_its_hours() -> None:
    """The officer is told in office hours alone: none at night, on the weekend, on a holiday."""
    these = found(OTHERS)
    assert {(gap.dong, gap.role, gap.why) for gap in these} == {("A", "officer", "nobody")}
    assert [(gap.from_at, gap.until_at) for gap in these] == [
        *((local(f"0{day} 09:00"), local(f"0{day} 18:00")) for day in (3, 4, 5, 6)),
        (local("09 09:00"), NOW + timedelta(days=7)),
    ]


def test_a_hole_in_a_roster_is_named_from_until() -> None:
    """Nights are for the centre; its roster ends at six on Sunday, and nobody begins."""
    duties = (Duty("", "centre", "c", "1111110", *ALWAYS), Duty("", "centre", "c", "0000001", time(0), time(6)))
    (gap,) = found([person("o", "officer", "A"), *OTHERS], duties)
    assert gap == Gap("A", "centre", local("08 06:00"), local("09 00:00"), "off_duty")


def test_everybody_on_leave_at_once_is_named_with_who_they_are() -> None:
    """Two officers, two leaves: where they overlap in office hours."""
    leaves = (
        Leave("o1", local("03 00:00"), local("05 12:00")), Leave("o2", local("05 00:00"), local("06 00:00")),
    )  # fmt: skip
    people = [person("o1", "officer", "A"), person("o2", "officer", "A"), *OTHERS]
    assert found(people, leaves=leaves) == [
        Gap("A", "officer", local("05 09:00"), local("05 12:00"), "leave", ("o1", "o2"))
    ]


@pytest.mark.parametrize("officer", [
    person("o", "officer", "A", phone=False),
    person("o", "officer", "A", channels=[]),
    person("o", "officer", "A", channels=["email"]),
    person("o", "officer", "A", channels=["alimtalk"], phone=True),
], ids=["no number", "no channel", "no address", "channel not set up"])  # fmt: skip
def test_somebody_whom_nothing_reaches_is_a_gap(officer: Any) -> None:
    """On duty, and no message can go out."""
    these = found([officer, *OTHERS])
    assert {(gap.role, gap.why, gap.people) for gap in these} == {("officer", "unreachable", ("o",))}


def test_a_number_that_is_none_reaches_nobody_a_second_person_does() -> None:
    """Of two on duty one is enough."""
    people = [person("o", "officer", "A"), *OTHERS]
    assert {gap.why for gap in found(people, unusable=("o",))} == {"unreachable"}
    assert found([*people, person("p", "officer", "A")], unusable=("o",)) == []


def test_what_is_so_in_every_dong_is_said_once() -> None:
    """No operator at all, in three dongs: one gap. One dong alone without its officer: that dong's."""
    people = [*(person(f"o{dong}", "officer", dong) for dong in "AB"), *(person(f"d{x}", "deputy", x) for x in "ABC"),
              person("c", "centre")]  # fmt: skip
    these = found(people, dongs=("A", "B", "C"))
    assert [gap.dong for gap in these if gap.role == "operator"] == [EVERY]
    assert {gap.dong for gap in these if gap.role == "officer"} == {"C"}


def test_five_hundred_dongs_take_a_second_or_two() -> None:
    """A city with rosters and leaves of its own in each dong."""
    rng = random.Random(1)
    people, duties, leaves = [person("c", "centre"), person("op", "operator")], [], []
    dongs = tuple(f"d{n:03}" for n in range(500))
    for dong in dongs:
        for role in ("officer", "deputy"):
            for n in range(2):
                who = f"{role}-{dong}-{n}"
                people.append(person(who, role, dong))
                duties.append(Duty(dong, role, who, "1111100", time(9), time(18), rank=n))  # type: ignore[arg-type]
        begin = NOW + timedelta(hours=rng.randrange(100))
        leaves.append(Leave(f"officer-{dong}-0", begin, begin + timedelta(days=1)))
    started = clock.process_time()
    assert found(people, tuple(duties), tuple(leaves), dongs) == []
    assert clock.process_time() - started < 10


@pytest.mark.postgres
def test_it_agrees_with_the_circle_of_the_ladder_at_any_moment(database: Any) -> None:
    """Random people, rosters and leaves: where a gap says so the circle is empty, elsewhere it is not."""
    from sqlalchemy import insert

    from response import ahead, tables
    from tests.response.people import add_duty, add_household, add_person

    rng = random.Random(7)
    now = datetime(2026, 3, 4, 1, tzinfo=UTC)
    with database.begin() as conn:
        for dong in "AB":
            add_household(conn, f"h{dong}", dong)
            for role in ("officer", "deputy", "centre", "operator"):
                for n in range(2):
                    who = add_person(conn, f"{role}{dong}{n}", role, dong=rng.choice([dong, dong, ""]))
                    if rng.random() < 0.6:
                        days = "".join(rng.choice("01") for _ in range(rng.choice([7, 8])))
                        hours = [f"{rng.randrange(24):02}:00" for _ in range(2)]
                        add_duty(conn, role, who, days, *hours, dong=rng.choice([dong, ""]))
                    if rng.random() < 0.3:
                        begin = now + timedelta(hours=rng.randrange(80))
                        conn.execute(insert(tables.leaves).values(
                            person_id=who, from_at=begin, until_at=begin + timedelta(hours=rng.randrange(1, 60))
                        ))  # fmt: skip
        roll = ahead.read(conn, now)
        assert roll.dongs == ("A", "B")
        holes = gaps(roll, DEFAULT, HOURS, ways(roll, frozenset({"sms"}), frozenset()), now)
        assert holes
        for _ in range(60):
            at = now + timedelta(minutes=rng.randrange(7 * 1440))
            for dong in "AB":
                around = circle(conn, f"h{dong}", dong, at, tz=HOURS.tz, holidays=HOURS.closed)
                office = HOURS.open("office", at)
                for role in ("officer", "deputy", "centre", "operator"):
                    if role in ("officer", "deputy") and not office:
                        continue
                    hole = any(
                        g.role == role and g.dong in (dong, EVERY) and g.from_at <= at < g.until_at for g in holes
                    )
                    assert hole is (not around.of(role)), (role, dong, at)  # type: ignore[arg-type]
