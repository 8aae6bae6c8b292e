"""Areas judged over partitions: one event a power cut, its gaps held back."""

import itertools
from datetime import UTC, datetime

import pytest

from stream.calendar import Calendar
from stream.records import Alert
from stream.report import Report, SlotReport
from stream.rules import Rules
from stream.settings import Settings
from stream.watermark import GRACE_SECONDS
from stream.wide import Wide

FIRST = 1_963_000
SETTINGS = Settings()


def wide() -> Wide:
    """A judge that knows nothing yet."""
    return Wide(Rules.of(SETTINGS), Calendar(SETTINGS.tz))


def gap(event: str, household: str = "h1", area: str = "east", alert_id: str = "") -> Alert:
    """A data gap's event."""
    when = datetime(2026, 1, 1, tzinfo=UTC)
    return Alert(event, alert_id or f"gap-{household}", household, "data_gap", "attention", "dashboard",  # type: ignore[arg-type]
                 when, when, None, None, (), "", "", area)  # fmt: skip


def reports(silent: dict[int, list[int]], slots: int = 12, **gaps: dict[int, tuple[Alert, ...]]) -> list[Report]:
    """Reports of partitions of ten homes in area east: per partition, silent homes per slot."""
    return [
        Report(p, FIRST + slots, tuple(
            SlotReport(FIRST + i, {"east": per_slot[i]} if i < len(per_slot) and per_slot[i] else {},
                       gaps.get(f"p{p}", {}).get(i, ()))
            for i in range(slots)
        ), {"east": 10})
        for p, per_slot in silent.items()
    ]  # fmt: skip


def judged(*told: Report) -> list[Alert]:
    """What a judge says to reports in this order; all partitions are known from the start."""
    judge = wide()
    for report in told:
        judge.add(Report(report.partition, FIRST, (), report.members))
    judge.state.done = FIRST
    alerts = []
    for report in told:
        alerts += judge.add(report)
        alerts += judge.advance(0.0)
    return alerts


def test_an_outage_is_one_event_and_one_end() -> None:
    """Half of an area's homes silent at once: raised; a fifth or fewer: cleared, with the same id."""
    alerts = judged(*reports({0: [0, 9, 10, 8, 1], 1: [0, 2, 9, 8, 2]}))
    assert [(a.kind, a.event, a.area, a.to) for a in alerts] == [
        ("area_outage", "raised", "east", "operator"), ("area_outage", "cleared", "east", "operator"),
    ]  # fmt: skip
    assert alerts[0].alert_id == alerts[1].alert_id
    assert alerts[0].onset == Calendar(SETTINGS.tz).time(FIRST + 1)
    assert alerts[0].reasons[0].values == {"area": "east", "silent": 11, "members": 20}


def test_less_than_half_is_no_outage() -> None:
    """Nine of twenty silent homes are nine homes."""
    assert judged(*reports({0: [9] * 10, 1: [0] * 10})) == []


def test_the_order_of_reports_does_not_matter() -> None:
    """Three partitions, whichever reports first."""
    told = reports({0: [0, 9, 9, 9], 1: [0, 3, 9, 9], 2: [0, 4, 9, 0]})
    expected = judged(*told)
    assert len(expected) == 2
    for order in itertools.permutations(told):
        assert judged(*order) == expected


def test_gaps_of_an_area_that_is_out_are_held_and_told_when_it_is_back() -> None:
    """What outlasts the outage is told at its end; what ended within it is never told; other areas are not held."""
    p0 = {3: (gap("raised", "h1"), gap("raised", "h2"), gap("raised", "h3", "west")), 5: (gap("cleared", "h2"),)}
    alerts = judged(*reports({0: [0] + [10] * 6 + [0], 1: [0] + [10] * 6 + [0]}, p0=p0))
    assert [(a.kind, a.event, a.household_id) for a in alerts] == [
        ("area_outage", "raised", ""), ("data_gap", "raised", "h3"), ("area_outage", "cleared", ""),
        ("data_gap", "raised", "h1"),
    ]  # fmt: skip


@pytest.mark.parametrize(("told_before", "passes"), [(True, True), (False, False)])
def test_the_end_of_a_gap_is_told_if_its_beginning_was(told_before: bool, passes: bool) -> None:
    """A gap from before the outage ends as ever; one that was held ends unheard."""
    p0 = {0 if told_before else 3: (gap("raised"),), 5: (gap("cleared"),)}
    alerts = judged(*reports({0: [0] + [10] * 9, 1: [0] + [10] * 9}, p0=p0))
    assert ([a.event for a in alerts if a.kind == "data_gap"] == ["raised", "cleared"]) is passes


def test_a_partition_that_lags_is_waited_for_a_while() -> None:
    """Beyond the wait and the grace the others are judged without it, and its gaps are told when it comes."""
    one, other = reports({0: [0] * 12, 1: [0] * 12}, p1={2: (gap("raised"),)})
    judge = wide()
    for report in (one, other):
        judge.add(Report(report.partition, FIRST, (), report.members))
    judge.state.done = FIRST
    judge.add(one)
    judge.advance(1000.0)
    assert judge.state.done == FIRST
    judge.advance(1000.0 + GRACE_SECONDS)
    assert judge.state.done == FIRST + 12
    assert [a.event for a in judge.add(other)] == ["raised"]


def test_small_areas_are_never_judged_as_a_whole() -> None:
    """Four homes are too few to tell a power cut from four people."""
    told = Report(0, FIRST + 2, (SlotReport(FIRST, {}), SlotReport(FIRST + 1, {"east": 4})), {"east": 4})
    assert judged(told) == []


def test_a_gap_ended_by_late_data_is_not_told_before_it_has_grown() -> None:
    """Late data ends a gap whose growth waits for the other partition: told in their order."""
    judge = wide()
    for partition in (0, 1):
        judge.add(Report(partition, FIRST, (), {"east": 10}))
    judge.state.done = FIRST
    grows = SlotReport(FIRST + 3, {}, (gap("level_changed"),))
    assert judge.add(Report(0, FIRST + 4, (grows,), None)) == []
    assert judge.add(Report(0, FIRST + 5, (), None, (gap("cleared"),))) == []
    judge.add(Report(1, FIRST + 5, (), None))
    assert [a.event for a in judge.advance(0.0)] == ["level_changed", "cleared"]
    assert [a.event for a in judge.add(Report(0, FIRST + 6, (), None, (gap("cleared"),)))] == ["cleared"]
