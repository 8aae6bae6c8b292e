"""Messages of one partition become columns in its strips: in order, as far ahead as the ring reaches, nothing lost.

Every message ends in one of these: written, dead-lettered with its reason, passed on to the right partition, or
counted as dropped with its reason.
"""

import json
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream import frames
from stream.columns import BadRow, MeterColumns, PhoneColumns
from stream.frames import Frame, FrameError
from stream.kafka import partitions_of
from stream.partition import Partition
from stream.records import HOUSEHOLDS, JSON, METER, PHONE, SCHEMA_VERSION, DeadLetter, Household, Reason
from stream.settings import Settings

Signal = Literal["meter", "phone"]
SIGNALS: dict[str, Signal] = {METER: "meter", PHONE: "phone"}


@dataclass(frozen=True, slots=True)
class Message:
    """One record as it came. ``topic`` is the plain name; ``arrived`` the broker's timestamp, UTC seconds."""

    topic: str
    offset: int
    value: bytes | None
    key: bytes | None
    headers: Any
    arrived: float


@dataclass(slots=True)
class Taken:
    """What a batch of messages came to, beside what is in the strips."""

    dead: list[DeadLetter] = field(default_factory=list)
    moved: list[tuple[Signal, MeterColumns | PhoneColumns, str]] = field(default_factory=list)
    counts: Counter[tuple[str, Reason]] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    frames: Counter[str] = field(default_factory=Counter)
    oldest: float | None = None


@dataclass(slots=True)
class _Held:
    """A frame of which some rows lie beyond the ring as yet."""

    message: Message
    frame: Frame
    columns: MeterColumns | PhoneColumns
    ends: NDArray[np.int64]
    latest: int | None


