"""The metrics as Prometheus sees them."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from stream.metrics import INPUTS, Metrics
from stream.records import Reason
from stream.settings import FeedSettings, Settings


def fresh(now: float = 1_000.0) -> Metrics:
    return Metrics(CollectorRegistry(), now=lambda: now)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_two_processes_worth_of_metrics_do_not_share_anything() -> None:
    """Each Metrics counts in its own registry."""
    one, other = fresh(), fresh()
    one.fenced.inc()
    assert (value(one, "anbu_fenced_total"), value(other, "anbu_fenced_total")) == (1.0, 0.0)


def test_counters_of_known_labels_start_at_zero() -> None:
    """rate() and == 0 need a series before the first frame has come."""
    metrics = fresh()
    assert [value(metrics, "anbu_frames_total", topic=t) for t in INPUTS] == [0.0] * len(INPUTS)
    assert [value(metrics, "anbu_dead_letters_total", reason=r) for r in Reason] == [0.0] * len(Reason)


def test_watermark_age_grows_without_anybody_setting_it() -> None:
    """The age is computed at the scrape, so that a stopped stream shows."""
    clock = [1_000.0]
    metrics = Metrics(CollectorRegistry(), now=lambda: clock[0])
    metrics.set_watermark("meter", 3, 900.0)
    clock[0] = 1_500.0
    assert value(metrics, "anbu_watermark_age_seconds", feed="meter", partition="3") == 600.0
    assert value(metrics, "anbu_watermark_timestamp_seconds", feed="meter", partition="3") == 900.0


def test_watermark_that_moves_is_younger() -> None:
    """A second setting replaces the first one's age."""
    metrics = fresh(now=1_000.0)
    metrics.set_watermark("meter", 3, 400.0)
    metrics.set_watermark("meter", 3, 990.0)
    assert value(metrics, "anbu_watermark_age_seconds", feed="meter", partition="3") == 10.0


def test_partition_that_left_takes_its_series_along() -> None:
    """A stale watermark of a partition that another worker has would look like a stalled feed."""
    metrics = fresh()
    for partition in (3, 4):
        metrics.own(partition)
        metrics.set_watermark("meter", partition, 900.0)
        metrics.last_frame.labels("meter", partition).set(950)
        metrics.clock.labels(partition).set(800)
        metrics.consumer_lag.labels("meter.readings", partition).set(7)
    metrics.disown(3)
    text = generate_latest(metrics.registry).decode()
    assert 'partition="3"' not in text
    assert text.count('partition="4"') == 7


def test_leaving_a_partition_never_owned_is_no_error() -> None:
    """A revocation may name partitions that were never restored."""
    metrics = fresh()
    metrics.disown(5)
    assert 'partition="5"' not in generate_latest(metrics.registry).decode()


def test_households_of_a_state_that_emptied_are_zero() -> None:
    """A state not named any more holds none, instead of its last figure."""
    metrics = fresh()
    metrics.set_households({"watched": 5, "silent": 1})
    metrics.set_households({"watched": 6})
    assert value(metrics, "anbu_households", state="silent") == 0.0
    assert value(metrics, "anbu_households", state="watched") == 6.0


def test_unknown_household_state_is_refused() -> None:
    """A misspelt state would silently leave the sum."""
    with pytest.raises(ValueError, match="watchd"):
        fresh().set_households({"watchd": 5})


def test_rules_can_compare_with_each_feeds_own_settings() -> None:
    """Stall and lateness are shown in seconds, by feed."""
    metrics = fresh()
    settings = Settings(feeds={"kt": FeedSettings(stall_seconds=30, lateness_minutes=15)}, partitions=4)
    metrics.set_settings(settings)
    metrics.set_feed("meter", settings)
    assert value(metrics, "anbu_feed_stall_seconds", feed="kt") == 30.0
    assert value(metrics, "anbu_feed_lateness_seconds", feed="kt") == 900.0
    assert value(metrics, "anbu_feed_stall_seconds", feed="meter") == 300.0
    assert value(metrics, "anbu_partitions") == 4.0


def test_no_metric_has_a_label_for_a_household() -> None:
    """Metrics are kept for long and read by many: no household is in them, and their number stays small."""
    allowed = {"topic", "reason", "feed", "partition", "state", "kind", "level", "event", "status", "outcome"}
    allowed.add("listener")
    metrics = fresh()
    labels = {label for m in vars(metrics).values() for label in getattr(m, "_labelnames", ())}
    assert labels <= allowed
    assert "partition" in labels
