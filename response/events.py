"""What can happen to a case, as its log keeps it: one struct for each, and how they become JSON."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from response.records import CallOutcome, DeliveryResult, Means, NotSent, Rang, Role
from stream.records import OutcomeCode

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
    """A rung of the ladder was taken. ``reached``: whether there was anybody to be told who could act. ``keys``: the
    messages and calls to them."""

    step: str
    reached: bool
    keys: tuple[str, ...] = ()


class NobodyReached(Struct, frozen=True, tag=True, tag_field="event"):
    """None of a step's messages and calls went out: the ladder does not wait for an answer to them."""

    step: str


class CallPlanned(Struct, frozen=True, tag=True, tag_field="event"):
    """A call to the resident waits to be dialled."""

    key: str
    person_id: str


class CallDone(Struct, frozen=True, tag=True, tag_field="event"):
    """A call is over. ``shared``: others are registered with the number too, so that nobody knows who pressed.
    ``late``: it was told long after the call, which says nothing of now."""

    key: str
    outcome: CallOutcome
    pressed: str | None = None
    detail: str = ""
    shared: bool = False
    late: bool = False


class MessagePlanned(Struct, frozen=True, tag=True, tag_field="event"):
    """A message waits to be sent. ``held``: until the act that it tells of cannot be undone any more."""

    key: str
    person_id: str
    role: Role
    means: Means
    template: str
    held: bool = False


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
    """Somebody rang us from the resident's number. ``how``: None in logs of before it was kept. ``shared``: others are
    registered with the number too, so that nobody knows who rang."""

    person_id: str
    pressed: str | None = None
    how: Rang | None = None
    shared: bool = False

    @property
    def answer(self) -> str | None:
        """The key, where it was the resident who pressed it, in a call that stood."""
        return self.pressed if self.how in (None, Rang.key) and not self.shared else None


class PutOff(Struct, frozen=True, tag=True, tag_field="event"):
    """The next step is not taken before ``until``: there was a call that proves nothing. Once a case."""

    until: datetime


class HelpAsked(Struct, frozen=True, tag=True, tag_field="event"):
    """The resident asked for help (key 2), or one of several who share the number."""

    shared: bool = False


class Escalated(Struct, frozen=True, tag=True, tag_field="event"):
    """The case became serious by itself: asked for help, or nobody answered."""

    why: Literal["help", "unanswered"]


class Acknowledged(Struct, frozen=True, tag=True, tag_field="event"):
    """A person has it now (the event's ``by``), until ``until`` at the latest. ``comment`` is sealed. ``over``: from
    whom they took it over."""

    until: datetime
    comment: str = ""
    over: str = ""


class TakeOverAsked(Struct, frozen=True, tag=True, tag_field="event"):
    """Somebody (the event's ``by``) would like to have what ``owner`` has."""

    owner: str


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


class Undone(Struct, frozen=True, tag=True, tag_field="event"):
    """The last act is as if it had not been. ``restored``: calls and messages it had cancelled that wait again.

    ``owner``: who has it after an undone taking: whom it was taken over from, or who had it all along and had asked for
    more time; nobody else.
    """

    act: Literal["take", "close"]
    restored: tuple[str, ...] = ()
    owner: str = ""


class Reopened(Struct, frozen=True, tag=True, tag_field="event"):
    """A closed case is open again: the event's ``by`` has it. ``comment``: the reason, sealed."""

    until: datetime
    comment: str


What = (
    Opened | AlertSeen | StepDone | NobodyReached
    | CallPlanned | CallDone | MessagePlanned | MessageDone | Cancelled | NotTold
    | RangBack | PutOff | HelpAsked | Escalated | Acknowledged | TakeOverAsked | DeadlinePassed | Calmed | Noted
    | Closed | Undone | Reopened
)  # fmt: skip
SYSTEM, RESIDENT = "system", "resident"
"""Whose acts are nobody's of the registry: `stream.ids.reserved` keeps these ids, and what looks like them, free."""


class Entry(Struct, frozen=True):
    """One line of the log. ``by``: system, resident, or the id of a person. ``account``: of a command, which account of
    the machine truly did it; whoever acts by a link has none."""

    seq: int
    at: datetime
    by: str
    what: What
    account: str = ""


def encode(what: What) -> Any:
    """An event as plain JSON values, for a jsonb column."""
    return msgspec.to_builtins(what)


def decode(what: Any) -> What:
    """An event from plain JSON values."""
    return msgspec.convert(what, What)
