"""The laws of judging: what may not matter does not, and what is not known is not judged."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as for_all
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from models import levels
from models.state import UNIT
from stream import frames
from stream.columns import MeterColumns
from stream.partition import Partition
from stream.records import Absence, Alert, Household, Reason
from stream.settings import Settings
from tests.lives import (
    DAY,
    ESTIMATED,
    MISSING,
    SHORT,
    SINCE,
    SLOT,
    Lives,
    T,
    given,
    head,
    household,
    lives,
    of,
    partition_of,
    play,
    until,
    where,
    with_quality,
)
from tests.stream.streaming import standing, state_of

LONG = lives(days=18, stop=15.5, seed=3)
"""Long enough for one's own baseline to speak."""


def said(alerts: list[Alert]) -> list[tuple[str, str, str, str]]:
    """Alerts as (household, kind, event, level)."""
    return [(a.household_id, a.kind, a.event, a.level) for a in alerts]


def of_kind(alerts: list[Alert], kind: str, name: str = "home-0") -> list[tuple[str, str]]:
    """Events of one kind on one home: (event, level)."""
    return [(a.event, a.level) for a in alerts if a.kind == kind and a.household_id == name]


def same(a: Partition, b: Partition) -> None:
    """Both keep the same, byte for byte."""
    left, right = state_of(a), state_of(b)
    assert [name for name in left if left[name] != right[name]] == []


# --- what does not matter --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [15, 30, 60])
@for_all(seed=st.integers(0, 10**6), step=st.sampled_from([4, 8, 12, 16]))
@hypothesis(max_examples=6)
def test_order_repetition_and_batches_change_nothing(minutes: int, seed: int, step: int) -> None:
    """Rows shuffled and repeated, in batches of one to four hours: the same alerts, the same bytes."""
    life = lives(minutes=minutes, stop=2.5)
    expected, kept = play(life)
    assert len(expected) > 3
    found, again = play(life, step=step, rng=np.random.default_rng(seed))
    assert found == expected
    same(kept, again)


@for_all(cut=st.integers(96, 18 * 96 - 1))
@hypothesis(max_examples=8)
def test_nothing_is_known_before_it_is_over(cut: int) -> None:
    """The input cut off at any moment gives the alerts from before it, byte for byte."""
    moment = T + cut * SLOT
    life = replace(LONG, meter=_hourly(LONG.meter))
    expected = [a for a in play(life, Settings(), step=16)[0] if a.at.timestamp() <= moment]
    assert play(until(life, moment), Settings(), end=moment)[0] == expected


def _hourly(meter: MeterColumns) -> MeterColumns:
    """Half of the homes have hourly meters."""
    hourly = np.array([int(i[-1]) % 2 for i in meter.household_id.to_pylist()], bool)
    first = meter.start % 3600 == 0
    kwh = np.where(hourly, meter.kwh * 2, meter.kwh).astype(np.float32)
    minutes = np.where(hourly, 60, meter.minutes).astype(np.uint8)
    return frames.take(replace(meter, kwh=kwh, minutes=minutes), np.flatnonzero(~hourly | first))


@for_all(held=st.integers(0, 10**6), hours=st.integers(1, 6 * 24), step=st.sampled_from([4, 16]))
@hypothesis(max_examples=8)
def test_late_within_a_week_is_as_on_time(held: int, hours: int, step: int) -> None:
    """Rows that come up to six days late, in any order: at the end everything kept and everything that stands is as
    if they had come on time."""
    rng = np.random.default_rng(held)
    life = lives(days=9, stop=7.5)
    expected, kept = play(life)
    end = life.end - 7 * DAY
    some = (life.meter.start < end) & (rng.random(len(life.meter)) < 0.2) & of(life.meter, "home-1")
    calls = (life.phone.at < end) & (rng.random(len(life.phone)) < 0.3)
    now, late = where(life, ~some, ~calls), where(life, some, calls)
    found, again = play(now, step=step, late=[(end + hours * 3600, late)], rng=rng)
    same(kept, again)
    assert standing(found) == standing(expected)


