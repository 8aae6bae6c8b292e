"""What can happen to a case, as its log keeps it: one struct for each, and how they become JSON."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from response.records import CallOutcome, DeliveryResult, Means, NotSent, Role
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
