"""Consent withdrawn: what is personal is set aside at once, and deleted after a time in which a person can undo it.

Nobody but the service reads what is set aside: no viewer has a right to it.
"""

from alembic import op
from sqlalchemy import Boolean, Column, DateTime, Text, text
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables. Withdrawals of before have deleted already."""
    at = DateTime(timezone=True)
    op.create_table(
        "withdrawals",
        Column("household_id", Text, primary_key=True),
        Column("ended_at", at, nullable=False),
        Column("said_at", at, nullable=False),
        Column("heard_at", at, nullable=False),
        Column("delete_at", at, nullable=False),
        Column("anew_at", at),
        Column("deleted_at", at),
        Column("told_at", at),
        Column("drill", Boolean, nullable=False, server_default=text("false")),
    )
    op.create_index(
        "withdrawals_pending", "withdrawals", ["delete_at"],
        postgresql_where=text("deleted_at IS NULL AND anew_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "set_aside",
        Column("person_id", Text, primary_key=True),
        Column("household_id", Text, nullable=False),
        Column("person", JSONB, nullable=False),
        Column("leaves", JSONB, nullable=False),
    )
    op.create_index("set_aside_of_household", "set_aside", ["household_id"])
    op.execute(
        "INSERT INTO withdrawals (household_id, ended_at, said_at, heard_at, delete_at, deleted_at, told_at) "
        "SELECT household_id, withdrawn_at, withdrawn_at, withdrawn_at, withdrawn_at, withdrawn_at, withdrawn_at "
        "FROM households WHERE withdrawn_at IS NOT NULL"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON withdrawals, set_aside TO anbu_service")
