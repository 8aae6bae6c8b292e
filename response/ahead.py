"""Looking ahead: is there somebody to be told in every dong, at every hour of the coming week? Pure but for ``read``.

What is asked is what the ladder will ask: `response.circle.staff`, at each moment at which its answer may change.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import Connection, select

from response import tables
from response.circle import OF_HOUSEHOLD, STAFF, staff
from response.duty import Duty, Leave
from response.hours import Hours
from response.ladder import Ladder
from response.records import Means, Role
from response.registry import BY_PHONE

p, h, d, v = tables.people.c, tables.households.c, tables.duties.c, tables.leaves.c
DAYS = 7
Why = Literal["nobody", "off_duty", "leave", "unreachable"]
"""Nobody is registered; nobody's roster holds; all who would be there are on leave; none of them can be reached."""
EVERY = "*"
"""Stands for all dongs, where the same is so in each."""


class Roll(Struct, frozen=True):
    """Everybody on the staff, read once. ``people``: rows; ``dongs``: those with homes that are watched."""

    people: Sequence[Any]
    duties: Sequence[Duty]
    leaves: Sequence[Leave]
    dongs: tuple[str, ...]


class Gap(Struct, frozen=True):
    """Nobody of a role can be told of a dong in [from_at, until_at). ``people``: ids of those who would be there."""

    dong: str
    role: Role
    from_at: datetime
    until_at: datetime
    why: Why
    people: tuple[str, ...] = ()


def read(conn: Connection, now: datetime, days: int = DAYS) -> Roll:
    """All that is known for the coming days. Opens no personal data."""
    people = conn.execute(
        select(
            p.person_id, p.role, p.dong, p.calls, p.channels, p.phone.is_not(None).label("phone"),
            p.email.is_not(None).label("email"),
        ).where(p.role.in_(STAFF), ~p.drill).order_by(p.person_id)
    ).all()  # fmt: skip
    duties = select(d.dong, d.role, d.person_id, d.days, d.from_time, d.until_time, d.first_day, d.last_day, d.rank)
    leaves = select(v.person_id, v.from_at, v.until_at).where(v.until_at > now, v.from_at < now + timedelta(days=days))
    homes = select(h.dong).where(h.withdrawn_at.is_(None), h.record["drill"].astext.is_distinct_from("true")).distinct()
    return Roll(
        people,
        [Duty(*row) for row in conn.execute(duties)],
        [Leave(*row) for row in conn.execute(leaves)],
        tuple(sorted({*conn.scalars(homes), *(row.dong for row in people if row.dong)})),
    )


def ways(roll: Roll, channels: frozenset[str], unusable: frozenset[str]) -> dict[str, frozenset[Means]]:
    """By what each person can really be reached: a channel that is set up and an address for it. ``unusable``: ids of
    people whose number is none."""
    found: dict[str, frozenset[Means]] = {}
    for row in roll.people:
        phone = row.phone and row.person_id not in unusable
        has = [c for c in row.channels if c in channels and (phone if c in BY_PHONE else c != "email" or row.email)]
        by: list[tuple[Means, bool]] = [("sms", bool(phone) and "sms" in channels), ("message", bool(has))]
        found[row.person_id] = frozenset(means for means, there in by if there)
    return found


def gaps(
    roll: Roll, ladders: Mapping[str, Ladder], hours: Hours, reached: Mapping[str, frozenset[Means]], now: datetime,
    days: int = DAYS,
) -> list[Gap]:  # fmt: skip
    """Every gap of the coming days, by time; one that is the same in all dongs stands there once (``EVERY``)."""
    people = _by_dong(roll.people)
    duties = _by_dong(roll.duties)
    known = {row.person_id: row for row in roll.people}
    needed = _needed(ladders, hours)
    same: dict[Gap, list[str]] = defaultdict(list)
    for dong in roll.dongs:
        own = [*duties[""], *duties[dong]]
        ids = {duty.person_id for duty in own} | {row.person_id for row in (*people[""], *people[dong])}
        rows = [known[person] for person in sorted(ids) if person in known]
        leaves = [leave for leave in roll.leaves if leave.person_id in ids] if roll.leaves else []
        here = Roll(rows, own, leaves, (dong,))
        for gap in _of_dong(here, needed, hours, reached, now, now + timedelta(days=days)):
            same[gap].append(dong)
    every = len(roll.dongs)
    found = []
    for gap, dongs in same.items():
        at = [EVERY] if len(dongs) == every > 1 else dongs
        found += [Gap(dong, gap.role, gap.from_at, gap.until_at, gap.why, gap.people) for dong in at]
    return sorted(found, key=lambda gap: (gap.from_at, STAFF.index(gap.role), gap.dong))


