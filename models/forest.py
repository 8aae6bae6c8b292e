"""The learned model as data: trees whose nodes of one depth all ask the same question, so that arrays walk them fast.

A tree of depth d asks d questions "is feature f above t"; the answers, read as a number of d bits, name the leaf. The
value is the sum of the leaves. Such trees are grown by `anbu train`; here they are only read and asked.
"""

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features import NAMES, Moment

VERSION = 1
LEVELS = ("caution", "serious")
_FORMAT = "anbu forest"


class ForestError(ValueError):
    """A model file that cannot be used: one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Trees:
    """k trees of depth d <= 8. ``feature`` (k, d) numbers of features; ``above`` (k, d); ``leaf`` (k, 2^d), the first
    question's answer being the lowest bit; ``bias``."""

    feature: NDArray[np.intp]
    above: NDArray[np.float32]
    leaf: NDArray[np.float32]
    bias: float

    def value(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log-odds (n,) of features ``x`` (features, n), not NaN.

        Leaves are added in whole 1/65536, as the order in which NumPy adds depends on how many are asked.
        """
        trees, depth = self.feature.shape
        out = np.full(x.shape[1], self.bias, np.float32)
        whole = np.rint(self.leaf * np.float32(_WHOLE)).astype(np.int32).ravel()
        rows = np.arange(trees)[:, None] << depth
        for a in range(0, x.shape[1], _CHUNK):
            part = np.ascontiguousarray(x[:, a : a + _CHUNK])
            number = np.zeros((trees, part.shape[1]), np.uint8)
            for bit in range(depth):
                above = part[self.feature[:, bit]] > self.above[:, bit, None]
                number |= above.view(np.uint8) << np.uint8(bit)
            out[a : a + _CHUNK] += (np.add.reduce(np.take(whole, number + rows), axis=0) / _WHOLE).astype(np.float32)
        return out


_WHOLE = 65_536
_CHUNK = 256  # rows at a time: the work stays in the cache


@dataclass(frozen=True, slots=True)
class Scale:
    """What a mean log-odds means: ``score`` (k,), rising, is reached once in ``days`` (k,) of a life by chance."""

    score: NDArray[np.float32]
    days: NDArray[np.float32]

    def score_at(self, days: float) -> float:
        """The score with a return period; beyond what was measured, on the straight line of its last points."""
        return _on_line(np.log(days), np.log(self.days), self.score)

    def return_period(self, score: float) -> float:
        """Days in which such a score is seen once by chance."""
        return float(np.exp(_on_line(score, self.score, np.log(self.days))))


def _on_line(at: float, x: NDArray[Any], y: NDArray[Any]) -> float:
    """Linear interpolation, and the end pieces' slope beyond the ends; ``x`` rising."""
    i = int(np.clip(np.searchsorted(x, at) - 1, 0, len(x) - 2))
    slope = (y[i + 1] - y[i]) / max(x[i + 1] - x[i], 1e-9)
    return float(y[i] + slope * (at - x[i]))


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees, the scale of each level, and ``about``: what it was fitted on, when and with which command."""

    trees: Trees
    scale: dict[str, Scale]
    about: dict[str, Any]

    def log_odds(self, x: NDArray[np.float32], rows: NDArray[np.intp], moment: Moment) -> NDArray[np.float32]:
        """Log-odds (k,) that nobody lives here, of features ``x`` (features, k)."""
        return self.trees.value(x)


def encode(forest: Forest) -> bytes:
    """A model file: arrays and text, nothing that runs."""
    trees = forest.trees
    arrays = {"feature": trees.feature.astype(np.int16), "above": trees.above, "leaf": trees.leaf}
    for level in LEVELS:
        arrays |= {f"{level}_score": forest.scale[level].score, f"{level}_days": forest.scale[level].days}
    head = {"format": _FORMAT, "version": VERSION, "features": list(NAMES), "about": forest.about, "bias": trees.bias}
    out = io.BytesIO()
    np.savez_compressed(out, head=np.array(json.dumps(head, ensure_ascii=False)), **arrays)  # type: ignore[arg-type]
    return out.getvalue()


def decode(data: bytes, name: str) -> Forest:
    """The model in a file called ``name``. Raises ForestError."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        head = json.loads(str(arrays["head"]))
        if head.get("format") != _FORMAT:
            raise KeyError("format")
    except Exception as e:  # any bytes at all may be here
        raise ForestError(f"{name} is not a model of anbu ({type(e).__name__}): make one with `anbu train`") from e
    if head["version"] != VERSION or head["features"] != list(NAMES):
        raise ForestError(
            f"{name} is a model of version {head['version']} with {len(head['features'])} features; this anbu reads "
            f"version {VERSION} with its own {len(NAMES)}: fit it again with `anbu train`"
        )
    try:
        trees = _trees(arrays, head["bias"])
        scale = {level: Scale(arrays[f"{level}_score"], arrays[f"{level}_days"]) for level in LEVELS}
    except (KeyError, ValueError, TypeError, AttributeError) as e:
        raise ForestError(f"{name} is damaged ({e}): make it again with `anbu train`") from e
    return Forest(trees, scale, head["about"])


def _trees(arrays: dict[str, NDArray[Any]], bias: float) -> Trees:
    feature, above, leaf = (arrays[part] for part in ("feature", "above", "leaf"))
    if feature.shape != above.shape or leaf.shape != (len(feature), 1 << feature.shape[1]):
        raise ValueError(f"shapes {feature.shape}, {above.shape}, {leaf.shape}")
    if feature.size and not (feature.min() >= 0 and feature.max() < len(NAMES)):
        raise ValueError(f"feature {feature.max()}")
    return Trees(feature.astype(np.intp), above.astype(np.float32), leaf.astype(np.float32), float(bias))
