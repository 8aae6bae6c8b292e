"""Trees grown on what the model is shown. CatBoost grows them, as its trees ask the same question at each depth; they
leave it as plain arrays (`models.forest`), and nothing else of it is kept."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features import NAMES
from models.forest import Trees
from simulators.lessons import JOINT, Lesson

F32 = np.float32
DEPTH, TREES, RATE = 6, 300, 0.1
TRIED = ("callers", "waiting", "callers / record", "waiting / usual", "waiting / record")
"""Features of what others do to reach the resident. More of it never tells of life: the trees grow so that it never
lowers the log-odds."""
LEAF_STEPS = 1
"""Newton steps to a leaf's value: more take longer to fit and find no more."""


def grow(shown: Lesson, rows: NDArray[np.bool_], seed: int = 1) -> Trees:
    """`TREES` trees fitted on these rows of a lesson."""
    model = fit(shown.x[rows], shown.empty[rows], shown.weight[rows], seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        return trees_of(json.loads(path.read_text()))


def fit(x: NDArray[np.float32], empty: NDArray[np.bool_], weight: NDArray[np.float32], seed: int) -> Any:
    """CatBoost's model of rows ``x`` (n, features in the order of `NAMES`), ``empty`` (n,), ``weight`` (n,).

    One thread: with more, the last bits of the sums and so some of the questions depend on how many there are.
    """
    from catboost import CatBoostClassifier, Pool  # only `anbu train` needs it

    model = CatBoostClassifier(
        depth=DEPTH, iterations=TREES, learning_rate=RATE, l2_leaf_reg=5, border_count=64,
        leaf_estimation_iterations=LEAF_STEPS, boosting_type="Plain", bootstrap_type="Bernoulli", subsample=0.6,
        rsm=0.5, monotone_constraints=[int(name in TRIED) for name in NAMES[: x.shape[1]]], random_seed=seed,
        verbose=False, allow_writing_files=False, thread_count=1,
    )  # fmt: skip
    return model.fit(Pool(x, empty.astype(np.int8), weight=weight, thread_count=1))


def trees_of(model: Mapping[str, Any]) -> Trees:
    """CatBoost's own description of its trees as arrays; a tree of fewer questions asks its first again."""
    feature, above, leaf = [], [], []
    for tree in model["oblivious_trees"]:
        splits = tree["splits"] or []
        values = np.array(tree["leaf_values"], F32)
        missing = DEPTH - len(splits)
        feature.append([s["float_feature_index"] for s in splits] + [0] * missing)
        above.append([s["border"] for s in splits] + [np.inf] * missing)
        leaf.append(np.concatenate([values, np.zeros((1 << DEPTH) - len(values), F32)]))
    times, shift = model["scale_and_bias"]
    leaves = np.array(leaf, F32) * F32(times)
    return Trees(np.array(feature, np.intp), np.array(above, F32), leaves, float(np.sum(shift)))


def odds(trees: Trees, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-odds (hours, n) of features (hours, n, features); NaN where not asked."""
    out = np.full(x.shape[:2], np.nan, F32)
    for i in range(x.shape[1]):
        asked = np.flatnonzero(~np.isnan(x[:, i, JOINT]))
        if len(asked):
            out[asked, i] = trees.value(np.ascontiguousarray(x[asked, i].T))
    return out


def importance(trees: Trees, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much each feature moves the value over rows ``x`` (n, features), as shares (features,) that sum to 1.

    A question splits the rows of two neighbouring leaves: n0 n1 / (n0 + n1) (v1 - v0)^2 is what it explains of their
    variance (CatBoost's PredictionValuesChange). Summed over leaves and trees.
    """
    depth = trees.feature.shape[1]
    out = np.zeros(x.shape[1])
    leaves = np.arange(1 << depth)
    for feature, above, value in zip(trees.feature, trees.above, trees.leaf.astype(np.float64), strict=True):
        rows = ((x[:, feature] > above) << np.arange(depth)).sum(axis=1)
        many = np.bincount(rows, minlength=1 << depth)
        for bit in range(depth):
            no = leaves[leaves >> bit & 1 == 0]
            yes = no | 1 << bit
            both = np.maximum(many[no] + many[yes], 1)
            out[feature[bit]] += (many[no] * many[yes] / both * (value[yes] - value[no]) ** 2).sum()
    return out / max(out.sum(), 1e-12)
