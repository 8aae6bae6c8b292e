"""What travels on the topics, as types. ``docs/topics.md`` and the JSON Schemas are made from these.

A household is known by a pseudonymous id only: names, numbers and addresses never reach a topic.
Times are aware datetimes (RFC 3339 in JSON). Energy is kWh per interval, durations are seconds.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

SCHEMA_VERSION = 1
"""Version in the ``schema`` header of every record; a reader refuses any other."""

ARROW = "application/vnd.apache.arrow.stream"
JSON = "application/json"

METER, PHONE, HOUSEHOLDS, ALERTS, DEAD_LETTERS = (
    "meter.readings",
    "phone.events",
    "households",
    "alerts",
    "dead.letters",
)
STATE, WIDE, WIDE_STATE = "state", "wide", "wide.state"
"""Internal topics: the blocks' changelog (compacted), what partitions tell the judge of whole areas, and that judge's
own changelog (compacted)."""

HouseholdId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,64}$(?!\n)", description="pseudonymous household id")]


class Quality(StrEnum):
    """Where a meter value comes from. Only measured values are evidence."""

    measured = "measured"
    estimated = "estimated"
    missing = "missing"


class Kind(StrEnum):
    """What the phone did. Never with whom, never what was said.

    Only ``call_out``, ``sms_out`` and ``call_answered`` prove that the resident lives. ``call_answered``: the carrier
    says that a person answered on the own handset. ``call_in``: connected with whom is not known, voice mail it may be.
    """

    call_out = "call_out"
    call_in = "call_in"
    call_missed = "call_missed"
    sms_out = "sms_out"
    sms_in = "sms_in"
    data = "data"
    call_answered = "call_answered"
    call_voicemail = "call_voicemail"
    call_forwarded = "call_forwarded"
    call_rejected = "call_rejected"
    call_blocked = "call_blocked"
    call_answered_elsewhere = "call_answered_elsewhere"


QUALITIES = list(Quality)
KINDS = list(Kind)
"""The position in these lists is the code in columns; it never travels: on topics and in files there are names."""


class Reason(StrEnum):
    """Why a message or a row was not used (dead-lettered or counted), or was moved."""

    unknown_schema = "unknown_schema"
    unknown_content_type = "unknown_content_type"
    truncated = "truncated"
    empty = "empty"
    wrong_type = "wrong_type"
    bad_household = "bad_household"
    bad_energy = "bad_energy"
    bad_interval = "bad_interval"
    bad_quality = "bad_quality"
    bad_kind = "bad_kind"
    bad_duration = "bad_duration"
    bad_time = "bad_time"
    future = "future"
    before_enrolment = "before_enrolment"
    too_late = "too_late"
    not_enrolled = "not_enrolled"
    foreign_feed = "foreign_feed"
    duplicate = "duplicate"
    wrong_partition = "wrong_partition"
    refused = "refused"
    too_large = "too_large"
    compressed = "compressed"
    worker_died = "worker_died"
    withdrawn = "withdrawn"


class MeterReading(Struct, frozen=True, forbid_unknown_fields=True):
    """Energy used in one interval of one household."""

    household_id: HouseholdId
    start: datetime
    kwh: float | None
    minutes: Literal[15, 30, 60]
    quality: Quality = Quality.measured


class PhoneEvent(Struct, frozen=True, forbid_unknown_fields=True):
    """One use of the phone: time and kind, never the other number."""

    household_id: HouseholdId
    at: datetime
    kind: Kind
    duration_s: float = 0.0


class Absence(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A time in which silence is expected. It always ends."""

    from_: datetime
    until: datetime
    kind: Literal["trip", "hospital", "family", "other"] = "other"


class OutcomeCode(StrEnum):
    """What an alert turned out to be, as the person who closed it found."""

    safe_answered = "safe_answered"
    safe_visited = "safe_visited"
    away_registered = "away_registered"
    away_unregistered = "away_unregistered"
    hospital = "hospital"
    phone_problem = "phone_problem"
    data_problem = "data_problem"
    moved = "moved"
    refused = "refused"
    needs_service = "needs_service"
    emergency_119 = "emergency_119"
    deceased = "deceased"
    unreachable = "unreachable"


