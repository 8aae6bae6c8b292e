"""Cases in a database, for tests of what is shown of them: a desk with a fixed circle, and alerts of silent homes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select

from response import tables
from response.desk import Desk
from response.hours import Hours, Kind
from response.ladder import DEFAULT
from response.records import Circle, Contact, Role
from stream.records import Alert, ReasonCode

SEOUL = ZoneInfo("Asia/Seoul")
HOURS = Hours(SEOUL)


class Always(Hours):
    """Every moment is within all hours: for tests whose clock is that of the machine."""

    def open(self, kind: Kind, at: datetime) -> bool:
        return True


ALWAYS = Always(SEOUL)
LIMITS = {"caution": 24 * 60.0, "serious": 120.0}
PEOPLE: dict[Role, str] = {
    "resident": "r1", "guardian": "g1", "officer": "o1", "deputy": "d1", "centre": "c1", "operator": "op1",
}  # fmt: skip
CIRCLE = Circle(tuple(Contact(person, role) for role, person in PEOPLE.items()))


def local(text: str) -> datetime:
    """A moment of March 2026 by the clock of Seoul: ``03 14:00`` (the 3rd is a Tuesday)."""
    return datetime.strptime(f"2026-03-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=SEOUL).astimezone(UTC)


def desk_of(engine: Engine, circle: Circle = CIRCLE, hours: Hours = HOURS) -> Desk:
    """A desk where everybody is on duty."""
    return Desk(engine, hours, DEFAULT, LIMITS, lambda conn, household, dong, at: circle)


def alert(
    at: datetime, level: str = "caution", kind: str = "silence", household: str = "h1", dong: str = "dong-1",
    drill: bool = False,
) -> Alert:  # fmt: skip
    """A home is silent for 20 hours."""
    reasons = (ReasonCode("silent", {"hours": 20.0, "usual_hours": 9.0}),)
    to = "person" if level == "serious" else "resident"
    return Alert(
        "raised", f"a-{household}", household, kind, level, to, at, at - timedelta(hours=20), None, 70.0, reasons,
        "20시간째 조용합니다", "silent for 20 h", "area-1", dong, None, drill,
    )  # fmt: skip


def opened(desk: Desk, at: datetime, household: str = "h1", **of: str | bool) -> int:
    """A case for an alert; its number."""
    with desk.transaction() as conn:
        desk.alert(conn, alert(at, household=household, **of), at)
    c = tables.cases.c
    with desk.engine.connect() as conn:
        query = select(c.case_id).where(c.household_id == household).order_by(c.case_id.desc()).limit(1)
        return int(conn.execute(query).scalar_one())
