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
    Column("state", Text, nullable=False, server_default="waiting"),  # waiting, leased, done, cancelled, not_sent
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
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next", BigInteger, nullable=False),
)  # fmt: skip

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
    "households", metadata,  # the last record of the topic `households`, as it is there
    Column("household_id", Text, primary_key=True),
    Column("dong", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("record", JSONB, nullable=False),
    Column("withdrawn_at", _at),
)  # fmt: skip

people = Table(
    "people", metadata,
    Column("person_id", Text, primary_key=True),
    Column("role", Text, nullable=False),  # resident, guardian, officer, deputy, centre, operator
    Column("dong", Text, nullable=False),  # empty: every dong (centre, operator)
    Column("household_id", Text),  # of residents and guardians
    Column("name", LargeBinary),
    Column("phone", LargeBinary),
    Column("phone_index", LargeBinary),  # keyed hash of the number, to know who rings back
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
)  # fmt: skip

beats = Table(
    "beats", metadata,  # when each part of the response last did its round; the auditor reads it
    Column("part", Text, primary_key=True),
    Column("at", _at, nullable=False),
    Column("lag_seconds", Float),
)  # fmt: skip
