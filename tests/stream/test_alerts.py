"""What an alert says: its picture, its numbers, its words."""

from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from stream import frames
from stream.alerts import alert_id
from stream.records import Alert
from stream.settings import LevelSettings, Settings
from tests.lives import DAY, SHORT, SINCE, Lives, T, household, lives, of, play, where

LIFE = lives(days=18, stop=15.5, seed=3)
SOON = Settings(levels=LevelSettings(attention_days=5, caution_days=10))
"""Levels that an alert reaches soon: these tests are about what it says, not about when it comes."""


@cache
def plainly() -> Alert:
    """The alert of the life as it is."""
    return caution(LIFE)


def caution(life: Lives) -> Alert:
    """The alert on the home that lies still, when it became caution."""
    still = SINCE + timedelta(days=15.5)
    alerts = [a for a in play(life, SOON, step=16)[0] if a.household_id == "home-0" and a.at > still]
    return next(a for a in alerts if a.level == "caution" and a.event != "cleared")


def values(alert: Alert, code: str) -> dict[str, float | str]:
    """Values of one reason."""
    return next(r.values for r in alert.reasons if r.code == code)


def test_ids_differ_by_subject_kind_and_onset_only() -> None:
    """The same three give the same id; any other gives another."""
    ids = {alert_id(s, k, o) for s in ("a", "b") for k in ("silence", "data_gap") for o in (1, 2)}
    assert len(ids) == 8
    assert alert_id("a", "silence", 1) in ids


@pytest.mark.slow
def test_numbers_agree_with_the_times() -> None:
    """Hours silent reach back to where silence began, which is after the last proof of life and before the alert."""
    alert = plainly()
    hours = alert.at - alert.onset
    why = next(r for r in alert.reasons if r.code in ("silent", "unlike"))  # longer than usual, or soon told unlike it
    said = float(why.values["hours"])
    assert abs(said - hours / timedelta(hours=1)) <= 1
    assert SINCE + timedelta(days=15.5) - timedelta(hours=6) < alert.onset < SINCE + timedelta(days=16)
    assert alert.last_life is not None
    assert alert.last_life <= alert.onset
    assert float(why.values.get("usual_hours", 0)) < said
    assert str(round(said)) in alert.text_ko
    assert str(round(said)) in alert.text_en


@pytest.mark.slow
def test_the_load_is_told_as_it_is() -> None:
    """30 W of somebody lying still are told as 30 W, beside what is quiet for this home."""
    told = next(r for r in plainly().reasons if r.code.startswith("load"))
    assert told.code in ("load_quiet", "load_low")
    assert 27 <= float(told.values["watts"]) <= 33
    assert float(told.values.get("quiet", 0)) < 60


@pytest.mark.slow
def test_the_picture_is_the_last_week_of_this_home() -> None:
    """168 whole hours: what was measured, the usual band where it is known, the calls."""
    alert = plainly()
    strip = alert.strip
    assert strip is not None
    assert {len(c) for c in (strip.kwh, strip.usual_low, strip.usual_high, strip.phone)} == {168}
    assert timedelta(0) <= alert.at - (strip.start + timedelta(hours=168)) < timedelta(hours=1)
    mine = of(LIFE.meter, "home-0")
    hour = int(strip.start.timestamp()) + 20 * 3600
    rows = mine & (LIFE.meter.start >= hour) & (LIFE.meter.start < hour + 3600)
    assert strip.kwh[20] == pytest.approx(float(LIFE.meter.kwh[rows].sum()), rel=0.05)
    assert all(
        low <= high for low, high in zip(strip.usual_low, strip.usual_high, strict=True) if low is not None and high
    )
    calls = of(LIFE.phone, "home-0") & (LIFE.phone.at >= strip.start.timestamp())
    assert sum(strip.phone) <= calls.sum()
    assert sum(strip.phone) > 0


@pytest.mark.slow
def test_a_missing_hour_has_no_value_in_the_picture() -> None:
    """Never zero."""
    gap = of(LIFE.meter, "home-0") & (LIFE.meter.start >= T + 13 * DAY) & (LIFE.meter.start < T + 13 * DAY + 7200)
    strip = caution(where(LIFE, ~gap)).strip
    assert strip is not None
    at = int((SINCE + timedelta(days=13) - strip.start) / timedelta(hours=1))
    assert strip.kwh[at : at + 2] == (None, None)
    assert strip.kwh[at - 1] is not None


def test_what_is_usual_is_not_told_while_it_is_learned() -> None:
    """In the first days hours and limit are told, and that the rest is still being learned."""
    alerts = [a for a in play(lives(stop=1.5), SHORT)[0] if a.kind == "silence" and a.event == "raised"]
    for alert in alerts:
        codes = {r.code for r in alert.reasons}
        assert {"silent_new", "limit"} <= codes
        assert not codes & {"silent", "unlike"}
        assert alert.return_period_days is None


@pytest.mark.slow
@pytest.mark.parametrize("drill", [True, False])
def test_drills_are_marked_and_areas_named(drill: bool) -> None:
    """The mark of the household is on its alerts."""
    homes = [household(h.household_id, drill=drill, dong="Mapo") for h in LIFE.households]
    alert = caution(replace(LIFE, households=homes))
    assert (alert.drill, alert.area, alert.dong, alert.to) == (drill, "east", "Mapo", "resident")


@pytest.mark.slow
def test_a_home_without_a_phone_feed_says_so() -> None:
    """The officer knows that the meter alone was judged."""
    homes = [household(h.household_id, feeds=type(h.feeds)("meter", None)) for h in LIFE.households]
    nothing = frames.take(LIFE.phone, np.zeros(0, np.int64))
    alert = caution(replace(LIFE, households=homes, phone=nothing))
    assert "phone_none" in {r.code for r in alert.reasons}


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0, 1800])
def test_a_reading_that_is_not_over_is_not_told(shift: int) -> None:
    """Written ahead of the clock, an hourly reading is not in the words nor in the picture until its hour is over."""
    life = lives(days=16, stop=15.5, minutes=60, seed=3)
    life = replace(life, meter=replace(life.meter, start=life.meter.start + shift))
    partition = play(life, Settings())[1]
    block, row = partition.members.at(0)
    clock = partition.marks.clock
    assert clock is not None

    def told() -> tuple[object, ...]:
        at = [(partition.writer.strip(block, row, clock + i), partition.writer.why_silent(block, row, clock + i, True))
              for i in range(3)]  # fmt: skip
        return tuple(at)

    before = told()
    ahead = frames.take(life.meter, np.flatnonzero(of(life.meter, "home-0"))[-1:])
    partition.meter(replace(ahead, start=np.array([life.end]), kwh=np.array([5], np.float32)))
    assert block.strips.slot(clock, 1)[0][0] > 0
    assert told() == before
