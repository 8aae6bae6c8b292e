"""Every Prometheus metric of the stream, typed, in one place; ``docs/operations.md`` says what each means. Those of the
response are in ``response/metrics.py``.

Labels take few values: topics (plain names, without the prefix), feeds, partitions, reasons, kinds, levels; never a
household. Times are Unix seconds, durations are seconds.
"""

# ruff: noqa: RUF009 -- counter() and its like return dataclass fields with a factory, one metric to each Metrics

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from models import judgeable
from stream.records import HOUSEHOLDS, METER, PHONE, SCHEMA_VERSION, Reason
from stream.serving.limits import REASONS, Refused
from stream.settings import Settings

disable_created_metrics()  # a second series for every counter, which no rule of ours reads

HOUSEHOLD_STATES = ("watched", "learning", "absent", "data_gap", "silent", "area_outage", "unjudgeable")
"""What a household can be at this moment; each enrolled household is counted in exactly one."""

BY = JUDGED, LIMITS = "judged", "limits"
"""What judges a household: its own evidence, told sooner than the fixed limit of normal risk, or the fixed limits."""

INPUTS = (METER, PHONE, HOUSEHOLDS)
LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
TRANSACTION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
END_TO_END_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0)
BATCH_BUCKETS = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 200.0, 400.0, 800.0)


def counter(name: str, meaning: str, *labels: str) -> Any:
    """A counter as a dataclass field, not registered yet."""
    return field(default_factory=lambda: Counter(name, meaning, labels, registry=None))


def gauge(name: str, meaning: str, *labels: str) -> Any:
    """A gauge, likewise."""
    return field(default_factory=lambda: Gauge(name, meaning, labels, registry=None))


