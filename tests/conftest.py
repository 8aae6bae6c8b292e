"""Tests that need a program pip cannot bring: not run where it is missing, and said so; a failure in CI.

The summary counts the tests of each marker, so that "all passed" cannot hide a layer that did not run.
"""

import os
import shutil
import signal
from collections import Counter

import pytest
from hypothesis import settings as hypothesis_settings

hypothesis_settings.register_profile("anbu", deadline=None)  # a busy machine is no failure
hypothesis_settings.load_profile("anbu")

PROGRAMS = {
    "promtool": ("promtool", "apt-get install prometheus"),
    "sipp": ("sipp", "apt-get install sip-tester"),
    "browser": ("chromium", "apt-get install chromium"),
}
"""Marker -> the program its tests need, and what brings it."""

SHOWN = ("broker", "postgres", *PROGRAMS)
"""Markers that the summary counts."""
MARKERS = "markers"
"""Under this name a test's reports say which of them it has: reports are all that comes from the other processes."""


def pytest_configure() -> None:
    """Hear Ctrl-C: a shell's background job begins with it ignored, and so would every program that the tests start.
    One width of the terminal, whichever test loads the console first: sentences are looked for whole."""
    os.environ["COLUMNS"] = "200"
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note each test's markers for the summary."""
    for item in items:
        item.user_properties.append((MARKERS, [name for name in SHOWN if item.get_closest_marker(name)]))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose program is missing; fail it in CI, where everything is to be there."""
    for marker, (program, remedy) in PROGRAMS.items():
        if item.get_closest_marker(marker) and shutil.which(program) is None:
            why = f"needs {program}, which is not on this machine: {remedy}"
            if in_ci():
                pytest.fail(why, pytrace=False)
            pytest.skip(why)


def in_ci() -> bool:
    """Whether this run must not leave anything out (``CI=true`` in the environment)."""
    return os.environ.get("CI", "").lower() in ("true", "1", "yes")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line a marker: what ran, what did not and why."""
    if config.option.collectonly:
        return
    counts = Counter[tuple[str, str]]()
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, ()):
            for marker in dict(getattr(report, "user_properties", ())).get(MARKERS) or ("unmarked",):
                counts[marker, outcome] += 1
    terminalreporter.section("tests by marker")
    for marker in ("unmarked", *SHOWN):
        line = ", ".join(f"{n} {o}" for (m, o), n in counts.items() if m == marker)
        if marker in PROGRAMS and counts[marker, "skipped"] and not shutil.which(PROGRAMS[marker][0]):
            program, remedy = PROGRAMS[marker]
            line += f": NOT RUN, {program} is not on this machine ({remedy})"
        if line:
            terminalreporter.write_line(f"{marker}: {line}")
