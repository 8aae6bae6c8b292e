"""How many households stand where, and how many alerts are open: what operators see of the whole."""

from collections import Counter

import numpy as np

from models import decline, gaps, levels
from stream.life import FREE
from stream.partition import Partition

WATCHED, LEARNING, ABSENT, DATA_GAP, SILENT = "watched", "learning", "absent", "data_gap", "silent"


def households(partition: Partition) -> Counter[str]:
    """Enrolled households of a partition by state; each is counted once, at the first that holds of: silent (an alert
    of caution or more), absent, without data, learning; else it is watched."""
    counts: Counter[str] = Counter()
    clock = partition.marks.clock or 0
    for block in partition.members.blocks:
        n = block.n
        here = block.who["since"][:n] != FREE
        silent = here & (block.head["level"][:n] >= levels.CAUTION)
        absent = np.zeros(n, bool)
        absent[[row for row, terms in block.terms.items() if terms.absent(clock, clock + 1)]] = True
        absent &= here & ~silent
        gap = here & ~silent & ~absent & (block.head["gap"][:n] > gaps.NONE)
        learning = here & ~silent & ~absent & ~gap & (block.habit["days"][:n] < levels.LEARNING_DAYS)
        found = {SILENT: silent, ABSENT: absent, DATA_GAP: gap, LEARNING: learning}
        counts += Counter({state: int(mask.sum()) for state, mask in found.items()})
        counts[WATCHED] += int(here.sum()) - sum(int(mask.sum()) for mask in found.values())
    return counts


def open_alerts(partition: Partition) -> Counter[tuple[str, str]]:
    """Alerts raised and not cleared, by kind and level."""
    counts: Counter[tuple[str, str]] = Counter()
    for block in partition.members.blocks:
        here = block.who["since"][: block.n] != FREE
        per_level = np.bincount(block.head["level"][: block.n][here], minlength=len(levels.NAMES))
        for name, many in zip(levels.NAMES[1:], per_level[1:].tolist(), strict=True):
            counts["silence", name] += many
        gap = block.head["gap"][: block.n][here] > gaps.NONE
        counts["data_gap", levels.NAMES[levels.ATTENTION]] += int(gap.sum())
        drifts = decline.standing(block.drift["course"][: block.n][here]).sum(axis=0)
        for kind, many in zip(decline.KINDS, drifts.tolist(), strict=True):
            counts[kind, levels.NAMES[levels.ATTENTION]] += many
    return counts
