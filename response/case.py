"""A case: what happened to it, as an append-only list of events, and what follows from them.

A case is never altered. Where it stands is the fold of its events, so that whoever reads the log sees what we saw.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from response.events import (
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
    MessagePlanned,
    NotTold,
    Opened,
    StepDone,
    What,
)
from response.ladder import Ladder
from response.records import CallOutcome, NotSent, Role

Severity = Literal["caution", "serious"]
Phase = Literal["asking", "telling", "acknowledged", "calm", "closed"]


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
