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

from stream import bounds, consent, enrolment, frames, unpacking, warned
from stream.badrows import CODES, BadRows
from stream.beginning import Beginning
from stream.columns import MeterColumns, PhoneColumns
from stream.deaths import Deaths
from stream.foreign import label
from stream.frames import FrameError
from stream.ids import ASK_ID, id_fault
from stream.kafka import partitions_of
from stream.leavers import moment
from stream.mark import Mark
from stream.partition import Partition
from stream.records import HOUSEHOLDS, JSON, METER, PHONE, SCHEMA_VERSION, AreaWarning, DeadLetter, Household, Reason
from stream.settings import Settings

Signal = Literal["meter", "phone"]
SIGNALS: dict[str, Signal] = {METER: "meter", PHONE: "phone"}
_TOLD = 20
"""Rows of a reason that a dead letter tells one by one."""


@dataclass(frozen=True, slots=True)
class Message:
    """One record as it came. ``topic`` is the plain name; ``arrived`` the broker's timestamp, UTC seconds.

    ``stood``: where the reader was before it, if not at its own offset; nothing that can be read lies between.
    """

    topic: str
    offset: int
    value: bytes | None
    key: bytes | None
    headers: Any
    arrived: float
    stood: int | None = None


@dataclass(slots=True)
class Taken:
    """What a batch of messages came to, beside what is in the strips."""

    dead: list[DeadLetter] = field(default_factory=list)
    moved: list[tuple[Signal, MeterColumns | PhoneColumns, str]] = field(default_factory=list)
    moved_households: list[tuple[str, Household | None]] = field(default_factory=list)
    counts: Counter[tuple[str, Reason]] = field(default_factory=Counter)
    foreign: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows by topic and by the feed that sent them, which is not that of their homes."""
    rows: Counter[str] = field(default_factory=Counter)
    frames: Counter[str] = field(default_factory=Counter)
    said_again: list[Household] = field(default_factory=list)
    """Withdrawals that an older record stands behind on the topic: the last word there must be theirs."""
    forgotten: int = 0
    """Of how many households what was set aside was deleted."""
    oldest: float | None = None
    rest: bool = False
    """Whether more was written of a frame that had been taken before and held."""

    @property
    def anything(self) -> bool:
        """Whether there is something to store."""
        return self.rest or self.forgotten > 0 or self.frames.total() > 0


@dataclass(slots=True)
class _Read:
    """A frame that was read: its rows that are not written yet, where each ends, the last end, and its watermark.

    ``heard``: whether it says anything of a watermark here. Of a feed that watches nobody here in this signal,
    ``latest`` is None: its rows are not used, whatever their time.
    """

    message: Message
    feed: str
    said: int | None
    columns: MeterColumns | PhoneColumns
    ends: NDArray[np.int64]
    latest: int | None
    heard: bool


class Intake:
    """Queues of one partition, per topic, and the offsets up to which they are taken."""

    def __init__(
        self,
        partition: Partition,
        settings: Settings,
        offsets: dict[str, int],
        mark: Mark | None = None,
        deaths: Deaths | None = None,
    ) -> None:
        self.partition = partition
        self.settings = settings
        self.mark = mark or Mark()
        self.deaths = deaths or Deaths()
        self.next = dict(offsets)
        self.enrolments_until = 0
        """Readings wait until enrolments are taken up to this offset: else those of new homes would be dropped."""
        self._queues: dict[str, deque[Message]] = {t: deque() for t in (HOUSEHOLDS, METER, PHONE)}
        self._held: dict[str, _Read] = {}
        self._beginning = Beginning(partition, settings, self._frame)

    def put(self, message: Message) -> None:
        """Queue a message; the caller sees to it that offsets follow each other."""
        self._queues[message.topic].append(message)

    def clear(self) -> None:
        """Forget what is queued and not taken; it will be read again from ``next``."""
        for queue in self._queues.values():
            queue.clear()
        self._held.clear()

    def absent(self) -> None:
        """We were not there for a while: nothing that did not come meanwhile counts as late."""
        self.partition.marks.absent()
        self._beginning.absent()

    def __len__(self) -> int:
        return sum(map(len, self._queues.values())) + len(self._held)

    def waiting(self, topic: str) -> int:
        """Messages of a topic that are queued."""
        return len(self._queues[topic])

    def take(self, most: int, now: float) -> Taken:
        """Take up to ``most`` messages of each topic as far as the ring has room for them."""
        taken = Taken()
        self._households(taken, most, now)
        enrolled = self.next.get(HOUSEHOLDS, 0) >= self.enrolments_until
        if enrolled:  # whatever undoes a withdrawal has been heard by now
            taken.forgotten = self.partition.leavers.forget(now)
        if enrolled and self._beginning.reached({s: self._queues[t] for t, s in SIGNALS.items()}, now):
            for topic in SIGNALS:
                self._signal(topic, taken, most, now)
        self.mark.clear()
        return taken

    def _signal(self, topic: str, taken: Taken, most: int, now: float) -> None:
        """Take frames of one topic: those that fit the ring are written together, the next one as far as it fits, and
        one at which a worker died by itself."""
        fitting: list[_Read | Message] = []
        for _ in range(most):
            held = self._held.pop(topic, None)
            rest = None if held is None else len(held.columns)
            if held is None:
                if not self._queues[topic]:
                    break
                message = self._queues[topic].popleft()
                if self.deaths.suspect(topic, message.offset):
                    self._write_all(topic, fitting, taken, now)
                    fitting = []
                held = self._decode(message, taken, now)
                if held is None:
                    fitting.append(message)
                    continue
            room = self.partition.room
            if room is None or held.latest is None or held.latest <= room:
                taken.rest |= rest is not None
                fitting.append(held)
                if self.deaths.suspect(topic, held.message.offset):
                    self._write_all(topic, fitting, taken, now)
                    fitting = []
                continue
            self._write_all(topic, fitting, taken, now)
            fitting = []
            done = self._write(held, taken, now)
            taken.rest |= rest is not None and (done or len(held.columns) < rest)
            if not done:
                self._held[topic] = held
                return
            self.next[topic] = held.message.offset + 1
        self._write_all(topic, fitting, taken, now)

    def _write_all(self, topic: str, fitting: list[_Read | Message], taken: Taken, now: float) -> None:
        """Write frames that fit, as one where they are of one feed; what could not be read only moves the offset on."""
        if not fitting:
            return
        read = [f for f in fitting if isinstance(f, _Read)]
        offsets = [f.message.offset if isinstance(f, _Read) else f.offset for f in fitting]
        last = max(offsets)
        self.mark.at(self.partition.number, topic, min(offsets), last)
        for feed in dict.fromkeys(h.feed for h in read):
            parts = [h.columns for h in read if h.feed == feed and len(h.columns)]
            if parts:
                self._rows(topic, last, frames.concat(parts), feed, taken)
        for held in read:
            if held.heard:
                self.partition.heard(held.feed, held.latest, held.said, now)
        self.next[topic] = last + 1

    def _households(self, taken: Taken, most: int, now: float) -> None:
        """Take records of households, those that follow each other together."""
        queue = self._queues[HOUSEHOLDS]
        records: list[tuple[Message, Household]] = []
        for _ in range(min(most * 10, len(queue))):
            message = queue.popleft()
            taken.frames[HOUSEHOLDS] += 1
            self.next[HOUSEHOLDS] = message.offset + 1
            warning = (message.key or b"").startswith(warned.PREFIX.encode())
            alone = self.deaths.suspect(HOUSEHOLDS, message.offset)
            if warning or alone:
                self._members(records, taken, now)
                records = []
            if warning:
                self._warning(message, taken, now)
                continue
            record = self._household(message, taken, now)
            if record is not None:
                records.append((message, record))
            if alone:
                self._members(records, taken, now)
                records = []
        self._members(records, taken, now)

    def _members(self, records: list[tuple[Message, Household]], taken: Taken, now: float) -> None:
        """Give records to the partition. One of before a withdrawal is put aside and that is said again: of a compacted
        topic whoever reads it anew sees the last record alone."""
        if not records:
            return
        self.mark.at(self.partition.number, HOUSEHOLDS, records[0][0].offset, records[-1][0].offset)
        for at in self.partition.households([record for _, record in records], now):
            message, record = records[at]
            ended = self.partition.leavers.at(record.household_id)
            self._bury(message, taken, Reason.withdrawn, consent.old_line(ended))
            taken.rows[HOUSEHOLDS] -= 1
            taken.said_again.append(consent.said_again(record, ended))

    def _warning(self, message: Message, taken: Taken, now: float) -> None:
        """Take a warning for an area: it is sent to every partition, so each has its own order and offset of it."""
        try:
            self._begin(message)
            _check_schema(message.headers)
            record = warned.read(message.key or b"", message.value)
        except Exception as e:
            self._bury(message, taken, *_fault_of(e))
            return
        fault = warned.fault_of(record, now) if isinstance(record, AreaWarning) else None
        if fault is not None:
            self._bury(message, taken, *fault)
            return
        taken.rows[HOUSEHOLDS] += 1
        self.partition.warn(record)

    def _household(self, message: Message, taken: Taken, now: float) -> Household | None:
        """The record in a message, a withdrawal where it deletes; None where it is of no use here."""
        try:
            self._begin(message)
            _check_schema(message.headers)
            record = msgspec.json.decode(message.value, type=Household) if message.value is not None else None
            household_id = record.household_id if record is not None else (message.key or b"").decode()
            if (wrong := id_fault(household_id)) is not None:  # which could not even be passed on
                raise FrameError(Reason.bad_household, f"the key {wrong}: {ASK_ID}")
        except Exception as e:
            self._bury(message, taken, *_fault_of(e))
            return None
        if record is not None and (fault := enrolment.fault_of(record, now) or consent.fault_of(record, moment(now))):
            self._bury(message, taken, *fault)
            return None
        taken.rows[HOUSEHOLDS] += 1
        if int(partitions_of([household_id], self.settings.partitions)[0]) != self.partition.number:
            taken.counts[HOUSEHOLDS, Reason.wrong_partition] += 1
            taken.moved_households.append((household_id, record))
            return None
        if record is None:
            return consent.deleted(household_id, moment(min(message.arrived, now)))
        if (fault := enrolment.admit(record, self.partition.members)) is not None:
            taken.rows[HOUSEHOLDS] -= 1
            self._bury(message, taken, *fault)
            return None
        return record

    def _decode(self, message: Message, taken: Taken, now: float) -> _Read | None:
        taken.frames[message.topic] += 1
        taken.oldest = min(taken.oldest or message.arrived, message.arrived)
        try:
            frame = self._frame(message, now)
        except FrameError as e:
            self._bury(message, taken, e.reason, e.detail)
            return None
        columns = frame.columns
        taken.rows[message.topic] += len(columns)
        self._bury_rows(message, frame.bad, taken)
        if isinstance(columns, MeterColumns):
            first, ends = columns.start, columns.start + columns.minutes.astype(np.int64) * 60
        else:
            first, ends = columns.at, columns.at + 1
        speaks = frame.feed in self.partition.watching[SIGNALS[message.topic]]
        heard = speaks or self._may_come(frame.feed)
        lateness = round(self.settings.feed(frame.feed).lateness_minutes * 60)
        if heard:
            self.partition.marks.source(frame.feed, lateness)
        if speaks and len(columns):
            self.partition.begin(int(first.min()), lateness)
        latest = int(ends.max()) if len(ends) and speaks else None
        return _Read(message, frame.feed, frame.complete_until, columns, ends, latest, heard)

    def _begin(self, message: Message) -> None:
        """Say that this process is at a message. FrameError where it is left unread."""
        size = len(message.value or b"") + len(message.key or b"")
        unpacking.check(message.headers)
        if self.deaths.unread(message.topic, message.offset):
            detail = f"a worker ended twice while it was at this message of {size} bytes: left unread"
            raise FrameError(Reason.worker_died, detail)
        if message.topic == HOUSEHOLDS and size > bounds.RECORD_BYTES:
            raise FrameError(Reason.too_large, f"a record of {size} bytes: send at most {bounds.RECORD_BYTES}")
        self.mark.at(self.partition.number, message.topic, message.offset)

    def _frame(self, message: Message, now: float) -> frames.Frame:
        """The frame in a message. Raises FrameError."""
        self._begin(message)
        return frames.decode(SIGNALS[message.topic], message.value, message.headers, int(now))

    def _may_come(self, feed: str) -> bool:
        """Whether the watermark of a feed that does not watch anybody here by this signal is worth keeping: it does not
        by the other one, of which it would speak out of turn, and there is room for it."""
        return feed not in self.partition.feeds_in_use and self.partition.marks.has_room(feed)

    def _write(self, held: _Read, taken: Taken, now: float) -> bool:
        """Write of one frame what the ring has room for, moving the clock on as far; True when nothing is left."""
        self.mark.at(self.partition.number, held.message.topic, held.message.offset)
        topic, offset, feed, partition = held.message.topic, held.message.offset, held.feed, self.partition
        while held.latest is not None and partition.room is not None and held.latest > partition.room:
            room = partition.room
            fits = held.ends <= room
            self._rows(topic, offset, frames.take(held.columns, np.flatnonzero(fits)), feed, taken)
            held.columns, held.ends = frames.take(held.columns, np.flatnonzero(~fits)), held.ends[~fits]
            lateness = partition.marks.sources[feed].lateness
            mark = held.latest - lateness if held.said is None else held.said
            partition.heard(feed, None, min(mark, room), now)
            partition.step(now)
            if partition.room == room:
                return False
        self._rows(topic, offset, held.columns, feed, taken)
        partition.heard(feed, held.latest, held.said, now)
        return True

    def _rows(self, topic: str, offset: int, columns: MeterColumns | PhoneColumns, feed: str, taken: Taken) -> None:
        """Write rows of one feed, of frames up to an offset."""
        if not len(columns):
            return
        write = self.partition.meter if isinstance(columns, MeterColumns) else self.partition.phone
        unknown = np.flatnonzero(write(columns, feed))  # type: ignore[arg-type]
        if many := self.partition.foreign.rows:
            taken.counts[topic, Reason.foreign_feed] += many
            taken.foreign[topic, label(feed, self.partition.members.feeds, self.settings.feeds)] += many
            taken.dead.append(self.partition.foreign.letter(topic, self.partition.number, offset, SIGNALS[topic], feed))
        for reason, many in self.partition.counts.items():
            taken.counts[topic, reason] += many
        self.partition.counts.clear()
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

    def _bury_rows(self, message: Message, bad: BadRows, taken: Taken) -> None:
        """One dead letter a reason, with how many rows and the first of them."""
        for reason in bad.counts():
            rows = bad.take(np.flatnonzero(bad.code == CODES[reason]))
            many = int((rows.at >= 0).sum())  # a fault in a header costs no row
            taken.counts[message.topic, reason] += many
            told = list(rows[:_TOLD])
            sample = json.dumps([{"row": r.row, "detail": r.detail} for r in told], ensure_ascii=False)
            letter = DeadLetter(
                message.topic, self.partition.number, message.offset, reason, told[0].detail, many, sample
            )
            taken.dead.append(letter)


def _fault_of(error: Exception) -> tuple[Reason, str]:
    """What is wrong with a record: whatever a library does with damaged bytes, the stream goes on."""
    if isinstance(error, FrameError):
        return error.reason, error.detail
    kind = Reason.wrong_type if isinstance(error, msgspec.ValidationError) else Reason.truncated
    return kind, f"cannot be read: {type(error).__name__}: {str(error)[:200]}"


def _check_schema(headers: Any) -> None:
    """A record's headers; one without any is a plain JSON record or a tombstone."""
    found = dict(headers or ())
    if not found:
        return
    if found.get("schema") != HEADERS_JSON[0][1]:
        raise FrameError(Reason.unknown_schema, f"header schema is {found.get('schema')!r}: send {SCHEMA_VERSION}")
    if found.get("content-type") not in (None, HEADERS_JSON[1][1]):
        raise FrameError(Reason.unknown_content_type, f"header content-type: send {JSON}")


HEADERS_JSON = [("schema", str(SCHEMA_VERSION).encode()), ("content-type", JSON.encode())]
