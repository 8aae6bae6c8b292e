"""A broker that is away is waited for, with one line now and then: no process of ours ends because of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiokafka.errors
import kafka.errors
import structlog
from aiokafka.client import AIOKafkaClient

from stream.kafka import BrokerUnreachableError

log = structlog.get_logger()
SAY_S = 30.0
PAUSE_S = 1.0
_PAUSE_OF_CLIENT_S = 0.2
_AWAY = (aiokafka.errors.KafkaTimeoutError, kafka.errors.KafkaTimeoutError, ConnectionError, TimeoutError)
_KAFKA = (aiokafka.errors.KafkaError, kafka.errors.KafkaError)

T = TypeVar("T")
_ask = AIOKafkaClient._metadata_update


async def _ask_again_later(self: AIOKafkaClient, *args: Any) -> bool:
    """aiokafka asks a broker that is away again at once, some thousand times a second: after a pause."""
    answered = bool(await _ask(self, *args))
    if not answered:
        await asyncio.sleep(_PAUSE_OF_CLIENT_S)
    return answered


AIOKafkaClient._metadata_update = _ask_again_later


def is_away(error: BaseException) -> bool:
    """Whether an error means that no broker is there to answer: what waiting mends, and nothing else does."""
    if isinstance(error, _AWAY) or (isinstance(error, _KAFKA) and error.retriable):
        return True
    return isinstance(error, (*_KAFKA, BrokerUnreachableError)) and _is_away_by_cause(error)


def _is_away_by_cause(error: BaseException) -> bool:
    return error.__cause__ is not None and is_away(error.__cause__)


class Patience:
    """Says that the broker is waited for: at once, and every ``SAY_S`` seconds; and that it is back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._said = 0.0

    def away(self, error: BaseException) -> None:
        """It did not answer; raises what is no matter of waiting."""
        if not is_away(error):
            raise error
        now = self._clock()
        if self._since is None or now - self._said >= SAY_S:
            self._since = now if self._since is None else self._since
            self._said = now
            log.warning("the broker does not answer: waiting for it", waited_s=round(now - self._since), why=str(error))

    def back(self) -> None:
        """It answered."""
        if self._since is not None:
            log.info("the broker answers again", waited_s=round(self._clock() - self._since))
            self._since = None


class StoppedError(Exception):
    """Told to stop while waiting."""


async def patiently(work: Callable[[], Awaitable[T]], stopping: asyncio.Event | None = None) -> T:
    """Do ``work``, again and again while the broker is away. Raises what it raises otherwise, and ``StoppedError``
    when ``stopping`` is set meanwhile."""
    patience = Patience()
    while True:
        try:
            done = await work()
        except Exception as e:
            patience.away(e)
        else:
            patience.back()
            return done
        if stopping is not None and stopping.is_set():
            raise StoppedError
        await asyncio.sleep(PAUSE_S)


def patiently_now(work: Callable[[], T], limit_s: float) -> T:
    """As ``patiently``, for a command that a person has started: for ``limit_s`` seconds, then it raises."""
    patience, until = Patience(), time.monotonic() + limit_s
    while True:
        try:
            done = work()
        except Exception as e:
            patience.away(e)
            if time.monotonic() >= until:
                raise
        else:
            patience.back()
            return done
        time.sleep(PAUSE_S)
