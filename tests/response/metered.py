"""Metrics of one test, and how they are read."""

from prometheus_client import CollectorRegistry

from response.hours import Hours
from response.metrics import ResponseMetrics


def fresh(hours: Hours | None = None) -> ResponseMetrics:
    """Metrics that nobody has touched."""
    return ResponseMetrics(CollectorRegistry(), now=lambda: 1_000.0, hours=hours)


def value(metrics: ResponseMetrics, metric: str, /, **labels: str) -> float | None:
    """One sample as Prometheus would see it."""
    return metrics.registry.get_sample_value(metric, labels)


def times(metrics: ResponseMetrics, what: str, drill: str = "no") -> tuple[float | None, float | None]:
    """How many were timed, and their sum in seconds."""
    name = f"anbu_alert_to_{what}_seconds"
    return value(metrics, f"{name}_count", drill=drill), value(metrics, f"{name}_sum", drill=drill)
