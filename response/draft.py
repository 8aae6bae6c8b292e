"""A decision being written down: events, one after the other folded into the case, and what is to be sent for them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from response.case import Case, apply
from response.events import RESIDENT, SYSTEM, CallPlanned, Cancelled, Entry, MessagePlanned, NotTold, What
from response.records import CallOutcome, Contact, Means, NotSent, Role
from stream.records import Outcome

URGENCY = {"caution": 0, "serious": 10}
HELP = 20
UNDO_S = 60.0
"""For so long an act can be undone; what tells others of it goes out afterwards."""


class Send(Struct, frozen=True):
    """One row of the outbox. ``key``: the idempotency key; ``what``: no personal data; ``hold_s``: not before that."""

    key: str
    kind: Literal["call", "message", "record"]
    what: dict[str, Any]
    person_id: str | None = None
    role: Role | None = None
    urgency: int = 0
    hold_s: float = 0


@dataclass(slots=True)
class Draft:
    """What one happening leads to. ``case`` is always as after the events written so far.

    ``waiting``: keys of the case's calls and messages that nobody has begun; ``untold``: of its outcomes, those that
    were set aside too. ``cancelled``: those to be stopped; ``restored``: those that were, and wait again. ``account``:
    whose command it is.
    """

    case: Case
    now: datetime
    by: str = SYSTEM
    account: str = ""
    waiting: frozenset[str] = frozenset()
    untold: frozenset[str] = frozenset()
    cancelled: frozenset[str] = frozenset()
    restored: frozenset[str] = frozenset()
    entries: list[Entry] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)

    def write(self, what: What, by: str | None = None) -> None:
        """Write an event down."""
        who = by or self.by
        entry = Entry(self.case.version, self.now, who, what, "" if who in (SYSTEM, RESIDENT) else self.account)
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

    def stop(self, keys: tuple[str, ...]) -> None:
        """Cancel these, as far as they wait."""
        stopped = tuple(sorted(self.waiting & set(keys)))
        self.cancelled |= set(stopped)
        if stopped:
            self.write(Cancelled(stopped), SYSTEM)

    def call(self, contact: Contact) -> str:
        """Plan a call; its key."""
        key = self._key()
        self.write(CallPlanned(key, contact.person_id))
        self.sends.append(Send(key, "call", {}, contact.person_id, contact.role, self._urgency()))
        return key

    def message(
        self, contact: Contact, template: str, means: Means = "message", *, held: bool = False, bare: bool = False,
        **values: str,
    ) -> str:  # fmt: skip
        """Plan a message, which says what is so at this moment; its key. ``held``: it goes out when the act that it
        tells of cannot be undone any more. ``bare``: it knows nothing of the person, only what is given."""
        key = self._key()
        self.write(MessagePlanned(key, contact.person_id, contact.role, means, template, held))
        what = {"template": template, "means": means, "values": {**({} if bare else facts(self.case)), **values}}
        hold_s = UNDO_S if held else 0
        self.sends.append(Send(key, "message", what, contact.person_id, contact.role, self._urgency(), hold_s))
        return key

    def not_told(self, role: Role, reason: NotSent, contact: Contact | None = None) -> None:
        """Say that somebody is not told, and why."""
        self.write(NotTold(role, reason, contact.person_id if contact else None))

    def outcome(self, held: bool = False) -> None:
        """Tell the stream how the case was closed. ``held``: when that cannot be undone any more."""
        what = {"household_id": self.case.household_id, "outcome": ended_as(self.case)}
        self.sends.append(Send(outcome_key(self.case), "record", what, hold_s=UNDO_S if held else 0))

    def take_outcome_back(self) -> None:
        """The case was not what it was closed as: the stream is told so, whether it has heard of it yet or not."""
        self.cancelled |= self.untold & {outcome_key(self.case)}
        what = {"household_id": self.case.household_id, "revoked": ended_as(self.case)}
        self.sends.append(Send(f"{self._key()}-revoked", "record", what))

    def _key(self) -> str:
        return f"c{self.case.case_id}-{self.case.version}"

    def _urgency(self) -> int:
        return HELP if self.case.help else URGENCY[self.case.level]


Asked = Literal["help", "no_data", "unanswered", "not_reached", "ringing", "not_called"]
"""How far the resident was asked, for who is to be told nothing that is not so."""
_HEARD = frozenset({CallOutcome.no_answer, CallOutcome.answered_no_key, CallOutcome.rejected})


def asked(case: Case) -> Asked:
    """How far the resident was asked by now. A call that was busy, failed or whose end nobody knows is no silence."""
    outcomes = set(case.calls.values())
    if case.help:
        return "help"
    if outcomes & _HEARD:
        return "unanswered"
    if None in outcomes:
        return "ringing"
    if outcomes:
        return "not_reached"
    return "no_data" if case.kind == "data_gap" else "not_called"


def ended_as(case: Case) -> Outcome:
    """The outcome of a case that was closed with one."""
    closed, at = case.closed, case.closed_at
    assert closed is not None
    assert closed.code is not None
    assert at is not None
    return Outcome(at, closed.code, closed.from_, closed.until)


def outcome_key(case: Case) -> str:
    """The outbox key of a closed case's outcome."""
    return f"c{case.case_id}-{case.closed_seq + 1}-outcome"


def facts(case: Case) -> dict[str, str]:
    """What a message may say of a case, without any personal data; a sender adds names, links and words."""
    standing = [a for a in reversed(case.alerts.values()) if a.text_ko]
    told = next((a for a in standing if a.kind == case.kind), standing[0] if standing else case.latest)
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
        "asked": asked(case),
        "ringing": "1" if case.calling else "",
        "no_data": "1" if told is not None and told.kind == "data_gap" else "",
        "alert_at": told.alert_at.isoformat() if told is not None else "",
        "code": _given(case),
    }


def _given(case: Case) -> str:
    """The outcome that a person gave; one that the system wrote for a key is told as that key."""
    closed = case.closed
    return str(closed.code) if closed is not None and closed.code is not None and closed.how == "person" else ""


def outcomes_of(facts: dict[str, str]) -> list[CallOutcome]:
    """The calls' outcomes that ``facts`` holds."""
    return [CallOutcome(name) for name in facts.get("outcomes", "").split(",") if name]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
