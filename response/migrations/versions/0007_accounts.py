"""Which account of the machine gave a command is kept beside the act, and cannot be changed by anybody."""

from alembic import op
from sqlalchemy import Column, Text, text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Acts of before have none."""
    op.add_column("case_events", Column("account", Text, nullable=False, server_default=text("''")))
    op.execute(
        """
        CREATE FUNCTION anbu_account_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
        BEGIN
            RAISE EXCEPTION 'case_events is append only: an account stays' USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER account_stays BEFORE UPDATE ON case_events FOR EACH ROW "
        "WHEN (OLD.account IS DISTINCT FROM NEW.account) EXECUTE FUNCTION anbu_account_stays()"
    )
    op.execute("ALTER TABLE case_events ENABLE ALWAYS TRIGGER account_stays")  # in replica mode too
