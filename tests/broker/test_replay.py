"""History through the broker gives the backtest's alerts, record for record, whatever happens to workers and broker."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.kafka.broker import LocalBroker
from simulators.backtest import backtest, in_time
from simulators.replay import Delivery, replay
from stream import topics
from stream.records import Alert
from stream.settings import Settings
from tests.broker.workers import Workers, until
from tests.histories import History, eventful

pytestmark = pytest.mark.broker

SHUFFLED = Delivery(lateness_minutes=45, repeated=0.1, rows_per_frame=200)
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


class Progress:
    """How far the slowest partition's clock has got, as a share of the history."""

    def __init__(self) -> None:
        self.share = 0.0

    def __call__(self, done: int, total: int) -> None:
        self.share = done / total

    async def reaches(self, share: float) -> None:
        """Wait for a share of the history to be judged; there must be more to come."""
        await until(lambda: self.share >= share, f"{share:.0%} judged (at {self.share:.0%})", 90)
        assert self.share < 0.97, "all was judged before the fault came: make the history longer"


async def replayed(history: History, settings: Settings, harm: Callable[[Progress], object]) -> list[Alert]:
    """Alerts of a replay during which ``harm`` happens; it must have ended while data was still flowing."""
    progress = Progress()
    harming = asyncio.ensure_future(harm(progress))  # type: ignore[call-overload]
    got = asyncio.create_task(
        replay(history.meter, history.phone, history.households, settings, progress, SHUFFLED)
    )
    done, _ = await asyncio.wait({harming, got}, timeout=150, return_when=asyncio.FIRST_COMPLETED)
    assert done, f"neither done after 150 s; {progress.share:.0%} judged"
    if got in done and not harming.done():
        harming.cancel()
        got.result()
        raise AssertionError("everything was judged before the faults were over: make the history longer")
    await harming
    async with asyncio.timeout(100):
        return [a for a in await got if a.kind != "feed_stalled"]


def same(got: list[Alert], history: History, settings: Settings) -> None:
    """The alerts are the backtest's, every field of every record, in the same order."""
    want = sorted(backtest(history.meter, history.phone, history.households, settings), key=in_time)
    assert Counter((a.kind, a.event, a.level) for a in want).keys() >= EVERY_KIND
    assert [(a.at, a.alert_id, a.event) for a in got] == [(a.at, a.alert_id, a.event) for a in want]
    assert got == want


async def test_alerts_survive_kills_freezes_and_a_broker_crash(
    own_broker: LocalBroker, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    """Shuffled and repeated, a worker killed -9, one frozen past its session and woken, the broker killed: the same."""
    settings = make_settings(own_broker, session_timeout_seconds=4, batch_frames=20)
    topics.ensure(settings)
    history = eventful()
    async with Workers(settings, tmp_path, 2) as workers:

        async def harm(progress: Progress) -> None:
            await progress.reaches(0.1)
            workers[0].kill()
            await until(lambda: workers.ended == [(0, -9)], "worker 0 is gone")
            await until(workers.all_owned, "worker 0 is back and partitions are shared")
            await progress.reaches(0.3)
            frozen = workers[1]
            frozen.freeze()
            await until(lambda: len(workers[0].owns()) == settings.partitions, "worker 0 has taken all over")
            frozen.wake()
            await until(workers.all_owned, "both share the partitions again")
            assert frozen.code in (None, 70)
            await progress.reaches(0.6)
            own_broker.kill()
            await asyncio.to_thread(own_broker.start)
            assert progress.share < 0.97

        await until(workers.all_owned, "all partitions are owned")
        got = await replayed(history, settings, harm)
        assert [code for _, code in workers.ended[1:] if code != 70] == []
    same(got, history, settings)
