"""The auditor: does every open case go on, are people told, does every part do its rounds? Only then the dead man's
switch is asked."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from response import known, streams, tables, untold, withdrawals
from response.past import DEFAULT, Past

c, o, b = tables.cases.c, tables.outbox.c, tables.beats.c
OVERDUE = timedelta(hours=1)
"""Data that should have been deleted so long ago are a fault."""
LATE_S = 120.0
"""A step of the ladder later than this is a fault."""
SILENT_S = 120.0
"""A part of the response that has not finished a round for so long stands still."""
PARTS = ("follow", "tick", "calls", "messages", "records")


def problems(
    conn: Connection, now: datetime, lease_s: float, parts: tuple[str, ...] = PARTS, past: Past = DEFAULT
) -> list[str]:
    """What is not as it should be, a sentence each; nothing: all is well."""
    found = []
    held = sum(one.act_at < now - _s(LATE_S) for one in known.held(conn, past))
    if held:
        found.append(f"{held} homes have alerts of the past that should have been acted on: does the tick run?")
    found += [
        f"the topic {topic} is {n} records shorter than what was read of it: its broker has lost records. All that "
        f"it has is read again by itself; find out why, then end this with `anbu response --from-beginning {topic}`"
        for topic, n in streams.missing(conn).items()
    ]
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
    if alone := untold.cases(conn):
        found.append(
            f"{alone} open cases have reached nobody at the end of their ladder: ring the officers yourself, then "
            "`anbu doctor`"
        )
    if not_out := untold.messages(conn, now):
        many = ", ".join(f"{role} {result} {n}" for (role, result), n in sorted(not_out.items()))
        found.append(f"messages to staff did not go out within the hour ({many}): see `anbu cases deliveries`")
    if undeleted := len(withdrawals.over(conn, now - OVERDUE, 1_000)):
        found.append(f"data of {undeleted} homes whose consent was withdrawn should be deleted: does the tick run?")
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
