"""A small town for scenarios that read as a timeline: an alert, a call, a key, the clock; the unexpected fails.

Real are the desk, the database and the outbox; people, telephone and messages are this file's.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, func, select

from response import known, ladder, log, outbox, tables
from response.case import Case
from response.desk import Desk
from response.events import Entry, RangBack
from response.hours import hours_of
from response.ladder import Ladder
from response.records import (
    CallOutcome,
    CallResult,
    Circle,
    Contact,
    Delivery,
    DeliveryResult,
    Means,
    Rang,
    Role,
)
from response.settings import HoursSettings
from stream.records import Alert, AlertKind, Level, OutcomeCode, ReasonCode

KST = ZoneInfo("Asia/Seoul")
LIMITS = {"caution": 24 * 60.0, "serious": 120.0}
LEASE_S = 300.0
EVERYBODY: dict[Role, str] = {
    "resident": "resi", "guardian": "guar", "officer": "offi", "deputy": "depu", "centre": "cent", "operator": "oper",
}  # fmt: skip


@dataclass
class Rings:
    """A telephone that rings."""

    town: "Town"
    job: outbox.Job

    def ends(self, outcome: CallOutcome, pressed: str | None = None) -> None:
        """The call is over."""
        now = self.town.now
        self.town.desk.call_done(self.job.key, CallResult(outcome, pressed, ended_at=now), now)
        self.town.gather()

    def presses(self, key: str) -> None:
        """The resident answers and presses a key."""
        self.ends(CallOutcome.answered_key, key)

    def is_not_answered(self) -> None:
        """It rings out."""
        self.ends(CallOutcome.no_answer)


@dataclass
class Town:
    """One desk, its clock, and what has come out of its outbox but was not expected yet."""

    engine: Engine
    now: datetime
    ladders: dict[str, Ladder] = field(default_factory=lambda: dict(ladder.DEFAULT))
    missing: set[Role] = field(default_factory=set)
    no_consent: set[Role] = field(default_factory=set)
    means: dict[Role, frozenset[Means]] = field(default_factory=dict)
    absent_until: datetime | None = None
    withdrawn: bool = False
    came: list[outbox.Job] = field(default_factory=list)
    desk: Desk = field(init=False)
    drill: bool = False
    sending: bool = True

    def __post_init__(self) -> None:
        self.desk = self.new_desk()

    def new_desk(self) -> Desk:
        """Another desk on the same database, as after a restart."""
        return Desk(self.engine, hours_of(HoursSettings(), "Asia/Seoul"), self.ladders, LIMITS, self.circle)

    def circle(self, conn: Connection, household_id: str, dong: str, at: datetime) -> Circle:
        """Everybody who is there now."""
        people = [
            Contact(
                f"{name}-{household_id}" if role in ("resident", "guardian") else name, role,
                self.means.get(role, frozenset({"sms", "call", "message"})), role not in self.no_consent,
            )
            for role, name in EVERYBODY.items() if role not in self.missing
        ]  # fmt: skip
        return Circle(tuple(people), self.absent_until, self.withdrawn)

    # What happens.

    def alert(
        self, level: Level = "caution", *, household: str = "h1", kind: AlertKind = "silence", change: str = "raised",
        one_source: bool = False, why: str = "", alert_id: str = "", to: str = "", onset_h: float = 12,
        ago_h: float = 0,
    ) -> Alert:  # fmt: skip
        """The stream says something, of now or of ``ago_h`` hours before."""
        at = self.now - timedelta(hours=ago_h)
        reasons = [ReasonCode("silent", {"hours": 16.0, "usual_hours": 7.0})]
        if one_source:
            reasons.append(ReasonCode("phone_none", {}))
        if change == "cleared":
            reasons = [ReasonCode(why or "life_phone", {})]
        to = to or {"attention": "dashboard", "caution": "resident", "serious": "person"}[level]
        if kind == "data_gap":
            to = "person"
        alert = Alert(
            change, alert_id or f"{household}-{kind}", household, kind, level, to, at,  # type: ignore[arg-type]
            at - timedelta(hours=onset_h), None, 100.0, tuple(reasons), "16시간째 신호가 없습니다.",
            "No sign of life for 16 h.", area="a1", dong="d1", drill=self.drill,
        )  # fmt: skip
        with self.desk.transaction() as conn:
            self.desk.alert(conn, alert, self.now)
        self.gather()
        return alert

    def cleared(self, why: str = "life_phone", **more: object) -> None:
        """The stream saw life, or what else ends an alert."""
        self.alert(change="cleared", why=why, **more)  # type: ignore[arg-type]

    def rings_back(
        self, pressed: str | None = None, household: str = "h1", how: Rang | None = None, shared: bool = False
    ) -> bool:
        """Somebody rings our number from the resident's: hears it all and presses nothing, where nothing is said."""
        rang = RangBack(f"resi-{household}", pressed, how or (Rang.key if pressed else Rang.no_key), shared)
        known = self.desk.rang_back(household, rang, self.now)
        self.gather()
        return known

    def takes(
        self, owner: str = "offi", hours: float | None = None, case: int | None = None, over: bool = False
    ) -> None:
        """A person acknowledges. ``over``: from whoever has it."""
        until = None if hours is None else self.now + timedelta(hours=hours)
        self.desk.acknowledge(case or self.case().case_id, owner, self.now, until=until, over=over)
        self.gather()

    def asks(self, by: str) -> None:
        """A person would like to have what somebody else has."""
        self.desk.ask(self.case().case_id, by, self.now)
        self.gather()

    def closes(
        self, code: str, by: str = "offi", until_h: float | None = None, *, sure: bool = False, minutes: float = 1
    ) -> None:
        """Whoever has the case closes it. ``minutes`` pass, by default the one in which that could be undone."""
        until = None if until_h is None else self.now + timedelta(hours=until_h)
        self.desk.close(self.case().case_id, by, OutcomeCode(code), self.now, until=until, sure=sure)
        self.gather()
        self.wait(minutes=minutes)

    def undoes(self, by: str = "offi") -> None:
        """A person takes back what they have just done."""
        self.desk.undo(self.case().case_id, by, self.now)
        self.gather()

    def reopens(self, by: str = "offi", reason: str = "sealed") -> None:
        """A person opens the closed case again."""
        self.desk.reopen(self.case().case_id, by, reason, self.now)
        self.gather()

    # The clock.

    def wait(self, *, minutes: float = 0, hours: float = 0) -> None:
        """The clock moves; whatever is due on the way happens at its time. Nothing unexpected may be left before."""
        self.nothing_else()
        until = self.now + timedelta(hours=hours, minutes=minutes)
        while (due := self._next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            self.desk.release(self.now)
            self.desk.due(self.now)
            self.gather()
            if self.came and self.now < until:
                raise AssertionError(f"at {self.at()} nobody expected {self._listed()}")
        self.now = until
        self.desk.release(self.now)
        self.desk.due(self.now)
        self.gather()

    def wait_until(self, clock: str) -> None:
        """The clock moves to the next such time of day, ``HH:MM`` in Seoul."""
        local = self.now.astimezone(KST)
        hour, minute = map(int, clock.split(":"))
        then = local.replace(hour=hour, minute=minute)
        if then <= local:
            then += timedelta(days=1)
        self.wait(minutes=(then - local).total_seconds() / 60)

    def at(self) -> str:
        """The time in Seoul."""
        return f"{self.now.astimezone(KST):%a %H:%M}"

    def gather(self) -> None:
        """Senders take what waits."""
        if not self.sending:
            return
        for kind in ("call", "message", "record"):
            for drill in (False, True):
                self.came += outbox.lease(self.engine, kind, drill, "town", self.now, LEASE_S, 100)  # type: ignore[arg-type]

    def _next_due(self) -> datetime | None:
        with self.engine.connect() as conn:
            due: datetime | None = conn.execute(select(func.min(tables.cases.c.next_step_at))).scalar_one()
            held = [one.act_at for one in known.held(conn, self.desk.past)]
            return min([*held, *([due] if due else [])], default=None)

    # What is expected.

    def call(self, household: str = "h1") -> Rings:
        """A call to the resident is being made."""
        job = self._take(lambda j: j.kind == "call" and j.person_id == f"resi-{household}", "a call")
        return Rings(self, job)

    def message(
        self, to: Role, template: str, result: DeliveryResult = DeliveryResult.sent, household: str = "h1"
    ) -> outbox.Job:
        """A message to somebody goes out."""
        who = EVERYBODY[to] + (f"-{household}" if to in ("resident", "guardian") else "")
        job = self._take(
            lambda j: j.kind == "message" and j.person_id == who and j.what["template"] == template,
            f"{template} to {who}",
        )
        self.desk.message_done(job.key, Delivery(result, "sms"), self.now)
        self.gather()
        return job

    def record(self, code: str, household: str = "h1", told: str = "outcome") -> outbox.Job:
        """The stream is told of an outcome; ``told`` revoked: that it is none."""
        job = self._take(
            lambda j: j.kind == "record" and j.what["household_id"] == household
            and j.what.get(told, {}).get("code") == code,
            f"a record {told} {code}",
        )  # fmt: skip
        with self.engine.begin() as conn:
            outbox.recorded(conn, job.key, self.now)
        return job

    def asked(self) -> Rings:
        """The first step of a silent resident: an SMS, and a call beside it."""
        self.message("resident", "ask_resident")
        return self.call()

    def nothing_else(self) -> None:
        """Nobody else is called or told, and no record is written."""
        assert not self.came, f"at {self.at()} nobody expected {self._listed()}"

    def _take(self, fits: object, what: str) -> outbox.Job:
        for job in self.came:
            if fits(job):  # type: ignore[operator]
                self.came.remove(job)
                return job
        raise AssertionError(f"at {self.at()} expected {what}, there is {self._listed() or 'nothing'}")

    def _listed(self) -> str:
        return "; ".join(f"{j.kind} {j.what.get('template', '')} to {j.person_id}" for j in self.came)

    # Where things stand.

    def case(self, household: str = "h1") -> Case:
        """The household's latest case."""
        c = tables.cases.c
        with self.engine.connect() as conn:
            query = select(c.case_id).where(c.household_id == household).order_by(c.case_id.desc()).limit(1)
            return log.load(conn, conn.execute(query).scalar_one())

    def cases(self, household: str = "h1") -> int:
        """How many cases the household has had."""
        with self.engine.connect() as conn:
            c = tables.cases.c
            query = select(func.count()).select_from(tables.cases).where(c.household_id == household)
            return int(conn.execute(query).scalar_one())

    def entries(self, household: str = "h1") -> list[Entry]:
        """The log of its latest case."""
        case_id = self.case(household).case_id
        with self.engine.connect() as conn:
            return log.entries(conn, case_id)

    def not_told(self, role: Role | None = None) -> list[str]:
        """Reasons why somebody was not told, in the delivery log."""
        o = tables.outbox.c
        query = select(o.reason).where(o.state == "not_sent").order_by(o.created_at, o.key)
        if role is not None:
            query = query.where(o.role == role)
        with self.engine.connect() as conn:
            return list(conn.scalars(query))


def at(text: str) -> datetime:
    """A moment in Seoul: ``2026-03-04 10:00``."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=KST).astimezone(UTC)


