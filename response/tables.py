"""The database, table by table (SQLAlchemy Core). `response/migrations` makes it; what only PostgreSQL knows (row-level
security, triggers that refuse change, roles) is there too.

Sealed columns are bytes from `response.vault`. Times are timestamptz.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Time,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()
_at = DateTime(timezone=True)
_NOW = text("clock_timestamp()")

cases = Table(
    "cases", metadata,
    Column("case_id", BigInteger, Identity(always=True), primary_key=True),
    Column("household_id", Text, nullable=False),
    Column("dong", Text, nullable=False),
    Column("drill", Boolean, nullable=False, server_default=text("false")),
    Column("opened_at", _at, nullable=False),
    Column("closed_at", _at),
    Column("level", Text, nullable=False),  # as the log has it, for lists and metrics
    Column("phase", Text, nullable=False),  # the same: asking, telling, acknowledged, calm, closed
    Column("next_step_at", _at),  # when the tick is to look at it; null: closed
    Column("untold", Boolean, nullable=False, server_default=text("false")),  # the ladder's last step reached nobody
)  # fmt: skip
Index(
    "one_open_case", cases.c.household_id, cases.c.drill, unique=True, postgresql_where=cases.c.closed_at.is_(None)
)
Index("due_cases", cases.c.next_step_at, postgresql_where=cases.c.next_step_at.is_not(None))

case_events = Table(
    "case_events", metadata,  # append only: triggers refuse UPDATE and DELETE but by anbu_forget and anbu_reseal
    Column("case_id", BigInteger, ForeignKey("cases.case_id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", _at, nullable=False),
    Column("by", Text, nullable=False),  # system, resident, or a person id
    Column("what", JSONB, nullable=False),  # one of response/case.py's events
    Column("account", Text, nullable=False, server_default=text("''")),  # of a command: whose, as the system knows it
    Column("written_at", _at, nullable=False, server_default=_NOW),  # the database's own clock; nobody else sets it
)  # fmt: skip

outbox = Table(
    "outbox", metadata,
    Column("key", Text, primary_key=True),  # the idempotency key
    Column("kind", Text, nullable=False),  # call, message, record
    Column("case_id", BigInteger, ForeignKey("cases.case_id", ondelete="CASCADE")),
    Column("person_id", Text),
    Column("role", Text),
    Column("drill", Boolean, nullable=False, server_default=text("false")),
    Column("urgency", Integer, nullable=False, server_default=text("0")),  # higher goes first
    Column("what", JSONB, nullable=False),
    Column("created_at", _at, nullable=False),
    Column("not_before", _at, nullable=False),
    Column("state", Text, nullable=False, server_default="waiting"),  # leased, done, cancelled, not_sent, refused
    Column("leased_by", Text),
    Column("lease_until", _at),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("done_at", _at),
    Column("result", Text),
    Column("reason", Text),
    Column("channel", Text),
    Column("detail", Text),
)  # fmt: skip
Index(
    "waiting_outbox", outbox.c.kind, outbox.c.drill, outbox.c.urgency.desc(), outbox.c.not_before,
    postgresql_where=outbox.c.state == "waiting",
)  # fmt: skip
Index("leased_outbox", outbox.c.lease_until, postgresql_where=outbox.c.state == "leased")
Index("outbox_of_case", outbox.c.case_id)

offsets = Table(
    "offsets", metadata,  # next offset to be read, stored with what the records before it did
    Column("topic", Text, primary_key=True),  # its plain name
    Column("partition", Integer, primary_key=True),
    Column("cluster_id", Text, primary_key=True, server_default=""),  # which topic of that name it is of
    Column("topic_id", Text, primary_key=True, server_default=""),  # both empty: written before they were kept
    Column("next", BigInteger, nullable=False),
    Column("epoch", Integer),  # of the partition's leader, when it was last looked at
    Column("missing", BigInteger),  # the stream was found to be so many records shorter than what was read of it
    Column("behind_s", Float),  # how far behind the clock its alerts are: response/past.py
    Column("leapt_at", _at),  # when it last came nearer to the present by a leap
)  # fmt: skip

alert_events = Table(
    "alert_events", metadata,  # every event of an alert that was taken, so that none is taken twice
    Column("alert_id", Text, primary_key=True),
    Column("event", Text, primary_key=True),  # raised, level_changed, cleared
    Column("at", _at, primary_key=True),  # event time
    Column("seq", BigInteger, Identity(), nullable=False),  # the order in which they came
    Column("level", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),  # the household, or the alert itself where it is an area's or a feed's
    Column("area", Text, nullable=False, server_default=text("''")),  # which area or feed that is; else empty
    Column("drill", Boolean, nullable=False, server_default=text("false")),
    Column("recorded_at", _at, nullable=False),
    Column("waiting", JSONB(none_as_null=True)),  # the alert, while it waits for the stream to catch up
)  # fmt: skip
Index(
    "waiting_alerts", alert_events.c.subject, alert_events.c.drill,
    postgresql_where=alert_events.c.waiting.is_not(None),
)  # fmt: skip
Index("alert_events_by_time", alert_events.c.recorded_at)

links = Table(
    "links", metadata,  # one-time links to acknowledge: the token itself is only in the message
    Column("token_hash", LargeBinary, primary_key=True),
    Column("case_id", BigInteger, ForeignKey("cases.case_id", ondelete="CASCADE"), nullable=False),
    Column("person_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("made_at", _at, nullable=False),
    Column("expires_at", _at, nullable=False),
    Column("used_at", _at),
)  # fmt: skip

households = Table(
    "households", metadata,  # the last record of the topic `households` with consent, as it is there
    Column("household_id", Text, primary_key=True),
    Column("dong", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("record", JSONB, nullable=False),
    Column("withdrawn_at", _at),  # consent has ended and was not given anew
)  # fmt: skip

withdrawals = Table(
    "withdrawals", metadata,  # the last one of each household, kept for good: an old record must bring nobody back
    Column("household_id", Text, primary_key=True),
    Column("ended_at", _at, nullable=False),  # consent that began by then has ended
    Column("said_at", _at, nullable=False),  # the time that its record bore
    Column("heard_at", _at, nullable=False),
    Column("delete_at", _at, nullable=False),  # until then it can be undone
    Column("anew_at", _at),  # consent was given anew
    Column("deleted_at", _at),  # what was personal is gone
    Column("told_at", _at),  # operators have heard of it; at heard_at: nothing was kept, so nobody needs to
    Column("drill", Boolean, nullable=False, server_default=text("false")),
)  # fmt: skip
Index(
    "withdrawals_pending", withdrawals.c.delete_at,
    postgresql_where=withdrawals.c.deleted_at.is_(None) & withdrawals.c.anew_at.is_(None),
)  # fmt: skip

set_aside = Table(
    "set_aside", metadata,  # people of households that withdrew consent, sealed as they were, until they are deleted
    Column("person_id", Text, primary_key=True),
    Column("household_id", Text, nullable=False),
    Column("person", JSONB, nullable=False),  # the row of people
    Column("leaves", JSONB, nullable=False),  # its rows of leaves
)  # fmt: skip
Index("set_aside_of_household", set_aside.c.household_id)

people = Table(
    "people", metadata,
    Column("person_id", Text, primary_key=True),
    Column("role", Text, nullable=False),  # resident, guardian, officer, deputy, centre, operator
    Column("dong", Text, nullable=False),  # empty: every dong (centre, operator)
    Column("household_id", Text),  # of residents and guardians
    Column("name", LargeBinary),
    Column("phone", LargeBinary),
    Column("phone_index", LargeBinary),  # keyed hash of the number, to know who rings back; null: not a usable number
    Column("phone_form", Integer, nullable=False, server_default=text("0")),  # 0: as it was written; 1: E.164
    Column("email", LargeBinary),
    Column("address", LargeBinary),
    Column("address_at", Date),  # when the address was last checked
    Column("language", Text, nullable=False, server_default="ko"),
    Column("channels", ARRAY(Text), nullable=False),  # in the order of preference
    Column("consent_guardian", Boolean, nullable=False, server_default=text("false")),  # of residents
    Column("consent_entry", Boolean, nullable=False, server_default=text("false")),  # of residents
    Column("calls", Boolean, nullable=False, server_default=text("true")),  # false: never rung (deaf, refused)
    Column("drill", Boolean, nullable=False, server_default=text("false")),
    Column("updated_at", _at, nullable=False),
)  # fmt: skip
Index("people_of_household", people.c.household_id)
Index("people_of_dong", people.c.dong, people.c.role)
Index("people_by_phone", people.c.phone_index)

duties = Table(
    "duties", metadata,  # who is on duty, week by week; a row may be a night
    Column("duty_id", BigInteger, Identity(always=True), primary_key=True),
    Column("dong", Text, nullable=False),  # empty: every dong
    Column("role", Text, nullable=False),  # officer, deputy, centre, operator
    Column("person_id", Text, ForeignKey("people.person_id", ondelete="CASCADE"), nullable=False),
    Column("days", Text, nullable=False),  # seven of 0 and 1, Monday first; an eighth: public holidays
    Column("from_time", Time, nullable=False),
    Column("until_time", Time, nullable=False),  # not after from_time: the next day
    Column("first_day", Date),
    Column("last_day", Date),
    Column("rank", Integer, nullable=False, server_default=text("0")),  # lower is asked first
    UniqueConstraint(
        "dong", "role", "person_id", "days", "from_time", "first_day", name="one_duty",
        postgresql_nulls_not_distinct=True,
    ),
)  # fmt: skip

leaves = Table(
    "leaves", metadata,
    Column("person_id", Text, ForeignKey("people.person_id", ondelete="CASCADE"), primary_key=True),
    Column("from_at", _at, primary_key=True),
    Column("until_at", _at, nullable=False),
)  # fmt: skip

access_log = Table(
    "access_log", metadata,  # append only for everybody; old rows go by `anbu people sweep`
    Column("entry_id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", _at, nullable=False),
    Column("viewer", Text, nullable=False),
    Column("source", Text, nullable=False),  # from where: an address, a terminal
    Column("subject", Text, nullable=False),  # whose data: a person or household id
    Column("action", Text, nullable=False),
    Column("case_id", BigInteger),
    Column("reason", Text, nullable=False),
    Column("written_at", _at, nullable=False, server_default=_NOW),  # the database's own clock; nobody else sets it
    Column("ticket", LargeBinary),  # SHA-256 of the number by which the viewer reads whom the entry names
    Column("dongs", ARRAY(Text)),  # which the viewer might see then; {*}: all
)  # fmt: skip
Index("access_by_time", access_log.c.written_at)
Index("access_by_ticket", access_log.c.ticket, postgresql_where=access_log.c.ticket.is_not(None))

beats = Table(
    "beats", metadata,  # when each part of the response last did its round; the auditor reads it
    Column("part", Text, primary_key=True),
    Column("at", _at, nullable=False),
    Column("lag_seconds", Float),
)  # fmt: skip