def histogram(name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Any:
    """A histogram, likewise. ``buckets``: upper bounds."""
    return field(default_factory=lambda: Histogram(name, meaning, labels, buckets=buckets, registry=None))


@dataclass(frozen=True)
class Metrics:
    """The metrics of one process, registered in ``registry``. Counters get their ``_total`` when they are scraped."""

    registry: CollectorRegistry
    now: Callable[[], float] = time.time
    """The wall clock that ages are measured by, asked at each scrape."""

    # What comes in.
    frames: Counter = counter("anbu_frames", "Messages taken from a topic", "topic")
    rows: Counter = counter("anbu_rows", "Rows in those messages", "topic")
    rows_dropped: Counter = counter("anbu_rows_dropped", "Rows not used, by reason", "topic", "reason")
    rows_foreign: Counter = counter(
        "anbu_rows_foreign", "Rows dropped because their feed is not that of their homes", "topic", "feed"
    )
    rows_moved: Counter = counter("anbu_rows_moved", "Rows passed on to the partition they belong in", "topic")
    dead_letters: Counter = counter("anbu_dead_letters", "Records written to dead.letters", "reason")
    last_frame: Gauge = gauge(
        "anbu_last_frame_timestamp_seconds", "Wall clock when a feed last delivered", "feed", "partition"
    )
    watermark: Gauge = gauge(
        "anbu_watermark_timestamp_seconds", "Event time up to which a feed is complete", "feed", "partition"
    )
    watermark_age: Gauge = gauge(
        "anbu_watermark_age_seconds", "Wall clock minus watermark, at the scrape", "feed", "partition"
    )
    clock: Gauge = gauge("anbu_clock_timestamp_seconds", "Event time up to which slots are judged", "partition")
    consumer_lag: Gauge = gauge("anbu_consumer_lag_messages", "Messages not yet taken", "topic", "partition")
    feed_stall: Gauge = gauge("anbu_feed_stall_seconds", "Setting: silence of a feed that is a stall", "feed")
    feed_lateness: Gauge = gauge("anbu_feed_lateness_seconds", "Setting: usual lateness of a feed", "feed")

    # What is judged, and what comes of it.
    households: Gauge = gauge("anbu_households", "Enrolled households by state", "state")
    judgeable: Gauge = gauge(
        "anbu_households_judgeable", "Enrolled households by what judges them: their evidence or the fixed limits",
        "state", "reason",
    )  # fmt: skip
    judged_slots: Counter = counter("anbu_judged_slots", "Household-slots judged")
    alerts: Counter = counter("anbu_alerts", "Alert events committed", "kind", "level", "event")
    open_alerts: Gauge = gauge("anbu_open_alerts", "Alerts raised and not cleared", "kind", "level")
    end_to_end: Histogram = histogram(
        "anbu_end_to_end_seconds", "From a frame's arrival at the broker to its alert committed", END_TO_END_BUCKETS
    )

    # Durability.
    partitions: Gauge = gauge("anbu_partitions", "Setting: partitions that must have an owner")
    partition_owned: Gauge = gauge("anbu_partition_owned", "1 for each partition this worker judges", "partition")
    transaction_seconds: Histogram = histogram(
        "anbu_transaction_seconds", "One transaction: begin to commit", TRANSACTION_BUCKETS
    )
    unwritten: Gauge = gauge("anbu_unwritten_seconds", "How long judged results have waited to be written", "partition")
    writes_refused: Counter = counter(
        "anbu_writes_refused", "Transactions of which the broker refused records", "topic", "reason"
    )
    batch_frames: Histogram = histogram("anbu_batch_frames", "Frames in one transaction", BATCH_BUCKETS)
    changelog_rows: Counter = counter("anbu_changelog_rows", "Rows written to the state topic")
    changelog_bytes: Counter = counter("anbu_changelog_bytes", "Bytes written to the state topic")
    recovery_seconds: Gauge = gauge("anbu_recovery_seconds", "The latest taking of partitions: time to restore them")
    recovered_rows: Counter = counter("anbu_recovered_rows", "State rows read back when taking partitions")
    fenced: Counter = counter("anbu_fenced", "Times this worker found another one in its place")
    inputs_short: Counter = counter(
        "anbu_inputs_short", "Records by which an input was shorter than what its state includes", "topic"
    )
    died: Counter = counter("anbu_died_at_message", "Times the worker before this one died at a message", "topic")
    seek_back: Counter = counter("anbu_seek_back", "Times a gap in the offsets made this worker go back")

    # The process.
    loop_lag: Histogram = histogram("anbu_event_loop_lag_seconds", "How late the event loop woke", LAG_BUCKETS)
    loop_beat: Gauge = gauge("anbu_event_loop_beat_timestamp_seconds", "Wall clock when the event loop last turned")
    build: Info = field(default_factory=lambda: Info("anbu_build", "What is running", registry=None))

    # What is served over HTTP.
    http_refused: Counter = counter("anbu_http_refused", "Connections and requests refused", "listener", "reason")
    http_requests: Counter = counter("anbu_http_requests", "Requests answered", "status")
    feed_refused: Counter = counter(
        "anbu_http_feed_refused", "Requests with the key of a feed refused: another signal, too many at once", "feed",
        "status",
    )  # fmt: skip
    http_rows: Counter = counter("anbu_http_rows", "Rows posted: accepted or rejected", "outcome")

    def __post_init__(self) -> None:
        """Register all of them, with the process's own, and show the known labels as 0: ``rate()`` needs a start."""
        for f in fields(self)[2:]:
            self.registry.register(getattr(self, f.name))
        of_process(self.registry)
        for topic in INPUTS:
            self.frames.labels(topic)
            self.rows.labels(topic)
            self.died.labels(topic)
        for reason in Reason:
            self.dead_letters.labels(reason.value)
        for outcome in ("accepted", "rejected"):
            self.http_rows.labels(outcome)
        self.build.info({"version": _version(), "schema": str(SCHEMA_VERSION), "python": platform.python_version()})

    def set_settings(self, settings: Settings) -> None:
        """Show the settings that the rules compare with. Feeds that are not named in them are shown when first seen."""
        self.partitions.set(settings.partitions)
        for feed in settings.feeds:
            self.set_feed(feed, settings)

    def set_feed(self, feed: str, settings: Settings) -> None:
        """Show what is usual for this feed."""
        known = settings.feed(feed)
        for topic in (METER, PHONE):
            self.rows_foreign.labels(topic, feed)
        self.feed_stall.labels(feed).set(known.stall_seconds)
        self.feed_lateness.labels(feed).set(known.lateness_minutes * 60)

    def set_watermark(self, feed: str, partition: int, at: float) -> None:
        """A feed is complete up to ``at`` in this partition. Its age follows by itself from then on."""
        self.watermark.labels(feed, partition).set(at)
        self.watermark_age.labels(feed, partition).set_function(lambda: self.now() - at)

    def forget_feed(self, feed: str, partition: int) -> None:
        """A feed does not watch anybody in this partition any more: its silence is no stall."""
        for gauge in (self.watermark, self.watermark_age, self.last_frame):
            gauge.remove_by_labels({"feed": feed, "partition": str(partition)})

    def set_households(self, states: dict[str, int]) -> None:
        """How many households of this worker are in each of HOUSEHOLD_STATES; a state not named holds none.

        Raises ValueError for any other state.
        """
        if unknown := set(states) - set(HOUSEHOLD_STATES):
            raise ValueError(f"unknown household states {sorted(unknown)}: use {', '.join(HOUSEHOLD_STATES)}")
        for state in HOUSEHOLD_STATES:
            self.households.labels(state).set(states.get(state, 0))

    def set_judgeable(self, counts: Mapping[tuple[str, str], int]) -> None:
        """How many households of this worker are judged by what (`BY`), by reason; what is not named holds none."""
        for known in product(BY, judgeable.NAMES):
            self.judgeable.labels(*known).set(counts.get(known, 0))

    def own(self, partition: int, unwritten: Callable[[], float] = lambda: 0.0) -> None:
        """This worker has taken the partition. ``unwritten``: how long results wait for writing, asked at scrapes."""
        self.partition_owned.labels(partition).set(1)
        self.unwritten.labels(partition).set_function(unwritten)

    def disown(self, partition: int) -> None:
        """The partition has gone elsewhere: a stale watermark of it here would look like a stalled feed."""
        for gauge in (
            self.partition_owned, self.watermark, self.watermark_age, self.clock, self.last_frame, self.consumer_lag,
            self.unwritten,
        ):  # fmt: skip
            gauge.remove_by_labels({"partition": str(partition)})


def refused_at(counted: Counter, listener: str) -> Refused:
    """Counts what a listener refuses; all reasons are shown from now on."""
    for reason in REASONS:
        counted.labels(listener, reason)
    return lambda reason: counted.labels(listener, reason).inc()


def of_process(registry: CollectorRegistry) -> None:
    """Register what every process shows of itself: start, CPU, memory, files, Python's own."""
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)


def _version() -> str:
    try:
        return version("anbu")
    except PackageNotFoundError:
        return "source"
