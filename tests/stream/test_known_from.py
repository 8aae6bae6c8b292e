"""A household enrolled with a ``since`` of before: nothing is missed of a time from which we dropped what came."""

import numpy as np
import pyarrow as pa
import pytest

from models.slots import MISSING
from stream.changelog import Restore, changed_rows
from stream.columns import MeterColumns, PhoneColumns
from stream.partition import Partition
from stream.records import Alert, Feeds, Household
from tests.stream.streaming import NOW, SINCE, TWO, T, new_partition

HOUR = 3600
CLOCK_H = 20 * 24


def hours(partition: Partition, first: int, last: int, *more: str) -> list[Alert]:
    """Hours of readings of the home ``a`` and ``more``, and of a phone feed that is heard; what is told of others."""
    told: list[Alert] = []
    for hour in range(first, last):
        ids = ["a", *more]
        n, kwh = len(ids), 0.3 if 7 <= hour % 24 < 23 else 0.05
        partition.meter(MeterColumns(
            pa.array(ids), np.full(n, T + hour * HOUR), np.full(n, kwh, np.float32), np.full(n, 60, np.uint8),
            np.zeros(n, np.uint8),
        ))  # fmt: skip
        partition.phone(PhoneColumns(
            pa.array(["a"]), np.array([T + hour * HOUR]), np.zeros(1, np.uint8), np.zeros(1, np.float32)
        ))  # fmt: skip
        for feed in ("meter", "phone"):
            partition.heard(feed, None, T + (hour + 1) * HOUR, NOW)
        outcome = partition.advance(NOW)
        told += outcome.alerts
        if outcome.report is not None:
            told += [*outcome.report.late, *(gap for slot in outcome.report.slots for gap in slot.gaps)]
    return [alert for alert in told if alert.household_id != "a"]


@pytest.fixture
def partition() -> Partition:
    """A partition that has been judging for twenty days."""
    made = new_partition(0, TWO)
    made.households([Household("a", SINCE)])
    made.begin(T, 0)
    hours(made, 0, CLOCK_H)
    return made


def after_h(alert: Alert) -> float:
    """Hours from the enrolment to an alert."""
    return (alert.at - SINCE).total_seconds() / HOUR - CLOCK_H


@pytest.mark.parametrize("phone", [None, "phone"])
def test_hours_without_data_count_from_the_enrolment(partition: Partition, phone: str | None) -> None:
    """Since weeks ago it says, enrolled now: no data is said six hours later, to a person a day later, never at once;
    and a phone of which everything was dropped until now has not been silent for a week."""
    partition.households([Household("b", SINCE, feeds=Feeds("meter", phone))])
    told = hours(partition, CLOCK_H, CLOCK_H + 30)
    gaps = [alert for alert in told if alert.kind == "data_gap"]
    assert [(alert.event, alert.to) for alert in gaps] == [("raised", "dashboard"), ("level_changed", "person")]
    assert [after_h(alert) for alert in gaps] == pytest.approx([6, 24], abs=1.1)
    assert [alert.reasons[0].values["hours"] for alert in gaps] == pytest.approx([6, 24], abs=1.1)
    assert not [alert for alert in told if alert.kind == "silence"]


def test_the_silence_of_a_phone_counts_from_the_enrolment(partition: Partition) -> None:
    """Nobody uses it from then on: the limit of two days is reached two days later."""
    partition.households([Household("b", SINCE, feeds=Feeds(None, "phone"))])
    told = hours(partition, CLOCK_H, CLOCK_H + 60)
    assert {after_h(alert) for alert in told if alert.kind == "silence"} >= {48.0}
    assert min(after_h(alert) for alert in told) >= 47


def test_a_restart_and_a_new_record_keep_it(partition: Partition) -> None:
    """It is of the state: the next worker and a change of the household's terms know it too."""
    partition.households([Household("b", SINCE, feeds=Feeds("meter", None))])
    other = new_partition(0, TWO)
    restore = Restore(other)
    restore.add(changed_rows(partition, {}))
    restore.finish()
    other.households([Household("b", SINCE, feeds=Feeds("meter", None), risk="high")])
    assert hours(other, CLOCK_H, CLOCK_H + 5) == []


def test_readings_of_before_that_come_late_are_used(partition: Partition) -> None:
    """A home whose last days are sent after it was enrolled is judged by them."""
    partition.households([Household("b", SINCE, feeds=Feeds("meter", None))])
    hours(partition, CLOCK_H - 48, CLOCK_H, "b")
    hours(partition, CLOCK_H, CLOCK_H + 1, "b")
    block, row = partition.members.at(int(partition.members.locate(pa.array(["b"]))[0]))
    meter, _ = block.strips.read(T // 900 + (CLOCK_H - 40) * 4, 40 * 4, np.array([row]))
    assert (meter > MISSING).all()
