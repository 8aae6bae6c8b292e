"""Where every home stands at the end of a history: how well it can be judged, and how much its phone is used."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models import judgeable
from models.slots import SLOTS_PER_HOUR
from stream.block import Block
from stream.life import FREE, Life
from stream.partition import Partition
from stream.rules import Rules


@dataclass(frozen=True, slots=True)
class Standing:
    """Of n homes: ``hours`` (n,) until caution is expected, were nobody there; ``able`` (n,): sooner than the fixed
    limit; ``reason``: a name of `models.judgeable.NAMES`; ``calls`` (n,): quarter-hours a day with own phone use."""

    ids: list[str]
    hours: NDArray[np.float64]
    able: NDArray[np.bool_]
    reason: list[str]
    calls: NDArray[np.float64]
    _rows: dict[str, int] = field(default_factory=dict)

    def row(self, household_id: str) -> int | None:
        """The row of a home; None: not watched any more."""
        if not self._rows:
            self._rows.update((name, i) for i, name in enumerate(self.ids))
        return self._rows.get(household_id)


def standing(partition: Partition | None, rules: Rules) -> Standing:
    """Of everybody watched by a partition, as its clock stands."""
    parts = [] if partition is None else [_block(partition.life, b, rules) for b in partition.members.blocks if b.n]
    ids = [name for p in parts for name in p.ids]
    reason = [name for p in parts for name in p.reason]
    none = np.zeros(0)
    hours, able, calls = (
        np.concatenate([none.astype(kind), *(getattr(p, name) for p in parts)])
        for name, kind in (("hours", float), ("able", bool), ("calls", float))
    )
    return Standing(ids, hours, able, reason, calls)


def _block(life: Life, block: Block, rules: Rules) -> Standing:
    who, habit = block.who[: block.n], block.habit[: block.n]
    tables = block.today(life).tables
    step = np.where(who["step"] == 0, SLOTS_PER_HOUR, who["step"]).astype(np.intp)
    meter = np.where(who["meter_feed"] > 0, step, 0)
    told = judgeable.judged(habit, tables, meter, who["phone_feed"] > 0, rules.thresholds)
    there = np.flatnonzero(who["since"] != FREE)
    calls = habit["calls"].sum(axis=1, dtype=np.int64) / np.maximum(habit["calls_days"], 1)
    return Standing(
        [block.ids[i] for i in there.tolist()], told.hours[there].astype(float), told.able[there],
        [judgeable.NAMES[r] for r in told.reason[there].tolist()], calls[there],
    )  # fmt: skip
