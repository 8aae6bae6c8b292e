"""The registry of people: who is around a household, and a person with their personal data for whoever may have it."""

import msgspec
from sqlalchemy import Connection, Row, select

from response import tables
from response.records import Means, Person, Role
from response.vault import Vault, place
from stream.plain import plain
from stream.records import Household

p, h = tables.people.c, tables.households.c
BY_PHONE = frozenset({"sms", "call", "alimtalk"})
"""Channels whose address is the telephone number; `email` needs the e-mail address, others an address of their own in
the settings."""


def person(conn: Connection, vault: Vault, person_id: str) -> Person | None:
    """One person, opened. Raises VaultError. For gateways; whoever looks goes through `response.access`."""
    row = conn.execute(select(tables.people).where(p.person_id == person_id)).one_or_none()
    return None if row is None else opened(row, vault)


def resident(conn: Connection, household_id: str) -> str | None:
    """Id of a household's resident; None where nobody is registered."""
    query = select(p.person_id).where(p.household_id == household_id, p.role == "resident").limit(1)
    return conn.execute(query).scalar_one_or_none()


def around(conn: Connection, household_id: str) -> list[str]:
    """Ids of everybody who is registered with a household."""
    return list(conn.scalars(select(p.person_id).where(p.household_id == household_id).order_by(p.person_id)))


def household(conn: Connection, household_id: str) -> Household | None:
    """The last record of the topic; None where there was none."""
    record = conn.execute(select(h.record).where(h.household_id == household_id)).scalar_one_or_none()
    return None if record is None else msgspec.convert(record, Household)


def by_number(conn: Connection, vault: Vault, number: str) -> list[tuple[str, Role, str | None]]:
    """Whose number it is: (person_id, role, household_id), by id. ``number``: in the form of `response.numbers`."""
    query = select(p.person_id, p.role, p.household_id).where(p.phone_index.in_(vault.indexes(number)))
    return [(row.person_id, row.role, row.household_id) for row in conn.execute(query.order_by(p.person_id))]


def shares_number(conn: Connection, person_id: str | None) -> bool:
    """Whether somebody else is registered with a person's number: whoever picks up may be either."""
    own = select(p.phone_index).where(p.person_id == person_id).scalar_subquery()
    query = select(p.person_id).where(p.phone_index == own, p.person_id != person_id).limit(1)
    return conn.execute(query).one_or_none() is not None


def opened(row: Row[tuple[object, ...]], vault: Vault) -> Person:
    """A row of people with its sealed columns opened. Raises VaultError."""

    def text(column: str) -> str:
        sealed = getattr(row, column)
        return "" if sealed is None else plain(vault.open(sealed, place("people", column, row.person_id)))

    return Person(
        person_id=row.person_id, role=row.role, dong=row.dong, household_id=row.household_id, name=text("name"),
        phone=text("phone"), email=text("email"), address=text("address"), address_at=row.address_at,
        language=row.language, channels=tuple(row.channels), consent_guardian=row.consent_guardian,
        consent_entry=row.consent_entry, calls=row.calls, drill=row.drill,
    )  # fmt: skip


def means_of(phone: bool, email: bool, calls: bool, channels: tuple[str, ...]) -> frozenset[Means]:
    """By what a person can be reached, from what there is of them. Nothing needs to be opened for that."""
    found: set[Means] = set()
    if phone:
        found.add("sms")
        if calls:
            found.add("call")
    if any(phone if channel in BY_PHONE else email if channel == "email" else True for channel in channels):
        found.add("message")
    return frozenset(found)
