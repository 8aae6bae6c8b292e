"""Messages become alerts: in whatever order, however often, however cut into batches, with crashes between them."""

from collections import Counter
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from simulators.backtest import backtest, in_time
from simulators.replay import Delivery
from stream import frames
from stream.columns import PhoneColumns
from stream.intake import HEADERS_JSON, Message
from stream.records import HOUSEHOLDS, METER, PHONE, Alert, Feeds, Household, Reason
from stream.settings import Settings
from tests.histories import History, eventful
from tests.stream.streaming import (
    AWAY,
    HERE,
    NOW,
    SINCE,
    TWO,
    Broker,
    T,
    Worker,
    intake,
    readings,
    standing,
)  # fmt: skip

DAY = 86_400
ONE = Settings(partitions=1)

# --- the same alerts as the backtest -----------------------------------------------------------------------------


@lru_cache
def history() -> tuple[History, list[Alert]]:
    """A small eventful history and its alerts."""
    made = eventful(64, 18)  # the least in which every kind occurs
    return made, sorted(backtest(made.meter, made.phone, made.households, TWO), key=in_time)


@pytest.mark.slow
@hypothesis(
    max_examples=6, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(
    late=st.sampled_from([0, 7, 45, 60]),
    repeated=st.sampled_from([0.0, 0.2]),
    rows=st.sampled_from([40, 300, 2000]),
    hours=st.sampled_from([1.0, 6.0, 24.0]),
    most=st.sampled_from([1, 4, 30]),
    crashes=st.sampled_from([0.0, 0.1]),
    seed=st.integers(0, 1000),
)
def test_order_and_repetition_change_nothing(
    late: float, repeated: float, rows: int, hours: float, most: int, crashes: float, seed: int
) -> None:
    """Shuffled within a lateness, repeated, cut anyhow, topics in any order, with crashes: the backtest's alerts."""
    made, want = history()
    broker = Broker(TWO)
    broker.enrol(made.households)
    broker.deliver(made.meter, made.phone, Delivery(hours, late, repeated, rows, seed))
    got = Worker(broker, seed, most).run(crashes)
    assert {"silence", "data_gap", "area_outage"} == {a.kind for a in want}
    assert [(a.at, a.alert_id, a.event) for a in got] == [(a.at, a.alert_id, a.event) for a in want]
    assert got == want


# --- later than the watermark ------------------------------------------------------------------------------------


def late_part(made: History, homes: range, first_day: float, hours: float) -> np.ndarray:
    """Which meter rows are of these homes in this time."""
    start = int(made.meter.start.min()) + round(first_day * DAY)
    number = np.array([int(h[1:]) for h in made.meter.household_id.to_pylist()])
    inside = (made.meter.start >= start) & (made.meter.start < start + hours * 3600)
    return np.isin(number, homes) & inside


def run_late(made: History, held: np.ndarray, hours_late: float) -> list[Alert]:
    """Alerts when the rows ``held`` come so long after the others of their last hour."""
    broker = Broker(TWO)
    broker.enrol(made.households)
    comes = made.meter.start[held].max() + hours_late * 3600
    ends = made.meter.start + made.meter.minutes.astype(np.int64) * 60
    first, last = int(made.meter.start.min()), int(ends.max())
    sent = False
    for mark in range(first, last + 6 * 3600, 6 * 3600):
        meter = np.flatnonzero((made.meter.start >= mark) & (made.meter.start < mark + 6 * 3600) & ~held)
        phone = np.flatnonzero((made.phone.at >= mark) & (made.phone.at < mark + 6 * 3600))
        until = min(mark + 6 * 3600, last)
        broker.send(frames.take(made.meter, meter), "meter", until)
        broker.send(frames.take(made.phone, phone), "phone", until)
        if not sent and until >= comes:
            broker.send(frames.take(made.meter, np.flatnonzero(held)), "meter", None)
            sent = True
    assert sent
    worker = Worker(broker, 1, 8)
    worker.run()
    return worker.alerts  # as they came: one that late data refutes at once is raised and cleared in one moment


@pytest.mark.slow
@pytest.mark.parametrize(
    ("homes", "day", "hours", "late"),
    [(range(0, 64), 12, 3, 6), (range(0, 64), 16, 3, 6), (range(10, 30), 10, 40, 24), (range(25, 40), 9, 60, 90)],
)
def test_late_input_ends_in_the_same_alerts(homes: range, day: float, hours: float, late: float) -> None:
    """A concentrator hours or days late may add events on the way; what stands at the end is what stands on time."""
    made, want = history()
    got = run_late(made, late_part(made, homes, day, hours), late)
    assert standing(got) == standing(want)
    assert {(a.alert_id, a.event) for a in got} != {(a.alert_id, a.event) for a in want}, "nothing came of the lateness"


def test_late_life_clears_the_alert_it_should_have_prevented() -> None:
    """An alert that a late sign of life refutes is cleared when that comes, and the reason says so, with its time."""
    broker = Broker(ONE)
    broker.enrol([Household("a", SINCE, feeds=Feeds("meter", "phone"), risk="high")])
    times = T + 900 * np.arange(23 * 96)
    lively = ((times - T) % DAY // 3600 >= 7) & (times < T + 20 * DAY)
    calls = (T + DAY * np.arange(23)[:, None] + 3600 * np.array([8, 13, 20])).ravel()
    held = (calls >= T + 20 * DAY) & (calls < T + 22 * DAY)

    def phone(which: np.ndarray, until: int | None) -> None:
        n = int(which.sum())
        columns = PhoneColumns(pa.array(["a"] * n), calls[which], np.zeros(n, np.uint8), np.full(n, 60, np.float32))
        broker.send(columns, "phone", until)

    used = np.where(lively, 0.5, 0.02).tolist()
    broker.send(readings(["a"] * len(times), times.tolist(), used), "meter", T + 23 * DAY)
    phone((calls < T + 20 * DAY), T + 22 * DAY)
    worker = Worker(broker, 1)
    before = worker.run()
    [(raised, stood)] = standing(before).items()
    assert stood[0] == "silence"
    assert stood[1] in ("caution", "serious")
    phone(held, None)
    worker.alerts.clear()
    after = worker.run()
    [cleared] = [a for a in after if a.event == "cleared" and a.alert_id == raised]
    assert [r.code for r in cleared.reasons] == ["late_life"]
    assert "Late data shows a sign of life at 01-22 20:00" in cleared.text_en
    assert raised not in standing(before + after)


# --- every message is accounted for ------------------------------------------------------------------------------

row = st.tuples(
    st.sampled_from([*HERE[:4], *AWAY[:2], "stranger", "", "x" * 80]),
    st.sampled_from([T - DAY, T, T + 900, T + 1800, T + 6 * 3600, T + 7, int(NOW) + DAY, -5]),
    st.sampled_from([0.1, 0.0, -1.0, float("nan"), float("inf"), 500.0, 0.3]),
)
whole = st.lists(row, max_size=8).map(
    lambda rows: frames.encode(readings(*([r[i] for r in rows] for i in range(3))), "meter", T + 900)
)
broken = st.one_of(
    st.tuples(st.binary(max_size=60), st.just([("schema", b"1"), ("content-type", b"application/json")])),
    st.tuples(st.binary(max_size=60), st.lists(st.tuples(st.sampled_from(["schema", "content-type", "feed", "x"]),
                                                         st.binary(max_size=12)), max_size=4)),
    st.tuples(st.just(b""), st.just([("schema", b"1")])),
    st.tuples(st.none(), st.just([])),
    whole.map(lambda m: (m[0][: len(m[0]) // 2], m[1])),
    whole.map(lambda m: (m[0], [("schema", b"2"), *m[1][1:]])),
    whole.map(lambda m: (m[0], [*m[1][:3], ("complete-until", b"yesterday")])),
)  # fmt: skip
COUNTED = (Reason.not_enrolled, Reason.wrong_partition, Reason.before_enrolment, Reason.too_late, Reason.duplicate)


def rows_of(value: bytes | None, headers: object) -> int:
    """Rows in a message that can be read, by the decoder alone; 0 where it is refused as a whole."""
    try:
        frame = frames.decode("meter", value, headers, int(NOW))  # type: ignore[arg-type]
    except frames.FrameError:
        return 0
    return len(frame.columns) + sum(b.row >= 0 for b in frame.bad)


@hypothesis(max_examples=150, deadline=None, derandomize=True)
@given(messages=st.lists(st.one_of(whole, broken), min_size=1, max_size=12), most=st.integers(1, 8))
def test_every_row_is_written_dropped_moved_or_dead(messages: list[tuple[bytes | None, object]], most: int) -> None:
    """Rows in = written + dropped by reason + moved + bad, exactly, and each message moves the offset on."""
    made = intake()
    counts: Counter[Reason] = Counter()
    good, moved, letters = 0, 0, 0
    for offset, (value, headers) in enumerate(messages):
        made.put(Message(METER, offset, value, None, headers, NOW))
    for _ in range(3 * len(messages)):
        taken = made.take(most, NOW)
        made.partition.advance(NOW)
        for (_, reason), many in taken.counts.items():
            counts[reason] += many
        good += taken.rows[METER]
        moved += sum(len(columns) for _, columns, _ in taken.moved)
        letters += sum(d.rows for d in taken.dead if d.reason in counts and d.sample)
    assert made.next.get(METER) == len(messages)
    bad = sum(many for reason, many in counts.items() if reason not in COUNTED)
    assert good + bad == sum(rows_of(*m) for m in messages)
    assert bad == letters
    assert moved == counts[Reason.wrong_partition]
    written = good - sum(counts[r] for r in COUNTED)
    assert written == int((made.partition.members.blocks[0].strips.meter > 0).sum())


@hypothesis(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from([METER, PHONE, HOUSEHOLDS]), st.one_of(st.none(), st.binary(max_size=80)),
                          st.one_of(st.none(), st.binary(max_size=9)), st.booleans()), max_size=15),
       st.integers(1, 7))  # fmt: skip
def test_no_bytes_stop_it(messages: list[tuple[str, bytes | None, bytes | None, bool]], most: int) -> None:
    """Whatever is on a topic, the offset moves past it and its end is told."""
    made = intake()
    at = Counter(made.next)
    ends = 0
    for topic, value, key, headed in messages:
        made.put(Message(topic, at[topic], value, key, HEADERS_JSON if headed else [], NOW))
        at[topic] += 1
    for _ in range(len(messages) + 1):
        taken = made.take(most, NOW)
        ends += len(taken.dead)
    assert Counter(made.next) == at
    assert len(made) == 0
    tombstones = sum(t == HOUSEHOLDS and v is None for t, v, _, _ in messages)
    assert len(messages) - tombstones <= ends <= len(messages)


def test_a_damaged_message_behind_a_good_one_is_not_read_again() -> None:
    """The offset stored is past both: a restart would otherwise dead-letter the second a second time."""
    made = intake()
    value, headers = frames.encode(readings(HERE[:1], [T]), "meter")
    made.put(Message(METER, 0, value, None, headers, NOW))
    made.put(Message(METER, 1, b"damaged", None, headers, NOW))
    taken = made.take(10, NOW)
    assert [d.reason for d in taken.dead] == [Reason.truncated]
    assert made.next[METER] == 2


def test_rows_of_another_partition_are_handed_on() -> None:
    """They are given to whoever passes them on, with their feed, and counted; the others are written."""
    made = intake()
    value, headers = frames.encode(readings([HERE[0], AWAY[0], HERE[1]], [T, T, T]), "meter")
    made.put(Message(METER, 0, value, None, headers, NOW))
    taken = made.take(10, NOW)
    [(signal, columns, feed)] = taken.moved
    assert (signal, columns.household_id.to_pylist(), feed) == ("meter", [AWAY[0]], "meter")
    assert +taken.counts == {(METER, Reason.wrong_partition): 1}
    assert int((made.partition.members.blocks[0].strips.meter > 0).sum()) == 2
