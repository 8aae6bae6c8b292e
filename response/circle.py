"""Everybody around one household at one moment: residents, guardians, and whoever is on duty."""

from collections.abc import Container, Sequence
from datetime import date, datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from response import tables
from response.duty import Duty, Leave, on_duty
from response.records import Circle, Contact, Role
from response.registry import household, means_of
from stream.records import Household

p, h, d, v = tables.people.c, tables.households.c, tables.duties.c, tables.leaves.c
OF_HOUSEHOLD: tuple[Role, ...] = ("resident", "guardian")
STAFF: tuple[Role, ...] = tuple(role for role in get_args(Role) if role not in OF_HOUSEHOLD)


def circle(
    conn: Connection, household_id: str, dong: str, at: datetime, *, tz: ZoneInfo,
    holidays: Container[date] = frozenset(),
) -> Circle:  # fmt: skip
    """Who can be told about a household, and whether it is absent or has left. Opens no personal data.

    Staff come from the duty rosters of the dong and those of every dong. A role for which nobody has a roster there has
    everybody on duty who is registered for that dong: a small office needs none. Somebody on leave is nobody's contact.
    Simulated people (drill) are around drill households only.
    """
    home = household(conn, household_id)
    drill = home is not None and home.drill
    duties = _duties(conn, dong)
    rostered = {duty.person_id for duty in duties}
    people = [row for row in _people(conn, household_id, dong, rostered) if drill or not row.drill]
    leaves = _leaves(conn, [row.person_id for row in people], at)
    away = {leave.person_id for leave in leaves}
    consent = any(row.consent_guardian for row in people if row.role == "resident")
    contacts = [_contact(row) for row in people if row.role == "resident"]
    contacts += [
        _contact(row, consent) for row in people if row.role == "guardian" and row.person_id not in away
    ]  # fmt: skip
    contacts += staff(people, duties, leaves, dong, at, tz, holidays)
    return Circle(
        tuple(contacts),
        absent_until=None if home is None else absence(home, at),
        withdrawn=_withdrawn(conn, household_id),
    )


def staff(
    people: Sequence[Any], duties: Sequence[Duty], leaves: Sequence[Leave], dong: str, at: datetime, tz: ZoneInfo,
    holidays: Container[date] = frozenset(),
) -> list[Contact]:  # fmt: skip
    """Who is there for a dong at a moment, role by role: rows of people, duties of it and of every dong, leaves."""
    contacts: list[Contact] = []
    known = {row.person_id: row for row in people if row.role not in OF_HOUSEHOLD}
    away = {leave.person_id for leave in leaves if leave.from_at <= at < leave.until_at}
    for role in STAFF:
        if any(duty.role == role for duty in duties):
            ids = on_duty(duties, leaves, dong, role, at, tz, holidays)
            # A deputy's roster may name an officer: the role is that of the roster, the person whoever it names.
        else:
            ids = [
                row.person_id for row in people
                if row.role == role and row.dong in ("", dong) and row.person_id not in away
            ]  # fmt: skip
        contacts += [_contact(known[person], role=role) for person in ids if person in known]
    return contacts


def absence(home: Household, at: datetime) -> datetime | None:
    """End of the registered absence that holds at ``at``, of those that follow on it without a gap too."""
    end: datetime | None = None
    for one in sorted(home.absences, key=lambda a: a.from_):
        if one.from_ <= (end or at) and one.until > (end or at):
            end = one.until
    return end


def _withdrawn(conn: Connection, household_id: str) -> bool:
    query = select(h.household_id).where(h.household_id == household_id, h.withdrawn_at.is_not(None))
    return conn.execute(query).one_or_none() is not None


def _people(conn: Connection, household_id: str, dong: str, rostered: set[str]) -> Sequence[Any]:
    """Rows of people, the sealed columns only as whether there is a value (a number: a usable one)."""
    of_home = (p.household_id == household_id) & p.role.in_(OF_HOUSEHOLD)
    of_dong = (p.dong.in_(("", dong)) & p.role.in_(STAFF)) | (p.person_id.in_(rostered) & p.role.in_(STAFF))
    query = select(
        p.person_id, p.role, p.dong, p.calls, p.channels, p.drill, p.consent_guardian,
        p.phone_index.is_not(None).label("phone"), p.email.is_not(None).label("email"),
    )  # fmt: skip
    return conn.execute(query.where(of_home | of_dong).order_by(p.person_id)).all()


def _leaves(conn: Connection, people: list[str], at: datetime) -> list[Leave]:
    query = select(v.person_id, v.from_at, v.until_at)
    query = query.where(v.person_id.in_(people), v.from_at <= at, v.until_at > at)
    return [Leave(*row) for row in conn.execute(query)]


def _duties(conn: Connection, dong: str) -> list[Duty]:
    query = select(
        d.dong, d.role, d.person_id, d.days, d.from_time, d.until_time, d.first_day, d.last_day, d.rank
    )  # fmt: skip
    return [Duty(*row) for row in conn.execute(query.where(d.dong.in_(("", dong))))]


def _contact(row: Any, consent: bool = True, role: Role | None = None) -> Contact:
    means = means_of(row.phone, row.email, row.calls, tuple(row.channels))
    return Contact(row.person_id, role or row.role, means, consent)
