"""A command in a folder without a database: one line, and no database afterwards."""

from pathlib import Path

import pytest

from tests.anbu.conftest import Run
from tests.response.people import KEY

COMMANDS = [
    ("cases", "list"), ("cases", "show", "1"), ("cases", "take", "1", "--by", "o1"),
    ("cases", "note", "1", "--by", "o1", "--comment", "x"), ("cases", "close", "1", "safe_visited", "--by", "o1"),
    ("cases", "deliveries"), ("people", "import", "p.csv"), ("people", "export", "out.csv", "--why", "x"),
    ("people", "duties", "p.csv"), ("people", "leave", "o1", "--back"), ("people", "rotate"),
    ("people", "show", "o1", "--why", "x"), ("people", "access", "--month", "2026-03"),
    ("people", "forget", "h1", "--yes"), ("people", "sweep"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_makes_a_database_by_the_way(
    run: Run, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another folder "no case is open" would be said of an empty database just made."""
    monkeypatch.setenv("ANBU_RESPONSE__KEYS", f'["{KEY}"]')
    (tmp_path / "p.csv").write_text("person_id,role\n", encoding="utf-8")
    done = run(*command)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "no database here" in done.err
    assert "data_dir" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]
