"""One-time links with which a person acknowledges a case. Only the SHA-256 of a link's token is stored."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection, insert, select, update

from response import tables
from response.case import Case
from response.records import Role

c = tables.links.c
TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")

Refused = Literal["unknown", "expired"]


class Link(Struct, frozen=True):
    """Whom a link was made for, and for which case. ``used_at``: when it was first acted with."""

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
    columns = (c.case_id, c.person_id, c.role, c.made_at, c.expires_at, c.used_at)
    row = conn.execute(select(*columns).where(c.token_hash == _hash(token))).one_or_none()
    if row is None:
        return "unknown"
    return Link(*row) if row.expires_at > now else "expired"


def used(conn: Connection, token: str, now: datetime) -> None:
    """Somebody has acted with this link. The first time counts."""
    conn.execute(update(tables.links).where(c.token_hash == _hash(token), c.used_at.is_(None)).values(used_at=now))


def may_act(link: Link, case: Case) -> bool:
    """Whether a case may be taken or closed with a link: once, and again by whoever has the case by it."""
    return case.closed is None and (link.used_at is None or case.owner == link.person_id)


def sweep(conn: Connection, now: datetime) -> int:
    """Remove links that have expired; how many."""
    return conn.execute(tables.links.delete().where(c.expires_at <= now)).rowcount


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
