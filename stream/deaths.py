"""Which messages workers have died at: one is taken by itself then, and after the second death left unread.

A worker that starts tells what the one before it was at (`mark`) as a row of the partition's `state`, so that whoever
takes the partition next knows it, on this machine or another. The row goes when the message is behind.
"""

import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from msgspec import Struct

from stream.kafka import client_options
from stream.mark import Mark
from stream.metrics import Metrics
from stream.patience import patiently
from stream.records import HOUSEHOLDS, METER, PHONE, STATE
from stream.settings import Settings

log = structlog.get_logger()
PREFIX = b"died/"
"""Begins the key of such a row."""
UNREAD_AFTER = 2


class Death(Struct, frozen=True):
    """A worker ended while it was at messages [first, last] of a topic (plain name)."""

    topic: str
    first: int
    last: int


class Deaths:
    """The deaths of one partition, by the keys of their rows."""

    def __init__(self) -> None:
        self._known: dict[bytes, Death] = {}
        self._over: list[bytes] = []

    def row(self, key: bytes, value: bytes | None) -> None:
        """Take a row as it was stored; None: it is gone."""
        if value is None:
            self._known.pop(key, None)
        else:
            self._known[key] = msgspec.msgpack.decode(value, type=Death)

    def suspect(self, topic: str, offset: int) -> bool:
        """Whether somebody died at this message, or at some of which it is one."""
        return bool(self._known) and bool(self._at(topic, offset))

    def unread(self, topic: str, offset: int) -> bool:
        """Whether so many died at it that it is left unread: once at least at this message alone."""
        if not self._known:
            return False
        found = self._at(topic, offset)
        return len(found) >= UNREAD_AFTER and any(death.first == death.last for death in found)

    def forget(self, topic: str) -> None:
        """The topic was made anew: its offsets are of other messages."""
        self._over += [key for key, death in self._known.items() if death.topic == topic]
        self._known = {key: death for key, death in self._known.items() if death.topic != topic}

    def over(self, offsets: dict[str, int]) -> list[bytes]:
        """Keys of rows that are of no use any more when topics are read up to these offsets; each is given once."""
        behind = [key for key, death in self._known.items() if death.last < offsets.get(death.topic, 0)]
        for key in behind:
            del self._known[key]
        over, self._over = self._over + behind, []
        return over

    def _at(self, topic: str, offset: int) -> list[Death]:
        return [d for d in self._known.values() if d.topic == topic and d.first <= offset <= d.last]


async def tell(settings: Settings, mark: Mark, metrics: Metrics) -> None:
    """Store what the process before this one was at, if anything: before this one takes a partition."""
    left = mark.left
    if left is None:
        return
    if left.topic in (METER, PHONE, HOUSEHOLDS) and 0 <= left.partition < settings.partitions:
        log.error("the worker before this one ended while it was at a message", topic=left.topic,
                  partition=left.partition, first=left.first, last=left.last)  # fmt: skip
        metrics.died.labels(left.topic).inc()
        producer = AIOKafkaProducer(**client_options(settings), acks="all", enable_idempotence=True)
        try:
            await patiently(producer.start)
            death = msgspec.msgpack.encode(Death(left.topic, left.first, left.last))
            key = PREFIX + f"{left.who:016x}".encode()
            await producer.send_and_wait(settings.topic(STATE), death, key, left.partition)
        finally:
            await producer.stop()
    mark.told()
