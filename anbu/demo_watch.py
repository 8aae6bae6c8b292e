"""What the workers have come to, read from the broker: how far they have judged, and their alerts."""

import msgspec
from kafka import KafkaConsumer, TopicPartition
from msgspec import Struct

from stream.kafka import admin_options
from stream.records import ALERTS, HOUSEHOLDS, WIDE, WIDE_STATE, Alert
from stream.settings import Settings
from stream.widerows import AT, Read

SLOT_S = 900


class _Report(Struct, frozen=True):
    """What matters here of a partition's report (stream/report.py); ``clock`` is a slot."""

    partition: int
    clock: int
    offsets: dict[str, int] | None = None


class Watcher:
    """Reads alerts and reports, ``read_committed``. ``partitions``: those that have households."""

    def __init__(self, settings: Settings, partitions: set[int]) -> None:
        self._settings = settings
        self._partitions = partitions
        self._clocks: dict[int, int] = {}
        self._offsets: dict[int, dict[str, int]] = {}
        self._last_report = self._wide_judged = 0
        self._alerts = [TopicPartition(settings.topic(ALERTS), n) for n in range(settings.partitions)]
        self._wide = TopicPartition(settings.topic(WIDE), 0)
        self._state = TopicPartition(settings.topic(WIDE_STATE), 0)
        self._consumer = KafkaConsumer(
            **admin_options(settings), isolation_level="read_committed", enable_auto_commit=False,
            max_poll_records=5000, max_partition_fetch_bytes=8 << 20,
        )  # fmt: skip
        self._consumer.assign([*self._alerts, self._wide, self._state])
        self._consumer.seek_to_beginning()

    def look(self, timeout_s: float = 0.1) -> list[Alert]:
        """Alerts that have come since the last look, in the order of the broker."""
        alerts = []
        for tp, records in self._consumer.poll(timeout_ms=int(timeout_s * 1000)).items():
            if tp == self._wide:
                for record in records:
                    self._report(msgspec.json.decode(record.value, type=_Report), record.offset)
            elif tp == self._state:
                read = [record.value for record in records if record.key == AT]
                self._wide_judged = msgspec.json.decode(read[-1], type=Read).offset if read else self._wide_judged
            else:
                alerts += [msgspec.json.decode(record.value, type=Alert) for record in records]
        return alerts

    def _report(self, report: _Report, offset: int) -> None:
        if report.clock > self._clocks.get(report.partition, 0):
            self._clocks[report.partition] = report.clock
            self._last_report = offset
        if report.offsets is not None:
            self._offsets[report.partition] = report.offsets

    @property
    def clock(self) -> int:
        """UTC seconds up to which all partitions have judged; 0 before the first has."""
        return min((self._clocks.get(p, 0) for p in self._partitions), default=0) * SLOT_S

    @property
    def areas_judged(self) -> bool:
        """Whether the judge of areas has seen all that the partitions have come to."""
        return self._wide_judged > self._last_report

    def enrolled(self) -> bool:
        """Whether the workers' state has every enrolment that is on the broker now."""
        ends = self._consumer.end_offsets(
            [TopicPartition(self._settings.topic(HOUSEHOLDS), n) for n in sorted(self._partitions)]
        )
        return all(self._offsets.get(tp.partition, {}).get(HOUSEHOLDS, 0) >= end for tp, end in ends.items())

    def drained(self) -> bool:
        """Whether every alert on the broker has been looked at."""
        ends = self._consumer.end_offsets(self._alerts)
        return all(self._consumer.position(tp) >= end for tp, end in ends.items())

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()
