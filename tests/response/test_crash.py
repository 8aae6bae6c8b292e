"""A response that is killed at any moment: the story ends the same, and nothing reaches anybody twice."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from response import tables
from response.vault import Vault
from tests.response.people import KEY, add_person

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).parents[2]


@pytest.fixture
def stories(database: Engine, database_url: str, tmp_path: Path) -> dict[str, list[dict[str, str]]]:
    """What happened outside: without a kill ("0"), and killed at each boundary."""
    vault = Vault([KEY])
    with database.begin() as conn:
        for person_id, role in (("offi", "officer"), ("depu", "deputy"), ("cent", "centre")):
            add_person(conn, person_id, role, vault, dong="d1", phone="010-0000-0002")
        for number in range(200):
            home = f"h{number}"
            add_person(conn, f"resi-{home}", "resident", vault, dong="d1", household_id=home,
                       phone=f"010-0001-{number:04}")  # fmt: skip
    run = subprocess.run(
        [sys.executable, "-m", "tests.response.crash_loop", database_url, str(tmp_path), KEY],
        capture_output=True, text=True, cwd=ROOT, timeout=500,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    told: dict[str, list[dict[str, str]]] = json.loads(run.stdout)
    return told


def test_killed_at_every_boundary_the_story_ends_the_same_and_nothing_comes_twice(
    stories: dict[str, list[dict[str, str]]], database: Engine
) -> None:
    """Three calls, an officer, an acknowledgement, an outcome on the topic: whatever is killed in between."""
    plain = stories["0"]
    assert [line["kind"] for line in plain].count("call") == 3
    assert len(stories) > 40, "so few boundaries cannot be all of them"
    for number, story in stories.items():
        keys = [line["key"] for line in story if line["kind"] in ("call", "message")]
        assert len(keys) == len(set(keys)), f"killed at {number}: something came twice: {story}"
        assert 2 <= [line["kind"] for line in story].count("call") <= 3, f"killed at {number}: {story}"
        assert any(line.get("template") == "tell_officer" for line in story), f"killed at {number}: nobody was told"
        assert story[-1]["kind"] == "record"
        assert story[-1]["template"] == "safe_visited", f"killed at {number}: {story[-1]}"
    with database.connect() as conn:
        assert _count(conn, tables.cases) == len(stories)
        closed = select(func.count()).select_from(tables.cases).where(tables.cases.c.phase == "closed")
        assert conn.execute(closed).scalar_one() == len(stories)
        o = tables.outbox.c
        unknown = conn.execute(select(func.count()).where(o.result == "unknown", o.kind == "call")).scalar_one()
        assert unknown > 0, "no kill fell into a call: the loop does not test what it is for"


def _count(conn: Any, table: Any) -> int:
    return int(conn.execute(select(func.count()).select_from(table)).scalar_one())
