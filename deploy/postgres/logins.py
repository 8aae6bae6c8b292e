"""Who may log in to our own database, and with what rights: nobody as its superuser, the application as nobody's owner.

The superuser exists because every server has one. It cannot log in; what only it may do is done while the server is
down, by the server's own program (``postgres --single``), with the statements of this page.
"""

import json
import os
import secrets
from pathlib import Path

from deploy.postgres.errors import PostgresError

SUPERUSER = "anbu"
DATABASE = "anbu"
OWNER = "anbu_owner"
"""Owns database and schema, and nothing beyond them: `migrate` logs in with it."""
SERVICE = "anbu_service"
"""The application: rows, by what the schema grants it."""
VIEWER = "anbu_viewer"
"""Through it people are looked at: who is in the access log, and nothing else."""
KEEPER = "anbu_keeper"
"""Owns the functions that do for others what these may not do themselves. It cannot log in."""
LOGINS = (OWNER, SERVICE, VIEWER)
_PLAIN = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"

HBA = """\
# Written by anbu at every start. Everybody needs the password of a role; nobody comes as the superuser.
local all anbu reject
local all all scram-sha-256
"""


def kept(file: Path) -> dict[str, str] | None:
    """The passwords by login; None where there are none yet.

    Raises:
        PostgresError: for another account alone.
    """
    try:
        found = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    except PermissionError as e:
        raise PostgresError(
            f"{file} is for another account: run as the account that runs `anbu up` (with sudo, where that is root)"
        ) from e
    return found if isinstance(found, dict) and set(found) >= set(LOGINS) else None


def make(file: Path) -> dict[str, str]:
    """New passwords, kept in a file for whoever has its folder alone."""
    made = {login: secrets.token_urlsafe(32) for login in LOGINS}
    half = file.with_suffix(".new")
    half.unlink(missing_ok=True)
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w") as out:
        of = file.parent.stat()
        if os.geteuid() == 0:
            os.fchown(handle, of.st_uid, of.st_gid)
        out.write(json.dumps(made))
    half.replace(file)
    return made


def of_the_server(passwords: dict[str, str]) -> list[str]:
    """Statements on the server: the roles, who may connect. Twice is well; in a database of before, too."""
    return [
        *(f"""DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role}; END IF;
END $$""" for role in (*LOGINS, KEEPER)),
        *(f"ALTER ROLE {login} LOGIN {_PLAIN} PASSWORD '{passwords[login]}'" for login in LOGINS),
        f"ALTER ROLE {KEEPER} NOLOGIN {_PLAIN}",
        *(f"ALTER ROLE {role} RESET ALL" for role in (*LOGINS, KEEPER)),
        f"REVOKE {VIEWER} FROM {SERVICE}",
        f"GRANT {KEEPER} TO {OWNER}",
        f"CREATE DATABASE {DATABASE} OWNER {OWNER}",  # an error where there is one, and nothing else
        f"ALTER DATABASE {DATABASE} OWNER TO {OWNER}",
        *(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC" for name in ("postgres", "template1", DATABASE)),
        f"GRANT CONNECT ON DATABASE {DATABASE} TO {SERVICE}, {VIEWER}",
        f"ALTER ROLE {SUPERUSER} NOLOGIN PASSWORD NULL",
    ]  # fmt: skip


OF_THE_DATABASE = [
    # What the superuser made in a database of before is the owner's. Identities follow their tables.
    f"""DO $$ DECLARE one record; BEGIN
FOR one IN SELECT c.oid::regclass AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v') AND c.relowner = '{SUPERUSER}'::regrole
LOOP EXECUTE format('ALTER TABLE %s OWNER TO {OWNER}', one.name); END LOOP;
FOR one IN SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'public' AND p.proowner = '{SUPERUSER}'::regrole
LOOP EXECUTE format('ALTER FUNCTION %s OWNER TO {OWNER}', one.name); END LOOP;
END $$""",  # noqa: S608 - names of this file alone
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    # Large objects would be the application's own: it owns nothing.
    """DO $$ DECLARE one record; BEGIN
FOR one IN SELECT oid::regprocedure AS name FROM pg_proc
    WHERE proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'lo_export')
LOOP EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', one.name); END LOOP;
END $$""",
]
