"""How many households stand where, and how many alerts are open: what operators see of the whole."""

from collections import Counter
from itertools import product

import numpy as np
from numpy.typing import NDArray

from models import decline, gaps, judgeable, levels
from stream.block import Block
from stream.life import FREE
from stream.metrics import BY, JUDGED
from stream.partition import Partition

WATCHED, LEARNING, ABSENT, DATA_GAP, SILENT = "watched", "learning", "absent", "data_gap", "silent"
UNJUDGEABLE = "unjudgeable"
_AT_ONCE = 1


def households(partition: Partition) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """Enrolled households of a partition by state; each is counted once, at the first that holds of: silent (an alert
    of caution or more), absent, without data, learning, not judgeable by what it shows; else it is watched.

    And by whether their own evidence judges them or the fixed limits do (`BY`), and the reason. That is reckoned once a
    day, of `_AT_ONCE` blocks each time it is asked, so that nothing waits for it; a block is counted from then on.
    """
    counts: Counter[str] = Counter()
    told: Counter[tuple[str, str]] = Counter()
    clock, left = partition.marks.clock or 0, _AT_ONCE
    for block in partition.members.blocks:
        here = block.who["since"][: block.n] != FREE
        able, reckoned = _judgeable(partition, block, clock, left > 0, here, told)
        left -= reckoned
        counts += _states(block, here, able, clock)
    return counts, told


def _states(block: Block, here: NDArray[np.bool_], able: NDArray[np.bool_], clock: int) -> Counter[str]:
    n = block.n
    absent = np.zeros(n, bool)
    absent[[row for row, terms in block.terms.items() if terms.absent(clock, clock + 1)]] = True
    states = {
        SILENT: block.head["level"][:n] >= levels.CAUTION, ABSENT: absent, DATA_GAP: block.head["gap"][:n] > gaps.NONE,
        LEARNING: block.habit["days"][:n] < levels.LEARNING_DAYS, UNJUDGEABLE: ~able,
    }  # fmt: skip
    counts: Counter[str] = Counter()
    for state, mask in states.items():
        counts[state] += int((here & mask).sum())
        here = here & ~mask
    counts[WATCHED] += int(here.sum())
    return counts


def _judgeable(
    partition: Partition, block: Block, clock: int, again: bool, here: NDArray[np.bool_],
    counts: Counter[tuple[str, str]],
) -> tuple[NDArray[np.bool_], bool]:  # fmt: skip
    """Who can be judged of a block, (n,), counted by reason; all where it was not reckoned yet."""
    able = np.ones(block.n, bool)
    told, reckoned = block.judgeable_lately(partition.life, clock, again and block.n > 0)
    if told is not None:
        many = min(block.n, len(told.able))  # rows taken since are counted the next time
        able[:many] = told.able[:many]
        for by, reason in product(BY, range(len(judgeable.NAMES))):
            mask = here[:many] & (told.able[:many] == (by == JUDGED)) & (told.reason[:many] == reason)
            counts[by, judgeable.NAMES[reason]] += int(mask.sum())
    return able, reckoned


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
