"""What the logins of another server could do beyond their work: SQL that gets in does that too."""

from sqlalchemy import Connection, text

from anbu.doctor import Finding
from response.access import Sight

_ATTRIBUTES = """
SELECT session_user, rolsuper AS "SUPERUSER", rolcreaterole AS "CREATEROLE", rolcreatedb AS "CREATEDB",
    rolreplication AS "REPLICATION", rolbypassrls AS "BYPASSRLS" FROM pg_roles WHERE rolname = session_user
"""
_MEMBER_OF = """
SELECT rolname FROM pg_roles WHERE rolname <> session_user AND rolname <> :own AND NOT rolsuper
    AND (rolname LIKE 'pg\\_%' OR rolname LIKE 'anbu\\_%') AND pg_has_role(session_user, oid, 'MEMBER') ORDER BY 1
"""
_OWNS = """
SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE nspname = current_schema() AND relkind IN ('r', 'p') AND pg_has_role(session_user, relowner, 'MEMBER')
ORDER BY 1 LIMIT 1
"""
_MAKES = """
SELECT what FROM (VALUES
    ('CREATE', has_schema_privilege(session_user, current_schema(), 'CREATE')),
    ('TEMPORARY', has_database_privilege(session_user, current_database(), 'TEMPORARY'))) AS may(what, it) WHERE it
"""


def look(conn: Connection, sight: Sight) -> list[Finding]:
    """One finding a login. ``conn``: the application's."""
    with sight.viewer.connect() as viewing:
        return [_of(conn, "anbu_service", "DATABASE_URL"), _of(viewing, "anbu_viewer", "VIEWER_URL")]


def beyond(conn: Connection, own: str) -> list[str]:
    """What whoever has logged in may do beyond the role that is its own: attributes, memberships, what it owns."""
    row = conn.execute(text(_ATTRIBUTES)).one()
    found = [name for name, has in row._mapping.items() if has is True]
    if "SUPERUSER" in found:  # who is that may do all the rest
        return ["SUPERUSER"]
    found += conn.scalars(text(_MEMBER_OF), {"own": own}).all()
    found += [f"owns {name}" for name in conn.scalars(text(_OWNS))]
    return found + list(conn.scalars(text(_MAKES)))


def _of(conn: Connection, own: str, setting: str) -> Finding:
    more = beyond(conn, own)
    login = conn.scalar(text("SELECT session_user"))
    return Finding(
        not more, "데이터베이스 권한", "rights in the database", ", ".join([f"{login}", *more]),
        f"ANBU_RESPONSE__{setting}에는 {own}만인 로그인을 쓰십시오 (docs/operations.md)",
        f"let ANBU_RESPONSE__{setting} log in as {own} alone, or a member of it and of nothing else: operations.md",
    )  # fmt: skip
