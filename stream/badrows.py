"""Rows that could not be used, as arrays: however many there are, only those that somebody asks for become words.

Ten million bad rows of one message cost their positions and their reasons, not an object and a sentence each.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from stream.records import Reason

REASONS = list(Reason)
"""The place in this list is a reason's code in arrays."""
CODES = {reason: code for code, reason in enumerate(REASONS)}
Say = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be used: its position in the message or its line in the file, why, and what was wrong with
    which value."""

    row: int
    reason: Reason
    detail: str


class BadRows(Sequence[BadRow]):
    """n bad rows. ``at``: their positions or lines, int64 (n,); ``code``: places in ``REASONS``, uint8 (n,).

    ``say`` gives the words of the k-th of them, when they are asked for.
    """

    __slots__ = ("_say", "at", "code")

    def __init__(self, at: NDArray[np.int64], code: NDArray[np.uint8], say: Say) -> None:
        self.at = at
        self.code = code
        self._say = say

    @classmethod
    def of(cls, rows: Sequence[BadRow]) -> "BadRows":
        """Of rows that are in words already: of few."""
        at = np.array([b.row for b in rows], np.int64)
        code = np.array([CODES[b.reason] for b in rows], np.uint8)
        return cls(at, code, lambda k: rows[k].detail)

    def __len__(self) -> int:
        return len(self.at)

    @overload
    def __getitem__(self, k: int) -> BadRow: ...

    @overload
    def __getitem__(self, k: slice) -> "BadRows": ...

    def __getitem__(self, k: int | slice) -> "BadRow | BadRows":
        if isinstance(k, slice):
            return self.take(np.arange(len(self))[k])
        k = range(len(self))[k]
        return BadRow(int(self.at[k]), REASONS[self.code[k]], self._say(k))

    def __iter__(self) -> Iterator[BadRow]:
        return (self[k] for k in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"BadRows({len(self)}: {', '.join(f'{r} {n}' for r, n in self.counts().items())})"

    def counts(self) -> dict[Reason, int]:
        """How many of each reason, that of the first row first."""
        code, first, many = np.unique(self.code, return_index=True, return_counts=True)
        return {REASONS[code[i]]: int(many[i]) for i in np.argsort(first)}

    def of_reason(self, reason: Reason, most: int) -> "BadRows":
        """The first ``most`` of one reason."""
        return self.take(np.flatnonzero(self.code == CODES[reason])[:most])

    def take(self, which: NDArray[np.int64]) -> "BadRows":
        """Some of them, by their place here."""
        say = self._say
        return BadRows(self.at[which], self.code[which], lambda k: say(int(which[k])))

    def moved(self, at: NDArray[np.int64]) -> "BadRows":
        """The same with other positions (n,)."""
        return BadRows(at, self.code, self._say)

    def reworded(self, said: Callable[[int, Reason], str | None]) -> "BadRows":
        """The same in the words that there are of a position and a reason, in their own where there are none."""
        say = self._say
        return BadRows(self.at, self.code, lambda k: said(int(self.at[k]), REASONS[self.code[k]]) or say(k))


def joined(parts: Sequence[BadRows]) -> BadRows:
    """All of them, as one, by position."""
    parts = [part for part in parts if len(part)]
    if len(parts) < 2:
        return parts[0] if parts else NONE
    ends = np.cumsum([len(part) for part in parts])
    at = np.concatenate([NONE.at, *(part.at for part in parts)])
    code = np.concatenate([NONE.code, *(part.code for part in parts)])

    def say(k: int) -> str:
        i = int(np.searchsorted(ends, k, "right"))
        return parts[i]._say(k - int(ends[i]) + len(parts[i]))

    together = BadRows(at, code, say)
    return together if (at[1:] >= at[:-1]).all() else together.take(np.argsort(at, kind="stable"))


def _silent(k: int) -> str:
    raise IndexError(k)


NONE = BadRows(np.zeros(0, np.int64), np.zeros(0, np.uint8), _silent)
"""No bad rows."""