@pytest.mark.parametrize("signal", ["meter", "phone"])
def test_late_life_clears_the_alert_it_should_have_prevented_and_says_so(signal: str) -> None:
    """A call, or some readings of a lively afternoon, that come half a day late end the alert and say why."""
    life, moment = lives(days=8, stop=5.4), T + int(6.6 * DAY) // 1800 * 1800
    keep, rows = ~of(life.phone, "home-0"), of(life.meter, "home-0")
    rows &= (life.meter.start >= moment) & (life.meter.start < moment + 4 * 3600)
    life = replace(life, meter=replace(life.meter, kwh=np.where(rows, 1.5, life.meter.kwh).astype(np.float32)))
    call = replace(frames.take(life.phone, slice(0, 1)), household_id=pa.array(["home-0"]), at=np.array([moment]))
    late = (
        where(life, rows, keep & False) if signal == "meter" else Lives(frames.take(life.meter, slice(0, 0)), call, [])
    )
    found = play(where(life, ~rows, keep), late=[(T + 7 * DAY, late)])[0]
    mended, *after = [a for a in found if a.household_id == "home-0" and a.at.timestamp() >= T + 6.9 * DAY]
    assert (mended.event, mended.reasons[0].code) == ("cleared", "late_life")
    assert mended.onset.timestamp() < moment <= mended.last_life.timestamp()
    assert (
        signal == "meter"
        or f"{(SINCE + timedelta(seconds=moment - T)).astimezone(mended.at.tzinfo):%m-%d %H:%M}" in mended.text_ko
    )
    assert after[0].event == "raised"
    assert all(a.event != "cleared" and a.onset.timestamp() > moment for a in after)


@for_all(names=st.permutations([f"home-{i}" for i in range(5)]), row=st.integers(0, 4))
@hypothesis(max_examples=5)
def test_a_home_is_judged_alike_alone_and_among_others(names: list[str], row: int) -> None:
    """One home in a partition of its own, or enrolled in any order among others: the same alerts and head."""
    life, name = lives(stop=2.5), names[row]
    alone = replace(where(life, of(life.meter, name), of(life.phone, name)), households=[household(name)])
    mixed = replace(life, households=[household(n) for n in names])
    (a, one), (b, many) = play(alone), play(mixed)
    assert [x for x in b if x.household_id == name] == a
    assert head(one, name) == head(many, name)


def test_alert_ids_are_those_of_the_input() -> None:
    """Twice the same input: the same ids; one alert keeps its id through its life, two never share one."""
    a, b = play(LONG, Settings())[0], play(LONG, Settings())[0]
    assert [x.alert_id for x in a] == [x.alert_id for x in b]
    raised = [x.alert_id for x in a if x.event == "raised"]
    assert len(raised) == len(set(raised)) > 0
    assert {x.alert_id for x in a} == set(raised)


def test_input_late_by_more_than_a_week_is_counted_and_changes_nothing() -> None:
    """What has left the ring is not written."""
    life = lives(days=9)
    old = of(life.meter, "home-1") & (life.meter.start < T + 3600)
    nothing = np.zeros(len(life.phone), bool)
    _, kept = play(where(life, ~old))
    _, again = play(where(life, ~old), late=[(T + 9 * DAY - 3600, where(life, old, nothing))])
    same(kept, again)
    assert again.counts[Reason.too_late] == old.sum()


# --- what is not known -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quality", [ESTIMATED, MISSING])
def test_an_estimate_and_a_reading_said_to_be_missing_are_as_none_at_all(quality: int) -> None:
    """Half a day of them, in a home that lies still: the head is that of a home without these readings."""
    life = lives(stop=1.5)
    rows = of(life.meter, "home-0") & (life.meter.start >= T + 2 * DAY) & (life.meter.start < T + int(2.5 * DAY))
    (a, without), (b, marked) = play(where(life, ~rows)), play(with_quality(life, rows, quality))
    assert a == b
    assert head(without, "home-0") == head(marked, "home-0")


