"""Why the database ended, in one line, from what it left in its log."""

import re

_TELLING = (r"No space left on device", r"\bPANIC: ", r"\bFATAL: ", r"\berror: ")
"""The most telling first; of several lines that match, the last."""
_PREFIX = re.compile(r"^.*?(PANIC|FATAL|error): +")
_OWN_SESSIONS = re.compile(r"the database system is (starting|shutting)|terminating connection")


def reason_in_log(text: str, exit_code: int | None = None) -> str:
    """The line of the server's output that says best why it ended, without time and process.

    ``exit_code``: of the process, negative for a signal; None while it runs.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _OWN_SESSIONS.search(line)]
    for pattern in _TELLING:
        found = [line for line in lines if re.search(pattern, line)]
        if found:
            line = _PREFIX.sub("", found[-1])
            return f"the disk is full ({line}): free some space and run again" if "No space left" in line else line
    if exit_code is not None and exit_code < 0:
        return f"it was ended by signal {-exit_code}; with 9, the machine may be short of memory"
    return lines[-1] if lines else "it said nothing"
