"""Where decisions become facts: one transaction reads a case under its lock, decides, and writes events, the case's row
and the outbox. Nothing here reaches a person; senders do that, from the outbox.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from response import decide, log, notices, registry, tables
from response.case import Case
from response.circle import circle
from response.climb import due_at
from response.draft import Draft, Send
from response.events import Entry
from response.hours import Hours, hours_of
from response.ladder import Ladder
from response.records import CallResult, Circle, Delivery, NotSent
from response.settings import ResponseSettings
from stream.records import Alert, Household, OutcomeCode

c, o = tables.cases.c, tables.outbox.c

CircleOf = Callable[[Connection, str, str, datetime], Circle]
"""Everybody around (household_id, dong) at a time; `response.circle.circle`."""
Watch = Callable[[Case, list[Entry]], None]
"""Told after each commit what happened to a case: for metrics and for the demonstration."""
Decision = Callable[[Draft, Circle], None]


def _unwatched(case: Case, entries: list[Entry]) -> None:
    """Nobody listens."""


@dataclass(slots=True)
class Desk:
    """Takes what happens and writes what follows. A method is one transaction, or part of the ``transaction`` given."""

    engine: Engine
    hours: Hours
    ladders: Mapping[str, Ladder]
    limits: Mapping[str, float]
    circle: CircleOf
    watch: Watch = _unwatched
    _here: threading.local = field(default_factory=threading.local)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction of this thread; after its commit the watcher hears what happened, after a rollback nothing."""
        told: list[tuple[Case, list[Entry]]] = []
        self._here.told = told
        with self.engine.begin() as conn:
            yield conn
        for case, entries in told:
            self.watch(case, entries)

    @contextmanager
    def part(self, conn: Connection) -> Iterator[None]:
        """A part of a transaction that may fail by itself: what it wrote is undone, the rest stays."""
        told: list[tuple[Case, list[Entry]]] = self._here.told
        mark = len(told)
        try:
            with conn.begin_nested():
                yield
        except BaseException:
            del told[mark:]
            raise

    def alert(self, conn: Connection, alert: Alert, now: datetime) -> None:
        """An alert's event, within the transaction that stores its offset."""
        if alert.to == "operator":
            self._notice(conn, alert, now)
            return
        case_id = self._open_case(conn, alert.household_id, alert.drill)
        if case_id is not None:
            self._decide(conn, case_id, now, lambda d, circle: decide.join(d, alert, circle, self.hours))
        elif decide.wanted(alert) and not self._explained(conn, alert):
            case_id = self._new(conn, alert.household_id, alert.dong, alert.drill, now)
            self._decide(
                conn, case_id, now, lambda d, circle: decide.open_case(d, alert, self.ladders, circle, self.hours)
            )

    def due(self, now: datetime, limit: int = 100) -> int:
        """Take cases whose time has come, each in a transaction of its own; how many. Two desks take different ones."""
        for count in range(limit):
            with self.transaction() as conn:
                query = (
                    select(c.case_id).where(c.next_step_at <= now).order_by(c.next_step_at).limit(1)
                    .with_for_update(skip_locked=True)
                )  # fmt: skip
                case_id = conn.execute(query).scalar_one_or_none()
                if case_id is None:
                    return count
                self._decide(conn, case_id, now, lambda d, circle: decide.due(d, circle, self.hours))
        return limit

    def call_done(self, key: str, result: CallResult, now: datetime) -> None:
        """A call's end, by its outbox key; one that was taken for unknown may still turn out."""

        def of(draft: Draft, circle: Circle) -> None:
            closed = draft.case.closed is not None
            decide.call_done(draft, key, result, circle, self.hours)
            if closed and result.pressed == decide.HELP:
                helped.append(draft.case)

        helped: list[Case] = []
        with self.transaction() as conn:
            row = self._finish(conn, key, str(result.outcome), None, "", result.detail, now, late="unknown")
            if row is not None:
                self._decide(conn, row.case_id, now, of)
                for case in helped:
                    self._help(conn, case.household_id, row.person_id, now)

    def message_done(self, key: str, delivery: Delivery, now: datetime) -> None:
        """A message's end, by its outbox key."""
        with self.transaction() as conn:
            row = self._finish(
                conn, key, str(delivery.result), delivery.reason, delivery.channel, delivery.detail, now
            )
            if row is not None and row.case_id is not None:
                self._decide(conn, row.case_id, now, lambda d, circle: decide.message_done(d, key, delivery))

    def rang_back(self, household_id: str, person_id: str, pressed: str | None, now: datetime) -> bool:
        """The resident of a household rang us. Gives whether there was a case, or is one now."""
        with self.transaction() as conn:
            ids = self._open_cases(conn, household_id)
            for case_id in ids:
                self._decide(
                    conn, case_id, now, lambda d, circle: decide.rang_back(d, person_id, pressed, circle, self.hours)
                )
            if not ids and pressed == decide.HELP:
                ids = [self._help(conn, household_id, person_id, now)]
        return bool(ids)

    def acknowledge(
        self, case_id: int, owner: str, now: datetime, comment: str = "", until: datetime | None = None
    ) -> Case:
        """A person takes a case. Raises log.NoCaseError, ValueError (closed, deadline over)."""
        return self._by_person(
            case_id, now, lambda d, circle: decide.acknowledge(d, owner, comment, until, self.limits)
        )

    def note(self, case_id: int, by: str, comment: str, now: datetime) -> Case:
        """Write down what a person says. Raises log.NoCaseError."""
        return self._by_person(case_id, now, lambda d, circle: decide.note(d, by, comment))

    def close(
        self, case_id: int, by: str, code: OutcomeCode, now: datetime, comment: str = "",
        from_: datetime | None = None, until: datetime | None = None,
    ) -> Case:  # fmt: skip
        """A person closes a case. Raises log.NoCaseError, ValueError (closed, an end is missing)."""
        return self._by_person(case_id, now, lambda d, circle: decide.close(d, by, code, comment, from_, until))

    def withdraw(self, conn: Connection, household_id: str, now: datetime) -> None:
        """Consent has ended: the household's open cases end with it."""
        for case_id in self._open_cases(conn, household_id):
            self._decide(conn, case_id, now, lambda d, circle: decide.withdraw(d))

    def _by_person(self, case_id: int, now: datetime, decision: Decision) -> Case:
        with self.transaction() as conn:
            return self._decide(conn, case_id, now, decision)

    def _open_cases(self, conn: Connection, household_id: str) -> list[int]:
        """A household's open cases: a real one, one of a drill, both."""
        query = select(c.case_id).where(c.household_id == household_id, c.closed_at.is_(None))
        return list(conn.scalars(query))

    def _open_case(self, conn: Connection, household_id: str, drill: bool) -> int | None:
        query = select(c.case_id).where(c.household_id == household_id, c.drill == drill, c.closed_at.is_(None))
        return conn.execute(query).scalar_one_or_none()

    def _explained(self, conn: Connection, alert: Alert) -> bool:
        query = (
            select(c.case_id, c.closed_at).where(c.household_id == alert.household_id, c.drill == alert.drill)
            .order_by(c.case_id.desc()).limit(1)
        )  # fmt: skip
        last = conn.execute(query).one_or_none()
        return last is not None and decide.explained(alert, log.load(conn, last.case_id), last.closed_at)

    def _new(self, conn: Connection, household_id: str, dong: str, drill: bool, now: datetime) -> int:
        values = {
            "household_id": household_id, "dong": dong, "drill": drill, "opened_at": now, "level": "caution",
            "phase": "asking", "next_step_at": now,
        }  # fmt: skip
        case_id: int = conn.execute(insert(tables.cases).values(values).returning(c.case_id)).scalar_one()
        return case_id

    def _help(self, conn: Connection, household_id: str, person_id: str, now: datetime) -> int:
        """A case of its own for a resident who asks for help while none is open."""
        known = registry.household(conn, household_id) or Household(household_id, now)
        open_id = self._open_case(conn, household_id, known.drill)
        if open_id is not None:
            self._decide(
                conn, open_id, now, lambda d, circle: decide.rang_back(d, person_id, decide.HELP, circle, self.hours)
            )
            return open_id
        case_id = self._new(conn, household_id, known.dong, known.drill, now)
        self._decide(
            conn, case_id, now,
            lambda d, circle: decide.open_for_help(d, known, person_id, self.ladders, circle, self.hours),
        )  # fmt: skip
        return case_id

    def _notice(self, conn: Connection, alert: Alert, now: datetime) -> None:
        said = notices.notice(alert, self.circle(conn, alert.household_id, alert.dong, now), now)
        if said is None:
            return
        for send in said.sends:
            log.enqueue_once(conn, send, alert.drill, now)
        if said.reason is not None:
            key = f"a{alert.alert_id}-{alert.event}"
            what = {"template": alert.kind}
            log.not_sent(conn, Send(key, "message", what, role="operator"), None, alert.drill, said.reason, now)

    def _finish(
        self, conn: Connection, key: str, result: str, reason: NotSent | None, channel: str, detail: str,
        now: datetime, late: str | None = None,
    ) -> Any:  # fmt: skip
        """Write a result to its outbox row, once; the row, None where it had one already (but ``late``)."""
        open_ = o.state == "leased" if late is None else (o.state == "leased") | (o.result == late)
        values = {
            "state": "not_sent" if reason is not None else "done", "result": result, "reason": reason,
            "channel": channel, "detail": detail, "done_at": now, "lease_until": None,
        }  # fmt: skip
        row = conn.execute(select(o.case_id).where(o.key == key)).one_or_none()
        if row is not None and row.case_id is not None:
            log.lock(conn, row.case_id)  # the case first, as everywhere: two locks in one order
        return conn.execute(
            update(tables.outbox).where(o.key == key, open_).values(values).returning(o.case_id, o.person_id)
        ).one_or_none()

    def _decide(self, conn: Connection, case_id: int, now: datetime, decision: Decision) -> Case:
        household, dong = log.lock(conn, case_id)
        case = log.load(conn, case_id)
        waiting = select(o.key).where(o.case_id == case_id, o.state == "waiting", o.kind != "record")
        draft = Draft(case, now, waiting=frozenset(conn.scalars(waiting.with_for_update()).all()))
        decision(draft, self.circle(conn, household, dong, now))
        log.append(conn, draft, due_at(draft.case, self.hours))
        if draft.entries:
            self._here.told.append((draft.case, draft.entries))
        return draft.case


def desk_of(engine: Engine, own: ResponseSettings, tz: str, watch: Watch = _unwatched) -> Desk:
    """The desk that the settings ask for, with everybody whom the registry and the rosters know.

    Raises:
        ValueError: when the country of the holidays is not known.
    """
    hours = hours_of(own.hours, tz)
    around = partial(circle, tz=hours.tz, holidays=hours.closed)
    return Desk(engine, hours, own.ladders, own.acknowledged_minutes, around, watch)
