"""Warnings of heat and cold: they shorten limits where and while they hold, whenever they come."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import given as for_all
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from simulators.backtest import backtest, in_time
from simulators.replay import Delivery
from stream import warned
from stream.intake import HEADERS_JSON, Intake, Message
from stream.partition import Partition
from stream.records import HOUSEHOLDS, Alert, AreaWarning, Reason
from stream.settings import LimitSettings, Settings
from stream.warned import Warnings
from tests.histories import History, eventful
from tests.lives import SLOT, Lives, T, given, household, lives, partition_of
from tests.stream.streaming import HERE, NOW, TWO, Broker, Worker, intake, standing, state_of

LIMITS = Settings(limits=LimitSettings(normal_hours=20, warning_factor=0.75, alert_factor=0.5))
LIFE = lives(homes=3, days=6, stop=2.5)
"""home-0 lies still from noon of the third day on: 20 h are over at 08:00 of the next, 10 h at 22:00."""


def at(days: float) -> datetime:
    """Days after the beginning."""
    return datetime.fromtimestamp(T + round(days * 96) * SLOT, UTC)


def warning(begin: float, end: float, level: int = 2, kind: str = "heat", area: str = "east") -> AreaWarning:
    """A warning for the area of all homes, in days."""
    return AreaWarning(area, kind, level, at(begin), at(end))  # type: ignore[arg-type]


def played(*warnings: AreaWarning, life: Lives = LIFE) -> tuple[list[Alert], Partition]:
    """A life whose warnings are known from the beginning."""
    partition = partition_of(life, LIMITS)
    for one in warnings:
        partition.warn(one)
    return list(given(partition, life, life.end)), partition


def first(alerts: list[Alert]) -> Alert:
    """The first alert on home-0 after it has fallen still."""
    return next(a for a in alerts if a.household_id == "home-0" and a.event == "raised" and a.at > at(2.5))


# --- what they do ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "hours"), [(None, 20), (1, 15), (2, 10)])
def test_limits_are_shortened_by_the_factor_of_the_level(level: int | None, hours: float) -> None:
    """The alert comes after so many hours of silence, and its reasons say that a warning is why."""
    alert = first(played(*([] if level is None else [warning(2, 5, level)]))[0])
    assert (alert.at - alert.onset) == timedelta(hours=hours)
    codes = {r.code: dict(r.values) for r in alert.reasons}
    assert codes["limit"] == {"limit_hours": hours}
    assert codes.get("heat_limit") == (None if level is None else {"limit_hours": hours})
    assert level is None or f"shortens the limit to {hours} h" in alert.text_en


def test_it_holds_from_its_beginning_to_its_end_in_its_area_alone() -> None:
    """A warning that is over, one to come and one of another area change nothing; one that begins later is judged by
    from its first slot on."""
    plain = played()[0]
    others = warning(1, 2.6), warning(5, 6, kind="cold"), warning(2, 5, area="west")
    assert first(played(*others)[0]) == first(plain)
    assert first(played(warning(3.125, 4))[0]).at == at(3.125) + timedelta(seconds=SLOT)


def test_of_heat_and_cold_at_once_the_shorter_limit_holds() -> None:
    """And its kind is the one that is told."""
    alert = first(played(warning(2, 5, 1, "heat"), warning(2, 5, 2, "cold"))[0])
    assert alert.at - alert.onset == timedelta(hours=10)
    assert {r.code for r in alert.reasons} & {"heat_limit", "cold_limit"} == {"cold_limit"}


def test_someone_of_a_higher_risk_has_the_factor_of_their_own_limit() -> None:
    """24 h become 12 for who is at high risk; elsewhere in the area 20 become 10."""
    settings = LIMITS.model_copy(update={"limits": LimitSettings(normal_hours=20, high_hours=16, alert_factor=0.5)})
    life = replace(LIFE, households=[household("home-0", risk="high"), *LIFE.households[1:]])
    partition = partition_of(life, settings)
    partition.warn(warning(2, 5))
    alert = first(list(given(partition, life, life.end)))
    assert alert.at - alert.onset == timedelta(hours=8)


def test_a_home_enrolled_under_a_warning_has_the_shorter_limits() -> None:
    """The area is known by name before anybody in it is enrolled."""
    partition = partition_of(replace(LIFE, households=LIFE.households[1:]), LIMITS)
    partition.warn(warning(2, 5, area="north"))
    partition.households([household("home-0", area="north")])
    alert = first(list(given(partition, LIFE, LIFE.end)))
    assert alert.at - alert.onset == timedelta(hours=10)


# --- one after the other ---------------------------------------------------------------------------------------------


def test_a_record_replaces_what_was_said_from_its_beginning_on() -> None:
    """A level that rises, falls and is lifted: three records, and what had been said of the time before stays."""
    found = Warnings((0.75, 0.5))
    records = [warning(1, 5, 1), warning(2, 4, 2), warning(3, 6, 1), warning(3.5, 3.5)]
    assert [found.take(r, 0) for r in records] == [T // SLOT + 48 * d for d in (2, 4, 6, 7)]
    day = T // SLOT
    assert found.said["east", "heat"] == (
        (day + 96, day + 192, 1),
        (day + 192, day + 288, 2),
        (day + 288, day + 336, 1),
    )
    assert found.take(records[-1], 0) is None
    found.settle(day + 192)
    assert found.said["east", "heat"] == ((day + 192, day + 288, 2), (day + 288, day + 336, 1))
    found.settle(day + 400)
    assert found.said == {}


@for_all(
    records=st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 20), st.sampled_from([1, 2])).filter(lambda r: r[0] <= r[1]),
        max_size=8,
    )
)
def test_every_quarter_has_the_level_last_said_of_it(records: list[tuple[int, int, int]]) -> None:
    """Each record speaks of all time from its beginning on: its level until its end, then nothing."""
    found, expected = Warnings((0.75, 0.5)), [0] * 24
    for a, b, level in records:
        found.take(warning(a / 96, b / 96, level), 0)
        expected[a:] = [level if q < b else 0 for q in range(a, 24)]
    said = [0] * 24
    for a, b, level in found.said.get(("east", "heat"), ()):
        assert a < b
        said[a - T // SLOT : b - T // SLOT] = [level] * (b - a)
    assert said == expected


@for_all(
    records=st.lists(
        st.tuples(st.floats(0, 5.5), st.floats(0, 2), st.sampled_from([1, 2]), st.sampled_from(["heat", "cold"])),
        min_size=1, max_size=4,
    ),
    seed=st.integers(0, 10**6),
    step=st.sampled_from([4, 16]),
)  # fmt: skip
@hypothesis(max_examples=12)
def test_when_a_warning_is_said_does_not_matter(
    records: list[tuple[float, float, int, str]], seed: int, step: int
) -> None:
    """Each comes at any time, long before or long after the slots it speaks of: in the end all that is kept and every
    alert that stands is as if all had been known from the beginning."""
    warnings = [warning(a, a + many, level, kind) for a, many, level, kind in records]
    expected, kept = played(*warnings)
    partition, found, begin = partition_of(LIFE, LIMITS), [], T
    for one, quarter in zip(
        warnings, sorted(np.random.default_rng(seed).integers(0, 6 * 96, len(warnings)).tolist()), strict=True
    ):
        end = T + quarter * SLOT // (step * SLOT) * step * SLOT
        found += given(partition, LIFE, end, step, begin=begin) if end > begin else []
        begin = max(begin, end)
        partition.warn(one)
    found += given(partition, LIFE, LIFE.end, step, begin=begin)
    found += partition.advance(0.0).alerts
    left, right = state_of(kept), state_of(partition)
    assert [name for name in left if left[name] != right[name]] == []
    assert standing(a for a in found if a.kind == "silence") == standing(a for a in expected if a.kind == "silence")


def test_what_was_never_true_is_deleted() -> None:
    """An empty value takes all of an area and kind back: the alerts are those of no warning."""
    partition = partition_of(LIFE, LIMITS)
    for one in (warning(2, 5), ("east", "heat"), ("west", "heat")):
        partition.warn(one)  # type: ignore[arg-type]
    assert list(given(partition, LIFE, LIFE.end)) == played()[0]


# --- through the stream ----------------------------------------------------------------------------------------------


@lru_cache
def history() -> tuple[History, list[AreaWarning], list[Alert]]:
    """An eventful history in which every area is warned twice, and its alerts offline."""
    made = eventful(64, 18)
    areas = sorted({h.area for h in made.households})
    day = datetime.fromtimestamp(int(made.meter.start.min()) // SLOT * SLOT, UTC)
    warnings = [
        AreaWarning(area, "heat", level, day + timedelta(days=a), day + timedelta(days=b))
        for level, a, b in ((1, 3, 14), (2, 12, 17))
        for area in areas
    ]  # type: ignore[misc]
    judged = backtest(made.meter, made.phone, made.households, TWO, warnings=warnings)
    return made, warnings, sorted(judged, key=in_time)


@hypothesis(max_examples=3, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck))  # fmt: skip
@for_all(crashes=st.sampled_from([0.0, 0.1]), most=st.sampled_from([1, 30]), seed=st.integers(0, 1000))
def test_the_stream_gives_the_backtests_alerts_with_crashes(crashes: float, most: int, seed: int) -> None:
    """Two partitions, each with its own copy, killed and restored between batches: record for record the same."""
    made, warnings, want = history()
    broker = Broker(TWO)
    broker.enrol(made.households)
    broker.warn(warnings)
    broker.deliver(made.meter, made.phone, Delivery(6.0, 45, 0.2, 300, seed))
    assert Worker(broker, seed, most).run(crashes) == want
    told = Counter(r.code for a in want for r in a.reasons)
    assert told["heat_limit"] > 0
    assert want != sorted(backtest(made.meter, made.phone, made.households, TWO), key=in_time)


def put(made: Intake, key: bytes, value: bytes | None) -> Counter[Reason]:
    """Give one message. Returns dead letters by reason."""
    made.put(Message(HOUSEHOLDS, made.next[HOUSEHOLDS], value, key, [] if value is None else HEADERS_JSON, NOW))
    return Counter(d.reason for d in made.take(10, NOW).dead)


def test_a_message_is_taken_in_any_partition_and_taken_back() -> None:
    """It is nobody's household: no partition passes it on, and a deletion deletes no household."""
    made = intake()
    one = warning(1, 2, area="a/b heat")
    key = b"area/a/b heat/heat"
    assert put(made, key, msgspec.json.encode(one)) == {}
    assert list(made.partition.warnings.said) == [("a/b heat", "heat")]
    assert put(made, key, None) == {}
    assert made.partition.warnings.said == {}
    assert len(made.partition.members.directory) == len(HERE)


