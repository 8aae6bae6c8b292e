"""The ids of a block's rows in one array: 8 to 64 bytes a household, where Python strings would be 70 and more."""

from collections.abc import Iterable, Iterator

import numpy as np


class Ids:
    """Ids by row; "" where the row is free."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        encoded = [name.encode() for name in names]
        wide = max(map(len, encoded), default=8)
        self._names = np.array(encoded, f"S{-(-max(wide, 1) // 8) * 8}")

    def __getitem__(self, row: int) -> str:
        return bytes(self._names[row]).decode()

    def __setitem__(self, row: int, name: str) -> None:
        wide = len(name.encode())
        if wide > self._names.dtype.itemsize:
            self._names = self._names.astype(f"S{-(-wide // 8) * 8}")
        self._names[row] = name.encode()

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return (name.decode() for name in self._names.tolist())

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Iterable) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def grow(self, rows: int) -> None:
        """Have at least so many rows."""
        more = rows - len(self._names)
        if more > 0:
            self._names = np.concatenate([self._names, np.zeros(more, self._names.dtype)])
