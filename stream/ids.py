"""What a household's id may be, and the ids of a block's rows in one array.

One rule at every edge (files, HTTP, frames, enrolments, people): ASCII letters, digits and . _ : - only. Full-width
digits, look-alike letters, blanks and characters that nobody sees are refused, never made to fit: two ids that look the
same would be two homes, or one. And nobody is called what logs call the system itself.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

import numpy as np

MAX_ID = 64
ASK_ID = f"send 1 to {MAX_ID} of A-Z a-z 0-9 . _ : -"
_GOOD = re.compile(rf"[A-Za-z0-9._:-]{{1,{MAX_ID}}}")
_ALIKE = str.maketrans("0135аеорсухіѕкмтнв", "olesaeopcyxiskmthb")
"""What is taken for another letter: digits, and Cyrillic."""


def id_fault(text: str | None) -> str | None:
    """What is wrong with an id, or None; without the id itself, which may be a name in the wrong column."""
    if not text:
        return "is missing"
    if _GOOD.fullmatch(text):
        return None
    if not all(c.isprintable() for c in text):
        return "holds a character that cannot be seen"
    if not text.isascii():
        return "holds a character that is not ASCII (a full-width or look-alike one?)"
    if any(c.isspace() for c in text):
        return "holds a blank"
    return f"has {len(text)} characters" if len(text) > MAX_ID else "holds another character"


def reserved(text: str) -> bool:
    """Whether an id is, or looks like, one that logs keep for what is nobody: ``system``, ``SYSTEM``, ``sуs_tem``,
    ``5ystem``; or is of signs alone (``-``, ``..``)."""
    return _skeleton(text) in _RESERVED


def _skeleton(text: str) -> str:
    """What is left of an id for a hurried eye."""
    letters = "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())
    return letters.translate(_ALIKE).replace("i", "l").replace("rn", "m").replace("vv", "w")


_RESERVED = {"", *map(_skeleton, ("system", "resident", "stream", "clock", "시스템", "본인"))}


class Ids:
    """Ids by row, "" where the row is free: 8 to 64 bytes a household, where Python strings would be 70 and more."""

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
