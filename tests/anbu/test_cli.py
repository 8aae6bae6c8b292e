"""The command line: what it offers, how fast it starts, and what a mistake looks like."""

import errno
import re
import subprocess
import sys
from pathlib import Path

import pytest

from anbu import cli
from anbu.commands import care
from tests.anbu.conftest import Run

COMMANDS = (
    "demo", "up", "worker", "topics", "ingest", "warn", "backtest", "replay", "train",
    "doctor", "simulate", "docs", "http",
)  # fmt: skip
ROOT = Path(__file__).parent.parent.parent
NOBODY = "127.0.0.1:1"


def test_help_names_every_command(run: Run) -> None:
    """`anbu --help` lists them all, Korean first."""
    said = run("--help")
    assert said.code == 0
    assert [c for c in COMMANDS if not re.search(rf"^│ {c} ", said.out, re.M)] == []
    assert "안부" in said.out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(run: Run, command: str) -> None:
    """`anbu COMMAND --help` works and speaks both languages."""
    said = run(command, "--help")
    assert said.code == 0
    assert re.search("[가-힣]", said.out)
    assert " · " in said.out


def test_nothing_heavy_is_imported_for_help() -> None:
    """Help comes at once: no Kafka client, no numpy, no settings are loaded for it."""
    heavy = "('numpy', 'pyarrow', 'kafka', 'aiokafka', 'faust', 'pydantic')"
    code = f"import sys, anbu.cli; print(*(m for m in {heavy} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_an_unknown_command_is_a_mistake(run: Run) -> None:
    """Exit code 2 and its name, no traceback."""
    said = run("wrogn")
    assert said.code == 2
    assert "wrogn" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "a warning always has an end"),
        (("--until", "2026-07-01T00:00:00Z", "--lift"), "a warning always has an end"),
        (("--until", "tomorrow"), "write it as"),
        (("--from", "2026-07-02T00:00:00Z", "--until", "2026-07-01T00:00:00Z"), "is before from"),
        (("--from", "2026-07-02T00:00:00Z", "--until", "2026-09-01T00:00:00Z"), "over 31 days"),
    ],
)
def test_a_warning_without_a_sensible_end_is_a_mistake(run: Run, options: tuple[str, ...], says: str) -> None:
    """Exit code 2 and what to write, before any broker is asked."""
    said = run("warn", "east", "--kind", "heat", *options)
    assert said.code == 2
    assert says in re.sub(r"[│\s]+", " ", said.err)


def test_a_missing_file_is_one_line(run: Run) -> None:
    """The name of the file and what is wrong with it; exit code 2."""
    said = run("backtest", "--meter", "nowhere.csv", "--out", "out.jsonl")
    assert said.code == 2
    assert "anbu: nowhere.csv: no such file\n" in said.err
    assert not Path("out.jsonl").exists()


def test_a_wrong_setting_is_named_by_its_variable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment variable, the value and what to use instead, in one line."""
    monkeypatch.setenv("ANBU_TZ", "Asia/Soul")
    said = run("topics")
    assert said.code == 2
    (line,) = said.err.splitlines()
    assert line.startswith("anbu: ")
    assert "ANBU_TZ" in line
    assert "Asia/Soul" in line


def test_a_broken_settings_file_is_named(run: Run) -> None:
    """anbu.toml that is no TOML: one line."""
    Path("anbu.toml").write_text("partitions = = 3")
    said = run("topics")
    assert said.code == 2
    assert "anbu.toml is not valid TOML" in said.err


def test_no_broker_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that does not answer, and what to do."""
    monkeypatch.setenv("ANBU_BROKER__BOOTSTRAP", NOBODY)
    Path("h.jsonl").write_text('{"household_id": "a", "since": "2026-01-01T00:00:00+09:00"}\n')
    said = run("ingest", "h.jsonl")
    assert said.code == 2
    assert "broker cannot be reached" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), "the disk is full (/data/x)"),
        (OSError(errno.EADDRINUSE, "Address already in use"), "a port is taken"),
        (PermissionError(errno.EACCES, "Permission denied", "/root/x"), "not permitted (/root/x)"),
        (TimeoutError("workers have not moved"), "workers have not moved"),
    ],
)
def test_what_the_system_refuses_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    """Disk, port, permission, time: what, which, what to do."""
    _failing(monkeypatch, error)
    said = run("docs")
    assert said.code == 2
    assert len(said.err.splitlines()) == 1
    assert words in said.err


def test_a_fault_of_ours_is_told_as_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error nobody foresaw has exit code 1 and says how to see where it came from."""
    _failing(monkeypatch, ZeroDivisionError("division by zero"))
    said = run("docs")
    assert said.code == 1
    assert "ANBU_DEBUG=1" in said.err
    assert "Traceback" not in said.err


def test_debug_shows_the_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ANBU_DEBUG=1 the error itself comes out."""
    _failing(monkeypatch, ZeroDivisionError("division by zero"))
    monkeypatch.setenv("ANBU_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        cli.main(["docs"])


def test_docs_writes_the_pages(run: Run, tmp_path: Path) -> None:
    """settings.md, topics.md and the schemas, into the folder asked for."""
    assert run("docs", "--out", tmp_path).code == 0
    assert (tmp_path / "settings.md").exists()
    assert (tmp_path / "schemas" / "alert.json").exists()


def _failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def write(folder: Path) -> list[Path]:
        raise error

    from anbu import docs

    assert care.docs.__module__ == "anbu.commands.care"
    monkeypatch.setattr(docs, "write", write)
