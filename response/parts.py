"""The parts of the process: each is run until the process stops, whatever ends it; one that does not run is told."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

log = structlog.get_logger()
PAUSE_S = 5.0
"""After a fault a part waits so long."""
STILL_S = 120.0
"""A part that has not come round for so long, its own pause aside, stands still."""
WAIT_S = 5.0


@dataclass(slots=True)
class Parts:
    """``beat``: told in a thread that a part has done its round; ``fault``: that one failed or ended.

    ``down``: parts that ended and do not run again yet, with why; ``turned``: when each came round (monotonic), and by
    when it has to have come round again. Both may be read from any thread.
    """

    stopping: asyncio.Event
    beat: Callable[[str], None]
    fault: Callable[[str], None]
    down: dict[str, str] = field(default_factory=dict)
    turned: dict[str, float] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """What does not run, a sentence each."""
        now = time.monotonic()
        found = [f"the part {name!r} has ended and is started again ({why})" for name, why in self.down.items()]
        late = [name for name, by in self.turned.items() if by < now and name not in self.down]
        return found + [f"the part {name!r} stands still" for name in late]

    async def keep(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a part, and again whenever it ends, until the process stops."""
        while not self.stopping.is_set():
            task = asyncio.create_task(run(), name=name)
            try:
                await asyncio.wait({task})
            finally:
                task.cancel()
            if self.stopping.is_set():
                return
            self.down[name] = _why(task)
            self.fault(name)
            log.error("a part of the response has ended and is started again", part=name, detail=self.down[name])
            await within(self.stopping.wait(), PAUSE_S)

    def runs(self, name: str, pause: float = 0.0) -> None:
        """A part has come round."""
        self.down.pop(name, None)
        self.turned[name] = time.monotonic() + pause + STILL_S

    async def rounds(
        self, name: str, work: Callable[[], Awaitable[int]], pause: float, after: asyncio.Event | None = None
    ) -> None:
        """Round after round; without pause while there is something to do. Before ``after`` none is begun."""
        while not self.stopping.is_set():
            try:
                waits = after is not None and not after.is_set()
                count = 0 if waits else await work()
                await asyncio.to_thread(self.beat, name)
            except Exception as e:  # a database or a broker that is away: everything is still where it was
                self.fault(name)
                said = f"{type(e).__name__}: {e}"[:300]
                log.error("a part of the response failed and goes on", part=name, detail=said)
                self.runs(name, pause)
                await within(self.stopping.wait(), PAUSE_S)
                continue
            self.runs(name, pause)
            if waits and after is not None:
                await within(after.wait(), WAIT_S)
            elif not count and pause:
                await within(self.stopping.wait(), pause)


def _why(task: "asyncio.Task[None]") -> str:
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    return "it returned" if error is None else f"{type(error).__name__}: {error}"[:300]


async def within(waiting: Awaitable[object], seconds: float) -> None:
    """Wait for something, so long at most."""
    try:
        async with asyncio.timeout(seconds):
            await waiting
    except TimeoutError:
        pass
