"""Where decisions become facts: one transaction reads a case under its lock, decides, and writes events, the case's row
and the outbox. Nothing here reaches a person; senders do that, from the outbox.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from msgspec.structs import replace
from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import IntegrityError

from response import acts, decide, forget, known, log, notices, registry, tables, which, withdrawals
from response.access import Viewer, viewing
from response.apart import apart, away
from response.case import Case
from response.circle import circle
from response.climb import due_at
from response.draft import Draft
from response.events import Entry, RangBack
from response.hours import Hours, hours_of
from response.ladder import Ladder
from response.past import Past
from response.records import CallOutcome, CallResult, Circle, Delivery, NotSent
from response.refusals import RefusedError
from response.settings import ResponseSettings
from stream.ids import reserved
from stream.plain import DETAIL, plain
from stream.records import Alert, Household, OutcomeCode

logger = structlog.get_logger()
c, o = tables.cases.c, tables.outbox.c

CircleOf = Callable[[Connection, str, str, datetime], Circle]
"""Everybody around (household_id, dong) at a time; `response.circle.circle`."""
Watch = Callable[[Case, list[Entry]], None]
"""Told after each commit what happened to a case: for metrics and for the demonstration."""
Decision = Callable[[Draft, Circle], object]


def _unwatched(case: Case, entries: list[Entry]) -> None:
    """Nobody listens."""


@dataclass(slots=True)
class Desk:
    """Takes what happens and writes what follows. A method is one transaction, or part of the ``transaction`` given.

    ``sits``: who sits at the command line from which it is told; that account is beside every act of a person, in the
    case's log and in the access log.
    """

    engine: Engine
    hours: Hours
    ladders: Mapping[str, Ladder]
    limits: Mapping[str, float]
    circle: CircleOf
    watch: Watch = _unwatched
    put_off: float = 10.0
    past: Past = field(default_factory=Past)
    sits: Viewer | None = None
    grace: timedelta = timedelta(hours=24)
    """So long after a withdrawal of consent was heard it can be undone."""
    _failed: dict[int, datetime] = field(default_factory=dict)
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
        """An alert's event, within the transaction that stores its offset. One that is known does nothing; one of the
        past that somebody would have to hear of waits until the stream has caught up (`response.past`)."""
        if not known.note(conn, alert, now):
            return
        if alert.to != "operator" and (left := withdrawals.stands(conn, alert.household_id)) is not None:
            if left == "pending":  # it may be undone, and that be heard later than what the stream says then
                known.wait(conn, alert)
            return
        whose = known.subject(alert), alert.drill
        alerts = [*known.waiting(conn, *whose), alert]
        if self.past.is_past(alert.at, now) and self._news(conn, alerts):
            known.wait(conn, alert)
            return
        self._act(conn, alerts, now)
        known.done(conn, *whose)

    def release(self, now: datetime) -> int:
        """Act on alerts of the past that still stand, where the stream has caught up; how many households and areas."""
        with self.engine.connect() as conn:
            held = [one for one in known.held(conn, self.past) if one.act_at <= now]
        whose = [(one.subject, one.drill) for one in held]
        return sum(apart(partial(self._release, *of, now), "alerts of the past: not acted on", home=of) for of in whose)

    def _release(self, subject: str, drill: bool, now: datetime) -> None:
        with self.transaction() as conn:
            if alerts := known.waiting(conn, subject, drill):
                self._act(conn, alerts, now)
                known.done(conn, subject, drill)

    def due(self, now: datetime, limit: int = 100) -> int:
        """Take cases whose time has come, each in a transaction of its own; how many. Two desks take different ones.
        One that fails stays due, which the auditor tells, and is passed over for a minute."""
        passed = [case_id for case_id, at in self._failed.items() if at > now - timedelta(minutes=1)]
        done = 0
        while done < limit:
            case_id = None
            try:
                with self.transaction() as conn:
                    query = (
                        select(c.case_id).where(c.next_step_at <= now, c.case_id.not_in(passed))
                        .order_by((c.level == "serious").desc(), c.next_step_at).limit(1)
                        .with_for_update(skip_locked=True)
                    )  # fmt: skip
                    case_id = conn.execute(query).scalar_one_or_none()
                    if case_id is None:
                        return done
                    self._decide(conn, case_id, now, lambda d, circle: decide.due(d, circle, self.hours))
                done += 1
                self._failed.pop(case_id, None)
            except Exception as e:
                if case_id is None or away(e):
                    raise
                passed.append(case_id)
                self._failed[case_id] = now
                logger.error("a case could not go on", case=case_id, detail=f"{type(e).__name__}: {e}"[:300])
        return done

    def call_done(self, key: str, result: CallResult, now: datetime) -> None:
        """A call's end, by its outbox key; one that was taken for unknown may still turn out."""

        def of(draft: Draft, circle: Circle) -> None:
            closed = draft.case.closed is not None
            decide.call_done(draft, key, result, circle, self.hours, shared)
            if closed and draft.entries and result.key == decide.HELP:
                helped.append(draft.case)

        helped: list[Case] = []
        shared = False
        result = replace(result, detail=plain(result.detail, DETAIL))
        with self.transaction() as conn:
            row = self._finish(
                conn, "call", key, str(result.outcome), None, "", result.detail, now, late=_overruled(result)
            )
            if row is not None:
                shared = result.key is not None and registry.shares_number(conn, row.person_id)
                self._decide(conn, row.case_id, now, of)
                for case in helped:
                    if withdrawals.stands(conn, case.household_id) is None:
                        self._help(conn, case.household_id, None, now)

    def message_done(self, key: str, delivery: Delivery, now: datetime) -> None:
        """A message's end, by its outbox key."""
        delivery = replace(delivery, detail=plain(delivery.detail, DETAIL))
        with self.transaction() as conn:
            row = self._finish(
                conn, "message", key, str(delivery.result), delivery.reason, delivery.channel, delivery.detail, now
            )
            if row is not None and row.case_id is not None:
                home, _ = log.lock(conn, row.case_id)
                if withdrawals.stands(conn, home) == "deleted":  # it was on its way when all else was forgotten
                    forget.empty(conn, home)
                self._decide(
                    conn, row.case_id, now, lambda d, circle: decide.message_done(d, key, delivery, circle, self.hours)
                )

    def rang_back(self, household_id: str, rang: RangBack, now: datetime) -> bool:
        """Somebody rang us from the number of a household's resident. Gives whether there was a case, or is one now."""
        with self.transaction() as conn:
            if withdrawals.stands(conn, household_id) is not None:
                return False
            ids = which.all_open(conn, household_id)
            for case_id in ids:
                self._decide(
                    conn, case_id, now, lambda d, circle: decide.rang_back(d, rang, circle, self.hours, self.put_off)
                )
            if not ids and rang.pressed == decide.HELP:
                ids = [self._help(conn, household_id, rang, now)]
        return bool(ids)

    # What a person does (response/acts.py). Each raises log.NoCaseError and refusals.RefusedError.

    def acknowledge(
        self, case_id: int, owner: str, now: datetime, comment: str = "", until: datetime | None = None,
        over: bool = False,
    ) -> Case:  # fmt: skip
        """A person takes a case. ``over``: from whoever has it."""
        return self._by_person(
            case_id, "take", owner, now, lambda d, _: acts.take(d, owner, comment, until, self.limits, over)
        )

    def ask(self, case_id: int, by: str, now: datetime) -> Case:
        """A person would like to have the case that another has."""
        return self._by_person(case_id, "ask", by, now, lambda d, _: acts.ask(d, by))

    def note(self, case_id: int, by: str, comment: str, now: datetime) -> Case:
        """Write down what a person says."""
        return self._by_person(case_id, "note", by, now, lambda d, _: acts.note(d, by, comment))

    def close(
        self, case_id: int, by: str, code: OutcomeCode, now: datetime, comment: str = "",
        from_: datetime | None = None, until: datetime | None = None, sure: bool = False,
    ) -> Case:  # fmt: skip
        """A person closes the case they have. ``sure``: they were asked once more."""
        return self._by_person(
            case_id, "close", by, now, lambda d, _: acts.close(d, by, code, comment, from_, until, sure)
        )

    def undo(self, case_id: int, by: str, now: datetime, seq: int | None = None) -> Case:
        """A person takes back that they took, or closed, a case a moment ago. ``seq``: that act and no other."""
        return self._by_person(case_id, "undo", by, now, lambda d, circle: acts.undo(d, by, circle, self.hours, seq))

    def reopen(self, case_id: int, by: str, reason: str, now: datetime, until: datetime | None = None) -> Case:
        """A person opens a closed case again and has it. ``reason``: sealed."""
        return self._by_person(
            case_id, "reopen", by, now, lambda d, circle: acts.reopen(d, by, reason, until, self.limits, circle)
        )

    def withdraw(self, conn: Connection, household_id: str, now: datetime) -> None:
        """Consent has ended: the household's open cases end with it, and no alert of it waits."""
        known.forget(conn, household_id)
        for case_id in which.all_open(conn, household_id):
            self._decide(conn, case_id, now, lambda d, circle: decide.withdraw(d))

    def tell_of_withdrawals(self, now: datetime) -> int:
        """Tell operators of consents withdrawn lately; of how many."""
        with self.transaction() as conn:
            return notices.tell_of_withdrawals(conn, self.circle(conn, "", "", now), now)

    def _by_person(self, case_id: int, act: str, by: str, now: datetime, decision: Decision) -> Case:
        if reserved(by):
            raise RefusedError("사람의 번호가 아닙니다", f"{by[:64]!r} is nobody's id")
        try:
            with self.transaction() as conn:
                home, _ = log.lock(conn, case_id)
                if withdrawals.stands(conn, home) is not None:
                    raise RefusedError(
                        "동의가 철회된 댁입니다: 더 맡거나 적을 수 없습니다",
                        "consent was withdrawn: nothing more is done with this case, or written to it",
                    )
                case = self._decide(conn, case_id, now, decision)
                if self.sits is not None:
                    me = self.sits
                    viewing(conn, me.name, me.source, home, f"{act} as {by}", "anbu cases", case_id, now)
                return case
        except IntegrityError as e:
            if which.ONE_OPEN_CASE not in str(e.orig):
                raise
            raise RefusedError(
                "그 사이 이 댁에 새 사례가 열렸습니다: 그 사례에서 하십시오",
                "a newer case of this household is open by now: use that one",
            ) from e

    def _news(self, conn: Connection, alerts: list[Alert]) -> bool:
        """Whether anybody would hear of these events, if they are all."""
        last = alerts[-1]
        if last.to == "operator":
            return last.event != "cleared"
        case_id = which.open_one(conn, last.household_id, last.drill)
        if case_id is not None:
            return decide.news(log.load(conn, case_id), alerts)
        return bool(decide.standing(alerts))

    def _act(self, conn: Connection, alerts: list[Alert], now: datetime) -> None:
        """Let events of one household, or of one area or feed, lead to what they lead to."""
        *before, last = alerts
        if last.to == "operator":
            if last.event == "cleared" and known.overtaken(conn, last):
                return
            around = self.circle(conn, last.household_id, last.dong, now)
            notices.tell(conn, last, around, self.hours.tz, now)
            return
        case_id = which.open_one(conn, last.household_id, last.drill)
        if case_id is not None:
            self._decide(conn, case_id, now, lambda d, circle: decide.join(d, last, circle, self.hours, before))
        elif not all(which.explained(conn, alert) for alert in decide.standing(alerts).values()):
            case_id = which.new(conn, last.household_id, last.dong, last.drill, now)
            self._decide(
                conn, case_id, now,
                lambda d, circle: decide.open_case(d, last, self.ladders, circle, self.hours, before),
            )  # fmt: skip
        elif (closing := which.closing(conn, last, now)) is not None:
            self._decide(conn, closing, now, lambda d, _: decide.hear(d, alerts))

    def _help(self, conn: Connection, household_id: str, rang: RangBack | None, now: datetime) -> int:
        """A case of its own for a resident who asks for help while none is open."""
        known = registry.household(conn, household_id) or Household(household_id, now)
        open_id = which.open_one(conn, household_id, known.drill)
        if open_id is not None:
            self._decide(conn, open_id, now, lambda d, circle: decide.asked_for_help(d, rang, circle, self.hours))
            return open_id
        case_id = which.new(conn, household_id, known.dong, known.drill, now)
        self._decide(
            conn, case_id, now,
            lambda d, circle: decide.open_for_help(d, known, rang, self.ladders, circle, self.hours),
        )  # fmt: skip
        return case_id

    def _finish(
        self, conn: Connection, kind: str, key: str, result: str, reason: NotSent | None, channel: str, detail: str,
        now: datetime, late: tuple[str, ...] = (),
    ) -> Any:  # fmt: skip
        """Write a result to its outbox row, once; the row, None where it had one already (but one of ``late``), and
        where the row is of another kind: a key told of a message is nobody's answer."""
        open_ = (o.state == "leased") | o.result.in_(late)
        values = {
            "state": "not_sent" if reason is not None else "done", "result": result, "reason": reason,
            "channel": channel, "detail": detail, "done_at": now, "lease_until": None,
        }  # fmt: skip
        row = conn.execute(select(o.case_id).where(o.key == key)).one_or_none()
        if row is not None and row.case_id is not None:
            log.lock(conn, row.case_id)  # the case first, as everywhere: two locks in one order
        return conn.execute(
            update(tables.outbox).where(o.key == key, o.kind == kind, open_).values(values)
            .returning(o.case_id, o.person_id)
        ).one_or_none()

    def _decide(self, conn: Connection, case_id: int, now: datetime, decision: Decision) -> Case:
        household, dong = log.lock(conn, case_id)
        case = log.load(conn, case_id)
        open_ = (o.state == "waiting") | ((o.state == "refused") & (o.kind == "record"))
        rows = conn.execute(select(o.key, o.kind).where(o.case_id == case_id, open_).with_for_update()).all()
        untold = frozenset(row.key for row in rows if row.kind == "record")
        account = "" if self.sits is None else self.sits.name
        draft = Draft(case, now, account=account, waiting=frozenset(row.key for row in rows) - untold, untold=untold)
        decision(draft, self.circle(conn, household, dong, now))
        log.append(conn, draft, due_at(draft.case, self.hours))
        if draft.entries:
            self._here.told.append((draft.case, draft.entries))
        return draft.case


def _overruled(result: CallResult) -> tuple[str, ...]:
    """Results of a call that this one may still replace: unknown always, those without a key by a key, any by help."""
    if result.outcome is not CallOutcome.answered_key:
        return (CallOutcome.unknown,)
    if result.key == decide.HELP:
        return tuple(CallOutcome)
    return tuple(outcome for outcome in CallOutcome if outcome is not CallOutcome.answered_key)


def desk_of(
    engine: Engine, own: ResponseSettings, tz: str, watch: Watch = _unwatched, sits: Viewer | None = None,
    withdrawal_hours: float = 24,
) -> Desk:  # fmt: skip
    """The desk that the settings ask for, with everybody whom the registry and the rosters know.

    Raises:
        ValueError: when the country of the holidays is not known.
    """
    hours = hours_of(own.hours, tz)
    around = partial(circle, tz=hours.tz, holidays=hours.closed)
    past = Past(timedelta(hours=own.past_hours), timedelta(minutes=own.settle_minutes))
    grace = timedelta(hours=withdrawal_hours)
    return Desk(
        engine, hours, own.ladders, own.acknowledged_minutes, around, watch, own.call_back_minutes, past, sits, grace
    )  # fmt: skip
