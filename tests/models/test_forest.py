"""The learned model as data: read, asked, and refused in one line."""

import io
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import forest
from models.features import NAMES, Moment
from models.forest import LEVELS, Forest, ForestError, Scale, Trees
from stream.model import SHIPPED, shipped

NOW = Moment(3, 0.5, 10_000)


def trees(seed: int, many: int = 12, depth: int = 4) -> Trees:
    """Trees that ask anything of features about nothing."""
    rng = np.random.default_rng(seed)
    feature = rng.integers(0, len(NAMES), (many, depth)).astype(np.intp)
    above, leaf = rng.normal(size=(many, depth)), rng.normal(size=(many, 1 << depth))
    return Trees(feature, above.astype(np.float32), leaf.astype(np.float32), float(rng.normal()))


def made(seed: int = 1) -> Forest:
    """A model with the scales of both levels."""
    scale = Scale(np.array([-2, 0, 3], np.float32), np.array([1, 10, 1000], np.float32))
    about = {"fitted on": ["가구"], "homes": 3}
    return Forest(trees(seed), dict.fromkeys(LEVELS, scale), about)


def features(n: int, seed: int) -> np.ndarray:  # type: ignore[type-arg]
    """Figures of n households."""
    return np.random.default_rng(seed).normal(size=(len(NAMES), n)).astype(np.float32)


def walked(t: Trees, x: np.ndarray) -> float:  # type: ignore[type-arg]
    """One household's value, question by question."""
    total = t.bias
    for tree in range(len(t.feature)):
        leaf = 0
        for depth, (feature, above) in enumerate(zip(t.feature[tree], t.above[tree], strict=True)):
            leaf |= int(x[feature] > above) << depth
        total += float(t.leaf[tree, leaf])
    return total


@given(st.integers(0, 10**6), st.integers(0, 30), st.integers(0, 6), st.sampled_from([1, 7, 600]))
@settings(max_examples=30, deadline=None)
def test_the_value_is_the_sum_of_the_leaves_that_the_answers_name(seed: int, many: int, depth: int, n: int) -> None:
    """Against a walk in plain Python, for any number of households, in one part or several."""
    t, x = trees(seed, many, depth), features(n, seed)
    found = t.value(x)
    for i in {0, n // 2, n - 1}:
        assert found[i] == pytest.approx(walked(t, x[:, i]), abs=1e-3)


@given(st.integers(0, 10**6), st.integers(2, 700))
@settings(max_examples=30, deadline=None)
def test_a_household_has_the_same_value_alone_and_among_others(seed: int, n: int) -> None:
    """To the last bit, by a model of many trees."""
    t, x = trees(seed, 300, 5), features(n, seed)
    many = t.value(x)
    for i in (0, n // 2, n - 1):
        assert t.value(x[:, [i]])[0] == many[i]
    assert (t.value(x[:, ::-1]) == many[::-1]).all()


def test_what_is_written_is_what_is_read() -> None:
    """Trees, scales and what is said of them come back as they were, and give the same log-odds."""
    model = made()
    again = forest.decode(forest.encode(model), "own.npz")
    assert again.about == model.about
    assert again.trees.bias == model.trees.bias
    for part in ("feature", "above", "leaf"):
        assert (getattr(again.trees, part) == getattr(model.trees, part)).all()
    for name in LEVELS:
        assert (model.scale[name].score == again.scale[name].score).all()
        assert (model.scale[name].days == again.scale[name].days).all()
    x, rows = features(9, 1), np.arange(9)
    assert (model.log_odds(x, rows, NOW) == again.log_odds(x, rows, NOW)).all()


@given(st.floats(0.01, 10**5))
def test_a_scale_is_read_both_ways(days: float) -> None:
    """The score of a return period has that return period, beyond the measured ones too; rarer needs more."""
    scale = made().scale["caution"]
    assert scale.return_period(scale.score_at(days)) == pytest.approx(days, rel=1e-3)
    assert scale.score_at(2 * days) > scale.score_at(days)


def other_head(**changed: object) -> bytes:
    """A model file whose head says something else."""
    with np.load(io.BytesIO(forest.encode(made()))) as file:
        arrays = {key: file[key] for key in file.files}
    head = json.loads(str(arrays.pop("head"))) | changed
    out = io.BytesIO()
    np.savez_compressed(out, head=np.array(json.dumps(head)), **arrays)
    return out.getvalue()


def pickled() -> bytes:
    """An archive of arrays that would run code when read."""
    out = io.BytesIO()
    np.savez(out, head=np.array([{"format": "anbu forest"}], object))
    return out.getvalue()


def without(array: str) -> bytes:
    """A model file that lacks an array."""
    with np.load(io.BytesIO(forest.encode(made()))) as file:
        arrays = {key: file[key] for key in file.files if key != array}
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (other_head(version=99), r"version 99 .*this anbu reads version 1 .*`anbu train`"),
        (other_head(features=["score"]), r"with 1 features.*fit it again"),
        (other_head(format="else"), r"not a model of anbu .*`anbu train`"),
        (forest.encode(made())[:-200], r"not a model of anbu"),
        (forest.encode(made())[:200], r"not a model of anbu"),
        (b"", r"not a model of anbu"),
        (pickled(), r"not a model of anbu"),
        (pickle.dumps({"format": "anbu forest"}), r"not a model of anbu"),
        (without("leaf"), r"damaged .*`anbu train`"),
        (without("serious_days"), r"damaged .*`anbu train`"),
        (other_head(bias={}), r"damaged"),
    ],
    ids=["version", "features", "format", "cut", "cut short", "empty", "objects", "pickle", "no leaves", "no scale",
         "no bias"],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_in_one_line(data: bytes, said: str) -> None:
    """Which file, why, and what to do; nothing in it runs."""
    with pytest.raises(ForestError, match=said) as error:
        forest.decode(data, "city.npz")
    assert str(error.value).startswith("city.npz")
    assert "\n" not in str(error.value)


def test_a_model_that_asks_for_a_feature_there_is_none_of_is_damaged() -> None:
    """Numbers of features are those of the names."""
    model = made()
    model.trees.feature[0, 0] = len(NAMES)
    with pytest.raises(ForestError, match=r"damaged .*feature"):
        forest.decode(forest.encode(model), "city.npz")


def test_the_shipped_model_is_whole_and_says_what_it_was_fitted_on() -> None:
    """It is read, asks only for features there are, is a number for any home, rises, and names its sources."""
    model = shipped()
    assert set(model.scale) == set(LEVELS)
    assert np.isfinite(model.trees.value(features(50, 3) * 20)).all()
    for name in LEVELS:
        assert (np.diff(model.scale[name].score) > 0).all()
        assert (np.diff(model.scale[name].days) > 0).all()
    told = json.dumps(model.about)
    assert "Low Carbon London" in told
    assert "Copenhagen Networks Study" in told
    assert "CC BY" in told
    assert forest.decode(forest.encode(model), SHIPPED).about == model.about
