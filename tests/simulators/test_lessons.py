"""What the model is shown, and how much it counts."""

import numpy as np
import pytest

from models.features import NAMES
from simulators.columns import choose, settle
from simulators.lessons import JOINT, WEIGHTS, Lesson, lesson
from simulators.splice import AWAY, EMERGENCIES, FULL_STOP, LEFT_ON, Case
from simulators.study import Column, Lived, hours_to_onset
from tests.simulators.test_columns import home, person

HOURS = 24 * 170


@pytest.fixture(scope="module")
def column() -> Column:
    return settle(choose([home("a")]), [person("p")], 1, seed=1, varied=0).columns[0]


def shown(column: Column, cases: list[Case], joint: float = 0.0) -> Lesson:
    """A lesson of one home all of whose hours were asked; a feature says which hour it is."""
    years = np.full((HOURS, 1, len(NAMES)), joint, np.float32)
    forks = np.zeros((144, len(cases), len(NAMES)), np.float32)
    forks[:, :, 0] = 1 + np.arange(144)[:, None]  # hours since midnight, when the hour is over
    return lesson(Lived(years, forks, np.zeros(len(cases), np.intp), cases), [column], 1)


@pytest.mark.parametrize("kind", [FULL_STOP, LEFT_ON, AWAY])
def test_hours_of_a_case_count_by_how_long_it_lasts(column: Column, kind: str) -> None:
    """Early, due and late hours of an emergency have their weights, what is none has one; nothing before the onset."""
    case = next(c for c in column.cases if c.scenario == kind)
    got, w = shown(column, [case]), WEIGHTS
    of_case = got.x[:, 0] > 0
    assert (got.empty[of_case] == (kind in EMERGENCIES)).all()
    assert not got.empty[~of_case].any()
    since = got.x[of_case, 0] - hours_to_onset(case, column.empty.home.first)
    assert 0.5 <= since.min() < 1.5
    assert since.max() <= min(60, (case.until - case.onset) / 4)
    if kind == AWAY:
        expected = np.full(len(since), w.other[AWAY])
    else:
        expected = np.select([since < w.early, since < w.late], w.by_hours[:2], w.by_hours[2])
        expected = expected * (w.left_on if kind == LEFT_ON else 1)
    np.testing.assert_allclose(got.weight[of_case], expected, rtol=1e-6)


@pytest.mark.parametrize("joint", [0.0, 5.0])
def test_a_life_counts_the_same_however_much_is_shown(column: Column, joint: float) -> None:
    """Hours with some evidence are shown four times as often at a quarter of the weight each."""
    got = shown(column, [], joint)
    assert got.weight.sum() == pytest.approx(0.25 * (HOURS - 240), rel=0.1)
    assert len(got.x) == pytest.approx((1 if joint else 0.25) * (HOURS - 240), rel=0.1)


def test_hours_not_asked_are_not_shown(column: Column) -> None:
    """Where the model was not asked there is nothing to learn."""
    case = column.cases[0]
    years = np.full((HOURS, 1, len(NAMES)), np.nan, np.float32)
    years[2000:2500] = 0
    forks = np.full((144, 1, len(NAMES)), np.nan, np.float32)
    got = lesson(Lived(years, forks, np.zeros(1, np.intp), [case]), [column], 1)
    assert 60 < len(got.x) < 200
    assert not np.isnan(got.x[:, JOINT]).any()
