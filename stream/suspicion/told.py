"""What is suspected of a file, in words for the person who sent it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_LINES = 1_000
"""Lines of a household that are kept to be named."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One thing that is odd about one household, or about the whole file (``household`` is "" then).

    ``what`` is for programs, ``title`` for people, Korean · English; ``evidence`` has numbers and times, no cell of
    the file. ``blinds``: such data would hide the home from the detector, and it is not used unless that is forced.
    ``held``: rows not used because of it, ``lines``: the first of them.
    """

    household: str
    what: str
    title: str
    evidence: str
    remedy: str
    blinds: bool
    held: int = 0
    lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        of = self.household or "파일 전체 · the whole file"
        return f"{of}: {self.title}: {self.evidence}: {self.remedy}"

    @property
    def key(self) -> tuple[str, str]:
        """What it is about: the same thing is told once a file."""
        return self.household, self.what


def flagged(mask: NDArray[np.bool_]) -> list[int]:
    """Numbers of the households that a mask names."""
    return [int(i) for i in np.flatnonzero(mask)]