_LONG = {"area": "east", "kind": "heat", "level": 1, "from": "2026-07-01T00:00:00Z", "until": "2026-07-02T00:00:00Z"}
UNFIT = {
    "another key": (b"area/west/heat", _LONG, Reason.wrong_type),
    "no such kind": (b"area/east/rain", {**_LONG, "kind": "rain"}, Reason.wrong_type),
    "no such level": (b"area/east/heat", {**_LONG, "level": 3}, Reason.wrong_type),
    "no end": (b"area/east/heat", {k: v for k, v in _LONG.items() if k != "until"}, Reason.wrong_type),
    "no zone": (b"area/east/heat", {**_LONG, "from": "2026-07-01T00:00:00"}, Reason.bad_time),
    "ends before it begins": (b"area/east/heat", {**_LONG, "until": "2026-06-30T00:00:00Z"}, Reason.bad_time),
    "for ever": (b"area/east/heat", {**_LONG, "until": "2099-01-01T00:00:00Z"}, Reason.bad_time),
    "no name": (b"area//heat", {**_LONG, "area": ""}, Reason.wrong_type),
}


@pytest.mark.parametrize("case", UNFIT)
def test_a_warning_that_cannot_be_used_is_a_dead_letter(case: str) -> None:
    """It is told with its reason, and nothing that was said changes."""
    key, record, reason = UNFIT[case]
    made = intake()
    assert put(made, key, msgspec.json.encode(record)) == {reason: 1}
    assert made.partition.warnings.said == {}
    assert put(made, key, b"\xff{") == {Reason.truncated: 1}


def test_spans_that_are_kept_are_bounded() -> None:
    """A sender that speaks of ever later times does not fill the memory: the latest hundred are kept."""
    found = Warnings((0.75, 0.5))
    for quarter in range(0, 3 * warned.MAX_SPANS, 2):
        found.take(warning(quarter / 96, (quarter + 1) / 96), 0)
    assert len(found.said["east", "heat"]) == warned.MAX_SPANS
