"""Who sits at the command line is what the system says, not the environment."""

import os
import pwd

import pytest

from anbu.viewer import account, viewer

LIES = dict.fromkeys(("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"), "mayor")


def test_the_environment_names_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """LOGNAME, USER and SUDO_USER are anybody's to set."""
    for name, lie in LIES.items():
        monkeypatch.setenv(name, lie)
    monkeypatch.delenv("SUDO_UID", raising=False)
    uid = os.getuid()
    assert viewer().name == f"{pwd.getpwuid(uid).pw_name} (uid {uid})"


def test_whom_sudo_made_root_is_named_beside() -> None:
    """Of root alone: whoever is somebody else is that, whatever they say sudo said."""
    kim = {**LIES, "SUDO_UID": "1"}
    assert account(0, kim) == f"root (sudo by {pwd.getpwuid(1).pw_name}, uid 1)"
    assert account(2, kim) == f"{pwd.getpwuid(2).pw_name} (uid 2)"


@pytest.mark.parametrize("wrong", ["", "mayor", "-1", "1\n", "١", "9" * 40, "1 root"])
def test_what_sudo_cannot_have_said_is_passed_over(wrong: str) -> None:
    """No number of an account."""
    assert account(0, {"SUDO_UID": wrong}) == "root (uid 0)"


def test_an_account_without_a_name_is_its_number() -> None:
    """And its name is a line of its own in nobody's log."""
    assert account(54321, {}) == "? (uid 54321)"
    assert account(0, {"SUDO_UID": "4294967295"}) == "root (sudo by ?, uid 4294967295)"


def test_an_account_with_a_name_that_deceives_is_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of accounts come from a directory that others keep."""
    entry = pwd.struct_passwd(("kim\x1b[2J\nroot (uid 0)", "x", 7, 7, "", "", ""))
    monkeypatch.setattr("pwd.getpwuid", lambda uid: entry)
    assert account(7, {}).isprintable()
