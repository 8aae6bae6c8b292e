"""Models that a few lines can follow, for laws that hold whatever was learned."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features import Moment
from models.forest import LEVELS, Scale

SCALE = {name: Scale(np.array([-4, 0, 4], np.float32), np.array([0.1, 10, 1000], np.float32)) for name in LEVELS}
"""A mean log-odds of 0 once in ten days, of 4 once in a thousand."""

Odds = NDArray[np.float32]


@dataclass(frozen=True)
class Fixed:
    """Always the same log-odds."""

    odds: float

    @property
    def scale(self) -> Mapping[str, Scale]:
        """That of all models here."""
        return SCALE

    def log_odds(self, x: NDArray[np.float32], rows: NDArray[np.intp], moment: Moment) -> Odds:
        """Whatever is told."""
        return np.full(len(rows), self.odds, np.float32)


@dataclass(frozen=True)
class Linear:
    """Log-odds that listen to every figure there is, so that not one may differ unseen."""

    @property
    def scale(self) -> Mapping[str, Scale]:
        """That of all models here."""
        return SCALE

    def log_odds(self, x: NDArray[np.float32], rows: NDArray[np.intp], moment: Moment) -> Odds:
        """A sum of sines, one a feature: figures of any size are heard."""
        every = np.sin(x + np.arange(len(x), dtype=np.float32)[:, None])
        total = np.add.reduce(np.rint(every * 256).astype(np.int32), axis=0)  # whole numbers: the same in any company
        return (total / 256).astype(np.float32)


LINEAR = Linear()
