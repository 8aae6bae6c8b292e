"""The change of keys: everything sealed with an older key is sealed anew with the first one."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, literal, or_, select, text, update

from response import tables
from response.vault import Vault, place

SEALED = ("name", "phone", "email", "address")
"""Columns of people that are sealed."""
p, e, s, c = tables.people.c, tables.case_events.c, tables.set_aside.c, tables.cases.c


@dataclass(slots=True)
class Rotated:
    """How many were sealed anew."""

    people: int = 0
    comments: int = 0


def rotate(engine: Engine, vault: Vault, batch: int = 500) -> Rotated:
    """Seal anew what another key than the first has sealed, ``batch`` rows a transaction; a run cut short goes on at
    the next. ``engine`` must be of the database's owner (role None): the service may not touch the log of cases.

    Raises:
        VaultError: where a key is missing; what was done before stays done.
    """
    done = Rotated()
    for where in (_people, _aside, _people):  # whoever left or came back meanwhile is not passed over
        while (count := _in_one(engine, vault, batch, where)) > 0:
            done.people += count
    while (count := _in_one(engine, vault, batch, _comments)) > 0:
        done.comments += count
    return done


def _in_one(engine: Engine, vault: Vault, batch: int, what: Callable[[Connection, Vault, int], int]) -> int:
    with engine.begin() as conn:
        return what(conn, vault, batch)


def _people(conn: Connection, vault: Vault, batch: int) -> int:
    head = literal(vault.head)
    other = or_(*(func.substring(p[name], 1, len(vault.head)) != head for name in SEALED))
    rows = conn.execute(select(tables.people).where(other).order_by(p.person_id).limit(batch).with_for_update()).all()
    for row in rows:
        values: dict[str, bytes] = {}
        for name in SEALED:
            sealed = getattr(row, name)
            if sealed is not None:
                at = place("people", name, row.person_id)
                values[name] = vault.seal(vault.open(sealed, at), at)
        if row.phone is not None and row.phone_index is not None:
            values["phone_index"] = vault.index(vault.open(row.phone, place("people", "phone", row.person_id)))
        conn.execute(update(tables.people).where(p.person_id == row.person_id).values(values))
    return len(rows)


def _aside(conn: Connection, vault: Vault, batch: int) -> int:
    """People who are set aside: as they would be in the registry, their sealed columns in hexadecimal."""
    head = "\\x" + vault.head.hex()
    other = or_(*(~s.person[name].astext.startswith(head, autoescape=True) for name in SEALED))
    query = select(s.person_id, s.person).where(other).order_by(s.person_id).limit(batch)
    rows = conn.execute(query.with_for_update()).all()
    for row in rows:
        values = dict(row.person)
        for name in SEALED:
            if values[name] is not None:
                at = place("people", name, row.person_id)
                values[name] = _hex(vault.seal(vault.open(_bytes(values[name]), at), at))
        if values["phone"] is not None and values["phone_index"] is not None:
            phone = vault.open(_bytes(values["phone"]), place("people", "phone", row.person_id))
            values["phone_index"] = _hex(vault.index(phone))
        conn.execute(update(tables.set_aside).where(s.person_id == row.person_id).values(person=values))
    return len(rows)


def _hex(value: bytes) -> str:
    return "\\x" + value.hex()


def _bytes(value: str) -> bytes:
    return bytes.fromhex(value.removeprefix("\\x"))


def _comments(conn: Connection, vault: Vault, batch: int) -> int:
    """Comments of the log; one that nobody sealed stays as it is."""
    comment = e.what["comment"].astext
    head, form = b64encode(vault.head).decode(), b64encode(vault.head[:2]).decode()[:2]
    other = (comment.startswith(form, autoescape=True)) & ~comment.startswith(head, autoescape=True)
    some = select(e.case_id, e.seq, comment.label("comment")).where(other).order_by(e.case_id, e.seq).limit(batch)
    # The cases first, as everywhere; then read: what is forgotten meanwhile must not come back.
    cases = sorted({row.case_id for row in conn.execute(some)})
    conn.execute(select(c.case_id).where(c.case_id.in_(cases)).order_by(c.case_id).with_for_update())
    rows = conn.execute(some.where(e.case_id.in_(cases))).all()
    for row in rows:
        at = place("case_events", "comment", row.case_id)
        sealed = vault.seal_text(vault.open_text(row.comment, at), at)
        conn.execute(text("SELECT anbu_reseal(:c, :n, :s)"), {"c": row.case_id, "n": row.seq, "s": sealed})
    return len(rows)
