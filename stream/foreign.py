"""A feed speaks for the homes that name it; of what it says of others nothing is used, it is counted and told.

Else whoever has some feed's key could write uses of a phone for anybody, and the dead would live on.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stream.block import Block
from stream.members import Names
from stream.records import DeadLetter, Reason

SHOWN = 20
"""Homes that a dead letter names; values never: the home's own feed will send them."""
OTHER = "other"
"""Feeds that no record here names are one label of a metric: their names are whatever a sender wrote."""


@dataclass(slots=True)
class Foreign:
    """Rows since last asked of homes whose records name another feed: how many, and some of the homes."""

    rows: int = 0
    homes: list[str] = field(default_factory=list)

    def own(
        self, block: Block, at: NDArray[np.int64], rows: NDArray[np.int64], signal: str, number: int | None
    ) -> NDArray[np.int64]:
        """Those of ``at`` (k,) whose homes, ``rows`` (k,) of the block, name feed ``number`` (None: any);
        the others are noted."""
        named = block.who[f"{signal}_feed"][rows]
        own = named > 0 if number is None else named == number
        if own.all():
            return at
        others = rows[~own]
        self.rows += len(others)
        if len(self.homes) < SHOWN:
            self.homes += [block.ids[row] for row in np.unique(others)[: SHOWN - len(self.homes)].tolist()]
        return at[own]

    def letter(self, topic: str, partition: int, offset: int, signal: str, feed: str) -> DeadLetter:
        """One dead letter for all of them, whatever their number; nothing is kept here afterwards."""
        detail = (
            f"feed {feed} sent rows of homes that name another {signal} feed, or none: if it is theirs, "
            f"put it into feeds.{signal} of their records; else mend the sender"
        )
        sample = json.dumps({"household_ids": self.homes})
        letter = DeadLetter(topic, partition, offset, Reason.foreign_feed, detail, self.rows, sample)
        self.rows, self.homes = 0, []
        return letter


def label(feed: str, named: Names, in_settings: Collection[str]) -> str:
    """A feed as a metric calls it."""
    return feed if feed in named.numbers or feed in in_settings else OTHER
