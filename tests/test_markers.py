"""Tests whose program is missing: skipped and named here, failed in CI."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = """
import pytest

@pytest.mark.promtool
def test_of_rules():
    assert True

def test_of_ours():
    assert True
"""


def run(folder: Path, ci: str) -> subprocess.CompletedProcess[str]:
    """A test run of two tests, one of which needs promtool, where there is no program at all."""
    shutil.copy(Path(__file__).parent / "conftest.py", folder)
    (folder / "test_suite.py").write_text(SUITE, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    promtool: x\n", encoding="utf-8")
    env = {**os.environ, "PATH": str(folder), "CI": ci, "PYTEST_ADDOPTS": ""}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(folder)],
        capture_output=True, text=True, env=env, cwd=folder, timeout=60, check=False,
    )  # fmt: skip


def test_missing_program_is_named_with_what_brings_it(tmp_path: Path) -> None:
    """On somebody's laptop the rest passes, and the summary says what did not run and why."""
    done = run(tmp_path, ci="")
    assert done.returncode == 0, done.stdout
    assert "promtool: 1 skipped: NOT RUN, promtool is not on this machine (apt-get install prometheus)" in done.stdout
    assert "unmarked: 1 passed" in done.stdout


@pytest.mark.parametrize("ci", ["true", "1"])
def test_missing_program_is_a_failure_in_ci(tmp_path: Path, ci: str) -> None:
    """Where everything is to be there, a test that cannot run has failed."""
    done = run(tmp_path, ci=ci)
    assert done.returncode == 1, done.stdout
    assert "needs promtool" in done.stdout
    assert "1 passed, 1 error" in done.stdout
