"""Areas judged over partitions: one event a power cut, its gaps held back."""

import itertools
from collections import Counter
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stream.calendar import Calendar
from stream.records import Alert
from stream.report import Report, SlotReport, group
from stream.rules import Rules
from stream.settings import Settings
from stream.wide import AHEAD_SECONDS, GIVE_UP_SECONDS, Wide

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


def known(*told: Report) -> Wide:
    """A judge that knows the homes of these partitions and has decided nothing yet."""
    judge = wide()
    for report in told:
        judge.add(Report(report.partition, FIRST, (), report.members))
    judge.state.done = FIRST
    return judge


@pytest.mark.parametrize("stood", [30.0, 77.0, AHEAD_SECONDS - 1])
def test_a_partition_that_stands_still_is_waited_for(stood: float) -> None:
    """However late it comes: the alerts are those of the same reports without a pause."""
    one, other = reports({0: [0, 9, 9, 0], 1: [0, 1, 2, 9]}, p1={2: (gap("raised"),)})
    judge = known(one, other)
    alerts = [*judge.add(one), *judge.advance(1000.0), *judge.advance(1000.0 + stood)]
    assert alerts == []
    alerts += [*judge.add(other), *judge.advance(1001.0 + stood)]
    assert alerts == judged(one, other) != []


def test_what_a_standing_partition_cannot_change_is_decided_without_it() -> None:
    """Nine of ten homes are out whatever the tenth does; where it could matter it is waited for."""
    nine = Report(0, FIRST + 6, tuple(
        SlotReport(FIRST + i, {"east": n, "west": 2} if n else {}) for i, n in enumerate([0, 9, 9, 9, 0, 0])
    ), {"east": 9, "west": 4})  # fmt: skip
    judge = known(nine, Report(1, FIRST, (), {"east": 1, "west": 4}))
    assert judge.add(nine) == []
    assert judge.advance(1000.0) == judge.advance(1000.0 + AHEAD_SECONDS - 1) == []
    alerts = judge.advance(1000.0 + AHEAD_SECONDS)
    assert [(a.event, a.area) for a in alerts] == [("raised", "east"), ("cleared", "east")]
    assert judge.advance(2000.0 + AHEAD_SECONDS) == []
    late = Report(1, FIRST + 6, tuple(
        SlotReport(FIRST + i, {"east": 1, "west": 4 * (i in (2, 3))}) for i in range(6)
    ), None)  # fmt: skip
    assert judge.add(late) == []
    assert [(a.event, a.area) for a in judge.advance(2000.0)] == [("raised", "west"), ("cleared", "west")]


def test_a_partition_that_is_gone_for_good_is_not_waited_for() -> None:
    """After a day the others are judged without it; its gaps are told when it comes after all."""
    one, other = reports({0: [0] * 12, 1: [0] * 12}, p1={2: (gap("raised"),)})
    judge = known(one, other)
    judge.add(one)
    judge.advance(1000.0)
    judge.advance(1000.0 + GIVE_UP_SECONDS - 1)
    assert judge.state.done == FIRST
    judge.advance(1000.0 + GIVE_UP_SECONDS)
    assert judge.state.done == FIRST + 12
    assert [a.event for a in judge.add(other)] == ["raised"]


SLOTS_OF = st.lists(st.sampled_from([0, 0, 10, 10, 5]), min_size=10, max_size=10)
LIFE = ("raised", "level_changed", "cleared", "raised", "cleared")
GAPS_OF = st.sets(st.integers(0, 9), max_size=5).map(lambda slots: dict(zip(sorted(slots), LIFE, strict=False)))


@hypothesis_settings(max_examples=300)
@given(st.lists(st.tuples(SLOTS_OF, GAPS_OF), min_size=3, max_size=3), st.integers(0, 8), st.booleans())
def test_deciding_ahead_changes_no_alert(homes: list[tuple[list[int], dict[int, str]]], at: int, west: bool) -> None:
    """Whatever a partition reports that stood still in between, and wherever it stopped: each alert stands once, at its
    time, those of one home in their order."""
    told = [
        Report(p, FIRST + 10, tuple(
            SlotReport(FIRST + i, {"east": n} if n else {},
                       (gap(gaps[i], f"h{p}", "west" if west and p else "east"),) if i in gaps else ())
            for i, n in enumerate(silent)
        ), {"east": 10 if p < 2 else 3})
        for p, (silent, gaps) in enumerate(homes)
    ]  # fmt: skip
    told = [msgspec.structs.replace(r, slots=tuple(
        msgspec.structs.replace(x, gaps=tuple(msgspec.structs.replace(g, at=CALENDAR.time(x.slot + 1)) for g in x.gaps),
                                silent={a: min(n, r.members["east"]) for a, n in x.silent.items()})
        for x in r.slots)) for r in told]  # fmt: skip
    judge = known(*told)
    early = [*judge.add(told[0]), *judge.add(told[1])]
    first = Report(2, FIRST + at, told[2].slots[:at])
    early += [*judge.add(first), *judge.advance(0.0), *judge.advance(AHEAD_SECONDS)]
    early += [*judge.add(msgspec.structs.replace(told[2], slots=told[2].slots[at:])), *judge.advance(AHEAD_SECONDS + 1)]
    want = judged(*told)
    assert Counter(map(identity, early)) == Counter(map(identity, want))
    for household in ("h0", "h1", "h2"):
        assert [identity(a) for a in early if a.household_id == household] == [
            identity(a) for a in want if a.household_id == household
        ]
    assert (judge.state.done, judge.state.ahead, judge.state.past, judge.state.gaps) == (FIRST + 10, {}, {}, {})


CALENDAR = Calendar(SETTINGS.tz)


def identity(alert: Alert) -> tuple[str, str, object]:
    """What an alert event is known by."""
    return alert.alert_id, alert.event, alert.at


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


def test_homes_of_a_drill_are_an_area_of_their_own() -> None:
    """A power cut of a drill is one event of the drill; the real homes of the area are neither out nor held back."""
    drilled = [msgspec.structs.replace(gap("raised", f"d{i}"), drill=True) for i in range(9)]
    silent = SlotReport(FIRST, {group("east", True): 9}, (*drilled, gap("raised", "real")))
    rest = tuple(SlotReport(FIRST + i, {}) for i in range(1, 8))
    told = Report(0, FIRST + 8, (silent, *rest), {"east": 20, group("east", True): 10})
    outages = [a for a in judged(told) if a.kind == "area_outage"]
    assert [(a.event, a.area, a.drill) for a in outages] == [("raised", "east", True), ("cleared", "east", True)]
    assert all("\x1f" not in a.text_ko + a.text_en + str(a.reasons) for a in outages)
    real = [a for a in judged(told) if a.household_id == "real"]
    assert [a.event for a in real] == ["raised"]
