"""What a link opens at a moment: the case, to whoever it was made for, while they are that, and no longer than needed.

A case that is nobody's shows what is needed to take it; one's own shows the person; somebody else's shows who has it; a
closed one what it turned out to be, for a while. None of these is told by the link alone: everything is asked anew.
"""

from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import Connection, or_, select

from response import links, log, tables, withdrawals
from response.case import Case, fold
from response.circle import STAFF
from response.events import Entry
from response.links import Link
from response.names import Words
from response.records import Person, Role

p, d, v = tables.people.c, tables.duties.c, tables.leaves.c
Refused = Literal["unknown", "expired", "withdrawn", "over", "no_more", "on_leave"]
"""Why a link opens nothing: there is none, its hours are over, consent was withdrawn, the case was closed long ago, it
was made for somebody who is not any more what they were (left, another role, another dong), or who is on leave."""

WHY: dict[Refused, tuple[int, Words, Words]] = {
    "unknown": (404, ("없는 주소입니다", "There is no such link"), NEWER := (
        "새 문자에 있는 주소를 쓰시거나, 관제센터로 전화해 주십시오.",
        "Use the link of a newer message, or ring the control centre.",
    )),
    "expired": (410, ("이 주소는 기한이 지났습니다", "This link has expired"), NEWER),
    "withdrawn": (410, ("동의가 철회되었습니다", "Consent was withdrawn"), (
        "이 댁은 더 살피지 않으며, 아무것도 보여 드릴 수 없습니다. 하시던 일을 멈춰 주십시오.",
        "This home is looked after no more, and nothing of it can be shown. Please stop what you were doing for it.",
    )),
    "over": (410, ("끝난 사례입니다", "This case is closed"), (
        "더 하실 일이 없습니다. 다시 여셔야 하면 관제센터로 전화해 주십시오.",
        "There is nothing left to do. Where it has to be opened again, ring the control centre.",
    )),
    "no_more": (403, ("이 주소로는 더 볼 수 없습니다", "This link opens nothing any more"), (
        "지금 맡고 계신 동과 역할의 일이 아닙니다. 급하면 관제센터로 전화해 주십시오.",
        "It is not of the dong and the role that are yours now. Where it is urgent, ring the control centre.",
    )),
    "on_leave": (403, ("휴가로 등록되어 있습니다", "You are registered as on leave"), (
        "지금은 당직인 분이 맡습니다. 돌아오셨으면 운영자에게 알려 주십시오.",
        "Whoever is on duty sees to it. If you are back, tell the operator.",
    )),
}  # fmt: skip
"""Why a link opens nothing: the HTTP status, what is so, what to do."""


class Opening(Struct, frozen=True):
    """A link that opens its case. ``has``: the case is theirs now. ``may``: something may be done by this link."""

    link: Link
    entries: list[Entry]
    case: Case

    @property
    def has(self) -> bool:
        """Whether the case is theirs: name, number and address are for them alone."""
        return self.case.owner == self.link.person_id and self.case.closed is None

    @property
    def may(self) -> bool:
        """Whether the link may act: once, again by whoever has the case; when it is closed, by whoever had it then."""
        own = self.case.owner == self.link.person_id
        return own or (self.link.used_at is None and self.case.closed is None)


def opened(conn: Connection, token: str, now: datetime, closed_hours: float, tz: ZoneInfo) -> Opening | Refused:
    """What a token opens, or why nothing. ``closed_hours``: so long after its end a case is still shown."""
    link = links.read(conn, token, now)
    if not isinstance(link, Link):
        return link
    if withdrawals.of_case(conn, link.case_id):
        return "withdrawn"
    entries = log.entries(conn, link.case_id)
    case = fold(link.case_id, entries)
    if not still(conn, link, case, now, tz):
        return "no_more"
    if case.owner != link.person_id and away(conn, link.person_id, now):
        return "on_leave"
    if case.closed_at is not None and now >= case.closed_at + timedelta(hours=closed_hours):
        return "over"
    return Opening(link, entries, case)


def still(conn: Connection, link: Link, case: Case, now: datetime, tz: ZoneInfo) -> bool:
    """Whether somebody is still what a link was made for: one of the staff, in that role for the case's dong, by the
    registry or by a roster (which may give an officer the role of a deputy). Not whether it is their shift: whom a
    message of the night has reached may still take the case in the morning."""
    row = conn.execute(select(p.role, p.dong, p.drill).where(p.person_id == link.person_id)).one_or_none()
    if row is None or {row.role, link.role} - set(STAFF) or (row.drill and not case.drill):
        return False
    if row.role == link.role and row.dong in ("", case.dong):
        return True
    yesterday = now.astimezone(tz).date() - timedelta(days=1)  # a night began there
    roster = select(d.duty_id).where(
        d.person_id == link.person_id, d.role == link.role, d.dong.in_(("", case.dong)),
        or_(d.last_day.is_(None), d.last_day >= yesterday),
    )  # fmt: skip
    return conn.execute(roster.limit(1)).one_or_none() is not None


def role_of(conn: Connection, person: Person, told_as: Role) -> Role:
    """In which role a link is made: that in which somebody is told, where a roster names them so; else their own."""
    roster = select(d.duty_id).where(d.person_id == person.person_id, d.role == told_as)
    return told_as if conn.execute(roster.limit(1)).one_or_none() is not None else person.role


def away(conn: Connection, person_id: str, now: datetime) -> bool:
    """Whether somebody is on leave."""
    query = select(v.person_id).where(v.person_id == person_id, v.from_at <= now, v.until_at > now)
    return conn.execute(query.limit(1)).one_or_none() is not None
