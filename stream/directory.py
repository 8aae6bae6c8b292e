"""Which row a household is: ids of a whole frame looked up at once.

Ids are hashed to 64 bits on whole arrays and searched in a sorted index: no Python object per reading, 12 bytes a
household. Two ids with one hash would be one household to us: the second is refused at enrolment.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def _bytes_and_offsets(ids: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    if pa.types.is_large_string(ids.type):
        ids = ids.cast(pa.string())
    _, offsets, data = ids.buffers()
    at = np.frombuffer(offsets, np.int32, len(ids) + 1, ids.offset * 4).astype(np.int64)
    return np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8), at


def hash_ids(ids: pa.Array) -> NDArray[np.uint64]:
    """64-bit hashes of n ids (string or dictionary of string, no nulls): (n,)."""
    if pa.types.is_dictionary(ids.type):
        return hash_ids(ids.dictionary)[ids.indices.to_numpy(zero_copy_only=False)]
    if not len(ids):
        return np.zeros(0, np.uint64)
    data, at = _bytes_and_offsets(ids)
    lengths = np.diff(at)
    width = int(lengths.max()) + 7 & ~7
    n = len(lengths)
    if (lengths == width).all():
        padded = np.ascontiguousarray(data[at[0] : at[-1]].reshape(n, width))
    else:
        columns = np.arange(width)
        where = at[:-1, None] + columns
        padded = np.where(columns < lengths[:, None], data[np.minimum(where, len(data) - 1)], np.uint8(0))
    words = np.ascontiguousarray(padded).view(np.uint64)
    out = lengths.astype(np.uint64)
    for word in words.T:  # a word that is all padding leaves the hash alone, so that the width of a batch is no matter
        mixed = (out ^ word) * _MULTIPLIER
        out = np.where(word == 0, out, mixed ^ (mixed >> np.uint64(29)))
    return out


class Directory:
    """Ids of one partition's households and their rows."""

    def __init__(self) -> None:
        self._hashes = np.zeros(0, np.uint64)
        self._rows = np.zeros(0, np.int32)

    def rows(self, ids: pa.Array) -> NDArray[np.int32]:
        """Rows of n ids, (n,); -1 where nobody of that id is enrolled."""
        if not len(self._hashes):
            return np.full(len(ids), -1, np.int32)
        hashes = hash_ids(ids)
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        return np.where(self._hashes[at] == hashes, self._rows[at], np.int32(-1)).astype(np.int32)

    def add(self, ids: pa.Array, rows: NDArray[np.int32]) -> None:
        """Enter new ids (n,) with their rows (n,)."""
        hashes = np.concatenate([self._hashes, hash_ids(ids)])
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._rows = hashes[order], np.concatenate([self._rows, rows])[order]

    def remove(self, row: int) -> None:
        """Forget the id of one row."""
        keep = self._rows != row
        self._hashes, self._rows = self._hashes[keep], self._rows[keep]

    def __len__(self) -> int:
        return len(self._rows)
