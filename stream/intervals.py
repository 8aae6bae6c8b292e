"""Interval length per household, told from the data where a file does not say it."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stream.validate import EARLIEST, LATEST

CHOICES = np.array([15, 30, 60])
_NONE = np.iinfo(np.int64).min


class Intervals:
    """Counts, per household, of the steps between readings that follow each other; grows with what it is shown.

    Memory is per household, so a file of any length can be shown in pieces.
    """

    def __init__(self) -> None:
        self._codes: dict[str | None, int] = {}
        self._counts = np.zeros((0, len(CHOICES)), np.int64)
        self._last = np.zeros(0, np.int64)

    def update(self, ids: pa.DictionaryArray, start: NDArray[np.int64]) -> None:
        """Take in n readings: ids and UTC seconds, in any order."""
        code = self._coded(ids, grow=True)
        usable = (code >= 0) & (start >= EARLIEST) & (start <= LATEST)
        if not usable.all():
            code, start = code[usable], start[usable]
        if not len(code):
            return
        code, start = _sorted(code, start)
        first = np.append(True, code[1:] != code[:-1])
        previous = np.where(first, self._last[code], np.append(_NONE, start[:-1]))
        known = previous != _NONE
        step = np.where(known, start - np.where(known, previous, 0), 0)
        for k, minutes in enumerate(CHOICES):
            self._counts[:, k] += np.bincount(code[step == minutes * 60], minlength=len(self._counts))
        last = np.append(first[1:], True)
        self._last[code[last]] = start[last]

    def minutes(self, ids: pa.DictionaryArray) -> NDArray[np.uint8]:
        """Minutes of each of n readings: the household's most common step, else the whole file's, else 0 (unknown)."""
        overall = self._counts.sum(axis=0)
        default = _common(overall[None, :])[0] if overall.any() else 0
        best = np.where(self._counts.any(axis=1), _common(self._counts), default)
        return np.append(best, default).astype(np.uint8)[self._coded(ids, grow=False)]

    def _coded(self, ids: pa.DictionaryArray, grow: bool) -> NDArray[np.int64]:
        """Our number of each row's household; -1 for null and for one never seen."""
        codes = self._codes
        if grow:
            of_value = [-1 if v is None else codes.setdefault(v, len(codes)) for v in ids.dictionary.to_pylist()]
            new = len(codes) - len(self._counts)
            self._counts = np.concatenate([self._counts, np.zeros((new, len(CHOICES)), np.int64)])
            self._last = np.concatenate([self._last, np.full(new, _NONE)])
        else:
            of_value = [codes.get(v, -1) for v in ids.dictionary.to_pylist()]
        table = np.array([*of_value, -1], dtype=np.int64)
        return table[ids.indices.cast(pa.int64()).fill_null(len(of_value)).to_numpy()]


def _common(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The most common step of each household, and the shorter one where two are about as common.

    A shuffled file shown in pieces has many gaps: there the double and the fourfold of the true step are as common.
    """
    often = counts * 2 >= counts.max(axis=1, keepdims=True)
    return CHOICES[often.argmax(axis=1)]


def _sorted(code: NDArray[np.int64], start: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """By household, then time; files mostly are so already, or by time, which a stable sort uses."""
    if (code[1:] < code[:-1]).any():
        # 16-bit keys are sorted by radix
        order = np.argsort(code.astype(np.uint16) if code.max() < 65_536 else code, kind="stable")
        code, start = code[order], start[order]
    if ((start[1:] < start[:-1]) & (code[1:] == code[:-1])).any():
        order = np.lexsort((start, code))
        code, start = code[order], start[order]
    return code, start
