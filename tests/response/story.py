"""A case's course without a database: decisions one after the other, and what each person reads of it in Korean."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from response import acts, decide, timeline
from response.case import Case
from response.channels.words import render
from response.climb import due_at
from response.draft import Draft, Send
from response.events import Entry
from response.ladder import DEFAULT
from response.letters import filled
from response.records import CallOutcome, CallResult, Circle, Message, Person, Role
from response.settings import ResponseSettings
from stream.outcomes import MUST_END
from stream.records import Alert, OutcomeCode, ReasonCode
from tests.response.casework import CIRCLE, HOURS, LIMITS, local

SETTINGS = ResponseSettings(office_name="역삼1동", callback_number="02-123-4567")
RESIDENT = Person("r1", "resident", name="김철수")
LINK = "https://a.kr/c/t"
Said = tuple[str, str]
"""Role, and the short form of what it reads."""


@dataclass
class Story:
    """``said``: every message so far, ``log``: every event, in order."""

    now: datetime
    circle: Circle = CIRCLE
    case: Case = field(default_factory=lambda: Case(1))
    said: list[Said] = field(default_factory=list)
    log: list[Entry] = field(default_factory=list)

    def alert(
        self, level: str = "caution", kind: str = "silence", *codes: str, change: str = "raised", hours: float = 16,
        why: str = "life_phone",
    ) -> "Story":  # fmt: skip
        """The stream says something of the home."""
        reason = ReasonCode("no_data" if kind == "data_gap" else "silent", {"hours": hours, "usual_hours": 7.0})
        reasons = (reason, *(ReasonCode(code, {}) for code in codes))
        if change == "cleared":
            reasons = (ReasonCode(why, {}),)
        to = "person" if level == "serious" or kind == "data_gap" else "resident"
        alert = Alert(
            change, f"a-{kind}", "h1", kind, level, to, self.now, self.now - timedelta(hours=hours), None, 70.0,  # type: ignore[arg-type]
            reasons, "까닭입니다.", "The reason.", "area-1", "역삼1동",
        )  # fmt: skip
        draft = self._draft()
        if self.case.opened_at is None:
            decide.open_case(draft, alert, DEFAULT, self.circle, HOURS)
        else:
            decide.join(draft, alert, self.circle, HOURS)
        return self._after(draft)

    def cleared(self, why: str = "life_phone", kind: str = "silence") -> "Story":
        """An alert ends."""
        return self.alert(kind=kind, change="cleared", why=why)

    def call(self, outcome: CallOutcome, pressed: str | None = None) -> "Story":
        """The call that was planned last is over."""
        key = next(key for key, known in reversed(self.case.calls.items()) if known is None)
        draft = self._draft()
        decide.call_done(draft, key, CallResult(outcome, pressed), self.circle, HOURS)
        return self._after(draft)

    def goes_on(self, steps: int = 1, outcome: CallOutcome | None = None) -> "Story":
        """The clock moves on to the next step, so many times; calls on the way end as given."""
        for _ in range(steps):
            if outcome is not None and self.case.calling:
                self.call(outcome)
            due = due_at(self.case, HOURS)
            assert due is not None
            self.now = max(self.now, due)
            draft = self._draft()
            decide.due(draft, self.circle, HOURS)
            self._after(draft)
        return self

    def taken(self, by: str = "o1", over: bool = False) -> "Story":
        """Somebody takes the case. ``over``: from whoever has it."""
        draft = self._draft()
        acts.take(draft, by, "", None, LIMITS, over)
        return self._after(draft)

    def asked(self, by: str) -> "Story":
        """Somebody would like to have what another has."""
        draft = self._draft()
        acts.ask(draft, by)
        return self._after(draft)

    def closed(self, code: OutcomeCode, by: str = "o1") -> "Story":
        """Whoever has it closes it."""
        draft = self._draft()
        until = self.now + timedelta(days=3) if code in MUST_END else None
        acts.close(draft, by, code, until=until, sure=True)
        return self._after(draft)

    def withdrawn(self) -> "Story":
        """Consent ends."""
        draft = self._draft()
        decide.withdraw(draft)
        return self._after(draft)

    def anew(self) -> "Story":
        """From here on: what was said before is left out."""
        self.said.clear()
        return self

    def lines(self) -> list[str]:
        """The time line so far, in Korean."""
        return [line.text[0] for line in timeline.past(self.log, self.case, HOURS)]

    def _draft(self) -> Draft:
        return Draft(self.case, self.now)

    def _after(self, draft: Draft) -> "Story":
        self.case = draft.case
        self.log += draft.entries
        self.said += [said(send, self.now) for send in draft.sends if send.kind == "message"]
        return self


def said(send: Send, now: datetime) -> Said:
    """What the receiver of a row of the outbox reads as an SMS."""
    role: Role = send.role or "officer"
    values = filled(send.what["values"], SETTINGS, RESIDENT, "ko", False, LINK, now, HOURS.tz)
    message = Message(send.key, send.person_id or "", role, "sms", "", send.what["template"], values)
    return role, render(message).text


def at(text: str, circle: Circle = CIRCLE) -> Story:
    """A story that begins in March 2026: ``03 14:00`` is a Tuesday afternoon."""
    return Story(local(text).astimezone(UTC), circle)


def without(*roles: Role) -> Circle:
    """Everybody but these."""
    return Circle(tuple(c for c in CIRCLE.contacts if c.role not in roles))


def never_rung() -> Circle:
    """The resident is not to be rung."""
    return Circle(tuple(
        msgspec.structs.replace(c, means=c.means - {"call"}) if c.role == "resident" else c for c in CIRCLE.contacts
    ))  # fmt: skip
