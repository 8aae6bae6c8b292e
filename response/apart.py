"""One bad record never blocks the next: what fails by a fault of its own is said and left, the others go on."""

from collections.abc import Callable

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

logger = structlog.get_logger()
_LIMITS = "54"
"""Class of PostgreSQL's errors of what is too large: they come as operational ones, yet the fault is the record's."""


def away(error: Exception) -> bool:
    """Whether it is the database that does not answer or cannot now: no fault of the record, so it is waited for."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return not str(getattr(error.orig, "sqlstate", None) or "").startswith(_LIMITS)


def apart(work: Callable[[], object], what: str, **of: object) -> bool:
    """Do something by itself; whether it went well. Its fault is logged as ``what``, one of the database raised."""
    try:
        work()
    except Exception as e:
        if away(e):
            raise
        logger.error(what, **of, detail=f"{type(e).__name__}: {e}"[:300])
        return False
    return True