def _of_dong(
    here: Roll, needed: Any, hours: Hours, reached: Mapping[str, frozenset[Means]], now: datetime, until: datetime
) -> Iterator[Gap]:
    """Gaps of one dong, its name left out; neighbouring moments with the same fault are one gap."""
    moments = _moments(here, hours, now, until)
    begun: dict[Role, tuple[datetime, Why, tuple[str, ...]]] = {}
    for at in moments:
        faults = dict(_faults(here, needed(hours.open("office", at), hours.open("calling", at)), hours, reached, at))
        for role in [role for role, (_, *fault) in begun.items() if faults.get(role) != tuple(fault)]:
            since, why, people = begun.pop(role)
            yield Gap("", role, since, at, why, people)
        for role, (why, people) in faults.items():
            begun.setdefault(role, (at, why, people))
    for role, (since, why, people) in begun.items():
        yield Gap("", role, since, until, why, people)


def _faults(
    here: Roll, needed: Mapping[Role, frozenset[Means]], hours: Hours, reached: Mapping[str, frozenset[Means]],
    at: datetime,
) -> Iterator[tuple[Role, tuple[Why, tuple[str, ...]]]]:  # fmt: skip
    """Roles that are to be told at a moment and cannot be."""
    dong = here.dongs[0]
    there = staff(here.people, here.duties, here.leaves, dong, at, hours.tz, hours.closed)
    for role, means in needed.items():
        ids = tuple(contact.person_id for contact in there if contact.role == role)
        if any(reached[person] & means for person in ids):
            continue
        if ids:
            yield role, ("unreachable", ids)
            continue
        without_leave = staff(here.people, here.duties, (), dong, at, hours.tz, hours.closed)
        away = tuple(contact.person_id for contact in without_leave if contact.role == role)
        if away:
            yield role, ("leave", away)
        else:
            rostered = any(duty.role == role for duty in here.duties)
            yield role, ("off_duty" if rostered else "nobody", ())


def _needed(ladders: Mapping[str, Ladder], hours: Hours) -> Any:
    """(office open, calling hours) -> role -> means by which some step tells it then. Operators hear at any hour."""

    @cache
    def needed(office: bool, calling: bool) -> dict[Role, frozenset[Means]]:
        open_ = {"any": True, "office": office, "calling": calling}
        found: dict[Role, frozenset[Means]] = {"operator": frozenset({"message"})}
        for step in (step for ladder in ladders.values() for step in ladder.steps):
            if open_[step.hours] and (office or not step.off_hours):
                for role in step.to:
                    if role not in OF_HOUSEHOLD:
                        found[role] = found.get(role, frozenset()) | frozenset(step.by)
        return found

    return needed


def _moments(here: Roll, hours: Hours, now: datetime, until: datetime) -> list[datetime]:
    """Now and every moment of these days at which somebody's duty, a leave or the office may begin or end."""
    times = {*hours.office, *hours.calling, *(t for duty in here.duties for t in (duty.from_time, duty.until_time))}
    midnight = now.astimezone(hours.tz).replace(hour=0, minute=0, second=0, microsecond=0)
    found = {moment for leave in here.leaves for moment in (leave.from_at, leave.until_at)}
    for n in range((until - now).days + 2):
        day = (midnight + timedelta(days=n)).date()
        found |= {datetime.combine(day, time, hours.tz) for time in (*times, midnight.time())}
    return [now, *sorted(moment for moment in found if now < moment < until)]


def _by_dong(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.dong].append(row)
    return found