def test_neither_no_power_nor_no_reading_is_taken_for_a_silent_resident() -> None:
    """Three days at exactly zero in a home that never is: only the fixed limit speaks, and says that there is no power.
    Three days without a reading: nothing but data_gap."""
    life = lives(days=7)
    rows = of(life.meter, "home-0") & (life.meter.start >= T + 4 * DAY)
    quiet = ~(of(life.phone, "home-0") & (life.phone.at >= T + 4 * DAY))
    zero = replace(life, meter=replace(life.meter, kwh=np.where(rows, 0, life.meter.kwh).astype(np.float32)))
    alerts, dark = play(where(zero, None, quiet), Settings())
    assert int(head(dark, "home-0")["meter"]) < UNIT
    (alert,) = [a for a in alerts if a.household_id == "home-0"]
    assert {"limit", "power_off"} < {r.code for r in alert.reasons}
    alerts, gap = play(where(life, ~rows, quiet), Settings())
    assert int(head(gap, "home-0")["meter"]) < UNIT
    assert {a.kind for a in alerts if a.household_id == "home-0"} == {"data_gap"}


@pytest.mark.parametrize(
    ("phone", "events"),
    [
        (False, [("raised", "dashboard"), ("level_changed", "person"), ("cleared", "person")]),
        (True, [("raised", "dashboard"), ("cleared", "dashboard")]),
    ],
    ids=["nothing else", "the phone is used"],
)
def test_a_household_without_data_is_told_after_six_hours_and_a_person_after_a_day(
    phone: bool, events: list[tuple[str, str]]
) -> None:
    """data_gap at 6 h, for a person at 24 h unless the phone shows life, and over with the next reading."""
    life = lives(days=5)
    gap = (life.meter.start >= T + 2 * DAY) & (life.meter.start < T + 4 * DAY) & of(life.meter, "home-0")
    silent = of(life.phone, "home-0") & (not phone)
    alerts = [a for a in play(where(life, ~gap, ~silent))[0] if a.kind == "data_gap"]
    assert [a.at - SINCE for a in alerts] == [
        timedelta(days=2, hours=h) for h in ((6, 48.5) if phone else (6, 24, 48.5))
    ]
    assert [(a.event, a.to) for a in alerts] == events


def test_a_feed_that_stops_raises_no_household_alert() -> None:
    """When no frame comes the clock stands still, and nothing is inferred from the silence."""
    life = lives()
    partition = partition_of(life)
    list(given(partition, life, T + DAY))
    for wall in range(0, 10 * DAY, 3600):
        outcome = partition.advance(float(wall))
        assert (outcome.alerts, outcome.judged) == ([], 0)


def test_a_phone_feed_that_lags_is_not_waited_for_for_ever_and_its_silence_says_nothing() -> None:
    """Judging goes on with the meter alone; when the feed is back, what it says counts as if it had been on time."""
    life = lives(stop=2.5)
    expected, kept = play(life)
    partition, wall = partition_of(life), 1000.0
    first = until(life, T + DAY)
    found = list(given(partition, first, T + DAY))
    silent = [int(head(partition, h.household_id)["phone"]) for h in life.households]
    rest = where(life, life.meter.start >= T + DAY, life.phone.at >= T + DAY)
    for mark in range(T + DAY + 4 * SLOT, T + 3 * DAY + 1, 4 * SLOT):
        rows = np.flatnonzero((rest.meter.start >= mark - 4 * SLOT) & (rest.meter.start < mark))
        partition.meter(frames.take(rest.meter, rows))
        partition.heard("meter", None, mark, wall)
        wall += 3600
        found += partition.advance(wall).alerts
    assert partition.marks.clock == (T + 3 * DAY) // SLOT
    assert [int(head(partition, h.household_id)["phone"]) for h in life.households] == silent
    partition.phone(frames.take(rest.phone, np.flatnonzero(rest.phone.at < T + 3 * DAY)))
    partition.heard("phone", None, T + 3 * DAY, wall)
    found += partition.advance(wall).alerts
    tail = where(rest, rest.meter.start >= T + 3 * DAY, rest.phone.at >= T + 3 * DAY)
    found += given(partition, tail, life.end, begin=T + 3 * DAY)
    silences = [a for a in expected if a.kind == "silence"]
    assert standing(a for a in found if a.kind == "silence") == standing(silences)
    assert head(partition, "home-0") == head(kept, "home-0")


