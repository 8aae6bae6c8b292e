"""Following the topics: each record, and the offset after it, in one transaction with what it leads to.

So no case comes twice and none is lost, whatever is killed when. A record that cannot be used is dead-lettered with its
reason; a database that does not answer is waited for.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec
import structlog
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from response import homes, log, streams, tables
from response.apart import away
from response.desk import Desk
from response.draft import Send
from response.past import Pace
from response.streams import UNKNOWN, Extent, RewoundError, Stream
from stream import bounds, unpacking
from stream.fault import FrameError
from stream.ids import ASK_ID, id_fault
from stream.plain import DETAIL, INSTEAD, NAME, harmless, plain
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
    timestamp: int
    """Milliseconds, by the broker or whoever sent it."""


@dataclass(slots=True)
class Follower:
    """Takes records of ``alerts`` and ``households`` to the desk."""

    desk: Desk
    counted: Counter[tuple[str, str]]
    """How many records of a topic were taken, repeated (known already), old (of before a withdrawal), or dead."""

    def begin(self, topic: str, partition: int, stream: Stream = UNKNOWN) -> int | None:
        """The offset to read from; None: nothing was read yet."""
        with self.desk.engine.connect() as conn:
            row = select(f.next).where(streams.of(topic, partition, stream))
            next_: int | None = conn.execute(row).scalar_one_or_none()
            return next_

    def locate(self, topic: str, partition: int, stream: Stream, has: Extent) -> int:
        """The offset to read from in a stream that holds what ``has`` says."""
        with self.desk.engine.begin() as conn:
            return streams.locate(conn, topic, partition, stream, has)

    def take(
        self, topic: str, partition: int, records: Sequence[Record], now: datetime, stream: Stream = UNKNOWN,
        since: int | None = None,
    ) -> None:  # fmt: skip
        """Records of one partition, in their order. All or nothing, but a bad one is put aside by itself.

        ``since``: up to where we have read. Raises RewoundError where an earlier one is asked for by now.
        """
        of = streams.of(topic, partition, stream)
        with self.desk.transaction() as conn:
            row = {"topic": topic, "partition": partition, **stream.ids(), "next": 0}
            conn.execute(insert(tables.offsets).values(row).on_conflict_do_nothing())
            at = conn.execute(select(f.next, f.behind_s, f.leapt_at).where(of).with_for_update()).one()
            if since is not None and at.next < since:
                raise RewoundError
            fresh = [record for record in records if record.offset >= at.next]
            pace = Pace(None if at.behind_s is None else timedelta(seconds=at.behind_s), at.leapt_at)
            for record in fresh:
                told = self._one(conn, topic, partition, record, now)
                pace = pace if told is None else pace.heard(told, now, self.desk.past)
            if fresh:
                behind = None if pace.behind is None else pace.behind.total_seconds()
                new = {"next": fresh[-1].offset + 1, "behind_s": behind, "leapt_at": pace.leapt}
                conn.execute(tables.offsets.update().where(of).values(new))
        self.counted[topic, "repeated"] += len(records) - len(fresh)

    def _one(
        self, conn: Connection, topic: str, partition: int, record: Record, now: datetime
    ) -> datetime | None:
        """Use a record or put it aside. Gives the time of a household's alert."""
        told = None
        try:
            with self.desk.part(conn):
                told = self._use(conn, topic, record, now)
        except homes.OldRecordError as e:  # the stream puts it aside, and says the withdrawal again
            logger.warning("record not used", topic=topic, partition=partition, offset=record.offset, detail=str(e))
            self.counted[topic, "old"] += 1
        except Exception as e:  # whatever is wrong with it, those behind it must not wait
            if away(e):
                raise  # the database, not the record
            reason = Reason.wrong_type if isinstance(e, msgspec.MsgspecError) else Reason.unknown_schema
            reason = e.reason if isinstance(e, FrameError) else reason
            detail = plain(f"{type(e).__name__}: {e}", DETAIL)
            logger.error("record not used", topic=topic, partition=partition, offset=record.offset, detail=detail)
            sample = _stored((record.value or b"")[:_SAMPLE].decode(errors="replace"))
            letter = DeadLetter(topic, partition, record.offset, reason, detail, sample=sample)
            what = {"dead_letter": msgspec.to_builtins(letter)}
            log.enqueue_once(conn, Send(f"d{topic}-{partition}-{record.offset}", "record", what), False, now)
            self.counted[topic, "dead"] += 1
        else:
            self.counted[topic, "taken"] += 1
        return told

    def _use(self, conn: Connection, topic: str, record: Record, now: datetime) -> datetime | None:
        unpacking.check(record.headers)
        if (size := len(record.value or b"") + len(record.key or b"")) > bounds.RECORD_BYTES:
            raise FrameError(Reason.too_large, f"a record of {size} bytes: at most {bounds.RECORD_BYTES} are read")
        schema = dict(record.headers or ()).get("schema", str(SCHEMA_VERSION).encode())
        if schema != str(SCHEMA_VERSION).encode():
            raise ValueError(f"schema {schema.decode(errors='replace')}: this version reads {SCHEMA_VERSION}")
        if topic == ALERTS:
            if record.value is None:
                return None
            alert = _named(msgspec.convert(harmless(msgspec.json.decode(record.value)), Alert))
            for id_ in (alert.alert_id, alert.household_id) if alert.to != "operator" else (alert.alert_id,):
                _known_by(id_)
            self.desk.alert(conn, alert, now)
            return None if alert.to == "operator" else alert.at
        key = (record.key or b"").decode(errors="replace")
        if key.startswith(PREFIX):
            return None  # a warning of heat or cold: the stream's
        if record.value is None:
            _known_by(key)
            homes.deleted(self.desk, conn, key, datetime.fromtimestamp(max(record.timestamp, 0) / 1000, UTC), now)
        else:
            told = harmless(msgspec.json.decode(record.value))
            homes.take(self.desk, conn, msgspec.convert(told, Household), now)
        return None


def _known_by(id_: str) -> None:
    """Raises ValueError for what can be no home's id, nor an alert's."""
    if (wrong := id_fault(id_)) is not None:
        raise ValueError(f"its id {wrong}: {ASK_ID}")


def _named(alert: Alert) -> Alert:
    """An alert whose names fit into an index. Raises ValueError, in one line."""
    for name in ("alert_id", "household_id", "area", "dong"):
        if (letters := len(getattr(alert, name))) > NAME:
            raise ValueError(f"{name} has {letters} characters: at most {NAME}")
    return alert


def _stored(text: str) -> str:
    """A text as PostgreSQL can hold it."""
    return text.replace("\0", INSTEAD)
