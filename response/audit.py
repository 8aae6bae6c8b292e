"""The auditor: does every open case go on, does every part do its rounds? Only then the dead man's switch is asked."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from response import tables

c, o, b = tables.cases.c, tables.outbox.c, tables.beats.c
LATE_S = 120.0
"""A step of the ladder later than this is a fault."""
SILENT_S = 120.0
"""A part of the response that has not finished a round for so long stands still."""
PARTS = ("follow", "tick", "calls", "messages", "records")


def problems(conn: Connection, now: datetime, lease_s: float, parts: tuple[str, ...] = PARTS) -> list[str]:
    """What is not as it should be, a sentence each; nothing: all is well."""
    found = []
    overdue = _count(conn, select(func.count()).where(c.closed_at.is_(None), c.next_step_at < now - _s(LATE_S)))
    if overdue:
        found.append(f"{overdue} open cases have a step that is over {LATE_S:.0f} s late: does the tick run?")
    lost = _count(conn, select(func.count()).where(c.closed_at.is_(None), c.next_step_at.is_(None)))
    if lost:
        found.append(f"{lost} open cases have no next step: take and close them (`anbu cases list`)")
    dead = _count(
        conn, select(func.count()).where(o.state == "leased", o.lease_until < now - _s(lease_s + LATE_S))
    )
    if dead:
        found.append(f"{dead} rows of the outbox have a lease that ran out long ago: does the tick run?")
    beats = {row.part: row.at for row in conn.execute(select(b.part, b.at))}
    for part in parts:
        at = beats.get(part)
        if at is None or at < now - _s(SILENT_S):
            since = "ever" if at is None else f"since {at:%H:%M:%S} UTC"
            found.append(f"the part {part!r} has not done its round {since}: see the log of `anbu response`")
    return found


def _count(conn: Connection, query: object) -> int:
    return int(conn.execute(query).scalar_one())  # type: ignore[call-overload]


def _s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
