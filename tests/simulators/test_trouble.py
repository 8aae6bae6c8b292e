"""Homes that will make trouble, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from anbu.report.words import CAUSES, filled
from simulators.tally import Episode
from simulators.trouble import MOST, Facts, causes, lost_hours, main_reason, worst

T = datetime(2026, 1, 5, 3, tzinfo=UTC)


def episodes(hours: list[float], lasted: float = 6, codes: tuple[str, ...] = ("silent",)) -> list[Episode]:
    """Alerts at so many hours after T that lasted so long."""
    out = []
    for h in hours:
        at = T + timedelta(hours=h)
        end = at + timedelta(hours=lasted)
        out.append(Episode("id", "a", "caution", at, at, 90, codes, "", "", at, np.zeros((24, 2), np.float32), end))
    return out


SPREAD = episodes([0, 24 * 20 + 7, 24 * 50 + 13, 24 * 90 + 19, 24 * 130 + 1])
PLAIN = Facts("a", SPREAD, 0.1, 52, 4.0, 1.0, 14.0)


def test_most_alerts_and_twice_the_average() -> None:
    """At least three, twice the mean of all homes, most first, lower id first, twenty at most."""
    assert worst({"a": 3, "b": 9, "c": 2, "d": 3}, homes=20) == ["b", "a", "d"]
    assert worst({"a": 5, "b": 5}, homes=2) == []
    assert len(worst({f"h{i:03}": 9 for i in range(90)}, homes=1000)) == MOST
    assert worst({}, homes=0) == []


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        (PLAIN, "unclear"),
        (replace(PLAIN, lost_hours=30.0), "gaps"),
        (replace(PLAIN, episodes=episodes([0, 487, 1213, 2179], codes=("silent", "meter_gap"))), "gaps"),
        (replace(PLAIN, episodes=episodes([0, 487, 1213, 2179], lasted=40)), "away"),
        (replace(PLAIN, episodes=episodes([0, 487, 1213, 2179], codes=("silent", "limit"))), "limit"),
        (replace(PLAIN, episodes=episodes([0, 55, 110, 165, 2000])), "changed"),
        (replace(PLAIN, episodes=episodes([0, 24 * 40, 24 * 80, 24 * 120])), "hours"),
        (replace(PLAIN, to_caution=50.0), "little"),
        (replace(PLAIN, calls=0.3), "phone"),
        (replace(PLAIN, calls=None), "no_phone"),
    ],
)
def test_a_cause_is_told_where_a_figure_shows_it(facts: Facts, cause: str) -> None:
    """That cause alone, with words in both languages into which its figures fit."""
    found = causes(facts)
    assert [name for name, _ in found] == [cause]
    for words in CAUSES[cause]:
        assert all("{" not in text for text in filled(words, found[0][1]))


def test_a_short_history_knows_no_time_of_change() -> None:
    """Alerts of four weeks are all of a history of four weeks."""
    assert causes(replace(PLAIN, episodes=episodes([0, 55, 110, 165]), weeks=4)) == [("unclear", {})]


def test_the_most_common_reason_is_the_first_of_most_alerts() -> None:
    """Ties go to the first by name."""
    mixed = [*episodes([0, 1], codes=("unlike", "load")), *episodes([2, 3, 4], codes=("silent",))]
    assert main_reason(mixed) == ("silent", 3)
    assert main_reason([*episodes([0], codes=("unlike",)), *episodes([1])]) == ("silent", 1)
    assert main_reason([]) == ("", 0)


def test_lost_hours_are_a_month_of_what_is_missing() -> None:
    """Half of the readings: half of 720 hours; all of them, or no time at all: none."""
    lost = lost_hours(np.array([12.0, 24.0, 0.0]), np.array([0, 0, 96]), 96)
    assert lost.tolist() == [360, 0, 0]