class Outcome(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """How a case was closed, ``at`` which time. ``from`` (default: ``at``) and ``until``: the time that it explains.

    Somebody met or heard (safe, refused, needs_service) is a proof of life at ``at``. away, hospital: an absence.
    phone_problem, data_problem: what that signal says of this time is not used. These must have an end. emergency_119:
    an absence where it has one. moved, deceased: not judged any more from then on. unreachable: nothing is known.
    """

    at: datetime
    code: OutcomeCode
    from_: datetime | None = None
    until: datetime | None = None


class Feeds(Struct, frozen=True, forbid_unknown_fields=True):
    """Names of the feeds that watch this household; None where there is none (a carrier without a feed is normal).

    Only these speak for it: what another feed says of it is dropped and counted.
    """

    meter: str | None = "meter"
    phone: str | None = "phone"


class Household(Struct, frozen=True, forbid_unknown_fields=True):
    """Enrolment of one household: the whole of it in every record (the topic is compacted by household_id).

    ``since``: readings from before are dropped. ``risk_since``: the risk group holds from then on (before: normal).
    ``withdrawn``: consent ended, at a time that is not in the future. Nothing is watched or shown from then on; what
    was kept is deleted for good `withdrawal_hours` after the record came. Only a record without it and with a later
    ``since`` gives consent anew (`anbu withdrawal undo`), one of before is refused. A deletion from the topic is a
    withdrawal too. ``outcomes``: how its cases were
    closed, those of the last weeks at least; one that comes late mends the past as late data does.
    """

    household_id: HouseholdId
    since: datetime
    area: str = ""
    dong: str = ""
    feeds: Feeds = Feeds()
    risk: Literal["normal", "elevated", "high"] = "normal"
    risk_since: datetime | None = None
    absences: tuple[Absence, ...] = ()
    withdrawn: datetime | None = None
    drill: bool = False
    outcomes: tuple[Outcome, ...] = ()


class AreaWarning(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A warning of heat or cold for an area, which shortens the limits of its homes in [from, until). It always ends.

    ``level`` 1: advisory (주의보), 2: alert (경보). From its ``from`` on a record replaces all that was said before of
    this area and kind; one that ends when it begins lifts the warning.
    """

    area: Annotated[str, Meta(min_length=1, max_length=64, description="as in the households' records")]
    kind: Literal["heat", "cold"]
    level: Literal[1, 2]
    from_: datetime
    until: datetime


class ReasonCode(Struct, frozen=True):
    """One reason for an alert: a code and its values."""

    code: str
    values: dict[str, float | str] = field(default_factory=dict)


class Strip(Struct, frozen=True):
    """The last 7 days, one column an hour, oldest first: 168 values each. None: no valid reading."""

    start: datetime
    kwh: tuple[float | None, ...]
    usual_low: tuple[float | None, ...]
    usual_high: tuple[float | None, ...]
    phone: tuple[int, ...]


AlertKind = Literal["silence", "data_gap", "decline", "reversal", "area_outage", "feed_stalled"]
Level = Literal["attention", "caution", "serious"]
Recipient = Literal["dashboard", "resident", "person", "operator"]


class Alert(Struct, frozen=True, omit_defaults=False):
    """One event in an alert's life. ``alert_id`` is a function of household, kind and onset: same input, same id.

    ``at``: event time at which it could be known, never before the end of the slot that gave it away.
    ``onset``: since when life is missing (or data, for data_gap; for decline and reversal, the beginning of the two
    weeks that told it). ``to``: whom it is for.
    ``return_period_days``: how many days of this person's life one would wait to see this by chance (None: a rule).
    ``expected_hours``: after how many hours an end of life in this home is usually told, by its meter and phone (None:
    the home cannot be judged and has the fixed limits, or the alert is over or not on silence).
    """

    event: Literal["raised", "level_changed", "cleared"]
    alert_id: str
    household_id: str
    kind: AlertKind
    level: Level
    to: Recipient
    at: datetime
    onset: datetime
    last_life: datetime | None
    return_period_days: float | None
    reasons: tuple[ReasonCode, ...]
    text_ko: str
    text_en: str
    area: str = ""
    dong: str = ""
    strip: Strip | None = None
    drill: bool = False
    expected_hours: float | None = None


class DeadLetter(Struct, frozen=True):
    """What could not be used, where it came from and why. ``sample`` holds the bad rows (ids are pseudonyms)."""

    topic: str
    partition: int
    offset: int
    reason: Reason
    detail: str
    rows: int = 1
    sample: str = ""
