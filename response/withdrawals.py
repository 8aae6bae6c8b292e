"""Withdrawals of consent, as the database has them: people set aside at once, and given back where it is undone.

What is set aside is out of the registry, so that nothing that reads it (page, lists, calls, messages, files) has to
know of withdrawals. It comes back only by a record that gives consent anew in time; `response.forget` deletes it.
"""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from response import tables

w, h, s = tables.withdrawals.c, tables.households.c, tables.set_aside.c
LATELY = timedelta(hours=1)


class Withdrawal(Struct, frozen=True):
    """The last one of a household. ``at``: when consent ended, ``said``: what its record said of that, ``heard_at``:
    when we heard of it, ``delete_at``: when what is kept is deleted, ``deleted_at``: when it was."""

    household_id: str
    at: datetime
    said: datetime
    heard_at: datetime
    delete_at: datetime
    anew_at: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def anew(self) -> bool:
        """Whether consent was given anew since."""
        return self.anew_at is not None


_COLUMNS = w.household_id, w.ended_at, w.said_at, w.heard_at, w.delete_at, w.anew_at, w.deleted_at
_PENDING = w.deleted_at.is_(None) & w.anew_at.is_(None)


def last(conn: Connection, household_id: str) -> Withdrawal | None:
    """A household's last withdrawal; None where there was none."""
    row = conn.execute(select(*_COLUMNS).where(w.household_id == household_id)).one_or_none()
    return None if row is None else Withdrawal(*row)


def stands(conn: Connection, household_id: str) -> Literal["pending", "deleted"] | None:
    """How a household's withdrawal stands; None where it has consent, or was never heard of."""
    if conn.scalar(select(h.withdrawn_at).where(h.household_id == household_id)) is None:
        return None
    known = last(conn, household_id)
    return "pending" if known is not None and known.deleted_at is None else "deleted"


def of_case(conn: Connection, case_id: int) -> bool:
    """Whether the household of a case has withdrawn its consent: nothing of it is shown."""
    home = select(tables.cases.c.household_id).where(tables.cases.c.case_id == case_id).scalar_subquery()
    return conn.scalar(select(h.withdrawn_at).where(h.household_id == home)) is not None


def pending(conn: Connection) -> list[Withdrawal]:
    """Those that can still be undone, the first to be deleted first."""
    query = select(*_COLUMNS).where(_PENDING).order_by(w.delete_at, w.household_id)
    return [Withdrawal(*row) for row in conn.execute(query)]


def over(conn: Connection, now: datetime, most: int) -> list[str]:
    """Households whose time to undo is over."""
    query = select(w.household_id).where(_PENDING, w.delete_at <= now).order_by(w.delete_at).limit(most)
    return list(conn.scalars(query))


def untold(conn: Connection, heard_before: datetime) -> list[Withdrawal]:
    """Those that operators have not heard of, once the first of them was heard of before a time; held until the
    transaction ends. Drills are left out."""
    query = select(*_COLUMNS).where(_PENDING, w.told_at.is_(None), ~w.drill).order_by(w.heard_at)
    found = [Withdrawal(*row) for row in conn.execute(query.with_for_update(skip_locked=True))]
    return found if found and found[0].heard_at <= heard_before else []


def told(conn: Connection, household_ids: list[str], now: datetime) -> None:
    """Operators hear of these."""
    conn.execute(update(tables.withdrawals).where(w.household_id.in_(household_ids)).values(told_at=now))


def counts(conn: Connection, now: datetime) -> tuple[int, int]:
    """How many can still be undone, and how many were heard of within the hour; drills, and those of whom nothing was
    kept, left out."""
    lately = (w.heard_at > now - LATELY) & w.told_at.is_distinct_from(w.heard_at)
    row = conn.execute(
        select(func.count().filter(_PENDING), func.count().filter(lately)).where(~w.drill, _PENDING | lately)
    ).one()
    return int(row[0]), int(row[1])


def begin(
    conn: Connection, household_id: str, at: datetime, said: datetime, now: datetime, grace: timedelta,
    drill: bool = False, known: bool = True,
) -> None:  # fmt: skip
    """Consent has ended: nobody of the household is in the registry any more. Not ``known``: nothing was kept of it."""
    row = {
        "household_id": household_id, "ended_at": at, "said_at": said, "heard_at": now, "delete_at": now + grace,
        "drill": drill, "anew_at": None, "deleted_at": None if known else now, "told_at": None if known else now,
    }  # fmt: skip
    new = insert(tables.withdrawals).values(row)
    conn.execute(new.on_conflict_do_update(index_elements=["household_id"], set_=row))
    conn.execute(_SET_ASIDE, {"home": household_id})
    conn.execute(_OUT_OF_THE_REGISTRY, {"home": household_id})


def undone(conn: Connection, household_id: str, now: datetime) -> int:
    """Consent was given anew: whoever was set aside is in the registry again; how many."""
    conn.execute(update(tables.withdrawals).where(w.household_id == household_id).values(anew_at=now))
    people = conn.execute(_PEOPLE_BACK, {"home": household_id}).rowcount
    conn.execute(_LEAVES_BACK, {"home": household_id})
    conn.execute(tables.set_aside.delete().where(s.household_id == household_id))
    return people


def delete(conn: Connection, household_id: str, now: datetime) -> int:
    """What was set aside is deleted for good; how many people."""
    conn.execute(
        update(tables.withdrawals).where(w.household_id == household_id, w.anew_at.is_(None))
        .values(deleted_at=func.coalesce(w.deleted_at, now))
    )  # fmt: skip
    return conn.execute(tables.set_aside.delete().where(s.household_id == household_id)).rowcount


def refused(conn: Connection, household_ids: list[str]) -> set[str]:
    """Those of some households whose consent is withdrawn: nobody of them may be registered. None can withdraw before
    the transaction ends."""
    query = select(h.household_id, h.withdrawn_at).where(h.household_id.in_(household_ids)).order_by(h.household_id)
    rows = conn.execute(query.with_for_update(read=True)).all()
    return {row.household_id for row in rows if row.withdrawn_at is not None}


_OF_HOME = "household_id = :home AND role IN ('resident', 'guardian')"
_SET_ASIDE = text(
    f"""
    INSERT INTO set_aside (person_id, household_id, person, leaves)
    SELECT person_id, household_id, to_jsonb(people), (
        SELECT coalesce(jsonb_agg(to_jsonb(leaves)), '[]') FROM leaves WHERE leaves.person_id = people.person_id
    ) FROM people WHERE {_OF_HOME}
    ON CONFLICT (person_id) DO UPDATE
    SET household_id = excluded.household_id, person = excluded.person, leaves = excluded.leaves
    """  # noqa: S608 -- a constant of ours
).bindparams(bindparam("home"))
_OUT_OF_THE_REGISTRY = text(f"DELETE FROM people WHERE {_OF_HOME}")  # noqa: S608 -- the same
_PEOPLE_BACK = text(
    "INSERT INTO people SELECT (jsonb_populate_record(NULL::people, person)).* FROM set_aside "
    "WHERE household_id = :home ON CONFLICT DO NOTHING"
)
_LEAVES_BACK = text(
    "INSERT INTO leaves SELECT back.* FROM set_aside, jsonb_populate_recordset(NULL::leaves, set_aside.leaves) back "
    "WHERE household_id = :home AND back.person_id IN (SELECT person_id FROM people) ON CONFLICT DO NOTHING"
)
