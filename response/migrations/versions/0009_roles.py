"""Rights of the roles: who is looked at is in the access log first, times of the logs are the database's own, and the
roles of the application own nothing and become nobody else.

Earlier entries have no time but the one that they say.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
AT = sa.DateTime(timezone=True)
LOGS = ("case_events", "access_log")
NO_MORE = ("cases", "case_events", "households", "duties", "links", "outbox")
"""Tables that no view is read from: they name nobody."""


def upgrade() -> None:
    """Make them."""
    op.execute("SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)")
    _own_time()
    _next_in_order()
    _tickets()
    _nobody_else()


def _own_time() -> None:
    for table in LOGS:
        op.add_column(table, sa.Column("written_at", AT))
        op.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
        op.execute(f"UPDATE {table} SET written_at = least(at, clock_timestamp())")  # noqa: S608 - names of LOGS
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")
        op.alter_column(table, "written_at", nullable=False, server_default=sa.text("clock_timestamp()"))
        op.execute(f"REVOKE INSERT ON {table} FROM anbu_service")
    op.add_column("access_log", sa.Column("ticket", sa.LargeBinary))
    op.add_column("access_log", sa.Column("dongs", sa.ARRAY(sa.Text)))
    op.create_index("access_by_time", "access_log", ["written_at"])
    op.create_index("access_by_ticket", "access_log", ["ticket"], postgresql_where=sa.text("ticket IS NOT NULL"))
    # Neither the database's time nor the number of an entry is anybody's to give.
    op.execute('GRANT INSERT (case_id, seq, at, "by", what, account) ON case_events TO anbu_service')
    op.execute(
        "GRANT INSERT (at, viewer, source, subject, action, case_id, reason, ticket, dongs) ON access_log "
        "TO anbu_service"
    )
    op.execute(
        """
        CREATE OR REPLACE FUNCTION anbu_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'access_log' THEN
                IF OLD.written_at < clock_timestamp() - interval '2 years' THEN
                    RETURN OLD;
                END IF;
            ELSIF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'case_events' AND current_user = 'anbu_keeper' THEN
                IF (OLD.case_id, OLD.seq, OLD.at, OLD."by", OLD.account, OLD.written_at, OLD.what - 'comment')
                    IS NOT DISTINCT FROM
                    (NEW.case_id, NEW.seq, NEW.at, NEW."by", NEW.account, NEW.written_at, NEW.what - 'comment') THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION '% is append only: % refused', TG_TABLE_NAME, TG_OP
                USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )


def _next_in_order() -> None:
    """An event is the next of its case: none is left out, none put in between."""
    op.execute(
        """
        CREATE FUNCTION anbu_next() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
        BEGIN
            IF NEW.seq IS DISTINCT FROM (
                SELECT coalesce(max(seq) + 1, 0) FROM case_events WHERE case_id = NEW.case_id
            ) THEN
                RAISE EXCEPTION 'event % of case % is not its next', NEW.seq, NEW.case_id
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER next_in_order BEFORE INSERT ON case_events FOR EACH ROW EXECUTE FUNCTION anbu_next()"
    )
    op.execute("ALTER TABLE case_events ENABLE ALWAYS TRIGGER next_in_order")


def _tickets() -> None:
    """The viewer sees whom an entry of the access log names, by the entry's ticket, for five minutes: colleagues, and
    others of the dongs that the entry says, or of the home of its case."""
    for table in ("people", *NO_MORE):
        op.execute(f"DROP POLICY of_the_dong ON {table}")
        op.execute(f"REVOKE ALL ON {table} FROM anbu_viewer")
    op.execute("DROP FUNCTION anbu_sees(text)")
    op.execute("GRANT SELECT ON people, access_log TO anbu_keeper")
    op.execute(
        """
        CREATE FUNCTION anbu_looked_at() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path FROM CURRENT AS $$
            SELECT p.person_id FROM access_log a JOIN people p ON p.person_id = a.subject
                LEFT JOIN cases c ON c.case_id = a.case_id
            WHERE a.ticket = sha256(convert_to(current_setting('anbu.ticket', true), 'UTF8'))
                AND a.written_at > statement_timestamp() - interval '5 minutes'
                AND (p.role IN ('officer', 'deputy', 'centre', 'operator')
                    OR a.dongs && ARRAY['*', nullif(p.dong, '')] OR p.household_id = c.household_id)
        $$
        """
    )
    _of_the_keeper("anbu_looked_at()")
    op.execute("GRANT EXECUTE ON FUNCTION anbu_looked_at() TO anbu_viewer")
    op.execute("GRANT SELECT ON people TO anbu_viewer")
    op.execute(
        "CREATE POLICY of_the_ticket ON people FOR SELECT TO anbu_viewer "
        "USING (person_id IN (SELECT anbu_looked_at()))"
    )


def _of_the_keeper(signature: str) -> None:
    """As in 0002: who makes tables may give a function to the keeper, who may not make any."""
    op.execute("DO $$ BEGIN EXECUTE format('GRANT CREATE ON SCHEMA %I TO anbu_keeper', current_schema()); END $$")
    op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(f"ALTER FUNCTION {signature} OWNER TO anbu_keeper")
    op.execute("DO $$ BEGIN EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM anbu_keeper', current_schema()); END $$")


def _nobody_else() -> None:
    """The service becomes no other role, and nobody makes anything of their own, not for a session either. What whoever
    migrates may not change (roles that others granted) `anbu doctor` names."""
    _if_permitted("REVOKE anbu_viewer FROM anbu_service")
    _if_permitted("GRANT EXECUTE ON FUNCTION anbu_reseal(bigint, integer, text) TO CURRENT_USER")
    _if_permitted("EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database())")
    _if_permitted("EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema())")


def _if_permitted(statement: str) -> None:
    op.execute(f"DO $$ BEGIN {statement}; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$")
