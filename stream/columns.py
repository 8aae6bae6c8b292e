"""Readings and events as columns: the one form in which the stream works on them, however they arrived."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stream.badrows import NONE, BadRows


@dataclass(frozen=True, slots=True)
class MeterColumns:
    """n meter readings. ``start``: int64 UTC seconds; ``kwh``: float32, NaN where missing;
    ``minutes``: uint8 in (15, 30, 60); ``quality``: uint8, position in ``records.QUALITIES``."""

    household_id: pa.Array
    start: NDArray[np.int64]
    kwh: NDArray[np.float32]
    minutes: NDArray[np.uint8]
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True, slots=True)
class PhoneColumns:
    """n phone events. ``at``: int64 UTC seconds; ``kind``: uint8, position in ``records.KINDS``;
    ``duration_s``: float32."""

    household_id: pa.Array
    at: NDArray[np.int64]
    kind: NDArray[np.uint8]
    duration_s: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.at)


@dataclass(frozen=True, slots=True)
class Raw:
    """Rows of a file as they are: columns by lower-case name, the line of each row, and the lines that are no row.

    A line is counted from 1 with the header; in Parquet, Arrow and JSON arrays it is the row counted from 1."""

    columns: dict[str, pa.Array]
    lines: NDArray[np.int64]
    bad: BadRows = field(default_factory=lambda: NONE)
