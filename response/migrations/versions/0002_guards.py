"""What only PostgreSQL knows: roles, who sees which dong, and logs that nobody can change.

Roles are of the whole server, so they are made where they are missing and never dropped.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

ROLES = ("anbu_service", "anbu_viewer", "anbu_keeper")
"""The service; whoever looks through it; the owner of the two functions that may touch the log of cases."""

READ_WRITE = ("cases", "outbox", "offsets", "links", "households", "people", "duties", "leaves", "beats")
BY_DONG = ("people", "cases", "households", "duties")
BY_CASE = ("case_events", "links", "outbox")


def upgrade() -> None:
    """Make them."""
    # What is made below finds our tables first, and nobody's temporary tables of their names.
    op.execute("SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)")
    for role in ROLES:
        op.execute(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN "
            f"CREATE ROLE {role} NOLOGIN NOBYPASSRLS; END IF; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
    _grants()
    _by_dong()
    _append_only()
    _keeper()


def _take_on(role: str) -> None:
    """Let whoever migrates act as a role: its maker may only give it away (a superuser needs nothing; where another
    made it, that one must have granted it)."""
    op.execute(
        f"DO $$ BEGIN GRANT {role} TO CURRENT_USER; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$"
    )


def _grants() -> None:
    _take_on("anbu_service")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(READ_WRITE)} TO anbu_service")
    op.execute("GRANT SELECT, INSERT ON case_events TO anbu_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON access_log TO anbu_service")
    op.execute("GRANT SELECT ON alembic_version TO anbu_service")
    op.execute(f"GRANT SELECT ON {', '.join(BY_DONG + BY_CASE)} TO anbu_viewer")


def _by_dong() -> None:
    """A viewer sees the dongs named in the setting ``anbu.dongs`` (a comma list, ``*``: all), and nothing without."""
    op.execute(
        """
        CREATE FUNCTION anbu_sees(dong text) RETURNS boolean LANGUAGE sql STABLE
        RETURN coalesce(current_setting('anbu.dongs', true), '') = '*' OR (
            dong <> '' AND dong = ANY (string_to_array(current_setting('anbu.dongs', true), ','))
        )
        """
    )
    for table in BY_DONG + BY_CASE:
        # A row of a case is seen by whoever sees the case: the policy of `cases` holds inside this query too.
        seen = "anbu_sees(dong)" if table in BY_DONG else "case_id IN (SELECT case_id FROM cases)"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY of_the_service ON {table} TO anbu_service, anbu_keeper USING (true)")
        op.execute(f"CREATE POLICY of_the_dong ON {table} FOR SELECT TO anbu_viewer USING ({seen})")


def _append_only() -> None:
    """For everybody, superusers too, and in replica mode too (ALWAYS)."""
    op.execute(
        """
        CREATE FUNCTION anbu_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'access_log' THEN
                IF OLD.at < now() - interval '2 years' THEN
                    RETURN OLD;
                END IF;
            ELSIF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'case_events' AND current_user = 'anbu_keeper' THEN
                IF (OLD.case_id, OLD.seq, OLD.at, OLD."by", OLD.what - 'comment')
                    IS NOT DISTINCT FROM (NEW.case_id, NEW.seq, NEW.at, NEW."by", NEW.what - 'comment') THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION '% is append only: % refused', TG_TABLE_NAME, TG_OP
                USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )
    for table in ("case_events", "access_log"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION anbu_refuse()"
        )
        op.execute(
            f"CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION anbu_refuse()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only_all")


def _keeper() -> None:
    """The two changes that the log of cases allows, both of a comment alone: a person's words are removed when consent
    is withdrawn, and sealed anew when the key changes."""
    op.execute("GRANT SELECT, UPDATE ON case_events TO anbu_keeper")
    op.execute("GRANT SELECT ON cases TO anbu_keeper")
    op.execute(
        """
        CREATE FUNCTION anbu_forget(household text) RETURNS bigint LANGUAGE sql SECURITY DEFINER
        SET search_path FROM CURRENT AS $$
            WITH gone AS (
                UPDATE case_events SET what = jsonb_set(what, '{comment}', '""')
                WHERE case_id IN (SELECT case_id FROM cases WHERE household_id = household)
                    AND coalesce(what ->> 'comment', '') <> ''
                RETURNING 1
            ) SELECT count(*) FROM gone
        $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION anbu_reseal(of_case bigint, of_seq integer, sealed text) RETURNS void LANGUAGE sql
        SECURITY DEFINER SET search_path FROM CURRENT AS $$
            UPDATE case_events SET what = jsonb_set(what, '{comment}', to_jsonb(sealed))
            WHERE case_id = of_case AND seq = of_seq AND what ? 'comment'
        $$
        """
    )
    signatures = ("anbu_forget(text)", "anbu_reseal(bigint, integer, text)")
    _take_on("anbu_keeper")
    op.execute("DO $$ BEGIN EXECUTE format('GRANT CREATE ON SCHEMA %I TO anbu_keeper', current_schema()); END $$")
    for signature in signatures:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO CURRENT_USER")
        op.execute(f"ALTER FUNCTION {signature} OWNER TO anbu_keeper")
    op.execute("DO $$ BEGIN EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM anbu_keeper', current_schema()); END $$")
    op.execute("GRANT EXECUTE ON FUNCTION anbu_forget(text) TO anbu_service")