class Intake:
    """Queues of one partition, per topic, and the offsets up to which they are taken."""

    def __init__(self, partition: Partition, settings: Settings, offsets: dict[str, int]) -> None:
        self.partition = partition
        self.settings = settings
        self.next = dict(offsets)
        self._queues: dict[str, deque[Message]] = {t: deque() for t in (HOUSEHOLDS, METER, PHONE)}
        self._held: dict[str, _Held] = {}

    def put(self, message: Message) -> None:
        """Queue a message; the caller sees to it that offsets follow each other."""
        self._queues[message.topic].append(message)

    def clear(self) -> None:
        """Forget what is queued and not taken; it will be read again from ``next``."""
        for queue in self._queues.values():
            queue.clear()
        self._held.clear()

    def __len__(self) -> int:
        return sum(map(len, self._queues.values())) + len(self._held)

    def waiting(self, topic: str) -> int:
        """Messages of a topic that are queued."""
        return len(self._queues[topic])

    def take(self, most: int, now: float) -> Taken:
        """Take up to ``most`` messages of each topic as far as the ring has room for them."""
        taken = Taken()
        self._households(taken, most)
        for topic in SIGNALS:
            self._signal(topic, taken, most, now)
        for reason, many in self.partition.counts.items():
            taken.counts["", reason] += many
        self.partition.counts.clear()
        return taken

    def _signal(self, topic: str, taken: Taken, most: int, now: float) -> None:
        """Take frames of one topic: those that fit the ring are written together, the next one as far as it fits."""
        fitting: list[_Held] = []
        for _ in range(most):
            held = self._held.pop(topic, None)
            if held is None:
                if not self._queues[topic]:
                    break
                held = self._decode(self._queues[topic].popleft(), taken, now)
                if held is None:
                    continue
            room = self.partition.room
            if room is None or held.latest is None or held.latest <= room:
                fitting.append(held)
                continue
            self._write_all(topic, fitting, taken, now)
            fitting = []
            if not self._write(held, taken, now):
                self._held[topic] = held
                return
            self.next[topic] = held.message.offset + 1
        self._write_all(topic, fitting, taken, now)

    def _write_all(self, topic: str, fitting: list[_Held], taken: Taken, now: float) -> None:
        if not fitting:
            return
        for feed in dict.fromkeys(h.frame.feed for h in fitting):
            parts = [h.columns for h in fitting if h.frame.feed == feed and len(h.columns)]
            if parts:
                self._rows(topic, frames.concat(parts), feed, taken)
        for held in fitting:
            self.partition.heard(held.frame.feed, held.latest, held.frame.complete_until, now)
        self.next[topic] = fitting[-1].message.offset + 1

    def _households(self, taken: Taken, most: int) -> None:
        queue, records = self._queues[HOUSEHOLDS], []
        for _ in range(min(most * 10, len(queue))):
            message = queue.popleft()
            record = self._household(message, taken)
            if record is not None:
                records.append(record)
            taken.frames[HOUSEHOLDS] += 1
            self.next[HOUSEHOLDS] = message.offset + 1
        if records:
            self.partition.households(records)

    def _household(self, message: Message, taken: Taken) -> Household | None:
        try:
            if message.value is None:
                self.partition.gone((message.key or b"").decode())
                return None
            _check_schema(message.headers)
            record = msgspec.json.decode(message.value, type=Household)
        except FrameError as e:
            self._bury(message, taken, e.reason, e.detail)
        except (msgspec.DecodeError, UnicodeDecodeError) as e:
            kind = Reason.wrong_type if isinstance(e, msgspec.ValidationError) else Reason.truncated
            self._bury(message, taken, kind, str(e))
        else:
            right = int(partitions_of([record.household_id], self.settings.partitions)[0])
            if right == self.partition.number:
                return record
            detail = f"{record.household_id} belongs in partition {right}: send enrolments with the id as key"
            self._bury(message, taken, Reason.wrong_partition, detail)
        return None

    def _decode(self, message: Message, taken: Taken, now: float) -> _Held | None:
        taken.frames[message.topic] += 1
        taken.oldest = min(taken.oldest or message.arrived, message.arrived)
        try:
            frame = frames.decode(SIGNALS[message.topic], message.value, message.headers, int(now))
        except FrameError as e:
            self._bury(message, taken, e.reason, e.detail)
            self.next[message.topic] = message.offset + 1
            return None
        columns = frame.columns
        taken.rows[message.topic] += len(columns)
        self._bury_rows(message, frame.bad, taken)
        if isinstance(columns, MeterColumns):
            first, ends = columns.start, columns.start + columns.minutes.astype(np.int64) * 60
        else:
            first, ends = columns.at, columns.at + 1
        lateness = round(self.settings.feed(frame.feed).lateness_minutes * 60)
        self.partition.marks.source(frame.feed, lateness)
        if len(columns) and self.partition.members.directory:
            self.partition.begin(int(first.min()), lateness)
        return _Held(message, frame, columns, ends, int(ends.max()) if len(ends) else None)

    def _write(self, held: _Held, taken: Taken, now: float) -> bool:
        """Write of one frame what the ring has room for, moving the clock on as far; True when nothing is left."""
        topic, feed, partition = held.message.topic, held.frame.feed, self.partition
        while held.latest is not None and partition.room is not None and held.latest > partition.room:
            room = partition.room
            fits = held.ends <= room
            self._rows(topic, frames.take(held.columns, np.flatnonzero(fits)), feed, taken)
            held.columns, held.ends = frames.take(held.columns, np.flatnonzero(~fits)), held.ends[~fits]
            said = held.frame.complete_until
            mark = held.latest - partition.marks.sources[feed].lateness if said is None else said
            partition.heard(feed, None, min(mark, room), now)
            partition.step(now)
            if partition.room == room:
                return False
        self._rows(topic, held.columns, feed, taken)
        partition.heard(feed, held.latest, held.frame.complete_until, now)
        return True

    def _rows(self, topic: str, columns: MeterColumns | PhoneColumns, feed: str, taken: Taken) -> None:
        if not len(columns):
            return
        write = self.partition.meter if isinstance(columns, MeterColumns) else self.partition.phone
        unknown = np.flatnonzero(write(columns))  # type: ignore[arg-type]
        if not len(unknown):
            return
        strangers = frames.take(columns, unknown)
        right = partitions_of(strangers.household_id, self.settings.partitions)
        away = np.flatnonzero(right != self.partition.number)
        taken.counts[topic, Reason.not_enrolled] += len(unknown) - len(away)
        if len(away):
            taken.counts[topic, Reason.wrong_partition] += len(away)
            taken.moved.append((SIGNALS[topic], frames.take(strangers, away), feed))

    def _bury(self, message: Message, taken: Taken, reason: Reason, detail: str) -> None:
        taken.dead.append(DeadLetter(message.topic, self.partition.number, message.offset, reason, detail))

    def _bury_rows(self, message: Message, bad: list[BadRow], taken: Taken) -> None:
        by_reason: dict[Reason, list[BadRow]] = {}
        for row in bad:
            by_reason.setdefault(row.reason, []).append(row)
        for reason, rows in by_reason.items():
            taken.counts[message.topic, reason] += len(rows)
            sample = json.dumps([{"row": r.row, "detail": r.detail} for r in rows[:20]], ensure_ascii=False)
            letter = DeadLetter(
                message.topic, self.partition.number, message.offset, reason, rows[0].detail, len(rows), sample
            )
            taken.dead.append(letter)


def _check_schema(headers: Any) -> None:
    found = dict(headers or ())
    if found.get("schema") != HEADERS_JSON[0][1]:
        raise FrameError(Reason.unknown_schema, f"header schema is {found.get('schema')!r}: send {SCHEMA_VERSION}")
    if found.get("content-type") not in (None, HEADERS_JSON[1][1]):
        raise FrameError(Reason.unknown_content_type, f"header content-type: send {JSON}")


HEADERS_JSON = [("schema", str(SCHEMA_VERSION).encode()), ("content-type", JSON.encode())]
