"""By whom an act of a command may be: somebody of the staff who is registered, for a case they may have."""

from difflib import get_close_matches

from sqlalchemy import Connection, select

from response import tables
from response.circle import STAFF
from response.names import role
from stream.ids import reserved

p, c = tables.people.c, tables.cases.c


class NoActorError(Exception):
    """Nobody may act by that id: one line, what and who there is."""


def acting(conn: Connection, by: str, case_id: int | None = None) -> str:
    """The id of whoever acts on a case (None: on what is none, and real), where it is one of the staff.

    Raises:
        NoActorError: nobody of that id is registered, they are no staff, or are of drills and the case is not.
    """
    row = conn.execute(select(p.role, p.drill).where(p.person_id == by)).one_or_none()
    if row is None or reserved(by):
        raise NoActorError(f"담당자가 아닙니다 · {by[:64]!r} is nobody who may act on a case: {_nearest(conn, by)}")
    if row.role not in STAFF:
        ko, en = role(row.role)
        raise NoActorError(
            f"담당자가 아닙니다({ko}) · {by!r} is a {en}, nobody who may act on a case: {_nearest(conn, by)}"
        )
    of_drill = conn.execute(select(c.drill).where(c.case_id == case_id)).scalar_one_or_none() if case_id else False
    if row.drill and of_drill is False:
        what = f"case {case_id}" if case_id else "this"
        raise NoActorError(f"훈련용 사람입니다 · {by!r} is of drills, {what} is real: name who truly acts")
    return by


def _nearest(conn: Connection, by: str) -> str:
    staff = sorted(id_ for id_ in conn.scalars(select(p.person_id).where(p.role.in_(STAFF))) if not reserved(id_))
    if not staff:
        return "아직 아무도 없습니다 · no staff is registered yet: `anbu people import`"
    near = get_close_matches(by[:64], staff, n=3, cutoff=0.5)
    return f"혹시 · did you mean {', '.join(near)}?" if near else "see `anbu people export`"
