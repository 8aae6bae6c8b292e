"""From an alert to a dialled call: 500 alerts in an hour, and 500 at once, with simulated residents.

    python -m benchmarks.calls [--alerts 500] [--lines 20] [--faster 60]

Real are the database, the desk, the ladder, the outbox and its senders; simulated are the residents. The clock runs
``--faster`` times (of those at once a sixth of that), so our own share is told that many times too large. Prints
seconds of the story.
"""

import argparse
import asyncio
import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import structlog

from deploy.postgres.logins import OWNER
from deploy.postgres.server import LocalPostgres
from response import database, outbox, people_files
from response.access import Viewer
from response.channels.make import Channels
from response.desk import Desk, desk_of
from response.gateways.simulated import SimulatedGateway
from response.people_files import import_people
from response.records import Call, CalledBack, CallResult, Person
from response.senders import Post
from response.settings import ResponseSettings
from response.vault import Vault, new_key
from stream.records import Alert, DeadLetter, Household, ReasonCode

BEGIN = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)  # a Wednesday, 10:00 in Seoul
HOUR_S = 3600.0


@dataclass
class Clock:
    """The story's time: so many times faster than the wall's."""

    faster: float
    began: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        return BEGIN + timedelta(seconds=(time.monotonic() - self.began) * self.faster)


@dataclass
class Dialled:
    """A gateway that notes, of each resident's first call, how long after the alert it was dialled."""

    gateway: SimulatedGateway
    clock: Clock
    offsets: np.ndarray
    waits: dict[str, float] = field(default_factory=dict)
    name: str = "simulated"
    real: bool = False

    async def start(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Hang up."""
        await self.gateway.close()

    async def place(self, call: Call) -> CallResult:
        """Note, and ring."""
        since = (self.clock() - BEGIN).total_seconds() - self.offsets[int(call.person_id[1:])]
        self.waits.setdefault(call.person_id, since)
        return await self.gateway.place(call)


class Nowhere:
    """The topics of this benchmark."""

    async def send_household(self, household: Household) -> None:
        """Taken."""

    async def send_dead_letter(self, letter: DeadLetter) -> None:
        """Taken."""


async def _nobody(call: CalledBack) -> None:
    """Nobody rings back."""


def alert(number: int, at: datetime) -> Alert:
    """A silent resident."""
    return Alert(
        "raised", f"alert-{number}", f"h{number}", "silence", "caution", "resident", at, at - timedelta(hours=12), None,
        100.0, (ReasonCode("silent", {"hours": 16.0}),), "조용합니다.", "Silent.", "a1", "d1",
    )  # fmt: skip


async def play(desk: Desk, post: Post, clock: Clock, offsets: np.ndarray, waits: dict[str, float]) -> None:
    """Alerts at ``offsets`` (seconds of the story), the tick and the senders beside, until all are dialled once."""

    async def alerts() -> None:
        for number, offset in enumerate(offsets):
            while (left := offset - (clock() - BEGIN).total_seconds()) > 0:
                await asyncio.sleep(left / clock.faster)
            await asyncio.to_thread(_take, desk, alert(number, clock()), clock)

    async def rounds(work: Callable[[], object]) -> None:
        while True:
            count = await work()  # type: ignore[misc]
            if not count:
                await asyncio.sleep(1.0 / clock.faster)

    async def tick() -> int:
        count = await asyncio.to_thread(desk.due, clock())
        return count + await asyncio.to_thread(outbox.expired, desk, clock())

    tasks = [asyncio.create_task(rounds(work)) for work in (tick, post.calls, post.messages)]
    await alerts()
    while len(waits) < len(offsets):
        await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await post.close()


def _take(desk: Desk, one: Alert, clock: Clock) -> None:
    with desk.transaction() as conn:
        desk.alert(conn, one, clock())


def measure(name: str, offsets: np.ndarray, lines: int, faster: float, folder: Path) -> None:
    """One run on a database of its own, and its line."""
    own = ResponseSettings(concurrent_calls=lines)
    vault = Vault([new_key()])
    with LocalPostgres(folder) as server:
        database.migrate(server.url_of(OWNER))
        engine = database.engine(server.url_of(), pool_size=20)
        _people(engine, vault, len(offsets), folder.parent / f"{name}.csv")
        clock = Clock(faster)
        desk = desk_of(engine, own, "Asia/Seoul")
        ringing = SimulatedGateway(
            own.residents, pace=1 / faster, concurrent=lines, on_call_back=_nobody, clock=clock
        )
        gateway = Dialled(ringing, clock, offsets)
        post = Post(
            desk, own, vault, gateway, Channels([], drill=False), Nowhere(), False, "bench", clock
        )  # fmt: skip
        clock.began = time.monotonic()
        asyncio.run(play(desk, post, clock, offsets, gateway.waits))
        engine.dispose()
    waits = np.sort(list(gateway.waits.values()))
    p50, p95 = np.percentile(waits, [50, 95])
    told = f"p50 {p50:6.1f} s, p95 {p95:6.1f} s, longest {waits[-1]:6.1f} s"
    print(f"{name:<12} {len(offsets):>5} alerts, {lines} lines: {told}")


def _people(engine: database.Engine, vault: Vault, count: int, path: Path) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        people = (Person(f"r{n}", "resident", "d1", f"h{n}", "김영자", f"010-0000-{n:04d}") for n in range(count))
        people_files.write(file, people)
    with engine.begin() as conn:
        import_people(conn, vault, path, Viewer("bench", "bench", ("*",)), BEGIN)


def main() -> None:
    """Both runs."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--alerts", type=int, default=500)
    options.add_argument("--lines", type=int, default=20)
    options.add_argument("--faster", type=float, default=60.0)
    args = options.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    spread = np.sort(np.random.default_rng(1).uniform(0, HOUR_S, args.alerts))
    with tempfile.TemporaryDirectory() as folder:
        measure("in an hour", spread, args.lines, args.faster, Path(folder) / "a")
        measure("at once", np.zeros(args.alerts), args.lines, args.faster / 6, Path(folder) / "b")


if __name__ == "__main__":
    main()
