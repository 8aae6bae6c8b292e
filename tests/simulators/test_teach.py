"""Trees grown by CatBoost and kept as arrays."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.forest import Trees
from simulators import teach
from simulators.lessons import Lesson
from simulators.teach import fit, grow, importance, odds, trees_of

pytest.importorskip("catboost", reason="anbu[train]")


def shown(n: int = 3000, features: int = 6, seed: int = 3) -> Lesson:
    """Hours whose emptiness hangs on the first two features; the fourth has three values, the last but one only one."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features)).astype(np.float32)
    x[:, 3], x[:, -2] = rng.integers(0, 3, n), 7
    empty = x[:, 0] + x[:, 1] * (x[:, 3] > 0) + rng.normal(0, 0.5, n) > 1
    weight = rng.random(n).astype(np.float32)
    return Lesson(x, empty, weight, np.zeros(n, np.intp))


def everything(lesson: Lesson) -> NDArray[np.bool_]:
    return np.ones(len(lesson.x), np.bool_)


@pytest.mark.parametrize("seed", [1, 2])
def test_trees_say_what_catboost_says(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log-odds of the arrays are those of the model they come from, on hours shown and on others, but for what
    rounding each tree's leaf to 1/65536 may take."""
    monkeypatch.setattr(teach, "TREES", 40)
    lesson, others = shown(seed=seed), shown(seed=seed + 50)
    trees = grow(lesson, everything(lesson), seed)
    model = fit(lesson.x, lesson.empty, lesson.weight, seed)
    for x in (lesson.x, others.x):
        said = model.predict(x, prediction_type="RawFormulaVal")
        np.testing.assert_allclose(trees.value(np.ascontiguousarray(x.T)), said, atol=40 / 2 / 65_536 + 1e-5, rtol=0)


def test_a_tree_of_few_questions_and_one_of_none() -> None:
    """What CatBoost leaves shallow is padded so that no leaf beyond its own is reached."""
    model = {
        "oblivious_trees": [
            {"splits": [{"float_feature_index": 1, "border": 0.5}], "leaf_values": [-1.0, 2.0]},
            {"splits": None, "leaf_values": [0.25]},
        ],
        "scale_and_bias": [2.0, [0.125]],
    }
    trees = trees_of(model)
    x = np.array([[9.0, 9.0], [0.0, 1.0]], np.float32)
    assert trees.value(x).tolist() == [-2 + 0.5 + 0.125, 4 + 0.5 + 0.125]


def test_the_same_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same hours and seed give the same trees, another seed or other weights give others."""
    monkeypatch.setattr(teach, "TREES", 10)
    lesson = shown()
    first, again = (grow(lesson, everything(lesson), 1) for _ in range(2))
    assert first.leaf.tobytes() == again.leaf.tobytes()
    assert first.above.tobytes() == again.above.tobytes()
    for other, seed in ((lesson, 2), (replace(lesson, weight=1 - lesson.weight), 1)):
        assert grow(other, everything(other), seed).leaf.tobytes() != first.leaf.tobytes()


def test_only_the_rows_given_are_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out changes nothing."""
    monkeypatch.setattr(teach, "TREES", 10)
    lesson, half = shown(), np.arange(3000) < 1500
    part = Lesson(lesson.x[half], lesson.empty[half], lesson.weight[half], lesson.of[half])
    apart = grow(part, everything(part))
    assert grow(lesson, half).leaf.tobytes() == apart.leaf.tobytes()


def test_importance_is_of_what_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares sum to one; noise and what never varies have next to none."""
    monkeypatch.setattr(teach, "TREES", 40)
    lesson = shown()
    share = importance(grow(lesson, everything(lesson)), lesson.x)
    assert share.sum() == pytest.approx(1)
    assert share[0] > share[1] > share[2]
    assert share[[2, 4, 5]].max() < 0.1
    assert share[4] == 0


def test_importance_of_one_question_by_hand() -> None:
    """Half of the rows on each side of the only question: it is all."""
    trees = Trees(np.array([[1]]), np.array([[0.0]], np.float32), np.array([[0.0, 1.0]], np.float32), 0.0)
    x = np.array([[0, -1], [0, 1]], np.float32)
    assert importance(trees, x).tolist() == [0, 1]


def test_odds_are_of_hours_that_were_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours without features stay without log-odds; the others have the trees' value."""
    monkeypatch.setattr(teach, "JOINT", 0)
    trees = Trees(np.array([[1]]), np.array([[0.0]], np.float32), np.array([[-1.0, 1.0]], np.float32), 0.5)
    x = np.zeros((3, 2, 2), np.float32)
    x[1, 0], x[2, 1, 1] = np.nan, 1
    np.testing.assert_array_equal(odds(trees, x), np.array([[-0.5, -0.5], [np.nan, -0.5], [-0.5, 1.5]], np.float32))
