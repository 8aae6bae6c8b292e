"""A case: what happened to it, as an append-only list of events, and what follows from them.

A case is never altered. Where it stands is the fold of its events, so that whoever reads the log sees what we saw.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec import Struct

from response.ladder import Ladder
from response.records import CallOutcome, DeliveryResult, Means, NotSent, Role
from stream.records import OutcomeCode

Severity = Literal["caution", "serious"]
Phase = Literal["asking", "telling", "acknowledged", "calm", "closed"]
CalmedBy = Literal["key", "call_back", "life", "absence", "data", "person", "withdrawn"]


class Opened(Struct, frozen=True, tag=True, tag_field="event"):
    """The case begins. ``ladders`` are those of that moment: a later change of the settings does not touch it."""

    household_id: str
    dong: str
    area: str
    drill: bool
    ladders: dict[str, dict[str, Any]]


class AlertSeen(Struct, frozen=True, tag=True, tag_field="event"):
    """An alert's event reached the case. ``one_source``: one signal alone is silent. ``why``: of a cleared one."""

    alert_id: str
    change: Literal["raised", "level_changed", "cleared"]
    kind: str
    level: str
    alert_at: datetime
    onset: datetime
    hours: float | None = None
    usual: float | None = None
    one_source: bool = False
    why: str = ""
    text_ko: str = ""
    text_en: str = ""


class StepDone(Struct, frozen=True, tag=True, tag_field="event"):
    """A rung of the ladder was taken. ``reached``: whether there was anybody to be told."""

    step: str
    reached: bool


class CallPlanned(Struct, frozen=True, tag=True, tag_field="event"):
    """A call to the resident waits to be dialled."""

    key: str
    person_id: str


class CallDone(Struct, frozen=True, tag=True, tag_field="event"):
    """A call is over."""

    key: str
    outcome: CallOutcome
    pressed: str | None = None
    detail: str = ""


class MessagePlanned(Struct, frozen=True, tag=True, tag_field="event"):
    """A message waits to be sent."""

    key: str
    person_id: str
    role: Role
    means: Means
    template: str


class MessageDone(Struct, frozen=True, tag=True, tag_field="event"):
    """A message went out, or did not. Nobody has acknowledged anything by it."""

    key: str
    result: DeliveryResult
    channel: str = ""
    reason: NotSent | None = None
    detail: str = ""


class Cancelled(Struct, frozen=True, tag=True, tag_field="event"):
    """These calls and messages waited and are not made any more."""

    keys: tuple[str, ...]


class NotTold(Struct, frozen=True, tag=True, tag_field="event"):
    """Somebody whose turn it was is not told, and why."""

    role: Role
    reason: NotSent
    person_id: str | None = None


class RangBack(Struct, frozen=True, tag=True, tag_field="event"):
    """The resident rang us."""

    person_id: str
    pressed: str | None = None


class HelpAsked(Struct, frozen=True, tag=True, tag_field="event"):
    """The resident asked for help (key 2)."""


class Escalated(Struct, frozen=True, tag=True, tag_field="event"):
    """The case became serious by itself: asked for help, or nobody answered."""

    why: Literal["help", "unanswered"]


class Acknowledged(Struct, frozen=True, tag=True, tag_field="event"):
    """A person has it now (the event's ``by``), until ``until`` at the latest. ``comment`` is sealed."""

    until: datetime
    comment: str = ""


class DeadlinePassed(Struct, frozen=True, tag=True, tag_field="event"):
    """The owner gave no outcome in time: the case is open again."""

    owner: str


class Calmed(Struct, frozen=True, tag=True, tag_field="event"):
    """Life was seen, or the matter explained itself: nobody is called or told any more."""

    how: CalmedBy


class Noted(Struct, frozen=True, tag=True, tag_field="event"):
    """A person wrote something down. ``comment`` is sealed."""

    comment: str


