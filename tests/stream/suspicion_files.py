"""Small files of made-up homes for the tests of suspicion: what a home uses, and what exports make of it."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

HEADER = "household_id,timestamp,kwh"


def uses(days: float = 7, minutes: int = 60, seed: int = 1) -> list[float]:
    """Energy of each interval of a home: a quiet load, and more in the morning and in the evening."""
    rng = np.random.default_rng(seed)
    hour = np.arange(int(days * 1440 / minutes)) * minutes / 60 % 24
    awake = 0.25 + np.where((hour >= 7) & (hour < 23), 1.0, 0.1) * rng.gamma(1.5, 0.5, len(hour))
    return (awake * 0.3 * minutes / 60).round(4).tolist()


def rows(values: list[float], minutes: int = 60, household: str = "h1") -> list[tuple[str, str, str]]:
    """Rows (household, local time, kwh) that follow each other, from 2026-03-02 on."""
    begin = datetime(2026, 3, 2)
    times = (f"{begin + timedelta(minutes=minutes * i):%Y-%m-%d %H:%M}" for i in range(len(values)))
    return [(household, time, f"{value:g}") for time, value in zip(times, values, strict=True)]


def csv(lines: list[tuple[str, ...]], header: str = HEADER) -> str:
    """CSV text of rows."""
    return "\n".join([header, *map(",".join, lines)]) + "\n"


def write(path: Path, text: str | bytes) -> Path:
    """A file of this text."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
