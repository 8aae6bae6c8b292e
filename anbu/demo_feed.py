"""Sends the story to the broker as feeds would, in a thread of its own, while the main thread watches."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from anbu.demo_story import HOUR, Story
from simulators.feeds import Delivery
from stream.frames import Signal
from stream.producer import FrameProducer
from stream.records import METER, Household
from stream.settings import Settings

ANSWER_S = 60.0
_NAP_S = 0.1


class Feed:
    """Three things to send, one after the other: enrolments, history, the played days. ``at``: event time reached."""

    def __init__(self, settings: Settings, story: Story, pace: float) -> None:
        self.at = story.town.midnight(0)
        self._settings = settings
        self._story = story
        self._pace = pace
        first = self.at
        self._told = [(at, h) for at, h in story.records() if at > first]
        self._enrolled = [h for at, h in story.records() if at <= first]
        self._pool = ThreadPoolExecutor(1, "feed")
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None
        self._closed = threading.Event()

    def enrol(self) -> "Future[None]":
        """Send the households."""
        return self._submit(self._enrol)

    def history(self) -> "Future[None]":
        """Send the weeks before as fast as the broker takes them; in the end the feeds say that this was all."""
        return self._submit(lambda: self._send(self._story.history(), self._story.begins, 0.0))

    def play(self) -> "Future[None]":
        """Send the played days at ``pace`` hours a second."""
        return self._submit(lambda: self._send(self._story.played(), self._story.ends, self._pace))

    def close(self) -> None:
        """Stop sending and wait for the thread."""
        self._closed.set()
        if self._running is not None:
            loop, task = self._running
            if not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, work: Callable[[], Coroutine[Any, Any, None]]) -> "Future[None]":
        async def run() -> None:
            task = asyncio.current_task()
            assert task is not None
            self._running = asyncio.get_running_loop(), task
            if self._closed.is_set():
                return
            try:
                await work()
            except asyncio.CancelledError:
                if not self._closed.is_set():
                    raise
            finally:
                self._running = None

        return self._pool.submit(lambda: asyncio.run(run()))

    async def _enrol(self) -> None:
        async with FrameProducer(self._settings, answer_s=ANSWER_S, client_id="anbu-demo") as producer:
            await asyncio.gather(*(producer.send_household(h) for h in self._enrolled))

    async def _send(self, deliveries: Iterable[Delivery], until: int, pace: float) -> None:
        settings, began, first = self._settings, time.monotonic(), self.at
        async with (
            FrameProducer(settings, answer_s=ANSWER_S, client_id="anbu-demo") as frames,
            FrameProducer(settings, answer_s=ANSWER_S, client_id="anbu-demo-json", as_json=True) as single,
        ):
            for delivery in deliveries:
                if pace:
                    await _sleep_until(began + (delivery.arrival - first) / HOUR / pace)
                for household in self._due(delivery.arrival):
                    await frames.send_household(household)
                producer = single if delivery.as_json else frames
                await producer.send(_signal(delivery), delivery.columns, delivery.feed, delivery.complete_until)
                self.at = min(max(self.at, delivery.arrival), until)
            for signal in ("meter", "phone"):
                await frames.heartbeat(signal, signal, until)
            self.at = until

    def _due(self, at: int) -> Iterable[Household]:
        while self._told and self._told[0][0] <= at:
            yield self._told.pop(0)[1]


async def _sleep_until(moment: float) -> None:
    while (left := moment - time.monotonic()) > 0:
        await asyncio.sleep(min(left, _NAP_S))


def _signal(delivery: Delivery) -> Signal:
    return "meter" if delivery.topic == METER else "phone"
