"""How a meter counts, and what switches by itself, for one home: arrays of Wh an interval."""

import numpy as np
from numpy.typing import NDArray

from simulators.people import Floats, Rng


def counted(wh: NDArray[np.float32], step: float, begun: float = 0.0) -> NDArray[np.float32]:
    """Readings (n,) of a register that shows whole ``step`` Wh: differences of its counts. ``begun``: share of a step
    that it had not yet shown at the start. NaN stays; what was used then is not known and not counted."""
    if step <= 0:
        return wh
    total = np.cumsum(np.nan_to_num(wh.astype(np.float64), nan=0.0)) + begun * step
    shown = np.floor(total / step + 1e-6) * step
    counts = np.diff(shown, prepend=np.floor(begun) * step).astype(np.float32)
    return np.where(np.isnan(wh), np.float32(np.nan), counts)


def cycling(
    count: int, minutes: int, period: float, duty: float, rng: Rng, swing: float = 0.0, peak: float = 0.0
) -> Floats:
    """Share of each of ``count`` intervals in which something that switches by itself is on, (count,).

    ``period``: minutes of a cycle on average (gamma, as compressors do not keep time); ``duty``: share of it that is
    on, by up to ``swing`` of that more or less as the day goes, most at ``peak`` minutes from the start.
    """
    span = count * minutes
    lengths = rng.gamma(6, period / 6, int(span / period * 1.3) + 20) + 1
    starts = np.cumsum(lengths) - lengths - rng.uniform(0, period)
    share = np.clip(duty * (1 + swing * np.cos(2 * np.pi * (starts - peak) / 1440)), 0.05, 0.97)
    on = lengths * share
    times = np.stack([starts, starts + on], axis=1).ravel()
    ran = np.stack([np.cumsum(on) - on, np.cumsum(on)], axis=1).ravel()
    edges = np.arange(count + 1) * float(minutes)
    return np.clip(np.diff(np.interp(edges, times, ran)) / minutes, 0, 1)


def wandering(count: int, rng: Rng, spread: float = 0.08, memory: float = 0.6) -> Floats:
    """A nearly steady load's share of its power (count,): 1 and a first-order autoregression around it, 0.5 to 1.5."""
    kernel = memory ** np.arange(24)
    drift = np.convolve(rng.normal(0, spread, count + 23), kernel, mode="valid")
    return np.clip(1 + drift, 0.5, 1.5)
