"""Whom an id stands for, as a reader may see it: colleagues by name, people of a home masked but to whoever has it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from response import tables
from response.access import Sight, Viewer
from response.channels.words import masked
from response.circle import OF_HOUSEHOLD, STAFF
from response.events import RESIDENT, SYSTEM, Entry, MessagePlanned, NotTold
from response.records import Person
from response.registry import opened
from response.sentences import Shown
from response.vault import Vault, VaultError

p = tables.people.c


def shown(
    sight: Sight, vault: Vault | None, ids: Iterable[str | None], viewer: Viewer, why: str, at: datetime,
    case_id: int | None = None, whole: bool = False, nameless: str | None = None,
) -> Shown:  # fmt: skip
    """What is shown of each of ``ids``: a name where there is one to be opened, else ``nameless``, or the id.
    ``whole``: names of residents and guardians too; theirs are masked otherwise. Each name is in the access log before
    it is read, as ``name`` or as ``masked``.

    Raises:
        ReasonNeededError: there is no reason.
    """
    wanted = {id_ for id_ in ids if id_} - {SYSTEM, RESIDENT}
    people: list[Person] = []
    if vault is not None and wanted:
        with sight.service.begin() as conn:
            roles = conn.execute(select(p.person_id, p.role).where(p.person_id.in_(wanted), p.name.is_not(None))).all()
        looks = [(id_, "name" if whole or role in STAFF else "masked") for id_, role in roles]
        people = _named(sight.people(viewer, looks, why, at, case_id), vault)
    known = {one.person_id for one in people if whole or one.role in STAFF}
    names = {one.person_id: one.name if one.person_id in known else masked(one.name) for one in people}
    return lambda id_: names.get(id_, id_ if nameless is None else nameless)


def name(conn: Connection, vault: Vault | None, person_id: str) -> str:
    """One person's name, empty where there is none: for a letter, which shows it to a colleague."""
    if vault is None:
        return ""
    people = _named(conn.execute(select(tables.people).where(p.person_id == person_id)), vault)
    return people[0].name if people else ""


def in_log(log: Iterable[Entry], home: bool = True) -> set[str]:
    """Ids of everybody whom a case's log speaks of; the resident, of whom it is, left out, and without ``home`` whoever
    belongs to them."""
    left_out = ("resident",) if home else OF_HOUSEHOLD
    ids: set[str] = set()
    for entry in log:
        ids.add(entry.by)
        what = entry.what
        if isinstance(what, MessagePlanned | NotTold) and what.person_id and what.role not in left_out:
            ids.add(what.person_id)
    return ids


def _named(rows: Iterable[Row[Any]], vault: Vault) -> list[Person]:
    """Those with a name that can be opened; one that cannot must not hide the case."""
    found = []
    for row in rows:
        try:
            one = opened(row, vault)
        except VaultError:
            continue
        if one.name:
            found.append(one)
    return found
