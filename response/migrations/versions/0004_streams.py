"""Offsets are of one topic of one cluster; events of alerts are known by what they are; those of the past wait.

What was taken before is in the log of cases: it is known from there.
"""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, DateTime, Float, Identity, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
AT = DateTime(timezone=True)
KNOWN_ALREADY = """
INSERT INTO alert_events (alert_id, event, at, level, kind, subject, drill, recorded_at)
SELECT e.what ->> 'alert_id', e.what ->> 'change', (e.what ->> 'alert_at')::timestamptz, e.what ->> 'level',
    e.what ->> 'kind', c.household_id, c.drill, e.at
FROM case_events e JOIN cases c USING (case_id) WHERE e.what ->> 'event' = 'AlertSeen'
ORDER BY e.at, e.case_id, e.seq
ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    """Make them."""
    for column in ("cluster_id", "topic_id"):
        op.add_column("offsets", Column(column, Text, nullable=False, server_default=""))
    op.add_column("offsets", Column("epoch", Integer))
    op.add_column("offsets", Column("missing", BigInteger))
    op.add_column("offsets", Column("behind_s", Float))
    op.add_column("offsets", Column("leapt_at", AT))
    op.drop_constraint("offsets_pkey", "offsets")
    op.create_primary_key("offsets_pkey", "offsets", ["topic", "partition", "cluster_id", "topic_id"])
    op.create_table(
        "alert_events",
        Column("alert_id", Text, primary_key=True),
        Column("event", Text, primary_key=True),
        Column("at", AT, primary_key=True),
        Column("seq", BigInteger, Identity(), nullable=False),
        Column("level", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("drill", Boolean, nullable=False, server_default=text("false")),
        Column("recorded_at", AT, nullable=False),
        Column("waiting", JSONB),
    )  # fmt: skip
    op.create_index(
        "waiting_alerts", "alert_events", ["subject", "drill"], postgresql_where=text("waiting IS NOT NULL")
    )
    op.create_index("alert_events_by_time", "alert_events", ["recorded_at"])
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON alert_events TO anbu_service")
    op.execute(KNOWN_ALREADY)
