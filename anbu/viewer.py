"""Who sits at the command line, for the access log."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from response.access import Viewer


def viewer() -> "Viewer":
    """Who runs the command: the person behind sudo, and from which terminal."""
    import getpass
    import os
    import socket
    import sys

    from response.access import Viewer

    terminal = os.ttyname(0) if sys.stdin is not None and sys.stdin.isatty() else "-"
    name = os.environ.get("SUDO_USER") or getpass.getuser()
    return Viewer(name, f"{socket.gethostname()} {terminal}", ("*",))
