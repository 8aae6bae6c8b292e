"""Who truly sits at the command line: the account that the system gave the process, whatever its environment says."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from stream.plain import plain

if TYPE_CHECKING:
    from response.access import Viewer


def viewer() -> "Viewer":
    """Who runs the command, and from which terminal."""
    import os
    import socket

    from response.access import Viewer

    terminal = os.ttyname(0) if os.isatty(0) else "-"
    return Viewer(account(os.getuid(), os.environ), f"{socket.gethostname()} {terminal}", ("*",))


def account(uid: int, environment: Mapping[str, str]) -> str:
    """The account of a process, as logs keep it: ``kim (uid 1001)``; whom sudo made root is named too: ``root (sudo by
    kim, uid 1001)``. What sudo says is believed of root alone, who needs no lie; names in the environment never. The
    blank in it is in no person's id: nobody is registered as an account."""
    before = environment.get("SUDO_UID", "")
    if uid == 0 and before.isascii() and before.isdecimal() and len(before) <= 10:
        return f"{_name(uid)} (sudo by {_name(int(before))}, uid {int(before)})"
    return f"{_name(uid)} (uid {uid})"


def _name(uid: int) -> str:
    import pwd

    try:
        return plain(pwd.getpwuid(uid).pw_name, 32)
    except (KeyError, OverflowError):
        return "?"
