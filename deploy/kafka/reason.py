"""Why a broker ended, in one line, from what it left in its log."""

import re

from deploy.ended import by_signal, last_lines

_TELLING = (
    r"No space left on device",
    r"Address already in use",
    r"^Error occurred during initialization",
    r"^Caused by: ",
    r"^[\w.$]+(Exception|Error): ",
    r"^\[[^]]*\] (ERROR|FATAL) ",
    r"\berror: ",
)
"""The most telling first; of several lines that match, the last."""

_PREFIX = re.compile(r"^(\[[^]]*\] (ERROR|FATAL) |Caused by: )")


def reason_in_log(text: str, exit_code: int | None = None) -> str:
    """Why a broker ended: the signal that ended it, else the line of its output that says it best, without time and
    stack, with advice where known.

    ``exit_code``: of the process, negative for a signal; None while it runs.
    """
    if (signalled := by_signal(exit_code)) is not None:
        return signalled
    lines = last_lines(text)
    for pattern in _TELLING:
        found = [i for i, line in enumerate(lines) if re.search(pattern, line)]
        if found:
            line = _PREFIX.sub("", lines[found[-1]])
            if line.startswith("Error occurred during initialization"):  # the machine's reason is in the next line
                line = " ".join(lines[found[-1] : found[-1] + 2])
            return _with_advice(line)
    return lines[-1] if lines else "it said nothing"


def _with_advice(line: str) -> str:
    if "No space left on device" in line:
        return f"the disk is full ({line}): free some space and run again"
    if "Address already in use" in line:
        return f"a port is taken ({line}): choose another with ANBU_BROKER__BOOTSTRAP"
    return line
