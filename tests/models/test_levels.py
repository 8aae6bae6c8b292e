"""Levels as return periods."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import levels
from models.state import UNIT


@given(st.floats(1, 5000), st.floats(0, 90))
def test_a_threshold_is_the_inverse_of_the_return_period(days: float, worst: float) -> None:
    """The score of a return period has that return period."""
    score = float(levels.score_at(days, np.array([worst], np.float32))[0])
    assert levels.return_period(score, worst) == pytest.approx(days, rel=1e-4)


@given(st.floats(1, 5000), st.floats(1, 5000), st.floats(0, 90), st.floats(0, 90))
def test_rarer_needs_more_and_so_does_a_home_with_worse_days(a: float, b: float, c: float, d: float) -> None:
    """Thresholds grow with the days one would wait and with what is usual for the home."""
    (a, b), (c, d) = sorted((a, b)), sorted((c, d))
    assert levels.score_at(a, np.array([c], np.float32)) <= levels.score_at(b, np.array([d], np.float32))


@pytest.mark.parametrize(
    ("meter", "phone", "level"),
    [(400, 0, levels.CAUTION), (0, 400, levels.CAUTION), (398, 1, levels.CAUTION), (200, 200, levels.SERIOUS)],
)
def test_one_source_alone_is_at_most_caution(meter: int, phone: int, level: int) -> None:
    """However strong the joint evidence, serious needs a part of each signal."""
    steps = [np.array([x * UNIT], np.int16) for x in (10, 20, 30)]
    found, over = levels.plain(*(np.array([x * UNIT], np.int16) for x in (400, meter, phone)), steps)
    assert (found.tolist(), over.tolist()) == ([level], [False])
