"""The learned model as data: trees whose nodes of one depth all ask the same question, so that arrays walk them fast.

A tree of depth d asks d questions "is feature f above t"; the answers, read as a number of d bits, name the leaf. The
value is the sum of the leaves. Such trees are grown by `anbu train`; here they are only read and asked.
"""

import io
import json
import threading
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features import NAMES, Moment

VERSION = 1
LEVELS = ("caution", "serious")
_FORMAT = "anbu forest"


class ForestError(ValueError):
    """A model file that cannot be used: one line that says why and what to do."""


_WHOLE = 65_536
_CHUNK = 512  # rows at a time: what they take stays near the processor


class _Scratch(threading.local):
    """Arrays that `_Asked.total` works in, a set for each thread, kept from call to call: what is asked of the system
    anew is handed over page by page, which takes longer than the work. Nothing in them outlasts a call."""

    def __init__(self, questions: int, trees: int) -> None:
        """For `_CHUNK` rows at most; called once in every thread that asks."""
        self.above = np.empty(questions * _CHUNK, np.bool_)
        self.number = np.empty(trees * _CHUNK, np.uint8)
        self.answer = np.empty(trees * _CHUNK, np.uint8)
        self.pair = np.empty(trees // 2 * _CHUNK, np.uint16)
        self.place = np.empty(trees // 2 * _CHUNK, np.intp)
        self.leaves = np.empty(trees // 2 * _CHUNK, np.int32)


def _part(of: NDArray[Any], rows: int, n: int) -> NDArray[Any]:
    """The beginning of a scratch array as (rows, n), with no gaps between the rows."""
    return of[: rows * n].reshape(rows, n)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Trees made ready to be asked quickly, with the same answers.

    Many trees ask the same, so each question is asked once, feature by feature: the ``questions`` u of ``feature``
    are at ``places`` of all of them, ``above`` (u, 1). ``of`` (d, k): which of the questions a tree asks as its first,
    second and so on. Two trees make a pair, whose two numbers name one sum of two leaves: ``sums`` (pairs x 4^d,), in
    whole 1/65536, as the order in which NumPy adds fractions depends on how many are asked; ``first`` (pairs, 1):
    where a pair's begin. ``scratch``: what is worked in.
    """

    questions: tuple[tuple[int, slice, NDArray[np.float32]], ...]
    count: int
    of: NDArray[np.intp]
    sums: NDArray[np.int32]
    first: NDArray[np.intp]
    scratch: _Scratch

    @classmethod
    def ready(cls, feature: NDArray[np.intp], above: NDArray[np.float32], leaf: NDArray[np.float32]) -> "_Asked":
        """Those of `Trees`; an odd tree is paired with one that says nothing."""
        odd, depth = len(feature) % 2, feature.shape[1]
        whole = np.pad(np.rint(leaf * np.float32(_WHOLE)).astype(np.int32), ((0, odd), (0, 0)))
        asked = np.stack([feature.ravel().astype(np.float64), above.ravel().astype(np.float64)])
        known, of = np.unique(asked, axis=1, return_inverse=True)
        number = np.pad(of.reshape(feature.shape), ((0, odd), (0, 0)))
        starts = np.flatnonzero(np.diff(known[0], prepend=-1))
        places = [slice(int(a), int(b)) for a, b in pairwise([*starts, known.shape[1]])]
        questions = [(int(known[0, at.start]), at, known[1, at, None].astype(np.float32)) for at in places]
        sums = whole[1::2, :, None] + whole[::2, None, :]
        first = np.arange(len(sums), dtype=np.intp)[:, None] << 2 * depth
        scratch = _Scratch(known.shape[1], len(number))
        return cls(tuple(questions), known.shape[1], np.ascontiguousarray(number.T), sums.ravel(), first, scratch)

    def total(self, x: NDArray[np.float32]) -> NDArray[np.int64]:
        """Sums of leaves (n,) in 1/65536 of features ``x`` (features, n), n <= `_CHUNK`."""
        n, (depth, trees), s = x.shape[1], self.of.shape, self.scratch
        above = _part(s.above, self.count, n)
        for feature, places, limits in self.questions:
            np.greater(x[feature], limits, out=above[places])
        number, answer = _part(s.number, trees, n), _part(s.answer, trees, n)
        number.fill(0)
        for questions in self.of[::-1]:
            number += number  # a shift by one, four times as fast
            number |= np.take(above.view(np.uint8), questions, axis=0, out=answer, mode="clip")
        pair = np.left_shift(number[1::2], depth, out=_part(s.pair, trees // 2, n), dtype=np.uint16)
        pair |= number[::2]
        place = np.add(pair, self.first, out=_part(s.place, trees // 2, n))
        leaves = np.take(self.sums, place, out=_part(s.leaves, trees // 2, n), mode="clip")  # "raise" would copy
        return np.add.reduce(leaves, axis=0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Trees:
    """k trees of depth d <= 8. ``feature`` (k, d) numbers of features; ``above`` (k, d); ``leaf`` (k, 2^d), the first
    question's answer being the lowest bit; ``bias``."""

    feature: NDArray[np.intp]
    above: NDArray[np.float32]
    leaf: NDArray[np.float32]
    bias: float
    _asked: _Asked = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """The numbers are not to be changed any more."""
        object.__setattr__(self, "_asked", _Asked.ready(self.feature, self.above, self.leaf))

    def value(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log-odds (n,) of features ``x`` (features, n), not NaN."""
        out = np.full(x.shape[1], self.bias, np.float32)
        for a in range(0, x.shape[1], _CHUNK):
            out[a : a + _CHUNK] += (self._asked.total(x[:, a : a + _CHUNK]) / _WHOLE).astype(np.float32)
        return out


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
