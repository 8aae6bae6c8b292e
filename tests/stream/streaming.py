"""The stream without Kafka: messages of some partitions through Intake in any order, with crashes, into alerts."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
import numpy as np
import pyarrow as pa

from simulators.backtest import in_order, in_time, span
from simulators.replay import Delivery, _parts
from stream import frames
from stream.calendar import Calendar
from stream.changelog import Restore, changed_rows
from stream.columns import MeterColumns, PhoneColumns
from stream.intake import HEADERS_JSON, Intake, Message, Taken
from stream.kafka import partition_of
from stream.partition import Partition
from stream.producer import Packer
from stream.records import HOUSEHOLDS, METER, PHONE, Alert, AreaWarning, Feeds, Household
from stream.rules import Rules
from stream.settings import Settings
from stream.warned import key_of
from stream.wide import Wide

NOW = 2e9
"""A wall clock that does not move: no feed is given up on."""
T = 1_767_193_200
"""2026-01-01 00:00 in Seoul."""
SINCE = datetime.fromtimestamp(T, UTC)
TWO = Settings(partitions=2)
ENROLLED = [f"h{i}" for i in range(40)]
HERE = [h for h in ENROLLED if partition_of(h, 2) == 0]
AWAY = [h for h in ENROLLED if partition_of(h, 2) == 1]


def new_partition(number: int, settings: Settings) -> Partition:
    """An empty partition."""
    return Partition(number, Rules.of(settings), Calendar(settings.tz))


@dataclass
class Broker:
    """Input messages per topic and partition, and the compacted state topic, in memory."""

    settings: Settings
    messages: dict[tuple[str, int], list[Message]] = field(default_factory=dict)
    state: dict[int, dict[bytes, bytes]] = field(default_factory=dict)

    def add(self, topic: str, partition: int, value: bytes | None, headers: object, key: bytes | None = None) -> None:
        """Append one message."""
        log = self.messages.setdefault((topic, partition), [])
        log.append(Message(topic, len(log), value, key, headers, NOW))

    def enrol(self, households: Iterable[Household]) -> None:
        """Append records of households."""
        for h in households:
            partition = partition_of(h.household_id, self.settings.partitions)
            self.add(HOUSEHOLDS, partition, msgspec.json.encode(h), HEADERS_JSON, h.household_id.encode())

    def warn(self, warnings: Iterable[AreaWarning]) -> None:
        """Append warnings of areas, to every partition."""
        for warning in warnings:
            key = key_of(warning.area, warning.kind).encode()
            for partition in range(self.settings.partitions):
                self.add(HOUSEHOLDS, partition, msgspec.json.encode(warning), HEADERS_JSON, key)

    def send(
        self, columns: MeterColumns | PhoneColumns, feed: str, complete_until: int | None, rows_per_frame: int = 500
    ) -> None:
        """Append frames of rows."""
        topic = METER if isinstance(columns, MeterColumns) else PHONE
        for packed in Packer(self.settings.partitions, rows_per_frame).pack(columns, feed, complete_until):
            self.add(topic, packed.partition, packed.value, packed.headers)

    def deliver(self, meter: MeterColumns, phone: PhoneColumns, delivery: Delivery) -> None:
        """Append history as `anbu replay` sends it."""
        first, last = span(in_order(meter), in_order(phone))
        for some_meter, some_phone, complete in _parts(meter, phone, first, last, delivery):
            self.send(some_meter, "meter", complete, delivery.rows_per_frame)
            self.send(some_phone, "phone", complete, delivery.rows_per_frame)


class Worker:
    """All partitions of a broker, each taking a few messages at a time in a random order of partitions and topics."""

    def __init__(self, broker: Broker, seed: int, most: int = 5) -> None:
        self.broker = broker
        self.settings = broker.settings
        self.rng = np.random.default_rng(seed)
        self.most = most
        self.alerts: list[Alert] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self.wide = Wide(Rules.of(self.settings), Calendar(self.settings.tz))
        self.intakes = [self.restored(p) for p in range(self.settings.partitions)]
        self.given = [dict(i.next) for i in self.intakes]

    def restored(self, number: int) -> Intake:
        """A partition as the state topic has it."""
        partition = new_partition(number, self.settings)
        restore = Restore(partition)
        restore.add(self.broker.state.get(number, {}).items())
        offsets = restore.finish()
        return Intake(partition, self.settings, {t: offsets.get(t, 0) for t in (METER, PHONE, HOUSEHOLDS)})

    def crash(self, number: int) -> None:
        """The partition's worker is killed between two transactions: only what was stored is left."""
        self.intakes[number] = self.restored(number)
        self.given[number] = dict(self.intakes[number].next)

    def run(self, crashes: float = 0.0, hook: Callable[[int, Taken], None] = lambda p, t: None) -> list[Alert]:
        """Take everything; before a batch a partition crashes with a chance of ``crashes``. Alerts in order."""
        enrolled = False
        while (left := self._left()) or not enrolled:
            if not left:
                break
            number = int(self.rng.choice(sorted({p for _, p in left})))
            if self.rng.random() < crashes:
                self.crash(number)
            self._give(number)
            self.batch(number, hook)
        for _ in range(3):
            for number in range(self.settings.partitions):
                self.batch(number, hook)
        return sorted(self.alerts, key=in_time)

    def batch(self, number: int, hook: Callable[[int, Taken], None] = lambda p, t: None) -> Taken:
        """One transaction of a partition: what a lane does."""
        intake = self.intakes[number]
        intake.enrolments_until = len(self.broker.messages.get((HOUSEHOLDS, number), []))
        taken = intake.take(self.most, NOW)
        outcome = intake.partition.advance(NOW)
        self.alerts += outcome.alerts
        if outcome.report is not None:
            self.alerts += self.wide.add(outcome.report)
        self.alerts += self.wide.advance(NOW)
        if taken.anything or outcome.judged or outcome.alerts:
            rows = dict(changed_rows(intake.partition, intake.next))
            self.broker.state.setdefault(number, {}).update(rows)
        for signal, columns, feed in taken.moved:
            del signal
            self.broker.send(columns, feed, None)
        hook(number, taken)
        return taken

    def _give(self, number: int) -> None:
        """Some messages of each topic, in whatever order of topics."""
        for topic in (HOUSEHOLDS, METER, PHONE):
            log = self.broker.messages.get((topic, number), [])
            at = self.given[number][topic]
            for message in log[at : at + int(self.rng.integers(0, 2 * self.most))]:
                self.intakes[number].put(message)
                self.given[number][topic] = message.offset + 1

    def _left(self) -> list[tuple[str, int]]:
        return [(t, p) for (t, p), log in self.broker.messages.items() if self.intakes[p].next[t] < len(log)]


