"""People, households and cases for the tests, written as the registry has them."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, insert

from response import tables
from response.vault import Vault, place
from stream.records import Absence, Household

KEY = "nxz/PAhxTyRt8ZsUUpvUdtNmMgfLvYrEP4DIay3Q7Kw="
KEY_2 = "w/8KnHlr6nOw4feGm4LqxKm/u6dHGEnv2QYIs8cYVAE="
AT = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)  # Wednesday, 10:00 in Seoul


def add_person(conn: Connection, person_id: str, role: str, vault: Vault | None = None, **values: Any) -> str:
    """One person, by default of dong A with a telephone."""
    vault = vault or Vault([KEY])
    row: dict[str, Any] = {"dong": "A", "channels": ["sms"], "phone": "010-0000-0001", **values}
    if row["phone"]:
        row["phone_index"] = vault.index(row["phone"])
    for column in ("name", "phone", "email", "address"):
        if row.get(column):
            row[column] = vault.seal(row[column], place("people", column, person_id))
        else:
            row[column] = None
    conn.execute(insert(tables.people).values(person_id=person_id, role=role, updated_at=AT, **row))
    return person_id


def add_household(conn: Connection, household_id: str, dong: str = "A", *absences: Absence, **values: Any) -> str:
    """One household as the topic has it."""
    home = Household(household_id, AT, area="S", dong=dong, absences=absences, **values)
    record = msgspec.to_builtins(home)
    conn.execute(insert(tables.households).values(household_id=household_id, dong=dong, area="S", record=record))
    return household_id


def add_case(conn: Connection, household_id: str, dong: str = "A", **values: Any) -> int:
    """An open case of a household."""
    row = {"opened_at": AT, "level": "caution", "phase": "asking", "next_step_at": AT, **values}
    query = insert(tables.cases).values(household_id=household_id, dong=dong, **row).returning(tables.cases.c.case_id)
    return int(conn.execute(query).scalar_one())


def add_event(conn: Connection, case_id: int, seq: int, what: dict[str, Any]) -> None:
    """One event of a case."""
    conn.execute(insert(tables.case_events).values(case_id=case_id, seq=seq, at=AT, by="system", what=what))


def add_duty(conn: Connection, role: str, person_id: str, days: str, begin: str, end: str, **values: Any) -> None:
    """One row of a roster, by default of dong A."""
    row = {"dong": "A", **values}
    conn.execute(
        insert(tables.duties).values(role=role, person_id=person_id, days=days, from_time=begin, until_time=end, **row)
    )