class Closed(Struct, frozen=True, tag=True, tag_field="event"):
    """The end. ``code`` None: nobody had to look, ``how`` says why it ended by itself."""

    code: OutcomeCode | None
    how: CalmedBy
    comment: str = ""
    from_: datetime | None = None
    until: datetime | None = None


What = (
    Opened | AlertSeen | StepDone | CallPlanned | CallDone | MessagePlanned | MessageDone | Cancelled | NotTold
    | RangBack | HelpAsked | Escalated | Acknowledged | DeadlinePassed | Calmed | Noted | Closed
)  # fmt: skip
SYSTEM, RESIDENT = "system", "resident"


class Entry(Struct, frozen=True):
    """One line of the log. ``by``: system, resident, or the id of a person."""

    seq: int
    at: datetime
    by: str
    what: What


def encode(what: What) -> Any:
    """An event as plain JSON values, for a jsonb column."""
    return msgspec.to_builtins(what)


def decode(what: Any) -> What:
    """An event from plain JSON values."""
    return msgspec.convert(what, What)


@dataclass(frozen=True, slots=True)
class Case:
    """Where a case stands: the fold of its events.

    ``step``: index of the last rung taken, -1 before the first; ``step_at``: when that was (or when the ladder began or
    began anew). ``calls``: outcome by key, None while it is not over. ``messages``: whom each message not cancelled is
    for, the resident's own left out.
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
    escalated: bool = False
    help: bool = False
    step: int = -1
    step_at: datetime | None = None
    reached: bool = True
    calls: dict[str, CallOutcome | None] = field(default_factory=dict)
    messages: dict[str, tuple[str, Role]] = field(default_factory=dict)
    unmanned: frozenset[str] = frozenset()
    owner: str | None = None
    owner_until: datetime | None = None
    acknowledged_at: datetime | None = None
    calmed: CalmedBy | None = None
    closed: Closed | None = None
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
        """Everybody who has heard of it, or may have."""
        told = dict(self.messages.values())
        return told if self.owner is None else {self.owner: "officer", **told}

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
            return replace(case, step=case.ladder.index(what.step), step_at=at, reached=what.reached)
        case CallPlanned():
            return replace(case, calls={**case.calls, what.key: None})
        case CallDone():
            return replace(case, calls={**case.calls, what.key: what.outcome})
        case MessagePlanned() if what.role != "resident":
            return replace(case, messages={**case.messages, what.key: (what.person_id, what.role)})
        case Cancelled():
            return replace(
                case,
                calls={k: v for k, v in case.calls.items() if k not in what.keys},
                messages={k: v for k, v in case.messages.items() if k not in what.keys},
            )
        case NotTold() if what.reason is NotSent.nobody_on_duty:
            return replace(case, unmanned=case.unmanned | {what.role})
        case HelpAsked():
            return replace(case, help=True, calmed=None)
        case Escalated():
            return replace(case, escalated=True)
        case Acknowledged():
            return replace(case, owner=by, owner_until=what.until, acknowledged_at=case.acknowledged_at or at)
        case DeadlinePassed():
            before = case.ladder.index(case.ladder.urgent) - 1
            return replace(case, owner=None, owner_until=None, step=before, step_at=at, reached=False)
        case Calmed():
            return replace(case, calmed=what.how)
        case Closed():
            return replace(case, closed=what)
    return case


def _alerted(case: Case, what: AlertSeen, at: datetime) -> Case:
    alerts = {k: a for k, a in case.alerts.items() if k != what.alert_id}
    if what.change != "cleared":
        alerts[what.alert_id] = what
    kinds = {a.kind for a in alerts.values()}
    kind = "silence" if case.kind == "silence" or "silence" in kinds else case.kind or what.kind
    case = replace(case, alerts=alerts, latest=what)
    anew = case.calmed is not None and what.change != "cleared"
    if kind != case.kind or anew:  # somebody silent is another ladder than a home without data: it begins from below
        return replace(case, kind=kind, calmed=None, step=-1, step_at=at, reached=True)
    return case


def minutes(count: float) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=count)
