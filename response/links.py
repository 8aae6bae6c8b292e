"""One-time links with which a person acknowledges a case. Only the SHA-256 of a link's token is stored."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection, insert, select, update

from response import tables
from response.records import Role

c = tables.links.c
TOKEN_BYTES = 32
KEPT = timedelta(days=30)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")

Refused = Literal["unknown", "expired"]


class Link(Struct, frozen=True):
    """Whom a link was made for, and for which case. ``used_at``: when it was first acted with; ``hashed``: which it is,
    in the table."""

    hashed: bytes
    case_id: int
    person_id: str
    role: Role
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None


def make(conn: Connection, case_id: int, person_id: str, role: Role, now: datetime, hours: float) -> str:
    """A new link's token, good for ``hours``: 43 letters that may stand in a URL. It cannot be read back."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    values = {
        "token_hash": _hash(token), "case_id": case_id, "person_id": person_id, "role": role, "made_at": now,
        "expires_at": now + timedelta(hours=hours),
    }  # fmt: skip
    conn.execute(insert(tables.links).values(values))
    return token


def read(conn: Connection, token: str, now: datetime) -> Link | Refused:
    """What a token stands for, or why it stands for nothing."""
    if not _TOKEN.fullmatch(token):
        return "unknown"
    columns = (c.token_hash, c.case_id, c.person_id, c.role, c.made_at, c.expires_at, c.used_at)
    row = conn.execute(select(*columns).where(c.token_hash == _hash(token))).one_or_none()
    if row is None:
        return "unknown"
    return Link(*row) if row.expires_at > now else "expired"


def used(conn: Connection, link: Link, now: datetime) -> None:
    """Somebody has acted with this link. The first time counts."""
    conn.execute(update(tables.links).where(c.token_hash == link.hashed, c.used_at.is_(None)).values(used_at=now))


def unused(conn: Connection, link: Link) -> None:
    """What was done with this link was undone."""
    conn.execute(update(tables.links).where(c.token_hash == link.hashed).values(used_at=None))


def revoke(conn: Connection, person_id: str, now: datetime) -> int:
    """All links of a person are over, for one that was passed on or a telephone that was lost; how many were good."""
    query = update(tables.links).where(c.person_id == person_id, c.expires_at > now)
    return conn.execute(query.values(expires_at=now)).rowcount


def sweep(conn: Connection, now: datetime) -> int:
    """Remove links that expired ``KEPT`` ago; how many. Until then their page says that they have expired."""
    return conn.execute(tables.links.delete().where(c.expires_at <= now - KEPT)).rowcount


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
