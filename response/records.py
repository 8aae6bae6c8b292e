"""What travels inside the response: who can be reached, what is to be said to them, what came of it.

No name, number or address is in any of these but ``Call.number`` and ``Message.address``, which exist only in memory
between the registry and a gateway; the outbox and the log of cases hold person ids.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from enum import StrEnum
from typing import Literal, Protocol

from msgspec import Struct, field

Role = Literal["resident", "guardian", "officer", "deputy", "centre", "operator"]
ROLES: tuple[Role, ...] = ("resident", "guardian", "officer", "deputy", "centre", "operator")
Means = Literal["sms", "call", "message"]
"""How a step reaches somebody. ``message``: whatever channel that person is registered with."""


class Contact(Struct, frozen=True):
    """One person who may be reached, without any personal data. ``means``: those there is an address for.

    ``consent``: whether this person may be told (for guardians: the resident agreed to it).
    """

    person_id: str
    role: Role
    means: frozenset[Means] = frozenset({"sms", "call", "message"})
    consent: bool = True


class Circle(Struct, frozen=True):
    """Everybody around one household at one moment, as the registry and the duty rosters have it.

    ``absent_until``: end of a registered absence that holds now. ``withdrawn``: consent has ended, nothing may be
    processed.
    """

    contacts: tuple[Contact, ...] = ()
    absent_until: datetime | None = None
    withdrawn: bool = False

    def of(self, role: Role) -> tuple[Contact, ...]:
        """Those of one role, first to be asked first."""
        return tuple(c for c in self.contacts if c.role == role)


class Announcement(Struct, frozen=True):
    """What a caller hears: a recording where there is one (a file of the folder of recordings), else the text."""

    text: str
    recording: str | None = None


class CallOutcome(StrEnum):
    """How a call ended. ``unknown``: nobody can tell (we died meanwhile); it counts as an attempt."""

    answered_key = "answered_key"
    answered_no_key = "answered_no_key"
    busy = "busy"
    no_answer = "no_answer"
    rejected = "rejected"
    failed = "failed"
    unknown = "unknown"


class Call(Struct, frozen=True):
    """A call to place. ``key``: the idempotency key, one per attempt. ``number``: digits, a leading + allowed."""

    key: str
    person_id: str
    number: str
    announcement: Announcement
    drill: bool = False
    ring_s: float = 30.0


class CallResult(Struct, frozen=True):
    """What came of a call. ``pressed``: the key where one was pressed; ``detail``: one line for the log, no number."""

    outcome: CallOutcome
    pressed: str | None = None
    detail: str = ""
    dialled_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def key(self) -> str | None:
        """The key that counts: one pressed in a call that was established. What else is called a key is nothing."""
        return self.pressed if self.outcome is CallOutcome.answered_key else None


class CallGateway(Protocol):
    """Places calls. ``place`` returns when the call is over, never raises for what a telephone network does, and may
    be cancelled (it hangs up). ``real``: whether a telephone rings; everything that is simulated says so."""

    name: str
    real: bool

    async def start(self) -> None:
        """Make ready; raises UserError-like one-line errors (GatewayError) where it cannot."""

    async def place(self, call: Call) -> CallResult:
        """Ring, play the announcement, take one key."""

    async def close(self) -> None:
        """Hang up what is left and end."""


class Rang(StrEnum):
    """How a call to our number went. ``no_line``: it stood never, because we had no line for it; ``cut_short``: it
    ended before the announcement had been heard. Of all these only a key says anything of whoever rang."""

    key = "key"
    no_key = "no_key"
    cut_short = "cut_short"
    not_established = "not_established"
    no_line = "no_line"


class CalledBack(Struct, frozen=True):
    """Somebody rang our number. ``number`` as the network gave it, empty where it is withheld; ``pressed``: a key, None
    where none was; ``heard``: whether the announcement was played to its end; ``refused``: we had no line."""

    number: str
    at: datetime
    pressed: str | None = None
    established: bool = False
    heard: bool = False
    refused: bool = False

    @property
    def key(self) -> str | None:
        """The key that counts: one pressed in a call that was established."""
        return self.pressed if self.established else None

    @property
    def how(self) -> Rang:
        """In one word."""
        if self.established:
            return Rang.key if self.pressed else Rang.no_key if self.heard else Rang.cut_short
        return Rang.no_line if self.refused else Rang.not_established


OnCallBack = Callable[[CalledBack], Awaitable[None]]
"""Told when a call-back has ended. Who it was is for the listener to find."""


class GatewayError(Exception):
    """A gateway or a channel cannot be used as configured: one line, what and what to do."""


class DeliveryResult(StrEnum):
    """Whether a message went out. ``sent``: the channel took it; that is not an acknowledgement by anybody."""

    sent = "sent"
    failed = "failed"
    not_sent = "not_sent"
    unknown = "unknown"


class NotSent(StrEnum):
    """Why somebody was not told: goes to the log, the metric and whoever looks."""

    absent = "absent"
    drill = "drill"
    duplicate = "duplicate"
    no_consent = "no_consent"
    nobody_on_duty = "nobody_on_duty"
    no_channel = "no_channel"
    no_address = "no_address"
    no_calls = "no_calls"
    cancelled = "cancelled"
    withdrawn = "withdrawn"
    too_old = "too_old"
    undelivered = "undelivered"


class Message(Struct, frozen=True):
    """A message to send. ``key``: the idempotency key. ``address``: for ``channel`` (a number for sms and alimtalk, an
    e-mail address for email ...). ``template`` names what is said, ``values`` fill it (already masked)."""

    key: str
    person_id: str
    role: Role
    channel: str
    address: str
    template: str
    values: dict[str, str] = field(default_factory=dict)
    language: Literal["ko", "en"] = "ko"
    drill: bool = False


class Delivery(Struct, frozen=True):
    """What came of a message. ``channel``: which one took it in the end (SMS after a failed 알림톡). ``detail``: one
    line for the log, without address or text."""

    result: DeliveryResult
    channel: str = ""
    reason: NotSent | None = None
    detail: str = ""


class Channel(Protocol):
    """Sends messages of one kind. ``send`` never raises for what a service does; it says so in the delivery."""

    name: str
    real: bool

    async def send(self, message: Message) -> Delivery:
        """Render and send."""

    async def close(self) -> None:
        """End."""


class Person(Struct, frozen=True):
    """One person of the registry, decrypted, for gateways and whoever may see it. Never logged, never on a topic."""

    person_id: str
    role: Role
    dong: str = ""
    household_id: str | None = None
    name: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""
    address_at: date | None = None
    language: Literal["ko", "en"] = "ko"
    channels: tuple[str, ...] = ("sms",)
    consent_guardian: bool = False
    consent_entry: bool = False
    calls: bool = True
    drill: bool = False
