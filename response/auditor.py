"""The auditor at work, in a thread and with a connection of its own: whatever stands still, it does not.

It looks every minute. Only where all is well the dead man's switch is asked; its silence is the alarm.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import aiohttp
import structlog
from sqlalchemy import Engine

from response import audit
from response.metrics import ResponseMetrics
from response.past import Past
from response.settings import ResponseSettings

log = structlog.get_logger()
EVERY_S = 60.0
FIRST_S = 10.0
"""Every part has done a round by then."""
PATIENCE = 5
"""So many looks long what was on the topics at the start may be taken, before what is late is a fault."""
PING_S = 10.0


@dataclass(slots=True)
class Auditor:
    """``parts``: what does not run in this process; ``caught_up``: whether people may be called yet."""

    engine: Engine
    own: ResponseSettings
    metrics: ResponseMetrics
    past: Past
    clock: Callable[[], datetime]
    parts: Callable[[], list[str]]
    caught_up: Callable[[], bool]
    stopping: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, name="auditor", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self.thread.start()

    def close(self) -> None:
        """End."""
        self.stopping.set()
        self.thread.join(PING_S)
        self.engine.dispose()

    def look(self) -> list[str]:
        """Look once: metrics and log say what is wrong, the switch is asked where nothing is."""
        try:
            found = self.parts()
            with self.engine.connect() as conn:
                found += audit.problems(conn, self.clock(), self.own.lease_seconds, past=self.past)
        except Exception as e:  # what cannot be looked at is not well
            found = [f"the auditor cannot look: {type(e).__name__}"]
            self.metrics.fault("audit")
        self.metrics.audited(not found)
        for problem in found:
            log.error("audit", problem=problem)
        if not found and self.own.deadman_url:
            self._ask()
        return found

    def _ask(self) -> None:
        try:
            asyncio.run(_get(self.own.deadman_url))
        except (aiohttp.ClientError, OSError, ValueError) as e:
            self.metrics.fault("audit")
            log.error("the dead man's switch does not answer", detail=_said(e))

    def _run(self) -> None:
        early, wait = PATIENCE, FIRST_S
        while not self.stopping.wait(wait):
            wait = EVERY_S
            early -= 1
            if self.caught_up() or early < 0:
                self.look()


def _said(error: Exception) -> str:
    """What went wrong, without the address, which is a secret: whoever has it can say that all is well."""
    if isinstance(error, aiohttp.ClientResponseError):
        return f"HTTP {error.status}"
    return type(error).__name__


async def _get(url: str) -> None:
    """Ask, within PING_S whatever comes how slowly; nothing of the answer is read but whether it is one."""
    timeout = aiohttp.ClientTimeout(total=PING_S)
    async with (
        aiohttp.ClientSession(timeout=timeout, trust_env=True, raise_for_status=True) as session, session.get(url),
    ):  # fmt: skip
        pass
