"""All tables of the first version."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    Text,
    Time,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None
AT = DateTime(timezone=True)


def upgrade() -> None:
    """Make them."""
    _cases()
    _outbox()
    _people()
    _duties()
    _rest()


def _cases() -> None:
    op.create_table(
        "cases",
        Column("case_id", BigInteger, Identity(always=True), primary_key=True),
        Column("household_id", Text, nullable=False),
        Column("dong", Text, nullable=False),
        Column("drill", Boolean, nullable=False, server_default=text("false")),
        Column("opened_at", AT, nullable=False),
        Column("closed_at", AT),
        Column("level", Text, nullable=False),
        Column("phase", Text, nullable=False),
        Column("next_step_at", AT),
    )  # fmt: skip
    op.create_index(
        "one_open_case", "cases", ["household_id", "drill"], unique=True, postgresql_where=text("closed_at IS NULL")
    )
    op.create_index("due_cases", "cases", ["next_step_at"], postgresql_where=text("next_step_at IS NOT NULL"))
    op.create_table(
        "case_events",
        Column("case_id", BigInteger, ForeignKey("cases.case_id", ondelete="CASCADE"), primary_key=True),
        Column("seq", Integer, primary_key=True),
        Column("at", AT, nullable=False),
        Column("by", Text, nullable=False),
        Column("what", JSONB, nullable=False),
    )  # fmt: skip
    op.create_table(
        "links",
        Column("token_hash", LargeBinary, primary_key=True),
        Column("case_id", BigInteger, ForeignKey("cases.case_id", ondelete="CASCADE"), nullable=False),
        Column("person_id", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("made_at", AT, nullable=False),
        Column("expires_at", AT, nullable=False),
        Column("used_at", AT),
    )  # fmt: skip


def _outbox() -> None:
    op.create_table(
        "outbox",
        Column("key", Text, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("case_id", BigInteger, ForeignKey("cases.case_id", ondelete="CASCADE")),
        Column("person_id", Text),
        Column("role", Text),
        Column("drill", Boolean, nullable=False, server_default=text("false")),
        Column("urgency", Integer, nullable=False, server_default=text("0")),
        Column("what", JSONB, nullable=False),
        Column("created_at", AT, nullable=False),
        Column("not_before", AT, nullable=False),
        Column("state", Text, nullable=False, server_default="waiting"),
        Column("leased_by", Text),
        Column("lease_until", AT),
        Column("tries", Integer, nullable=False, server_default=text("0")),
        Column("done_at", AT),
        Column("result", Text),
        Column("reason", Text),
        Column("channel", Text),
        Column("detail", Text),
    )  # fmt: skip
    op.create_index(
        "waiting_outbox", "outbox", ["kind", "drill", text("urgency DESC"), "not_before"],
        postgresql_where=text("state = 'waiting'"),
    )  # fmt: skip
    op.create_index("leased_outbox", "outbox", ["lease_until"], postgresql_where=text("state = 'leased'"))
    op.create_index("outbox_of_case", "outbox", ["case_id"])


def _people() -> None:
    op.create_table(
        "households",
        Column("household_id", Text, primary_key=True),
        Column("dong", Text, nullable=False),
        Column("area", Text, nullable=False),
        Column("record", JSONB, nullable=False),
        Column("withdrawn_at", AT),
    )  # fmt: skip
    op.create_table(
        "people",
        Column("person_id", Text, primary_key=True),
        Column("role", Text, nullable=False),
        Column("dong", Text, nullable=False),
        Column("household_id", Text),
        Column("name", LargeBinary),
        Column("phone", LargeBinary),
        Column("phone_index", LargeBinary),
        Column("email", LargeBinary),
        Column("address", LargeBinary),
        Column("address_at", Date),
        Column("language", Text, nullable=False, server_default="ko"),
        Column("channels", ARRAY(Text), nullable=False),
        Column("consent_guardian", Boolean, nullable=False, server_default=text("false")),
        Column("consent_entry", Boolean, nullable=False, server_default=text("false")),
        Column("calls", Boolean, nullable=False, server_default=text("true")),
        Column("drill", Boolean, nullable=False, server_default=text("false")),
        Column("updated_at", AT, nullable=False),
    )  # fmt: skip
    op.create_index("people_of_household", "people", ["household_id"])
    op.create_index("people_of_dong", "people", ["dong", "role"])
    op.create_index("people_by_phone", "people", ["phone_index"])


def _duties() -> None:
    op.create_table(
        "duties",
        Column("duty_id", BigInteger, Identity(always=True), primary_key=True),
        Column("dong", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("person_id", Text, ForeignKey("people.person_id", ondelete="CASCADE"), nullable=False),
        Column("days", Text, nullable=False),
        Column("from_time", Time, nullable=False),
        Column("until_time", Time, nullable=False),
        Column("first_day", Date),
        Column("last_day", Date),
        Column("rank", Integer, nullable=False, server_default=text("0")),
        UniqueConstraint(
            "dong", "role", "person_id", "days", "from_time", "first_day", name="one_duty",
            postgresql_nulls_not_distinct=True,
        ),
    )  # fmt: skip
    op.create_table(
        "leaves",
        Column("person_id", Text, ForeignKey("people.person_id", ondelete="CASCADE"), primary_key=True),
        Column("from_at", AT, primary_key=True),
        Column("until_at", AT, nullable=False),
    )  # fmt: skip


def _rest() -> None:
    op.create_table(
        "offsets",
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("next", BigInteger, nullable=False),
    )  # fmt: skip
    op.create_table(
        "access_log",
        Column("entry_id", BigInteger, Identity(always=True), primary_key=True),
        Column("at", AT, nullable=False),
        Column("viewer", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("case_id", BigInteger),
        Column("reason", Text, nullable=False),
    )  # fmt: skip
    op.create_table(
        "beats",
        Column("part", Text, primary_key=True),
        Column("at", AT, nullable=False),
        Column("lag_seconds", Float),
    )  # fmt: skip
