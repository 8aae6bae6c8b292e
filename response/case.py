"""A case: what happened to it, as an append-only list of events, and what follows from them.

A case is never altered. Where it stands is the fold of its events, so that whoever reads the log sees what we saw.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from response.events import (
    RESIDENT,
    SYSTEM,
    Acknowledged,
    AlertSeen,
    CallDone,
    CallPlanned,
    Calmed,
    CalmedBy,
    Cancelled,
    Closed,
    DeadlinePassed,
    Entry,
    Escalated,
    HelpAsked,
    MessageDone,
    MessagePlanned,
    NobodyReached,
    NotTold,
    Opened,
    PutOff,
    Reopened,
    StepDone,
    TakeOverAsked,
    Undone,
    What,
)
from response.ladder import Ladder
from response.records import CallOutcome, DeliveryResult, NotSent, Role

Severity = Literal["caution", "serious"]
PROVES = frozenset({"life_phone", "life_load", "life_again", "late_life", "made_sure", "absence", "left", "withdrawn"})
"""Codes of reasons (models/reasons.py) with which the stream ends an alert for good: life was seen, or somebody said
it. Any other, as `late_data` (judged anew), leaves it in doubt."""
Phase = Literal["asking", "telling", "acknowledged", "calm", "closed"]


@dataclass(frozen=True, slots=True)
class Act:
    """The last thing a person did that can be undone. ``seq``: its event; ``before``: the case without it.

    ``stopped``: keys of what it cancelled; ``held``: of the messages that tell of it and wait until it stands.
    """

    kind: Literal["take", "close"]
    seq: int
    by: str
    at: datetime
    before: "Case"
    stopped: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """Where a case stands: the fold of its events.

    ``step``: index of the last rung taken, -1 before the first; ``step_at``: when that was (or when the ladder began or
    began anew). ``calls``: outcome by key, None while it is not over; ``helped``: those in which help was asked for;
    ``call_at``: when each was planned, or was over. ``messages``: whom each message not cancelled is for, the
    resident's own left out; ``results``: how those that are over ended. ``rung``: keys of the last step's messages and
    calls to those who could act. ``put_off``: the next step of a caution waits until then.
    ``had``: everybody who has or had it; ``asked``: who would like to take it over.
    ``closed_seq``, ``closed_at``: the event that closed it; ``undone``: the act that was undone last. ``doubt``: the
    silence was ended by no sign of life.
    """

    case_id: int
    household_id: str = ""
    dong: str = ""
    area: str = ""
    drill: bool = False
    opened_at: datetime | None = None
    ladders: dict[str, Ladder] = field(default_factory=dict)
    kind: str = ""
    alerts: dict[str, AlertSeen] = field(default_factory=dict)
    latest: AlertSeen | None = None
    doubt: bool = False
    escalated: bool = False
    help: bool = False
    step: int = -1
    step_at: datetime | None = None
    put_off: datetime | None = None
    reached: bool = True
    calls: dict[str, CallOutcome | None] = field(default_factory=dict)
    call_at: dict[str, datetime] = field(default_factory=dict)
    helped: frozenset[str] = frozenset()
    messages: dict[str, tuple[str, Role]] = field(default_factory=dict)
    results: dict[str, DeliveryResult] = field(default_factory=dict)
    rung: frozenset[str] = frozenset()
    unmanned: frozenset[str] = frozenset()
    owner: str | None = None
    owner_until: datetime | None = None
    acknowledged_at: datetime | None = None
    had: tuple[str, ...] = ()
    asked: frozenset[str] = frozenset()
    calmed: CalmedBy | None = None
    closed: Closed | None = None
    closed_seq: int = -1
    closed_at: datetime | None = None
    act: Act | None = None
    undone: int = -1
    version: int = 0

    @property
    def ladder(self) -> Ladder:
        """The ladder in use: that of the kind of alert."""
        return self.ladders.get(self.kind) or self.ladders["silence"]

    @property
    def level(self) -> Severity:
        """The highest of what stands open, or what the case became by itself."""
        levels = {a.level for a in self.alerts.values()} or {self.latest.level if self.latest else "caution"}
        return "serious" if self.escalated or self.help or "serious" in levels else "caution"

    @property
    def one_source(self) -> bool:
        """Whether one signal alone speaks for it."""
        standing = [a for a in self.alerts.values() if a.kind == "silence"]
        return bool(standing) and all(a.one_source for a in standing)

    @property
    def told(self) -> dict[str, Role]:
        """Everybody who has heard of it: a message went out, or the case was taken. A doubtful end is not telling."""
        sent = {k: whom for k, whom in self.messages.items() if self.results.get(k) is DeliveryResult.sent}
        return self._who_had() | dict(sent.values())

    @property
    def may_know(self) -> dict[str, Role]:
        """Everybody who may have heard of it: those whose message is on its way, or ended nobody knows how, too."""
        surely_not = (DeliveryResult.failed, DeliveryResult.not_sent)
        maybe = {k: whom for k, whom in self.messages.items() if self.results.get(k) not in surely_not}
        return self._who_had() | dict(maybe.values())

    def _who_had(self) -> dict[str, Role]:
        roles = dict(self.messages.values())
        return {person_id: roles.get(person_id, "officer") for person_id in self.had}

    @property
    def untold(self) -> bool:
        """Whether the ladder is at its end, and has reached nobody there who could act."""
        at_the_end = self.phase in ("asking", "telling") and bool(self.ladders)
        return at_the_end and not self.reached and self.step >= len(self.ladder.steps) - 1

    def in_vain(self, key: str) -> bool:
        """Whether a message or a call is over and told nobody anything, as far as anybody knows.

        A call that rang, or may have, was an attempt. Of a message whose end is unknown nobody may count on.
        """
        if key in self.calls:
            return self.calls[key] is CallOutcome.failed
        return self.results.get(key, DeliveryResult.sent) is not DeliveryResult.sent

    @property
    def phase(self) -> Phase:
        """In one word, for lists."""
        if self.closed is not None:
            return "closed"
        if self.calmed is not None:
            return "calm"
        if self.owner is not None:
            return "acknowledged"
        return "telling" if self.step >= self.ladder.index(self.ladder.urgent) else "asking"

    @property
    def calling(self) -> bool:
        """Whether a call to the resident waits or is being made."""
        return any(outcome is None for outcome in self.calls.values())


def fold(case_id: int, entries: Iterable[Entry]) -> Case:
    """Where a case stands after these events, in their order."""
    case = Case(case_id)
    for entry in entries:
        case = apply(case, entry)
    return case


def apply(case: Case, entry: Entry) -> Case:
    """One event later."""
    after = _happened(case, entry.what, entry.at, entry.by)
    return replace(after, version=entry.seq + 1)


def _happened(case: Case, what: What, at: datetime, by: str) -> Case:
    match what:
        case Opened():
            ladders = {kind: Ladder.model_validate(ladder) for kind, ladder in what.ladders.items()}
            return replace(
                case, household_id=what.household_id, dong=what.dong, area=what.area, drill=what.drill,
                ladders=ladders, opened_at=at, step_at=at,
            )  # fmt: skip
        case AlertSeen():
            return _alerted(case, what, at)
        case StepDone():
            return replace(
                case, step=case.ladder.index(what.step), step_at=at, reached=what.reached, rung=frozenset(what.keys)
            )
        case NobodyReached():
            return replace(case, reached=False, step_at=at)
        case CallPlanned():
            return replace(case, calls={**case.calls, what.key: None}, call_at={**case.call_at, what.key: at})
        case CallDone():
            helped = case.helped | {what.key} if what.pressed == "2" else case.helped
            calls, call_at = {**case.calls, what.key: what.outcome}, {**case.call_at, what.key: at}
            return replace(case, calls=calls, call_at=call_at, helped=helped)
        case MessagePlanned() if what.role != "resident":
            act = replace(case.act, held=(*case.act.held, what.key)) if case.act and what.held else case.act
            return replace(case, messages={**case.messages, what.key: (what.person_id, what.role)}, act=act)
        case MessageDone():
            return replace(case, results={**case.results, what.key: what.result})
        case Cancelled():
            return replace(
                case,
                calls={k: v for k, v in case.calls.items() if k not in what.keys},
                messages={k: v for k, v in case.messages.items() if k not in what.keys},
                rung=case.rung - set(what.keys),
                act=replace(case.act, stopped=what.keys) if _by_act(case) and case.act else case.act,
            )
        case NotTold() if what.reason in (NotSent.nobody_on_duty, NotSent.undelivered):
            return replace(case, unmanned=case.unmanned | {what.role})
        case PutOff():
            return replace(case, put_off=what.until)
        case HelpAsked():
            return replace(case, help=True, calmed=None)
        case Escalated():
            return replace(case, escalated=True)
        case Acknowledged() | TakeOverAsked() | DeadlinePassed() | Closed() | Undone() | Reopened():
            return _acted(case, what, at, by)
        case Calmed():
            return replace(case, calmed=what.how)
    return case


def _acted(
    case: Case, what: Acknowledged | TakeOverAsked | DeadlinePassed | Closed | Undone | Reopened, at: datetime, by: str
) -> Case:
    """Who has it, and whether it is over."""
    had = case.had if by in case.had else (*case.had, by)
    match what:
        case Acknowledged():
            return replace(
                case, owner=by, owner_until=what.until, acknowledged_at=case.acknowledged_at or at, had=had,
                asked=case.asked if by == case.owner else frozenset(), act=Act("take", case.version, by, at, case),
            )  # fmt: skip
        case TakeOverAsked():
            return replace(case, asked=case.asked | {by})
        case DeadlinePassed():
            before = case.ladder.index(case.ladder.urgent) - 1
            return replace(
                case, owner=None, owner_until=None, asked=frozenset(), act=None, step=before, step_at=at, reached=False,
                rung=frozenset(),
            )  # fmt: skip
        case Closed():
            act = None if by in (SYSTEM, RESIDENT) else Act("close", case.version, by, at, case)
            return replace(case, closed=what, closed_seq=case.version, closed_at=at, act=act)
        case Undone():
            return _undone(case, what)
        case Reopened():
            return replace(
                case, owner=by, owner_until=what.until, acknowledged_at=case.acknowledged_at or at, had=had,
                asked=frozenset(), calmed=None, closed=None, closed_seq=-1, closed_at=None, act=None,
            )  # fmt: skip


def _by_act(case: Case) -> bool:
    """Whether the event at hand is what the last act cancelled: it follows at once."""
    return case.act is not None and case.version == case.act.seq + 1


def _undone(case: Case, what: Undone) -> Case:
    """As before the last act; what came meanwhile stays."""
    if case.act is None:
        return case
    before = case.act.before
    case = replace(
        case, act=before.act, undone=case.act.seq,
        calls=case.calls | {k: None for k in what.restored if k in before.calls},
        messages=case.messages | {k: before.messages[k] for k in what.restored if k in before.messages},
        rung=case.rung | (before.rung & set(what.restored)),
    )  # fmt: skip
    if what.act == "close":
        return replace(case, closed=None, closed_seq=-1, closed_at=None)
    return replace(
        case, owner=before.owner, owner_until=before.owner_until, acknowledged_at=before.acknowledged_at,
        had=before.had, asked=before.asked,
    )  # fmt: skip


def _alerted(case: Case, what: AlertSeen, at: datetime) -> Case:
    known = case.alerts.get(what.alert_id)
    if known is not None and what.alert_at < known.alert_at:
        return case  # it comes out of its order: what is known of this alert is newer, and no older word ends it
    alerts = {k: a for k, a in case.alerts.items() if k != what.alert_id}
    if what.change != "cleared":
        alerts[what.alert_id] = what
    kinds = {a.kind for a in alerts.values()}
    kind = "silence" if case.kind == "silence" or "silence" in kinds else case.kind or what.kind
    doubt = what.change == "cleared" and what.why not in PROVES if what.kind == "silence" else case.doubt
    case = replace(case, alerts=alerts, latest=what, doubt=doubt)
    anew = case.calmed is not None and what.change != "cleared"
    if kind != case.kind or anew:  # somebody silent is another ladder than a home without data: it begins from below
        return replace(case, kind=kind, calmed=None, step=-1, step_at=at, reached=True, rung=frozenset())
    return case


def minutes(count: float) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=count)
