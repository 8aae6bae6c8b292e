"""A row of the outbox becomes a message: the person is looked up, names are masked, a one-time link is made."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from response import links, openings, registry, tables, who
from response.channels.words import Language, masked, tried
from response.draft import outcomes_of
from response.numbers import dialled
from response.outbox import Job
from response.records import Message, Person, Role
from response.settings import ResponseSettings
from response.vault import Vault, VaultError
from stream.records import DeadLetter

LINKED = frozenset(
    {"tell_officer", "look_officer", "deadline_passed", "calmed_owner", "take_over_asked", "taken_over"}
)
"""Templates with a link to the case."""
AGED = timedelta(minutes=45)
"""Older than this, an alert's hours are told with the time they are of."""
p = tables.people.c


def write(
    conn: Connection, vault: Vault | None, settings: ResponseSettings, job: Job, simulated: bool, now: datetime,
    tz: tzinfo = UTC,
) -> tuple[Message, list[tuple[str, str]]] | None:
    """The message of a row, and the channels with addresses to try one after the other; None: no such person.

    A link is made within the transaction given, so it is good before the message is on its way.
    """
    person = _person(conn, vault, job.person_id)
    if person is None:
        return None
    planned: dict[str, str] = job.what["values"]
    resident = _resident(conn, vault, planned.get("household_id", ""))
    link = _link(conn, settings, job, person, now)
    colleague = who.name(conn, vault, planned.get("who", ""))
    planned = planned | ({"who": colleague} if "who" in planned else {})
    values = filled(planned, settings, resident, person.language, simulated and not job.drill, link, now, tz)
    role: Role = job.role or person.role  # type: ignore[assignment]
    template = job.what["template"]
    message = Message(job.key, person.person_id, role, "", "", template, values, person.language, job.drill)
    return message, _ways(person, job.what["means"], settings)


def filled(
    planned: dict[str, str], settings: ResponseSettings, resident: Person | None, language: Language,
    simulated: bool, link: str, now: datetime, tz: tzinfo,
) -> dict[str, str]:  # fmt: skip
    """All values of a message: what was planned (`response.draft.facts`), and what is known only when it goes out."""
    return {"over": "", "since": "", "case": ""} | planned | {  # of a notice that a version before left waiting
        "office": settings.office_name,
        "callback": settings.callback_number,
        "dong": settings.place(planned.get("dong", "")),
        "area": settings.place(planned.get("area", "")),
        "name": masked(resident.name) if resident is not None else "",
        "tried": tried(outcomes_of(planned), language, not simulated, bool(planned.get("ringing"))),
        "as_of": _as_of(planned.get("alert_at", ""), now, tz),
        "address_at": str(resident.address_at or "") if resident is not None else "",
        "entry": "1" if resident is not None and resident.consent_entry else "",
        "link": link,
        "simulated": "1" if simulated else "",
    }


def _as_of(alert_at: str, now: datetime, tz: tzinfo) -> str:
    """When the alert's figures held, where that is not just now: what it says of hours is of that moment."""
    if not alert_at or now - datetime.fromisoformat(alert_at) < AGED:
        return ""
    at = datetime.fromisoformat(alert_at).astimezone(tz)
    return f"{at:%H:%M}" if at.date() == now.astimezone(tz).date() else f"{at:%m-%d %H:%M}"


def dead_letter(job: Job) -> DeadLetter:
    """The dead letter that a row holds."""
    return msgspec.convert(job.what["dead_letter"], DeadLetter)


def _ways(person: Person, means: str, settings: ResponseSettings) -> list[tuple[str, str]]:
    """Channels and addresses, the one to be tried first in front."""
    channels = ("sms",) if means == "sms" else person.channels
    return [(channel, _address(person, channel, settings)) for channel in channels]


def _address(person: Person, channel: str, settings: ResponseSettings) -> str:
    if channel in registry.BY_PHONE:
        try:
            return dialled(person.phone, settings.phone_region, settings.dialling)
        except ValueError:  # none, or one of before numbers were checked: the channel says that it cannot be used
            return ""
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


def _link(conn: Connection, settings: ResponseSettings, job: Job, person: Person, now: datetime) -> str:
    if not settings.link_url or job.case_id is None or job.what["template"] not in LINKED or job.person_id is None:
        return ""
    role = openings.role_of(conn, person, job.role or person.role)  # type: ignore[arg-type]
    token = links.make(conn, job.case_id, job.person_id, role, now, settings.link_hours)
    return f"{settings.link_url.rstrip('/')}/c/{token}"
