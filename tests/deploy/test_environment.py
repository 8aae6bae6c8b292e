"""What `make` says when the environment cannot be made: one line, whatever pip printed."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.environment import NEED_MB, SetupError, explain, install, make_environment

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("WARNING: Retrying ... NewConnectionError(...)\nERROR: No matching distribution found", "registry cannot be"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "not the one in the lock file"),
        ("Collecting x\nERROR: No matching distribution found for x==1", "No matching distribution found for x==1"),
        ("Traceback:\n  File\nValueError: odd\n", "ValueError: odd"),
        ("", "see pip.log"),
    ],
)
def test_a_failure_is_one_line(output: str, says: str) -> None:
    """The cause comes before pip's consequences, in one line."""
    line = explain(output, Path("pip.log"))
    assert says in line
    assert "\n" not in line


def test_a_failed_installation_raises_that_line_and_keeps_the_log(tmp_path: Path) -> None:
    """pip's own output is in the log; the error is what it said last."""
    lock = tmp_path / "a.lock"
    lock.write_text("this is not a requirement\n")
    with pytest.raises(SetupError, match="the installation failed"):
        install(Path(sys.executable), lock, tmp_path / "pip.log", lambda seen: None)
    assert "this is not a requirement" in (tmp_path / "pip.log").read_text()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-test.lock"])
def test_locks_pin_everything_with_hashes_and_name_no_registry(name: str) -> None:
    """Each line is a pin with ==, followed by hashes; no address is in it."""
    text = (ROOT / name).read_text()
    pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert "://" not in text


def test_make_without_a_target_says_what_there_is() -> None:
    """`make` alone makes nothing; it names the two commands."""
    said = subprocess.run(["make", "-s", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    assert "make demo" in said
    assert "make test" in said


@pytest.mark.slow
def test_each_lock_asks_for_the_room_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demonstration is not refused for want of what only the tests need; both are refused before they begin."""
    free = (NEED_MB["requirements.lock"] + 10) << 20
    monkeypatch.setattr("deploy.environment.shutil.disk_usage", lambda path: type("U", (), {"free": free})())
    with pytest.raises(SetupError, match=f"about {NEED_MB['requirements-test.lock']} MB"):
        make_environment(tmp_path / "venv", NEED_MB["requirements-test.lock"])
    assert make_environment(tmp_path / "venv", NEED_MB["requirements.lock"]).exists()
