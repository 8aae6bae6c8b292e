"""Slow drifts as alerts: raised when a day settles, cleared, never taken back, never twice in a month."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from models import decline
from models.state import DRIFT
from stream import frames
from stream.calendar import Calendar
from stream.census import open_alerts
from stream.changelog import Restore, changed_rows
from stream.columns import PhoneColumns
from stream.partition import Partition
from stream.records import Alert, Household
from stream.rules import Rules
from stream.settings import Settings
from stream.strips import LATE_DAYS
from tests.lives import CALL_OUT, DAY, SINCE, Lives, T, given, household, lives, of, partition_of, play, where
from tests.stream.streaming import standing, state_of

pytestmark = pytest.mark.slow
BEGINS, DAYS = 60, 122


@cache
def declining() -> Lives:
    """Two homes with hourly meters; from day 60 on home-0 is active and calls less and less."""
    life, rng = lives(homes=2, days=DAYS, minutes=60, seed=5), np.random.default_rng(5)
    far = np.clip((life.meter.start - T) / DAY - BEGINS, 0, 28) / 28
    idle = of(life.meter, "home-0") & (rng.random(len(life.meter)) < 0.55 * far)
    kwh = np.where(idle, np.minimum(life.meter.kwh, 0.03), life.meter.kwh).astype(np.float32)
    far = np.clip((life.phone.at - T) / DAY - BEGINS, 0, 28) / 28
    calls = ~of(life.phone, "home-0") | (rng.random(len(life.phone)) > 0.8 * far)
    return where(replace(life, meter=replace(life.meter, kwh=kwh)), None, calls)


@cache
def steady() -> tuple[list[Alert], list[tuple[bytes, bytes]]]:
    """The time before it declines, which all lives here have in common: alerts, and what is kept as rows."""
    partition = partition_of(declining(), Settings())
    alerts = list(given(partition, declining(), ended(declining(), BEGINS), step=16))
    return alerts, list(changed_rows(partition, {}))


def restored(rows: Iterable[tuple[bytes, bytes]]) -> Partition:
    """A partition of its own from rows."""
    restore = Restore(Partition(0, Rules.of(Settings()), Calendar(Settings().tz)))
    restore.add(rows)
    restore.finish()
    return restore.partition


def lived(life: Lives, late: Sequence[tuple[int, Lives]] = ()) -> tuple[list[Alert], Partition]:
    """A life that declines, from its beginning: alerts, and what is kept."""
    partition = restored(steady()[1])
    since = given(partition, life, life.end, step=16, late=late, begin=ended(life, BEGINS))
    return [*steady()[0], *since], partition


@cache
def played() -> tuple[list[Alert], Partition]:
    """What it comes to, on time."""
    return lived(declining())


def drifts(alerts: list[Alert]) -> list[Alert]:
    """Those on declines and reversals."""
    return [a for a in alerts if a.kind in decline.KINDS]


def ended(life: Lives, day: int) -> int:
    """UTC seconds at the end of a day."""
    return T + day * DAY


def test_a_decline_is_raised_when_its_day_settles_for_the_dashboard_and_closed_within_a_month() -> None:
    """One alert, on the right home, in words with numbers, told a week after the day that shows it, when that can no
    longer change; its two weeks begin before that day; the same id to its end."""
    alerts = drifts(played()[0])
    first, *rest = alerts
    assert (first.household_id, first.kind, first.event) == ("home-0", "decline", "raised")
    assert (first.level, first.to) == ("attention", "dashboard")
    assert BEGINS + 7 + LATE_DAYS <= (first.at - SINCE) / timedelta(days=1) <= BEGINS + 42 + LATE_DAYS
    assert (first.at - SINCE) % timedelta(days=1) == timedelta(0)
    assert first.onset == first.at - timedelta(days=LATE_DAYS + decline.WINDOW_DAYS)
    assert first.strip is not None
    told = {r.code: r.values for r in first.reasons}
    assert "phone_less" in told
    assert told.keys() & {"use_less", "rhythm_less"}
    assert float(told["phone_less"]["now"]) < 0.75 * float(told["phone_less"]["usual"])
    assert "전화와 문자" in first.text_ko
    assert msgspec.json.decode(msgspec.json.encode(first), type=Alert) == first
    last, *again = rest
    assert (last.event, last.alert_id) == ("cleared", first.alert_id)
    assert last.at - first.at == timedelta(days=decline.MONTH)
    assert [r.code for r in last.reasons] == ["drift_over"]
    assert all(a.at - first.at > timedelta(days=decline.MONTH) for a in again)


def test_an_open_decline_is_counted_while_it_stands() -> None:
    """In the census by its kind, one."""
    life = declining()
    day = (drifts(played()[0])[0].at - SINCE).days
    partition = lived(where(life, life.meter.start < ended(life, day + 2), life.phone.at < ended(life, day + 2)))[1]
    counts = open_alerts(partition)
    assert (counts["decline", "attention"], counts["reversal", "attention"]) == (1, 0)


@pytest.mark.parametrize("held_days", [2, 6])
def test_late_days_are_as_on_time(held_days: int) -> None:
    """Readings and calls that come up to six days late: what is kept is as if they had been on time, and so is every
    alert, as none is told of a day that can still change."""
    life = declining()
    at = drifts(played()[0])[0].at
    end = int(at.timestamp()) + DAY
    life = where(life, life.meter.start < end, life.phone.at < end)
    expected, kept = lived(life)
    assert standing(drifts(expected))
    since = end - held_days * DAY
    held_meter = of(life.meter, "home-0") & (life.meter.start >= since) & (life.meter.start < end - 3600)
    held_calls = of(life.phone, "home-0") & (life.phone.at >= since) & (life.phone.at < end - 3600)
    late = where(life, held_meter, held_calls)
    found, again = lived(where(life, ~held_meter, ~held_calls), late=[(end - 1800, late)])
    left, right = state_of(kept), state_of(again)
    assert [name for name in left if left[name] != right[name]] == []
    assert [_facts(a) for a in drifts(found)] == [_facts(a) for a in drifts(expected)]


def _facts(alert: Alert) -> tuple[object, ...]:
    """What an alert says of the settled days; the last sign of life it names is of its own day."""
    return alert.event, alert.alert_id, alert.at, alert.onset, alert.reasons


@pytest.mark.parametrize("late", [False, True], ids=["on time", "six days late"])
def test_calls_that_come_while_a_day_may_change_prevent_its_decline(late: bool) -> None:
    """Many calls in the six days before the day that would show it, on time or as late as may be: never told."""
    life = declining()
    raised = drifts(played()[0])[0]
    shown = int(raised.at.timestamp()) - LATE_DAYS * DAY
    end = int(raised.at.timestamp()) + DAY
    life = where(life, life.meter.start < end, life.phone.at < end)
    calls = many_calls(shown - 6 * DAY, shown)
    both = frames.concat([life.phone, calls])
    whole = replace(life, phone=frames.take(both, np.argsort(both.at, kind="stable")))
    if late:
        nothing = frames.take(life.meter, slice(0, 0))
        found = lived(life, late=[(shown + 3600, Lives(nothing, calls, []))])[0]
    else:
        found = lived(whole)[0]
    assert not [a for a in drifts(found) if a.at <= raised.at]


def test_late_calls_take_no_decline_back() -> None:
    """Many calls of the last six days that come a day after the alert: it stands, and its days count as they did; the
    calls count in the days that follow, late or on time."""
    life = declining()
    raised = drifts(played()[0])[0]
    end = int(raised.at.timestamp()) + DAY // 2
    life = where(life, life.meter.start < end, life.phone.at < end)
    calls = many_calls(end - 6 * DAY, end - 3600)
    late = Lives(frames.take(life.meter, slice(0, 0)), calls, [])
    found, partition = lived(life, late=[(end - 1800, late)])
    assert drifts(found) == [raised]
    both = frames.concat([life.phone, calls])
    whole = replace(life, phone=frames.take(both, np.argsort(both.at, kind="stable")))
    expected, kept = lived(whole)
    left, right = state_of(kept), state_of(partition)
    assert [name for name in left if left[name] != right[name]] == []
    assert [_facts(a) for a in drifts(found)] == [_facts(a) for a in drifts(expected)]


def many_calls(first: int, last: int) -> PhoneColumns:
    """A call of home-0 every half hour of the day."""
    at = np.arange(first, last, 1800)
    at = at[(at - T) % DAY // 3600 >= 7]
    n = len(at)
    return PhoneColumns(pa.array(["home-0"] * n), at, np.full(n, CALL_OUT, np.uint8), np.full(n, 60, np.float32))


def test_after_a_restart_the_drifts_go_on_as_they_were() -> None:
    """Stored and restored at the midnight before the alert: the same alerts, the same state."""
    life = declining()
    expected, kept = played()
    cut = int(drifts(expected)[0].at.timestamp()) - 4 * 3600
    before, found = restored(steady()[1]), [*steady()[0]]
    found += given(before, life, cut, step=16, begin=ended(life, BEGINS))
    after = restored([*steady()[1], *changed_rows(before, {})])
    found += given(after, life, life.end, step=16, begin=cut)
    assert drifts(found) == drifts(expected)
    left, right = state_of(kept), state_of(after)
    assert [name for name in left if left[name] != right[name]] == []


def test_withdrawn_consent_ends_an_open_decline() -> None:
    """The alert is cleared with that reason, and nothing of the drift is kept."""
    life = declining()
    raised = drifts(played()[0])[0]
    end = int(raised.at.timestamp()) + DAY
    partition = lived(where(life, life.meter.start < end, life.phone.at < end))[1]
    partition.households([household("home-0", withdrawn=SINCE)])
    (alert,) = drifts(partition.advance(0.0).alerts)
    assert (alert.event, alert.alert_id, alert.reasons[0].code) == ("cleared", raised.alert_id, "withdrawn")
    assert partition.members.blocks[0].drift[0].tobytes() == bytes(DRIFT.itemsize)


def test_a_withdrawal_that_is_undone_raises_an_open_decline_again() -> None:
    """What stood stands again, with the same reasons, and the drift goes on as it was."""
    life = declining()
    raised = drifts(played()[0])[0]
    end = int(raised.at.timestamp()) + DAY
    partition = lived(where(life, life.meter.start < end, life.phone.at < end))[1]
    before = partition.members.blocks[0].drift[0].copy()
    partition.households([household("home-0", withdrawn=SINCE)], float(end))
    partition.advance(0.0)
    partition.households([msgspec.structs.replace(household("home-0"), since=raised.at)], float(end))
    (alert,) = drifts(partition.advance(0.0).alerts)
    assert (alert.event, alert.alert_id, alert.reasons) == ("raised", raised.alert_id, raised.reasons)
    assert partition.members.blocks[0].drift[0] == before


def test_the_decline_does_not_depend_on_batches_or_company() -> None:
    """Alone or with another, in batches of one or four hours, shuffled and repeated: the same alerts."""
    life = declining()
    expected = [a for a in played()[0] if a.household_id == "home-0"]
    assert drifts(expected)
    alone: list[Household] = [household("home-0")]
    mine = replace(where(life, of(life.meter, "home-0"), of(life.phone, "home-0")), households=alone)
    found = play(mine, Settings(), step=8, rng=np.random.default_rng(3))[0]
    assert drifts(found) == drifts(expected)
