"""A row of the outbox becomes a message: the person is looked up, names are masked, a one-time link is made."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from response import links, registry, tables
from response.channels.words import masked, tried
from response.draft import outcomes_of
from response.outbox import Job
from response.records import Message, Person, Role
from response.settings import ResponseSettings
from response.vault import Vault, VaultError
from stream.records import DeadLetter

LINKED = frozenset({"tell_officer", "look_officer", "deadline_passed"})
"""Templates with a link to the case."""
LINK_HOURS = 72.0
p = tables.people.c


def write(
    conn: Connection, vault: Vault | None, settings: ResponseSettings, job: Job, simulated: bool, now: datetime
) -> tuple[Message, list[tuple[str, str]]] | None:
    """The message of a row, and the channels with addresses to try one after the other; None: no such person.

    A link is made within the transaction given, so it is good before the message is on its way.
    """
    person = _person(conn, vault, job.person_id)
    if person is None:
        return None
    values: dict[str, str] = dict(job.what["values"])
    resident = _resident(conn, vault, values.get("household_id", ""))
    calls_simulated = simulated and not job.drill
    values |= {
        "office": settings.office_name,
        "callback": settings.callback_number,
        "name": masked(resident.name) if resident is not None else "",
        "tried": tried(outcomes_of(values), person.language, real=not calls_simulated),
        "address_at": str(resident.address_at or "") if resident is not None else "",
        "entry": "1" if resident is not None and resident.consent_entry else "",
        "link": _link(conn, settings, job, now),
        "simulated": "1" if calls_simulated else "",
    }
    role: Role = job.role or person.role  # type: ignore[assignment]
    template = job.what["template"]
    message = Message(job.key, person.person_id, role, "", "", template, values, person.language, job.drill)
    return message, _ways(person, job.what["means"])


def dead_letter(job: Job) -> DeadLetter:
    """The dead letter that a row holds."""
    return msgspec.convert(job.what["dead_letter"], DeadLetter)


def _ways(person: Person, means: str) -> list[tuple[str, str]]:
    """Channels and addresses, the one to be tried first in front."""
    channels = ("sms",) if means == "sms" else person.channels
    return [(channel, _address(person, channel)) for channel in channels]


def _address(person: Person, channel: str) -> str:
    if channel in registry.BY_PHONE:
        return person.phone
    return person.email if channel == "email" else person.person_id


def _person(conn: Connection, vault: Vault | None, person_id: str | None) -> Person | None:
    if person_id is None:
        return None
    if vault is not None:
        return registry.person(conn, vault, person_id)
    row: Any = conn.execute(select(p.role, p.language, p.channels).where(p.person_id == person_id)).one_or_none()
    return None if row is None else Person(person_id, row.role, language=row.language, channels=tuple(row.channels))


def _resident(conn: Connection, vault: Vault | None, household_id: str) -> Person | None:
    if vault is None or not household_id:
        return None
    person_id = registry.resident(conn, household_id)
    try:
        return None if person_id is None else registry.person(conn, vault, person_id)
    except VaultError:  # a message without a name is better than none
        return None


def _link(conn: Connection, settings: ResponseSettings, job: Job, now: datetime) -> str:
    if not settings.link_url or job.case_id is None or job.what["template"] not in LINKED or job.person_id is None:
        return ""
    role: Role = job.role or "officer"  # type: ignore[assignment]
    token = links.make(conn, job.case_id, job.person_id, role, now, LINK_HOURS)
    return f"{settings.link_url.rstrip('/')}/c/{token}"
