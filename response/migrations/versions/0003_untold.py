"""Cases whose ladder is at its end and reaches nobody, for the auditor and the metrics."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """One column; cases that are open say it with their next step."""
    op.add_column("cases", sa.Column("untold", sa.Boolean, nullable=False, server_default=sa.text("false")))
