"""Which case of a household: the one that is open, the last one, a new one. Always within somebody's transaction."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select

from response import decide, log, tables
from response.draft import UNDO_S
from stream.records import Alert

c = tables.cases.c
ONE_OPEN_CASE = "one_open_case"
"""The database's own rule: a household has one open case (and one of a drill)."""


def all_open(conn: Connection, household_id: str) -> list[int]:
    """A household's open cases: a real one, one of a drill, both."""
    query = select(c.case_id).where(c.household_id == household_id, c.closed_at.is_(None))
    return list(conn.scalars(query))


def open_one(conn: Connection, household_id: str, drill: bool) -> int | None:
    """The open case, real or of a drill."""
    query = select(c.case_id).where(c.household_id == household_id, c.drill == drill, c.closed_at.is_(None))
    return conn.execute(query).scalar_one_or_none()


def closing(conn: Connection, alert: Alert, now: datetime) -> int | None:
    """The last case where its closing may still be undone: it must not have missed anything then."""
    query = select(c.case_id).where(
        c.household_id == alert.household_id, c.drill == alert.drill, c.closed_at > now - timedelta(seconds=UNDO_S)
    )
    case_id = conn.scalars(query.order_by(c.case_id.desc()).limit(1)).one_or_none()
    return case_id if case_id is not None and log.load(conn, case_id).act is not None else None


def explained(conn: Connection, alert: Alert) -> bool:
    """Whether an alert is what the household's last case was closed for."""
    query = (
        select(c.case_id, c.closed_at).where(c.household_id == alert.household_id, c.drill == alert.drill)
        .order_by(c.case_id.desc()).limit(1)
    )  # fmt: skip
    last = conn.execute(query).one_or_none()
    return last is not None and decide.explained(alert, log.load(conn, last.case_id), last.closed_at)


def new(conn: Connection, household_id: str, dong: str, drill: bool, now: datetime) -> int:
    """A row for a new case; its number."""
    values = {
        "household_id": household_id, "dong": dong, "drill": drill, "opened_at": now, "level": "caution",
        "phase": "asking", "next_step_at": now,
    }  # fmt: skip
    case_id: int = conn.execute(insert(tables.cases).values(values).returning(c.case_id)).scalar_one()
    return case_id
