"""Alerts counted as they come."""

from collections import Counter
from datetime import UTC, date, datetime

import numpy as np
import pytest

from simulators.backtest import backtest
from simulators.tally import LEVELS, Tally, band_of, week_of
from stream.records import Alert
from stream.settings import LevelSettings, LimitSettings, Settings
from tests.lives import lives

SETTINGS = Settings(
    limits=LimitSettings(normal_hours=12, elevated_hours=9, high_hours=6), levels=LevelSettings(attention_days=1)
)
LIFE = lives(homes=8, days=12, stop=9.5)


@pytest.fixture(scope="module")
def alerts() -> list[Alert]:
    """All alerts of a history."""
    return list(backtest(LIFE.meter, LIFE.phone, LIFE.households, SETTINGS))


def tallied(alerts: list[Alert]) -> Tally:
    tally = Tally()
    for alert in alerts:
        tally(alert)
    return tally


def test_counts_are_those_of_the_alerts(alerts: list[Alert]) -> None:
    """Each alert counts once at every level up to the highest that it reached; weeks and homes sum to the same."""
    tally, highest = tallied(alerts), Counter[tuple[int, str]]()
    begun: dict[str, int] = {}
    for n, a in enumerate(alerts):
        if a.kind == "silence" and a.event == "raised":
            begun[a.alert_id] = n
        if a.kind == "silence" and a.event != "cleared":
            key = begun[a.alert_id], a.household_id
            highest[key] = max(highest[key], LEVELS.index(a.level))
    expected = [sum(top >= level for top in highest.values()) for level in range(3)]
    assert tally.total.tolist() == expected
    assert expected[0] >= expected[1] > 2
    assert np.sum(list(tally.weeks.values()), axis=0).tolist() == expected
    assert len(tally.episodes) == expected[1]
    assert {h for h, n in tally.homes.items() if n[0]} == {household for _, household in highest}


def test_an_episode_ends_with_its_alert(alerts: list[Alert]) -> None:
    """`ended` is the time of the cleared event; one without it has none."""
    ends = {(a.alert_id, a.at) for a in alerts if a.event == "cleared"}
    episodes = tallied(alerts).episodes
    assert all((e.alert_id, e.ended) in ends for e in episodes if e.ended is not None)
    assert any(e.ended is not None for e in episodes)
    assert all(e.hours >= 0 for e in episodes)


def test_other_kinds_are_counted_apart(alerts: list[Alert]) -> None:
    """A data gap is no silence."""
    tally = Tally()
    raised = next(a for a in alerts if a.event == "raised")
    tally(Alert(**{n: getattr(raised, n) for n in raised.__struct_fields__} | {"kind": "data_gap"}))
    assert tally.others == {"data_gap": 1}
    assert tally.total.tolist() == [0, 0, 0]


def test_the_band_is_the_strips_last_day(alerts: list[Alert]) -> None:
    """Twenty-four hours of low and high, from the hour a day before the strip's end."""
    strip = next(a.strip for a in alerts if a.strip is not None and a.at.day > 8)
    start, band = band_of(strip, strip.start)
    assert (start - strip.start).total_seconds() == 6 * 86_400
    assert band[:, 0].tolist() == pytest.approx(strip.usual_low[-24:])
    assert (band[:, 1] >= band[:, 0]).all()
    assert np.isnan(band_of(None, strip.start)[1]).all()


def test_weeks_begin_on_monday() -> None:
    """Sunday night belongs to the week before."""
    assert week_of(datetime(2026, 11, 22, 23, tzinfo=UTC)) == date(2026, 11, 16)
    assert week_of(datetime(2026, 11, 23, tzinfo=UTC)) == date(2026, 11, 23)
