"""Which stream an offset is of: a topic of one cluster, not a name. Offsets of another of that name say nothing.

Where a stream is not what was read of it, it is read from its beginning: every event of an alert is known by what it is
(`response.known`), so nothing comes twice, and nothing is passed over.
"""

from datetime import datetime
from typing import Any

import structlog
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, func, select
from sqlalchemy.dialects.postgresql import insert

from response import tables
from stream.kafka import BrokerUnreachableError, admin
from stream.settings import Settings

log = structlog.get_logger()
f = tables.offsets.c


class RewoundError(Exception):
    """Somebody asked for the stream to be read from an earlier offset than we are at."""


class Stream(Struct, frozen=True):
    """One topic as its broker made it: made again under the same name it is another."""

    cluster_id: str = ""
    topic_id: str = ""

    def ids(self) -> dict[str, str]:
        """As columns."""
        return {"cluster_id": self.cluster_id, "topic_id": self.topic_id}


UNKNOWN = Stream()
"""Offsets written before streams were told apart."""


class Found(Struct, frozen=True):
    """A topic as the broker has it. ``epochs``: of the leaders, by partition."""

    stream: Stream
    epochs: dict[int, int]


class Extent(Struct, frozen=True):
    """What a partition holds: offsets [first, end), under a leader of this epoch (None: not known)."""

    first: int
    end: int
    epoch: int | None = None


def look(settings: Settings, names: list[str]) -> dict[str, Found]:
    """Topics by full name as the broker has them now.

    Raises:
        BrokerUnreachableError: when no broker answers, or one of the topics is not there.
    """
    with admin(settings) as client:
        cluster = str(client.describe_cluster()["cluster_id"])
        found = {
            topic["name"]: Found(
                Stream(cluster, str(topic["topic_id"])),
                {p["partition_index"]: p["leader_epoch"] for p in topic["partitions"]},
            )
            for topic in client.describe_topics(names) if topic["error_code"] == 0
        }  # fmt: skip
    if missing := sorted(set(names) - set(found)):
        raise BrokerUnreachableError(f"topics {', '.join(missing)} do not exist: make them with `anbu topics`")
    return found


def begin(read: int | None, epoch: int | None, has: Extent) -> tuple[int, int]:
    """Where to go on in a stream of which ``read`` was the next offset (None: nothing was read), under a leader of
    ``epoch``; and how many of the records that were read it does not have any more."""
    if read is None:
        return has.first, 0
    if read > has.end:
        return has.first, read - has.end
    if epoch is not None and has.epoch is not None and has.epoch < epoch:  # a log of an earlier time, put back
        return has.first, 1
    return max(read, has.first), 0


def locate(conn: Connection, topic: str, partition: int, stream: Stream, has: Extent) -> int:
    """Where to go on, stored; what is missing is noted until somebody says that they know (`reread`)."""
    row = conn.execute(select(tables.offsets).where(of(topic, partition, stream)).with_for_update()).one_or_none()
    if row is None:
        row = _adopt(conn, topic, partition, stream, has)
    read = None if row is None else row.next
    at, missing = begin(read, None if row is None else row.epoch, has)
    new: dict[str, Any] = {"next": at, "epoch": has.epoch}
    if missing:
        log.error("a stream is shorter than what was read of it: it is read from its beginning", topic=topic,
                  partition=partition, read=read, end=has.end)  # fmt: skip
        new["missing"] = missing
    elif read is not None and at > read:
        log.error("records were deleted before they were read", topic=topic, partition=partition, read=read, first=at)
    key = {"topic": topic, "partition": partition, **stream.ids()}
    conn.execute(
        insert(tables.offsets).values(key | new)
        .on_conflict_do_update(index_elements=list(key), set_=new)
    )  # fmt: skip
    return at


def _adopt(conn: Connection, topic: str, partition: int, stream: Stream, has: Extent) -> Any:
    """Offsets of before streams were told apart are those of the first one seen after, where they fit it."""
    before = of(topic, partition, UNKNOWN)
    row = conn.execute(select(tables.offsets).where(before).with_for_update()).one_or_none()
    if row is not None:
        conn.execute(tables.offsets.update().where(before).values(stream.ids()))
        return row
    if conn.execute(select(f.next).where(f.topic == topic, f.partition == partition).limit(1)).first() is not None:
        log.warning("another topic of this name: it is read from its beginning", topic=topic, partition=partition)
    return None


def missing(conn: Connection) -> dict[str, int]:
    """How many records streams are shorter than what was read of them, by topic."""
    query = select(f.topic, func.sum(f.missing).label("n")).where(f.missing.is_not(None)).group_by(f.topic)
    return {row.topic: int(row.n) for row in conn.execute(query.order_by(f.topic))}


def reread(conn: Connection, topic: str, now: datetime) -> int:
    """Read a topic from its beginning, and let nothing be missing any more; how many partitions. A process that runs
    follows within half a minute."""
    log.warning("a topic is read from its beginning", topic=topic, at=now.isoformat())
    return conn.execute(tables.offsets.update().where(f.topic == topic).values(next=0, missing=None)).rowcount


def of(topic: str, partition: int, stream: Stream) -> ColumnElement[bool]:
    """The row of a partition of a stream."""
    return and_(
        f.topic == topic, f.partition == partition, f.cluster_id == stream.cluster_id, f.topic_id == stream.topic_id
    )  # fmt: skip
