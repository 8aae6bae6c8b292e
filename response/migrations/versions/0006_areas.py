"""Events of the past are listed with the area or the feed that they are of: an alert's id says nothing to a reader."""

from alembic import op
from sqlalchemy import Column, Text, text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Of events of before it is not known."""
    op.add_column("alert_events", Column("area", Text, nullable=False, server_default=text("''")))
