"""Following the topics: each record, and the offset after it, in one transaction with what it leads to.

So no case comes twice and none is lost, whatever is killed when. A record that cannot be used is dead-lettered with its
reason; a database that does not answer is waited for.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec
import structlog
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import InterfaceError, OperationalError

from response import homes, log, tables
from response.desk import Desk
from response.draft import Send
from stream.records import ALERTS, HOUSEHOLDS, SCHEMA_VERSION, Alert, DeadLetter, Household, Reason
from stream.warned import PREFIX

logger = structlog.get_logger()
f = tables.offsets.c
TOPICS = (HOUSEHOLDS, ALERTS)
_SAMPLE = 2_000


class Record(Protocol):
    """What matters here of a consumed message."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


@dataclass(slots=True)
class Follower:
    """Takes records of ``alerts`` and ``households`` to the desk."""

    desk: Desk
    counted: Counter[tuple[str, str]]
    """How many records of a topic were taken, repeated (known already), or dead."""

    def begin(self, topic: str, partition: int) -> int | None:
        """The offset to read from; None: nothing was read yet."""
        with self.desk.engine.connect() as conn:
            next_: int | None = conn.execute(_next(topic, partition)).scalar_one_or_none()
            return next_

    def take(self, topic: str, partition: int, records: Sequence[Record], now: datetime) -> None:
        """Records of one partition, in their order. All or nothing, but a bad one is put aside by itself."""
        with self.desk.transaction() as conn:
            conn.execute(
                insert(tables.offsets).values(topic=topic, partition=partition, next=0).on_conflict_do_nothing()
            )
            begin = conn.execute(_next(topic, partition).with_for_update()).scalar_one()
            fresh = [record for record in records if record.offset >= begin]
            for record in fresh:
                self._one(conn, topic, partition, record, now)
            if fresh:
                conn.execute(
                    tables.offsets.update().where(f.topic == topic, f.partition == partition)
                    .values(next=fresh[-1].offset + 1)
                )  # fmt: skip
        self.counted[topic, "repeated"] += len(records) - len(fresh)

    def _one(self, conn: Connection, topic: str, partition: int, record: Record, now: datetime) -> None:
        try:
            with self.desk.part(conn):
                self._use(conn, topic, record, now)
        except (OperationalError, InterfaceError):
            raise  # the database, not the record
        except Exception as e:  # whatever is wrong with it, those behind it must not wait
            reason = Reason.wrong_type if isinstance(e, msgspec.MsgspecError) else Reason.unknown_schema
            detail = f"{type(e).__name__}: {e}"[:300]
            logger.error("record not used", topic=topic, partition=partition, offset=record.offset, detail=detail)
            sample = (record.value or b"")[:_SAMPLE].decode(errors="replace")
            letter = DeadLetter(topic, partition, record.offset, reason, detail, sample=sample)
            what = {"dead_letter": msgspec.to_builtins(letter)}
            log.enqueue_once(conn, Send(f"d{topic}-{partition}-{record.offset}", "record", what), False, now)
            self.counted[topic, "dead"] += 1
        else:
            self.counted[topic, "taken"] += 1

    def _use(self, conn: Connection, topic: str, record: Record, now: datetime) -> None:
        schema = dict(record.headers or ()).get("schema", str(SCHEMA_VERSION).encode())
        if schema != str(SCHEMA_VERSION).encode():
            raise ValueError(f"schema {schema.decode(errors='replace')}: this version reads {SCHEMA_VERSION}")
        if topic == ALERTS:
            if record.value is not None:
                self.desk.alert(conn, msgspec.json.decode(record.value, type=Alert), now)
            return
        key = (record.key or b"").decode(errors="replace")
        if key.startswith(PREFIX):
            return  # a warning of heat or cold: the stream's
        if record.value is None:
            homes.withdraw(self.desk, conn, key, now)
            return
        homes.take(self.desk, conn, msgspec.json.decode(record.value, type=Household), now)


def _next(topic: str, partition: int):  # type: ignore[no-untyped-def]
    return select(f.next).where(f.topic == topic, f.partition == partition)
