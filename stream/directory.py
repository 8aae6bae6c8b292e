"""Which row a household is: ids of a whole frame looked up at once.

Ids are hashed to 64 bits on whole arrays and searched in a sorted index: no Python object per reading, 12 bytes and
the id itself a household. A hash only says where to look: ids are compared, so that two with one hash are two homes.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Words = NDArray[np.uint64]
"""(n, w): the bytes of n ids, eight to a word, padded with zeros, which no id holds."""

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def _bytes_and_offsets(ids: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    if pa.types.is_large_string(ids.type):
        ids = ids.cast(pa.string())
    _, offsets, data = ids.buffers()
    at = np.frombuffer(offsets, np.int32, len(ids) + 1, ids.offset * 4).astype(np.int64)
    return np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8), at


def _words(ids: pa.Array) -> Words:
    """The bytes of n ids (string, no nulls), as wide as the longest of them."""
    if not len(ids):
        return np.zeros((0, 1), np.uint64)
    data, at = _bytes_and_offsets(ids)
    lengths = np.diff(at)
    width = max(int(lengths.max()) + 7 & ~7, 8)
    if (lengths == width).all():
        padded = np.ascontiguousarray(data[at[0] : at[-1]].reshape(len(ids), width))
    elif not len(data):
        padded = np.zeros((len(ids), width), np.uint8)
    else:
        columns = np.arange(width)
        where = at[:-1, None] + columns
        padded = np.where(columns < lengths[:, None], data[np.minimum(where, len(data) - 1)], np.uint8(0))
    return np.ascontiguousarray(padded).view(np.uint64)


def _hashed(words: Words) -> NDArray[np.uint64]:
    out = np.count_nonzero(words.view(np.uint8), axis=1).astype(np.uint64)  # the length
    for word in words.T:  # a word that is all padding leaves the hash alone, so that the width of a batch is no matter
        mixed = (out ^ word) * _MULTIPLIER
        out = np.where(word == 0, out, mixed ^ (mixed >> np.uint64(29)))
    return out


def hash_ids(ids: pa.Array) -> NDArray[np.uint64]:
    """64-bit hashes of n ids (string or dictionary of string, no nulls): (n,)."""
    if pa.types.is_dictionary(ids.type):
        return hash_ids(ids.dictionary)[ids.indices.to_numpy(zero_copy_only=False)]
    return _hashed(_words(ids))


class Directory:
    """Ids of one partition's households and their rows."""

    def __init__(self) -> None:
        self._hashes = np.zeros(0, np.uint64)
        self._rows = np.zeros(0, np.int32)
        self._words = np.zeros((0, 1), np.uint64)
        self._most = 1
        """How many ids have one hash, at most."""

    def rows(self, ids: pa.Array) -> NDArray[np.int32]:
        """Rows of n ids, (n,); -1 where nobody of that id is enrolled."""
        if pa.types.is_dictionary(ids.type):
            return self.rows(ids.dictionary)[ids.indices.to_numpy(zero_copy_only=False)]
        found = np.full(len(ids), -1, np.int32)
        if not len(self._hashes) or not len(ids):
            return found
        words = _words(ids)
        hashes = _hashed(words)
        at = np.searchsorted(self._hashes, hashes)
        for more in range(self._most):
            here = np.minimum(at + more, len(self._hashes) - 1)
            match = (self._hashes[here] == hashes) & self._same(here, words)
            found[match] = self._rows[here[match]]
        return found

    def add(self, ids: pa.Array, rows: NDArray[np.int32]) -> None:
        """Enter new ids (n,) with their rows (n,)."""
        words = _words(ids)
        hashes = np.concatenate([self._hashes, _hashed(words)])
        order = np.argsort(hashes, kind="stable")
        width = max(words.shape[1], self._words.shape[1])
        self._words = np.concatenate([_widened(self._words, width), _widened(words, width)])[order]
        self._hashes, self._rows = hashes[order], np.concatenate([self._rows, rows])[order]
        self._most = int(np.unique_counts(self._hashes).counts.max(initial=1))

    def remove(self, row: int) -> None:
        """Forget the id of one row."""
        keep = self._rows != row
        self._hashes, self._rows, self._words = self._hashes[keep], self._rows[keep], self._words[keep]

    def __len__(self) -> int:
        return len(self._rows)

    def _same(self, at: NDArray[np.int64], words: Words) -> NDArray[np.bool_]:
        """Whether the ids at n places of the index are these."""
        width = min(words.shape[1], self._words.shape[1])
        same = (words[:, width:] == 0).all(axis=1) & (self._words[at, width:] == 0).all(axis=1)
        for k in range(width):
            same &= self._words[at, k] == words[:, k]
        return same


def _widened(words: Words, width: int) -> Words:
    return np.pad(words, ((0, 0), (0, width - words.shape[1])))
