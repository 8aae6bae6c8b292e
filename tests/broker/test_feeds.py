"""A feed that stops is the operators' matter, told once and in time; it alarms no household."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from deploy.kafka.broker import LocalBroker
from simulators.replay import alerts_since
from stream import topics
from stream.producer import FrameProducer
from stream.records import Alert, Feeds, Household
from stream.settings import FeedSettings, Settings
from tests.broker.onbroker import restored, until_included
from tests.broker.workers import Workers, until, until_async
from tests.stream.streaming import SINCE, T, empty_phone, readings

pytestmark = pytest.mark.broker

STALL_S = 4.0
TELLING_S = 6.0
"""Beyond the stall itself: partitions say what arrived every two seconds, and the machine may be busy."""
HOMES = [f"h{i}" for i in range(24)]
DAYS = 3


@pytest.fixture
def settings(broker: LocalBroker, make_settings: Callable[..., Settings]) -> Settings:
    """Four partitions; both feeds stall after a few seconds."""
    stall = FeedSettings(stall_seconds=STALL_S)
    made = make_settings(broker, session_timeout_seconds=3, feeds={"meter": stall, "phone": stall})
    topics.ensure(made)
    return made


class Feeding:
    """Both feeds, sending every half second; each can be stopped. Event time runs a minute a second."""

    def __init__(self, settings: Settings, producer: FrameProducer) -> None:
        self.meter = self.phone = True
        self._settings, self._producer = settings, producer
        self._slot = T + DAYS * 86_400

    async def past(self) -> None:
        """Enrolment, and some days of lively homes with a quiet phone feed."""
        for home in HOMES:
            await self._producer.send_household(Household(home, SINCE, "area-1", feeds=Feeds("meter", "phone")))
        await until_included(self._settings)
        times = np.arange(T, self._slot, 900)
        rng = np.random.default_rng(1)
        for day in np.split(times, DAYS):
            awake = np.repeat((np.arange(96) >= 28) & (np.arange(96) < 88), len(HOMES))
            used = np.where(awake, rng.uniform(0.05, 0.6, len(awake)), rng.uniform(0.01, 0.02, len(awake)))
            rows = readings(HOMES * len(day), np.repeat(day, len(HOMES)).tolist(), used.tolist())
            await self._producer.send_meter(rows, "meter", int(day[-1]) + 900)
            await self._producer.send_phone(empty_phone(), "phone", int(day[-1]) + 900)

    async def run(self) -> None:
        """Send until cancelled."""
        at = self._slot
        while True:
            if self.meter:
                start = at // 900 * 900
                await self._producer.send_meter(readings(HOMES, [start] * len(HOMES)), "meter", start)
            if self.phone:
                await self._producer.heartbeat("phone", "phone", at)
            at += 30
            await asyncio.sleep(0.5)


@asynccontextmanager
async def feeding(settings: Settings) -> AsyncIterator[Feeding]:
    """Feeds at work, their past included in the state."""
    async with FrameProducer(settings) as producer:
        made = Feeding(settings, producer)
        await made.past()
        await until_included(settings)
        task = asyncio.create_task(made.run())
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def told(settings: Settings, kind: str = "feed_stalled") -> list[Alert]:
    """Alerts of a kind, in order."""
    return [a for a in await alerts_since(settings, {}) if a.kind == kind]


async def test_a_feed_that_stops_is_told_once_in_time_and_cleared(settings: Settings, tmp_path: Path) -> None:
    """One alert to operators for all four partitions, within its time, none about a household; cleared when it is back.

    The phone feed has nothing to send but that it is complete so far: that keeps it alive.
    """
    async with Workers(settings, tmp_path), feeding(settings) as feeds:
        began = time.time()

        async def quiet_for_a_stall() -> bool:
            return time.time() - began > STALL_S + 1

        await until_async(quiet_for_a_stall, "both feeds are alive for longer than a stall")
        before = await told(settings)
        assert before == []

        feeds.meter = False
        stopped = time.time()

        async def raised() -> list[Alert]:
            return await told(settings)

        await until_async(raised, "feed_stalled", STALL_S + TELLING_S + 10)
        [alert] = await told(settings)
        assert (alert.event, alert.to, alert.household_id) == ("raised", "operator", "")
        assert alert.reasons[0].values["feed"] == "meter"
        assert abs(alert.onset.timestamp() - stopped) < 3
        assert STALL_S - 1 < alert.at.timestamp() - stopped < STALL_S + TELLING_S

        feeds.meter = True

        async def cleared() -> bool:
            return len(await told(settings)) > 1

        await until_async(cleared, "the feed is back", TELLING_S + 10)
        assert [(a.event, a.alert_id) for a in await told(settings)] == [
            ("raised", alert.alert_id), ("cleared", alert.alert_id),
        ]  # fmt: skip
        assert [a for a in await alerts_since(settings, {}) if a.household_id] == []


async def test_a_stopped_feed_stops_its_own_clock(settings: Settings, tmp_path: Path) -> None:
    """No silence is inferred from a meter feed that is not there: the clock stays where its data ends."""
    async with Workers(settings, tmp_path) as workers, feeding(settings) as feeds:
        feeds.meter = False

        async def raised() -> list[Alert]:
            return await told(settings)

        await until_async(raised, "feed_stalled", STALL_S + TELLING_S + 10)
        clocks = {p: (await restored(settings, p))[0].marks for p in range(settings.partitions)}
        for marks in clocks.values():
            assert marks.clock == marks.sources["meter"].until
            assert (marks.sources["phone"].until or 0) >= (marks.clock or 0)
        ages = [workers[0].total("anbu_watermark_age_seconds", feed="meter", partition=str(p)) for p in clocks]
        assert all(age > 0 for age in ages)


async def test_a_stall_outlives_the_worker_that_told_it(settings: Settings, tmp_path: Path) -> None:
    """Killed and started again, the judge of feeds neither tells the same stall again nor forgets to clear it."""
    async with Workers(settings, tmp_path) as workers, feeding(settings) as feeds:
        feeds.meter = False

        async def raised() -> list[Alert]:
            return await told(settings)

        await until_async(raised, "feed_stalled", STALL_S + TELLING_S + 10)
        workers[0].kill()
        await until(lambda: workers.ended == [(0, -9)], "it is gone")
        await until(lambda: len(workers[0].owns()) == settings.partitions, "it is back")
        feeds.meter = True

        async def cleared() -> bool:
            return len([a for a in await told(settings) if a.event == "cleared"]) > 0

        await until_async(cleared, "the feed is back", TELLING_S + 20)
        meter = [(a.event, a.alert_id) for a in await told(settings) if a.reasons[0].values["feed"] == "meter"]
        assert [event for event, _ in meter] == ["raised", "cleared"]
        assert len({i for _, i in meter}) == 1
