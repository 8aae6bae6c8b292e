"""How a server of ours ended, where its log is not the one to say: by a signal, or because it was asked to."""

import signal

_ASKED = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_OF_JAVA = 128
"""A Java that was asked to end by a signal ends with this more than its number."""
LAST_LINES = 300
"""Why a server ended stands among its last lines; those before are of troubles that it outlived."""


def by_signal(exit_code: int | None) -> str | None:
    """The reason, for the exit code of a process (negative: a signal); None where the server ended by itself with an
    error, or still runs: its log says why."""
    if exit_code is None:
        return None
    if exit_code == 0:
        return "it was asked to end, and did so (exit code 0)"
    signum = -exit_code if exit_code < 0 else exit_code - _OF_JAVA
    if exit_code > 0 and signum not in _ASKED:
        return None
    if signum in _ASKED:
        return f"it was asked to end by {_name(signum)}"
    advice = ": somebody killed it, or the machine is short of memory" if signum == signal.SIGKILL else ""
    return f"it was ended by signal {signum} ({_name(signum)}){advice}"


def last_lines(text: str) -> list[str]:
    """The last lines of what a server said, without blanks."""
    return [line.strip() for line in text.splitlines() if line.strip()][-LAST_LINES:]


def _name(signum: int) -> str:
    try:
        return signal.Signals(signum).name
    except ValueError:
        return f"signal {signum}"
