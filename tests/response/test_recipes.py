"""The files of people and rosters in docs/how-to.md go in as they stand."""

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from response.access import Viewer
from response.circle import circle
from response.duty_files import import_duties
from response.people_files import import_people
from response.records import ROLES
from response.vault import Vault, new_key

pytestmark = pytest.mark.postgres
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^cat > (\S+\.csv) <<'END'\n(.*?\n)END$", PAGE, re.S | re.M))
AT = datetime(2026, 3, 4, 1, tzinfo=UTC)  # a Wednesday, ten in Seoul
ME = Viewer("kim", "test", ("*",))


def written(folder: Path, name: str) -> Path:
    (folder / name).write_text(FILES[name], encoding="utf-8")
    return folder / name


def test_registered_people_are_around_their_household(database: Engine, tmp_path: Path) -> None:
    """After people and rosters everybody is there on a working day, with an address to be reached at."""
    with database.begin() as conn:
        people = import_people(conn, Vault([new_key()]), written(tmp_path, "people.csv"), ME, AT)
        duties = import_duties(conn, written(tmp_path, "duties.csv"), ME, AT)
        assert (people.new, people.faults, duties.new, duties.faults) == (6, [], 4, [])
        around = circle(conn, "p-0001", "1168010100", AT, tz=ZoneInfo("Asia/Seoul"))
    assert {contact.role for contact in around.contacts} == set(ROLES)
    assert all(contact.means and contact.consent for contact in around.contacts)


def test_people_of_the_drill_go_in(database: Engine, tmp_path: Path) -> None:
    """Its residents are marked as a drill's."""
    with database.begin() as conn:
        done = import_people(conn, Vault([new_key()]), written(tmp_path, "drill-people.csv"), ME, AT)
    assert (done.new, done.faults) == (4, [])
