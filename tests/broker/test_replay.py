"""History through the broker gives the backtest's alerts, record for record, whatever happens to workers and broker."""

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import pytest

from deploy.kafka.broker import LocalBroker
from simulators.backtest import backtest, in_order, in_time, span
from simulators.replay import Delivery, Follower, _parts, replay
from stream import topics
from stream.records import ALERTS, Alert, AreaWarning
from stream.settings import Settings
from tests.broker.onbroker import configure
from tests.broker.workers import Workers, until, until_async
from tests.histories import History, eventful

pytestmark = pytest.mark.broker

SHUFFLED = Delivery(lateness_minutes=45, repeated=0.1, rows_per_frame=100)
LIMIT_S = 150
EVERY_KIND = {
    ("silence", "raised", "attention"),
    ("silence", "raised", "caution"),
    ("silence", "level_changed", "serious"),
    ("silence", "cleared", "attention"),
    ("data_gap", "raised", "attention"),
    ("data_gap", "cleared", "attention"),
    ("area_outage", "raised", "caution"),
    ("area_outage", "cleared", "caution"),
}


class Replay:
    """A replay in a thread of its own. It is sent up to a share of the history at a time, so that at each fault there
    is data on its way and data still to come."""

    def __init__(self, history: History, settings: Settings) -> None:
        self._history, self._settings = history, settings
        self._first, self._last = first, last = span(in_order(history.meter), in_order(history.phone))
        self._parts = sum(1 for _ in _parts(history.meter, history.phone, first, last, SHUFFLED))
        self._sent = 0
        self._until = 0.0
        self._over = False
        self._more = threading.Condition()
        self._alerts: asyncio.Future[list[Alert]] | None = None

    async def __aenter__(self) -> Self:
        self._alerts = asyncio.ensure_future(asyncio.to_thread(asyncio.run, self._run()))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over = True
        self.send_until(1.0)
        assert self._alerts is not None
        await asyncio.wait([self._alerts], timeout=LIMIT_S)

    def send_until(self, share: float) -> None:
        """Let more be sent."""
        with self._more:
            self._until = share
            self._more.notify()

    async def is_judged(self, share: float) -> None:
        """Wait until the slowest partition's clock has passed this share of the history; there is more to come."""
        async with Follower(self._settings) as follower:

            async def judged() -> float:
                await follower.look()
                clocks = follower.clocks.values()
                behind = self._first if len(clocks) < self._settings.partitions else min(clocks)
                return (behind - self._first) / (self._last - self._first)

            async def far_enough() -> bool:
                return await judged() >= share

            await until_async(far_enough, f"{share:.0%} of the history is judged")
            assert await judged() < self._until
        assert self._sent < self._parts

    async def alerts(self) -> list[Alert]:
        """What the whole of it gave, but for feeds that were said to be stalled."""
        self.send_until(1.0)
        assert self._alerts is not None
        async with asyncio.timeout(LIMIT_S):
            return [a for a in await self._alerts if a.kind != "feed_stalled"]

    def _told(self, done: int, total: int) -> None:
        """Called after each part is sent, and on and on when all are."""
        self._sent += 1
        if self._over and done < total:
            raise RuntimeError("the test is over")
        with self._more:
            self._more.wait_for(lambda: self._until * self._parts >= min(self._sent, self._parts), LIMIT_S)

    async def _run(self) -> list[Alert]:
        history = self._history
        return await replay(history.meter, history.phone, history.households, self._settings, self._told, SHUFFLED)


def same(got: list[Alert], history: History, settings: Settings) -> None:
    """The alerts are the backtest's, every field of every record, in the same order."""
    want = sorted(backtest(history.meter, history.phone, history.households, settings), key=in_time)
    assert Counter((a.kind, a.event, a.level) for a in want).keys() >= EVERY_KIND
    assert [(a.at, a.alert_id, a.event) for a in got] == [(a.at, a.alert_id, a.event) for a in want]
    assert got == want


async def test_warnings_reach_every_lane(settings: Settings, tmp_path: Path) -> None:
    """Sent once, known in every partition: the replay's alerts are the backtest's under the same warnings."""
    history = eventful(64, 18)
    begin = datetime.fromtimestamp(int(history.meter.start.min()), UTC)
    areas = sorted({h.area for h in history.households})
    warnings = [AreaWarning(a, "heat", 2, begin + timedelta(days=3), begin + timedelta(days=17)) for a in areas]
    want = sorted(
        backtest(history.meter, history.phone, history.households, settings, warnings=warnings), key=in_time
    )
    assert sum(r.code == "heat_limit" for a in want for r in a.reasons) > 0
    async with Workers(settings, tmp_path, 1) as workers:
        await until(workers.all_owned, "all partitions are owned")
        got = await replay(history.meter, history.phone, history.households, settings, warnings=warnings)
    assert [a for a in got if a.kind != "feed_stalled"] == want


async def test_alerts_survive_kills_freezes_and_a_broker_crash(
    own_broker: LocalBroker, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    """Shuffled and repeated, a worker killed -9, one frozen past its session and woken, alerts refused for a while, the
    broker killed: the same."""
    settings = make_settings(own_broker, session_timeout_seconds=4, batch_frames=10)
    topics.ensure(settings)
    history = eventful()
    run = Replay(history, settings)

    async def kill(workers: Workers) -> None:
        workers[0].kill()
        await until(lambda: workers.ended == [(0, -9)], "worker 0 is gone")
        run.send_until(0.4)
        await until(workers.all_owned, "worker 0 is back and partitions are shared")

    async def freeze(workers: Workers) -> None:
        frozen = workers[1]
        frozen.freeze()
        run.send_until(0.7)
        await until(lambda: len(workers[0].owns()) == settings.partitions, "worker 0 has taken all over")
        frozen.wake()
        await until(workers.all_owned, "both share the partitions again")
        assert frozen.code in (None, 70)

    well_set: list[tuple[int, int]] = []

    async def refuse(workers: Workers) -> None:
        well_set.extend(workers.ended[1:])
        await asyncio.to_thread(configure, settings, ALERTS, max_message_bytes="100")
        run.send_until(0.85)
        await until(
            lambda: sum(workers[i].total("anbu_writes_refused_total", topic=ALERTS) for i in (0, 1)), "it is refused"
        )
        await asyncio.to_thread(configure, settings, ALERTS, max_message_bytes=str(4 << 20))

    async def crash(workers: Workers) -> None:
        own_broker.kill()
        await asyncio.to_thread(own_broker.start)

    faults: list[tuple[float, Callable[[Workers], Awaitable[None]]]] = [
        (0.1, kill), (0.3, freeze), (0.5, refuse), (0.6, crash),
    ]  # fmt: skip
    async with Workers(settings, tmp_path, 2) as workers, run:
        await until(workers.all_owned, "all partitions are owned")
        run.send_until(0.2)
        for share, fault in faults:
            await run.is_judged(share)
            await fault(workers)
        got = await run.alerts()
        assert {code for _, code in well_set} <= {70}
        # 2: it started while the topic was set wrongly, says so in a line, and is started again.
        assert {code for _, code in workers.ended[1:]} <= {70, 2}
    same(got, history, settings)
