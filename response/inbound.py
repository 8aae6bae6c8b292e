"""What comes in from outside (a key, a call's end) while the database is away: it is kept, and tried again until it is
stored."""

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

AGAIN_S = 1.0
AT_MOST_S = 15.0
log = structlog.get_logger(__name__)


def _unwatched(change: int) -> None:
    """Nobody counts."""


async def until_stored(
    write: Callable[[], object], what: str, waiting: Callable[[int], None] = _unwatched
) -> None:
    """Call ``write`` (in a thread; a second time must be harmless) until the database takes it. ``what``: how the log
    names it, without personal data. ``waiting``: told +1 when it is not stored at once, -1 when that is over.

    Raises what ``write`` raises for another reason than the database; cancelled, the log says what is lost.
    """
    try:
        await asyncio.to_thread(write)
        return
    except SQLAlchemyError as e:
        log.error("not_stored_yet", what=what, error=type(e).__name__, remedy="it is kept and tried again")
    again_s = AGAIN_S
    waiting(1)
    try:
        while True:
            await asyncio.sleep(again_s)
            again_s = min(2 * again_s, AT_MOST_S)
            try:
                await asyncio.to_thread(write)
            except SQLAlchemyError as e:
                log.error("not_stored_yet", what=what, error=type(e).__name__, again_in_s=again_s)
            else:
                log.warning("stored_late", what=what)
                return
    except asyncio.CancelledError:
        log.critical("never_stored", what=what, remedy="we ended while the database was away")
        raise
    finally:
        waiting(-1)
