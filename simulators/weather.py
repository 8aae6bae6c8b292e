"""Outdoor temperature: one for the whole town, from the date and the seed alone."""

import math
from datetime import date

import numpy as np


def temperature(seed: int, day: date) -> float:
    """Mean temperature of a day in degrees Celsius: Seoul's year, with spells of a few warm or cold days."""
    season = 12.5 - 14.5 * math.cos(2 * math.pi * (day.timetuple().tm_yday - 20) / 365.25)
    shocks = [np.random.default_rng([seed, 1, day.toordinal() - back]).normal() for back in range(5)]
    return season + 2.5 * float(np.dot(shocks, [1.0, 0.8, 0.6, 0.4, 0.2]))