# --- what is agreed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("risk", "hours"), [("normal", 48), ("elevated", 36), ("high", 24)])
def test_before_the_baseline_only_the_limit_of_the_risk_group_speaks(risk: str, hours: int) -> None:
    """In the first two weeks: caution when the group's hours of silence are over, and nothing else."""
    life = replace(lives(days=7, stop=4.0), households=[household(f"home-{i}", risk=risk) for i in range(5)])
    alerts = [a for a in play(life, Settings())[0] if a.kind == "silence"]
    assert [(a.household_id, a.event, a.level) for a in alerts] == [("home-0", "raised", "caution")]
    found = alerts[0]
    assert (found.at - found.onset) == timedelta(hours=hours)
    assert {"silent_new", "limit"} <= {r.code for r in found.reasons}
    assert timedelta(days=3, hours=20) < found.onset - SINCE < timedelta(days=4, hours=12)


@pytest.mark.parametrize("days", [15.5, 30.5])
def test_the_own_baseline_speaks_long_before_the_limit(days: float) -> None:
    """A collapse in a regular home is caution within a day, after two weeks as after a month."""
    life = lives(days=round(days + 1.5), stop=days, seed=3)
    alerts = [a for a in play(life, Settings())[0] if a.level == "caution" and a.at > SINCE + timedelta(days=days)]
    assert (alerts[0].household_id, alerts[0].kind) == ("home-0", "silence")
    assert alerts[0].event == "level_changed"
    assert alerts[0].at - SINCE < timedelta(days=days + 1)
    assert alerts[0].return_period_days is not None
    assert alerts[0].return_period_days >= 70


def test_meter_alone_never_becomes_serious() -> None:
    """Days after the collapse of somebody without a phone feed the level is still caution."""
    life = lives(days=24, stop=16)
    only = replace(life, households=[replace_feeds(h) for h in life.households])
    alerts = [a for a in play(where(only, None, np.zeros(len(life.phone), bool)), Settings())[0] if a.kind == "silence"]
    assert {a.level for a in alerts if a.household_id == "home-0"} == {"attention", "caution"}


def replace_feeds(h: Household) -> Household:
    """The household without a phone feed."""
    return household(h.household_id, feeds=type(h.feeds)("meter", None))


def test_an_absence_raises_nothing_and_ends_by_itself() -> None:
    """Silence within a registered absence is expected; what follows it is judged from its end."""
    back = SINCE + timedelta(days=3)
    away = Absence(SINCE + timedelta(days=1.5), back)
    life = lives(days=5, stop=1.5)
    told = replace(life, households=[household("home-0", absences=(away,)), *life.households[1:]])
    alerts = [a for a in play(told)[0] if a.household_id == "home-0" and a.at > away.from_]
    assert of_kind(alerts, "silence") == [("raised", "caution")]
    assert alerts[0].onset >= back


def test_an_absence_registered_late_clears_what_it_explains() -> None:
    """The alert of somebody away ends with that reason as soon as the absence is known."""
    life = lives(days=4, stop=1.5)
    partition = partition_of(life)
    alerts = list(given(partition, life, T + 3 * DAY))
    assert of_kind(alerts, "silence")[-1] == ("raised", "caution")
    partition.households(
        [household("home-0", absences=(Absence(SINCE + timedelta(days=1), SINCE + timedelta(days=9)),))]
    )
    (cleared,) = [a for a in partition.advance(0.0).alerts if a.household_id == "home-0"]
    assert (cleared.event, cleared.reasons[0].code) == ("cleared", "absence")


def test_withdrawal_clears_and_leaves_no_byte() -> None:
    """Consent withdrawn: the alert is cleared with that reason, and a partition that never knew the home keeps the same
    of everything; not one byte of it is left in any array."""
    life = lives(days=3, stop=1.5)
    partition = partition_of(life)
    list(given(partition, life, T + 3 * DAY))
    partition.households([household("home-0", withdrawn=SINCE)])
    (cleared,) = partition.advance(0.0).alerts
    assert (cleared.event, cleared.reasons[0].code) == ("cleared", "withdrawn")
    (block,) = partition.members.blocks
    kept = [getattr(s, part) for s in (block.state, block.settled) for part in ("head", "lately", "habit")]
    arrays = [*kept, block.drift]
    assert all(a[0].tobytes() == bytes(a.itemsize) for a in arrays)
    assert not block.strips.meter[:, 0].any()
    assert not block.strips.phone[:, 0].any()
    assert "home-0" not in list(block.ids)
    assert partition.members.locate(pa.array(["home-0"])).tolist() == [-1]
    assert partition.meter(where(life, of(life.meter, "home-0")).meter).all()
    assert not block.strips.meter[:, 0].any()


