"""The benchmark of other detectors: one budget for all, and none so poor that it misses a home without any life."""

from importlib import util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.detectors import __main__ as table
from benchmarks.detectors import ours, simple
from benchmarks.detectors.budget import Scored, level_of, raised, result_of, weekly
from benchmarks.detectors.trial import Trial, columns_of, trial_of
from models.slots import SLOTS_PER_DAY
from simulators.histories import homes_of
from simulators.phonelife import persons_of
from stream import model
from tests.lives import lives

BUDGET = 10.0
RIVALS: dict[str, simple.Rival] = {
    "timer": simple.Timer(0.5),
    "total": simple.Total(False),
    "residual": simple.Residual(0.1, True),
}


@pytest.fixture(scope="module")
def trial() -> Trial:
    """Four homes of one habit over seven months, with emergencies spliced in."""
    life = lives(homes=4, days=210)
    homes, persons = homes_of(life.meter, "Asia/Seoul"), persons_of(life.phone, "Asia/Seoul")
    return trial_of(*columns_of(homes, persons, seed=1))


@pytest.fixture(params=[*RIVALS, "rules", "anbu"])
def scored(request: pytest.FixtureRequest, trial: Trial) -> Scored:
    """Scores of each detector that needs nothing more to be installed."""
    if request.param == "rules":
        return ours.rules(trial)
    if request.param == "anbu":
        return ours.learned(trial, model.shipped().trees)
    return simple.run(RIVALS[request.param], trial)


def test_each_keeps_the_budget_and_finds_most(trial: Trial, scored: Scored) -> None:
    """No detector raises more than the budget, and in regular homes half of all full stops are found in two days."""
    result = result_of(trial, scored, BUDGET)
    assert 0 <= result.false <= BUDGET
    assert result.median <= 48
    assert result.cases >= 50


@pytest.mark.parametrize("name", RIVALS)
def test_a_home_without_any_life_is_found(trial: Trial, name: str) -> None:
    """After weeks of life five days of a constant load and a silent phone score higher than all of the weeks did."""
    rival, years = RIVALS[name], trial.years.take(np.arange(1))
    state = rival.fresh(1)
    lived = [rival.day(state, years.meter[d], years.phone[d], years.weekend[d]) for d in range(70)]
    still = np.full((SLOTS_PER_DAY, 1), years.meter[:70, :20].min(), np.uint8)
    weekday = np.zeros(1, np.bool_)
    dead = [rival.day(state, still, np.zeros_like(still), weekday) for _ in range(5)]
    assert np.concatenate(dead).max() > np.concatenate(lived[20:]).max()


@pytest.mark.parametrize("name", RIVALS)
def test_a_case_goes_on_from_its_own_home(trial: Trial, name: str) -> None:
    """Until its onset a case scores what the year it was cut from does."""
    scores = simple.run(RIVALS[name], trial)
    for k in range(0, len(trial.of), 7):
        whole = int(trial.onset[k])
        year = scores.years[trial.day[k] * 24 : trial.day[k] * 24 + whole, trial.of[k]]
        np.testing.assert_array_equal(scores.cases[:whole, k], year)


@given(st.integers(0, 2**32 - 1), st.floats(0, 50), st.sampled_from([0.0, 0.3]))
@settings(max_examples=25, deadline=None)
def test_threshold_keeps_any_budget(seed: int, budget: float, calm: float) -> None:
    """Whatever the scores, the threshold found raises no more than the budget."""
    score = np.random.default_rng(seed).normal(size=(24 * 14, 5)).astype(np.float32).cumsum(axis=0)
    level = level_of(score, calm, budget, weeks=10)
    assert weekly(raised(score, level, calm)[0], 10) <= budget


def test_alert_stands_until_the_score_has_fallen() -> None:
    """A score that wavers about the threshold is one alert; one that fell by `calm` can raise another."""
    score = np.array([[0, 3, 2.5, 3, 1, 3]], np.float32).T
    up, on = raised(score, 3, calm=1)
    assert up[:, 0].tolist() == [False, True, False, False, False, True]
    assert on[:, 0].tolist() == [False, True, True, True, False, True]


def test_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra a detector that needs it says which package is missing and how to get it, before any work."""
    monkeypatch.setattr(table, "find_spec", lambda name: None if name == "river" else util.find_spec(name))
    with pytest.raises(SystemExit, match=r"^river: .*\[bench\].*--only") as left:
        table.main(["--meter", str(Path("none")), "--phone", str(Path("none")), "--only", "timer,river"])
    assert "\n" not in str(left.value)
