"""Numbers of before they had one form: read, brought to E.164 and indexed anew, where the keys are."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, select, update

from response import tables
from response.numbers import normal
from response.vault import Vault, place

p = tables.people.c
ONE_FORM = 1


@dataclass(slots=True)
class Renumbered:
    """What was done. ``unusable``: ids of people whose number is none; it stays, and nobody is reached by it."""

    people: int = 0
    unusable: list[str] = field(default_factory=list)


def renumber(engine: Engine, vault: Vault, region: str, batch: int = 500) -> Renumbered:
    """Bring numbers to their one form, ``batch`` rows a transaction; a run cut short goes on at the next, a second one
    finds nothing to do.

    Raises:
        VaultError: where a key is missing; what was done before stays done.
    """
    done = Renumbered()
    while True:
        with engine.begin() as conn:
            if not _some(conn, vault, region, batch, done):
                return done


def unusable(conn: Connection) -> list[str]:
    """Ids of people who have a number that is none: registered before numbers were checked."""
    query = select(p.person_id).where(p.phone.is_not(None), p.phone_index.is_(None), p.phone_form == ONE_FORM)
    return list(conn.scalars(query.order_by(p.person_id)))


def _some(conn: Connection, vault: Vault, region: str, batch: int, done: Renumbered) -> bool:
    query = select(p.person_id, p.phone).where(p.phone_form != ONE_FORM).order_by(p.person_id).limit(batch)
    rows = conn.execute(query.with_for_update()).all()
    for row in rows:
        values: dict[str, object] = {"phone_form": ONE_FORM}
        if row.phone is not None:
            values |= _mended(row.person_id, row.phone, vault, region)
            done.people += 1
            if values["phone_index"] is None:
                done.unusable.append(row.person_id)
        conn.execute(update(tables.people).where(p.person_id == row.person_id).values(values))
    return bool(rows)


def _mended(person_id: str, sealed: bytes, vault: Vault, region: str) -> dict[str, object]:
    at = place("people", "phone", person_id)
    try:
        number = normal(vault.open(sealed, at), region)
    except ValueError:
        return {"phone_index": None}
    return {"phone": vault.seal(number, at), "phone_index": vault.index(number)}
