"""What every program may know of the environment it was started in: where programs and files are, and the language.

Nothing else of ours reaches a server that we start, nor a program that is run by the way: no key, no address.
"""

import os
import re
from collections.abc import Mapping

INHERITED = re.compile(
    r"PATH|HOME|LANG|LANGUAGE|LC_[A-Z]+|TZ|TZDIR|TMPDIR|TERM|COLUMNS|NO_COLOR|MALLOC_\w+|(LD|DYLD)_LIBRARY_PATH"
)
JAVA = re.compile(r"JAVA_HOME|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS")
"""What Java itself reads besides."""
NO_ACCESS_TO_OTHERS = 0o077
"""The umask under which all of ours runs: what it writes is its own account's alone."""


def bare(*more: re.Pattern[str], of: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables of ``of`` that any program may have, and those whose whole name one of ``more`` matches."""
    return {name: value for name, value in of.items() if any(p.fullmatch(name) for p in (INHERITED, *more))}
