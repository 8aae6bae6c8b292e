"""What stays on when a resident collapses: a television, a heater, an air conditioner, seldom a cooker."""

import numpy as np
from numpy.typing import NDArray

from simulators.meters import cycling, wandering
from simulators.people import Rng

KINDS = ("steady", "thermostat", "compressor", "cooker")
_CHANCES = (0.48, 0.26, 0.23, 0.03)
LEAST_WATTS, MOST_WATTS, COOKER_WATTS = 30.0, 600.0, (800.0, 1200.0)


def left_on(
    count: int, minutes: int, rng: Rng, was_on: float = 0.0, kind: str | None = None
) -> tuple[NDArray[np.float32], str]:
    """Wh (count,) to be added to the empty home's load, and of what.

    ``was_on``: watts above the quiet load in the last interval lived; half the time it is that which stays on.
    Nearly steady (television, lights), or switching by itself: a heater by its thermostat, in part with the hours of
    the day, a compressor in shorter cycles.
    """
    kind = kind or str(rng.choice(KINDS, p=_CHANCES))
    watts = rng.uniform(LEAST_WATTS, 300)
    if was_on > LEAST_WATTS and rng.random() < 0.5:
        watts = np.clip(was_on, LEAST_WATTS, MOST_WATTS)
    if kind == "steady":
        share = wandering(count, rng, spread=rng.uniform(0.01, 0.1))
    elif kind == "thermostat":
        swing, peak = rng.choice([0.0, rng.uniform(0.1, 0.5)]), rng.uniform(0, 1440)
        share = cycling(count, minutes, rng.uniform(20, 80), rng.uniform(0.3, 0.8), rng, swing, peak)
        watts *= rng.uniform(1, 2)
    elif kind == "compressor":
        swing, peak = rng.uniform(0, 0.4), rng.uniform(0, 1440)
        share = cycling(count, minutes, rng.uniform(12, 60), rng.uniform(0.25, 0.75), rng, swing, peak)
        watts *= rng.uniform(1, 2)
    elif kind == "cooker":
        watts, share = rng.uniform(*COOKER_WATTS), wandering(count, rng, spread=0.02)
    else:
        raise ValueError(f"left on {kind!r}: one of {', '.join(KINDS)}")
    if kind != "cooker":
        watts = min(watts, MOST_WATTS)
    return (watts * minutes / 60 * share).astype(np.float32), kind
