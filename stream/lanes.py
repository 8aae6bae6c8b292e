"""All lanes of one worker process: taken over, paused and given up as the group is rebalanced."""

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from aiokafka.errors import ProducerFenced

from stream.lane import Lane
from stream.mark import Mark
from stream.metrics import Metrics
from stream.patience import patiently
from stream.producer import FrameProducer
from stream.settings import Settings
from stream.widelane import WideLane

Openable = TypeVar("Openable", Lane, WideLane)

log = structlog.get_logger()
FAILED = 70
_AT_ONCE = 4


class Lanes:
    """The partitions this process judges."""

    def __init__(self, settings: Settings, metrics: Metrics, mark: Mark | None = None) -> None:
        self.settings = settings
        self.metrics = metrics
        self._mark = mark
        self.passer = FrameProducer(settings, client_id="anbu-passer")
        self.seek: Callable[[str, int, int], Awaitable[None]] | None = None
        self.ready = False
        self._lanes: dict[int, Lane] = {}
        self._wide: WideLane | None = None
        self._passing = False
        self._changing = asyncio.Lock()

    def get(self, partition: int) -> Lane | None:
        """The lane of a partition, None where it is not ours."""
        return self._lanes.get(partition)

    def __iter__(self) -> Any:
        return iter(self._lanes.values())

    def unwritten(self) -> tuple[float, str]:
        """For how long the longest waiting results have not been written, and why; (0, "") where all are."""
        found = [(lane.unwritten.seconds(), lane.store.refusal) for lane in list(self._lanes.values())]
        if (wide := self._wide) is not None:
            found.append((wide.unwritten.seconds(), wide.store.refusal))
        return max(found, default=(0.0, ""))

    async def take_over(
        self, partitions: set[int], earliest: dict[tuple[str, int], int]
    ) -> dict[int, dict[str, int]]:
        """Own exactly ``partitions``. Returns the offsets to read from, per partition and plain topic name.

        Faust cancels this when the group is rebalanced again meanwhile: what was being opened is closed again, and the
        next call waits for that.
        """
        async with self._changing:
            self.ready = False
            if not self._passing:
                await patiently(self.passer.start)
                self._passing = True
            await self.pause()
            await self._give_up(self._lanes.keys() - partitions)
            if self._wide is not None and 0 not in partitions:
                await self._give_up_wide()
            gate = asyncio.Semaphore(_AT_ONCE)
            async with asyncio.TaskGroup() as opening:
                for number in sorted(partitions - self._lanes.keys()):
                    opening.create_task(self._open(number, earliest, gate))
            if self._wide is None and 0 in partitions:
                self._wide = await _opened(WideLane(self.settings, self.metrics))
                self._wide.start(self._failed)
            if self._wide is not None:
                self._wide.resume()
            self.ready = True
            return {number: lane.resume() for number, lane in self._lanes.items()}

    async def pause(self) -> None:
        """Let every lane finish its transaction and start no other."""
        wide = [self._wide.pause()] if self._wide is not None else []
        await asyncio.gather(*(lane.pause() for lane in self._lanes.values()), *wide)

    async def close(self) -> None:
        """Give everything up."""
        async with self._changing:
            self.ready = False
            await self._give_up(set(self._lanes))
            await self._give_up_wide()
            if self._passing:
                self._passing = False
                await self.passer.stop()

    async def _give_up(self, partitions: set[int]) -> None:
        for number in sorted(partitions):
            await asyncio.shield(self._lanes.pop(number).close())

    async def _give_up_wide(self) -> None:
        if self._wide is not None:
            wide, self._wide = self._wide, None
            await asyncio.shield(wide.close())

    def faust_credentials(self) -> Any:
        """TLS and SASL in Faust's words."""
        from faust.auth import SASLCredentials, SSLCredentials

        from stream.kafka import client_options

        options = client_options(self.settings)
        context: ssl.SSLContext | None = options.get("ssl_context")
        if self.settings.broker.security_protocol == "SSL":
            return SSLCredentials(context)
        return SASLCredentials(
            username=options.get("sasl_plain_username"),
            password=options.get("sasl_plain_password"),
            mechanism=options.get("sasl_mechanism"),
            ssl_context=context,
        )

    async def _open(self, number: int, earliest: dict[tuple[str, int], int], gate: asyncio.Semaphore) -> None:
        async def seek(topic: str, partition: int, offset: int) -> None:
            if self.seek is not None:
                await self.seek(topic, partition, offset)

        async with gate:
            lane = Lane(number, self.settings, self.metrics, self.passer, seek, self._mark)
            lane.earliest = {topic: offset for (topic, p), offset in earliest.items() if p == number}
            self._lanes[number] = await _opened(lane)
            lane.start(self._failed)

    def _failed(self, error: BaseException) -> None:
        """What is stored is no longer known here: end at once; the successor starts from what is stored."""
        if isinstance(error, ProducerFenced):
            self.metrics.fenced.inc()
            log.error("another worker has taken over: this one ends and starts anew")
        else:
            log.error("a lane failed: this worker ends and starts anew from the state", exc_info=error)
        os._exit(FAILED)


async def _opened(opening: Openable) -> Openable:
    """Open a lane; one that could not be opened, or must not any more, is closed again."""
    try:
        await opening.open()
    except BaseException:
        await asyncio.shield(opening.close())
        raise
    return opening
