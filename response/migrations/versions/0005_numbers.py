"""Telephone numbers have one form (E.164). They are sealed, so this only marks the rows that do not have it yet:
`response.renumber` mends them where the keys are."""

from alembic import op
from sqlalchemy import Column, Integer, text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Every number of before is as it was written."""
    op.add_column("people", Column("phone_form", Integer, nullable=False, server_default=text("0")))