def standing(alerts: Iterable[Alert]) -> dict[str, tuple[str, str, object]]:
    """Alerts that stand at the end: id -> (kind, level, onset)."""
    last: dict[str, Alert] = {}
    for alert in alerts:
        last[alert.alert_id] = alert
    return {i: (a.kind, a.level, a.onset) for i, a in last.items() if a.event != "cleared"}


def empty_phone() -> PhoneColumns:
    """No events."""
    found = frames.empty("phone")
    assert isinstance(found, PhoneColumns)
    return found


def intake(phone: str | None = None) -> Intake:
    """Partition 0 of two with its homes enrolled, watched by the feed `meter` and this one."""
    made = Intake(new_partition(0, TWO), TWO, {})
    for offset, home in enumerate(HERE):
        record = Household(home, SINCE, feeds=Feeds("meter", phone))
        made.put(Message(HOUSEHOLDS, offset, msgspec.json.encode(record), home.encode(), HEADERS_JSON, NOW))
    taken = made.take(100, NOW)
    assert (taken.dead, made.next) == ([], {HOUSEHOLDS: len(HERE)})
    return made


def readings(ids: list[str], start: list[int], kwh: list[float] | None = None) -> MeterColumns:
    """Measured quarter-hours."""
    n = len(ids)
    values = np.full(n, 0.1, np.float32) if kwh is None else np.array(kwh, np.float32)
    return MeterColumns(
        pa.array(ids, pa.string()), np.array(start, np.int64), values, np.full(n, 15, np.uint8), np.zeros(n, np.uint8)
    )


def state_of(partition: Partition) -> dict[str, object]:
    """All that a partition keeps, comparable: arrays as bytes of the rows in use."""
    members, marks = partition.members, partition.marks
    found: dict[str, object] = {
        "times": (partition.start, marks.clock, marks.begun),
        "sources": sorted((s.name, s.lateness, s.until, s.last_arrival, s.wanted) for s in marks.sources.values()),
        "names": (members.areas.names, members.dongs.names, members.feeds.names),
        "blocks": len(members.blocks),
        "warnings": partition.warnings.said,
        "left": partition.leavers.left,
    }
    for block in members.blocks:
        n, at = block.n, f"block {block.number} "
        found[at + "who"], found[at + "drift"] = block.who[:n].tobytes(), block.drift[:n].tobytes()
        for when, kept in (("", block.state), ("settled ", block.settled)):
            for part in ("head", "lately", "habit"):
                found[at + when + part] = getattr(kept, part)[:n].tobytes()
        found[at + "meter"] = block.strips.meter[:, :n].tobytes()
        found[at + "phone"] = block.strips.phone[:, :n].tobytes()
        found[at + "people"] = (list(block.ids), block.terms, block.drills)
    return found