def test_a_change_and_a_withdrawal_in_one_batch() -> None:
    """Nobody is left to judge again, and that stops nothing."""
    life = lives(homes=1, days=2)
    partition = partition_of(life)
    list(given(partition, life, T + DAY))
    partition.households([household("home-0", risk="high"), household("home-0", withdrawn=SINCE)])
    assert partition.advance(0.0).alerts == []
    assert partition.members.locate(pa.array(["home-0"])).tolist() == [-1]


def test_before_enrolment_nothing_is_kept() -> None:
    """Readings from before `since` are counted and dropped."""
    life = lives(days=2)
    late = replace(life, households=[household(h.household_id, **{}) for h in life.households[1:]])
    partition = partition_of(late)
    partition.households([replace_since(life.households[0], SINCE + timedelta(days=1))])
    list(given(partition, life, life.end))
    assert partition.counts[Reason.before_enrolment] > 40
    block, row = partition.members.at(int(partition.members.locate(pa.array(["home-0"]))[0]))
    assert block.who["since"][row] == (T + DAY) // SLOT
    assert not block.strips.read((T // SLOT), 96, np.array([row]))[0].any()


def replace_since(h: Household, since: object) -> Household:
    """The household enrolled later."""
    return Household(h.household_id, since, area=h.area, feeds=h.feeds)  # type: ignore[arg-type]


@pytest.mark.parametrize("minutes", [30, 60])
@pytest.mark.parametrize("offset", [0, 15, 30, 45])
def test_intervals_may_begin_at_any_quarter_hour(minutes: int, offset: int) -> None:
    """A meter whose intervals begin off the hour is judged when they end: a collapse is told within a day, and stands
    to the end."""
    life = lives(days=20, stop=15.5, minutes=minutes, seed=3)
    shifted = replace(life, meter=replace(life.meter, start=life.meter.start + offset * 60))
    alerts, partition = play(shifted, Settings())
    collapse = SINCE + timedelta(days=15.5, minutes=offset)
    told = [a for a in alerts if a.household_id == "home-0" and a.kind == "silence" and a.at > collapse]
    assert told[0].event == "raised"
    assert told[0].at < collapse + timedelta(days=1)
    assert not [a for a in told if a.event == "cleared"]
    assert (partition.members.blocks[0].who["phase"][:5] == offset // 15 % (minutes // 15)).all()
    assert all((a.at.timestamp() - T - offset * 60) % (minutes * 60) == 0 for a in alerts if "limit" in str(a.reasons))


def test_a_changed_interval_is_noticed() -> None:
    """A meter that goes over from hours to quarters is judged by quarters from then on."""
    hourly, quarterly = lives(days=4, minutes=60), lives(days=4, minutes=15)
    cut = T + 2 * DAY
    meter = frames.concat(
        [where(hourly, hourly.meter.start < cut).meter, where(quarterly, quarterly.meter.start >= cut).meter]
    )
    _, partition = play(Lives(meter, hourly.phone, hourly.households))
    assert (partition.members.blocks[0].who["step"][:5] == 1).all()
    assert int(head(partition, "home-1")["data"]) == (T + 4 * DAY) // SLOT - 1


def test_who_is_enrolled_hours_before_the_first_reading_is_judged_alike_in_any_batches() -> None:
    """Nothing depends on when an interval became known."""
    life = lives(days=3)
    later = where(life, life.meter.start >= T + int(1.3 * DAY) // 3600 * 3600)
    found = [play(later, step=step) for step in (1, 4, 16)]
    for alerts, partition in found[1:]:
        assert alerts == found[0][0]
        same(partition, found[0][1])
    assert any(a.kind == "data_gap" for a in found[0][0])


def test_levels_are_only_ever_raised_until_life_ends_them() -> None:
    """Between raised and cleared the level of an alert never falls."""
    order = {"attention": levels.ATTENTION, "caution": levels.CAUTION, "serious": levels.SERIOUS}
    at: dict[str, int] = {}
    for a in play(LONG, SHORT)[0]:
        if a.kind == "silence":
            assert a.event == "cleared" or order[a.level] > at.get(a.alert_id, 0)
            at[a.alert_id] = 0 if a.event == "cleared" else order[a.level]
    assert at
