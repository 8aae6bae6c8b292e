"""Why the database ended, in one line, from what it left in its log."""

import re

from deploy.ended import by_signal, last_lines

_TELLING = (r"No space left on device", r"\bPANIC: ", r"\bFATAL: ", r"\berror: ")
"""The most telling first; of several lines that match, the last."""
_PREFIX = re.compile(r"^.*?(PANIC|FATAL|error): +")
_OWN_SESSIONS = re.compile(r"the database system is (starting|shutting)|terminating connection")


def reason_in_log(text: str, exit_code: int | None = None) -> str:
    """Why the server ended: the signal that ended it, else the line of its output that says it best, without time and
    process.

    ``exit_code``: of the process, negative for a signal; None while it runs.
    """
    if (signalled := by_signal(exit_code)) is not None:
        return signalled
    lines = [line for line in last_lines(text) if not _OWN_SESSIONS.search(line)]
    for pattern in _TELLING:
        found = [line for line in lines if re.search(pattern, line)]
        if found:
            line = _PREFIX.sub("", found[-1])
            return f"the disk is full ({line}): free some space and run again" if "No space left" in line else line
    return lines[-1] if lines else "it said nothing"
