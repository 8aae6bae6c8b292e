"""State written as rows and read back is the state: byte for byte, whatever happened, however it was cut up."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from stream import changelog
from stream.changelog import Meta, Restore, StateVersionError, changed_rows
from stream.columns import MeterColumns, PhoneColumns
from stream.partition import Partition
from stream.records import KINDS, METER, Absence, AreaWarning, Feeds, Household, Outcome, OutcomeCode
from stream.strips import LATE_DAYS, SLOTS
from tests.stream.streaming import NOW, SINCE, TWO, T, new_partition, readings, state_of

DAY = 86_400
Row = tuple[bytes, bytes]


def restored(rows: Iterable[Row]) -> tuple[Partition, dict[str, int]]:
    """A partition from rows, and the offsets they hold."""
    partition = new_partition(0, TWO)
    restore = Restore(partition)
    restore.add(rows)
    return partition, restore.finish()


@dataclass
class Life:
    """A partition that things happen to, and the log of rows that it wrote on the way."""

    partition: Partition = field(default_factory=lambda: new_partition(0, TWO))
    log: list[Row] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    offset: int = 0

    def happen(self, what: str, rng: np.random.Generator) -> None:
        """One of: enrol, withdraw, change, warn, meter, phone, pass, store."""
        getattr(self, f"_{what}")(rng)

    def _now(self) -> int:
        return (self.partition.marks.clock or T // 900) * 900

    def _enrol(self, rng: np.random.Generator) -> None:
        new = [f"h{len(self.ids) + i}" for i in range(int(rng.choice([1, 3, 40])))]
        self.ids += new
        since = datetime.fromtimestamp(self._now() + int(rng.integers(-DAY, DAY)), UTC)
        self.partition.households(
            [Household(h, since, f"area-{rng.integers(3)}", f"dong-{rng.integers(2)}", Feeds("meter", "phone"))
             for h in new]
        )  # fmt: skip

    def _withdraw(self, rng: np.random.Generator) -> None:
        if self.ids:
            gone = self.ids.pop(int(rng.integers(len(self.ids))))
            self.partition.households([Household(gone, SINCE, withdrawn=SINCE)])

    def _change(self, rng: np.random.Generator) -> None:
        if self.ids:
            at = datetime.fromtimestamp(self._now(), UTC)
            absences = (Absence(at, at.replace(year=2027), "trip"),) if rng.random() < 0.5 else ()
            codes = rng.choice(list(OutcomeCode), int(rng.integers(0, 3))).tolist()
            outcomes = tuple(Outcome(at, OutcomeCode(code), until=at + timedelta(days=2)) for code in codes)
            changed = Household(str(rng.choice(self.ids)), SINCE, "area-0", risk="high", risk_since=at,
                                absences=absences, drill=bool(rng.random() < 0.5), outcomes=outcomes)  # fmt: skip
            self.partition.households([changed])

    def _warn(self, rng: np.random.Generator) -> None:
        begin = datetime.fromtimestamp(self._now() + int(rng.integers(-3 * DAY, DAY)), UTC)
        area, kind = f"area-{rng.integers(4)}", "heat" if rng.random() < 0.5 else "cold"
        if rng.random() < 0.1:
            self.partition.warn((area, kind))
        else:
            end = begin + timedelta(hours=int(rng.choice([0, 5, 100])))
            self.partition.warn(AreaWarning(area, kind, 1 if rng.random() < 0.5 else 2, begin, end))  # type: ignore[arg-type]

    def _times(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Quarter-hours up to a week back and as far ahead as the ring has room."""
        ahead = self.partition.room or self._now() + 4 * 3600
        back = self._now() - int(rng.choice([3600, DAY, LATE_DAYS * DAY]))
        return rng.integers(back // 900, ahead // 900, n) * 900

    def _meter(self, rng: np.random.Generator) -> None:
        if not self.ids:
            return
        n = 200
        start = self._times(rng, n)
        self.partition.begin(int(start.min()), 0)
        start = self._times(rng, n)
        ids = pa.array(rng.choice(self.ids, n).tolist())
        minutes = rng.choice(np.array([15, 15, 15, 30, 60], np.uint8), n)
        start = np.minimum(start // (minutes.astype(np.int64) * 60) * minutes.astype(np.int64) * 60, start)
        kwh, quality = rng.random(n, np.float32), rng.integers(0, 3, n, np.uint8)
        self.partition.meter(MeterColumns(ids, start, kwh, minutes, quality))

    def _phone(self, rng: np.random.Generator) -> None:
        if self.ids and self.partition.start is not None:
            n = 50
            ids, kinds = pa.array(rng.choice(self.ids, n).tolist()), rng.integers(0, len(KINDS), n, np.uint8)
            at = self._times(rng, n) + rng.integers(0, 900, n)
            self.partition.phone(PhoneColumns(ids, at, kinds, np.ones(n, np.float32)))

    def _pass(self, rng: np.random.Generator) -> None:
        until = self._now() + int(rng.choice([900, 3 * 3600, 3 * DAY]))
        for feed in ("meter", "phone"):
            self.partition.heard(feed, None, until, NOW)
        self.partition.advance(NOW)

    def _store(self, rng: np.random.Generator) -> None:
        self.offset += int(rng.integers(1, 9))
        self.log += changed_rows(self.partition, {METER: self.offset})


EVENTS = ("enrol", "withdraw", "change", "warn", "meter", "meter", "meter", "phone", "phone", "pass", "pass", "store")


@pytest.mark.slow
@hypothesis(max_examples=60, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck))  # fmt: skip
@given(events=st.lists(st.sampled_from(EVENTS), min_size=5, max_size=60), seed=st.integers(0, 2**32))
def test_what_is_restored_is_what_was_there(events: list[str], seed: int) -> None:
    """Writes, enrolments, withdrawals, changes, days passing, stored now and then: the log gives the state back."""
    rng = np.random.default_rng(seed)
    life = Life()
    for event in ("enrol", "meter", *events, "store"):
        life.happen(event, rng)
    whole, offsets = restored(life.log)
    assert offsets == {METER: life.offset}
    assert state_of(whole) == state_of(life.partition)
    last = list(dict(life.log).items())
    compacted, _ = restored([last[i] for i in rng.permutation(len(last))])
    assert state_of(compacted) == state_of(life.partition)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_several_weeks_around_the_ring(seed: int) -> None:
    """Each column of the ring is used again after eight days: what is old in the log does not come back."""
    rng = np.random.default_rng(seed)
    life = Life()
    life.happen("enrol", rng)
    for day in range(30):
        for event in ("meter", "phone", "pass", *(["store"] if day % 3 else [])):
            life.happen(event, rng)
    life.happen("pass", rng)
    life.happen("store", rng)
    assert life.partition.start is not None
    assert life.partition.start > T // 900 + 2 * SLOTS, "the ring was not gone round twice"
    assert state_of(restored(dict(life.log).items())[0]) == state_of(life.partition)


@pytest.mark.slow
def test_a_restored_partition_goes_on_as_the_other_would() -> None:
    """The same input afterwards gives the same alerts, the same rows and the same state."""
    rng = np.random.default_rng(5)
    life = Life()
    life.happen("enrol", rng)
    for _ in range(20):
        for event in ("meter", "phone", "pass", "store"):
            life.happen(event, rng)
    other = Life(restored(life.log)[0], ids=list(life.ids), offset=life.offset)
    logs = []
    for one in (life, other):
        rng, one.log = np.random.default_rng(6), []
        for event in EVENTS * 3 + ("store",):
            one.happen(event, rng)
        logs.append(dict(one.log))
    assert state_of(life.partition) == state_of(other.partition)
    assert logs[0] == logs[1]


def test_only_what_changed_is_written() -> None:
    """One reading is one column of the meter, the heads are not rewritten; nothing new is the partition's own row."""
    partition = new_partition(0, TWO)
    partition.households([Household("h0", SINCE)])
    partition.begin(T, 0)
    dict(changed_rows(partition, {}))
    assert [k for k, _ in changed_rows(partition, {})] == [changelog.META]
    partition.meter(readings(["h0"], [T]))
    changed = [k for k, _ in changed_rows(partition, {})]
    assert changed[0] == f"0/m{T // 900 % SLOTS}".encode()
    assert set(changed[1:]) <= {b"0/who", changelog.META}


def test_nothing_of_a_withdrawn_household_is_left() -> None:
    """Of the compacted log not one byte of it remains: neither its id nor what was written of it."""
    partition = new_partition(0, TWO)
    partition.households([Household("somebody", SINCE), Household("else", SINCE)])
    partition.begin(T, 0)
    times = [T + 900 * i for i in range(12)]
    partition.meter(readings(["somebody"] * 12, times, [0.25] * 12))
    partition.phone(PhoneColumns(pa.array(["somebody"]), np.array([T]), np.zeros(1, np.uint8), np.ones(1, np.float32)))
    log = dict(changed_rows(partition, {}))
    assert any(b"somebody" in value for value in log.values())
    partition.households([Household("somebody", SINCE, withdrawn=SINCE)])
    log |= dict(changed_rows(partition, {}))
    assert not any(b"somebody" in value for value in log.values())
    columns = {k: v[8:] for k, v in log.items() if k.split(b"/")[-1][:1] in (b"m", b"p") and k != changelog.META}
    assert len(columns) > SLOTS
    assert not any(any(value) for value in columns.values())


def test_state_of_another_version_is_refused() -> None:
    """It is said in one line with both versions and what to do, and nothing is made of it."""
    row = changelog.META, msgspec.msgpack.encode(Meta(99, {}, None, None, None, []))
    with pytest.raises(StateVersionError, match=r"version 99, this anbu reads 2: .*topic_prefix"):
        restored([row])


def test_no_rows_is_a_new_partition() -> None:
    """It has no offsets of its own: whoever asks begins where the topic begins."""
    partition, offsets = restored([])
    assert offsets == {}
    assert state_of(partition) == state_of(new_partition(0, TWO))


def test_terms_of_the_version_before_outcomes_are_still_read() -> None:
    """A row written before households had outcomes: absences and risk are those it holds, and nothing else is."""
    partition = new_partition(0, TWO)
    at = datetime.fromtimestamp(T, UTC)
    partition.households(
        [Household("h1", at, risk="high", risk_since=at, absences=(Absence(at, at + timedelta(days=3)),))]
    )
    rows = dict(changed_rows(partition, {}))
    who = msgspec.msgpack.decode(rows[b"0/who"])
    who["terms"] = {row: list(terms)[:2] for row, terms in who["terms"].items()}
    assert who["terms"]
    rows[b"0/who"] = msgspec.msgpack.encode(who)
    assert state_of(restored(rows.items())[0]) == state_of(partition)
