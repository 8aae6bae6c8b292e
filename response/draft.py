"""A decision being written down: events, one after the other folded into the case, and what is to be sent for them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from response.case import Case, apply
from response.events import SYSTEM, CallPlanned, Cancelled, Entry, MessagePlanned, NotTold, What
from response.records import CallOutcome, Contact, Means, NotSent, Role
from stream.records import Outcome

URGENCY = {"caution": 0, "serious": 10}
HELP = 20


class Send(Struct, frozen=True):
    """One row of the outbox. ``key``: the idempotency key; ``what``: no personal data."""

    key: str
    kind: Literal["call", "message", "record"]
    what: dict[str, Any]
    person_id: str | None = None
    role: Role | None = None
    urgency: int = 0


@dataclass(slots=True)
class Draft:
    """What one happening leads to. ``case`` is always as after the events written so far.

    ``waiting``: keys of the case's calls and messages that nobody has begun; ``cancelled``: those to be stopped.
    """

    case: Case
    now: datetime
    by: str = SYSTEM
    waiting: frozenset[str] = frozenset()
    cancelled: frozenset[str] = frozenset()
    entries: list[Entry] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)

    def write(self, what: What, by: str | None = None) -> None:
        """Write an event down."""
        entry = Entry(self.case.version, self.now, by or self.by, what)
        self.entries.append(entry)
        self.case = apply(self.case, entry)

    def stop_all(self) -> None:
        """Cancel every call and message that waits, those of this decision too."""
        planned = {send.key for send in self.sends if send.kind != "record"}
        self.sends = [send for send in self.sends if send.kind == "record"]
        stopped = (self.waiting - self.cancelled) | planned
        self.cancelled |= self.waiting
        if stopped:
            self.write(Cancelled(tuple(sorted(stopped))), SYSTEM)

    def call(self, contact: Contact) -> None:
        """Plan a call."""
        key = self._key()
        self.write(CallPlanned(key, contact.person_id))
        self.sends.append(Send(key, "call", {}, contact.person_id, contact.role, self._urgency()))

    def message(self, contact: Contact, template: str, means: Means = "message", **values: str) -> None:
        """Plan a message; what it says is of this moment."""
        key = self._key()
        self.write(MessagePlanned(key, contact.person_id, contact.role, means, template))
        what = {"template": template, "means": means, "values": {**facts(self.case), **values}}
        self.sends.append(Send(key, "message", what, contact.person_id, contact.role, self._urgency()))

    def not_told(self, role: Role, reason: NotSent, contact: Contact | None = None) -> None:
        """Say that somebody is not told, and why."""
        self.write(NotTold(role, reason, contact.person_id if contact else None))

    def outcome(self, outcome: Outcome) -> None:
        """Tell the stream how the case was closed."""
        what = {"household_id": self.case.household_id, "outcome": outcome}
        self.sends.append(Send(f"{self._key()}-outcome", "record", what))

    def _key(self) -> str:
        return f"c{self.case.case_id}-{self.case.version}"

    def _urgency(self) -> int:
        return HELP if self.case.help else URGENCY[self.case.level]


def facts(case: Case) -> dict[str, str]:
    """What a message may say of a case, without any personal data; a sender adds names, links and words."""
    told = next((a for a in reversed(case.alerts.values()) if a.text_ko), case.latest)
    outcomes = [str(o) for o in case.calls.values() if o is not None]
    return {
        "household_id": case.household_id,
        "dong": case.dong,
        "area": case.area,
        "level": case.level,
        "hours": _number(told.hours) if told else "",
        "usual": _number(told.usual) if told else "",
        "reason_ko": told.text_ko if told else "",
        "reason_en": told.text_en if told else "",
        "outcomes": ",".join(outcomes),
        "help": "1" if case.help else "",
    }


def outcomes_of(facts: dict[str, str]) -> list[CallOutcome]:
    """The calls' outcomes that ``facts`` holds."""
    return [CallOutcome(name) for name in facts.get("outcomes", "").split(",") if name]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
