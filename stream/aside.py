"""What was kept of one household, taken out of its block and put back: as bytes, which nothing judges or counts."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.slots import SLOTS_PER_DAY
from models.state import DRIFT, HABIT, HEAD, LATELY, State
from stream.block import Block
from stream.life import Life, Rows, Terms
from stream.strips import HOURS, SLOTS, Strips
from stream.watch import NO_TERMS, WHO, Span

_KEPT = HEAD, LATELY, HABIT


class Aside(Struct, frozen=True, array_like=True):
    """All that was kept of one household. ``start``: the ring's first slot then, ``clock``: the slot from which on
    nothing is known; the rows of arrays as bytes."""

    start: int
    clock: int
    who: bytes
    head: bytes
    lately: bytes
    habit: bytes
    drift: bytes
    meter: bytes
    phone: bytes
    known_from: int
    without_consent: tuple[Span, ...]

    def paused_until(self, slot: int) -> tuple[Span, ...]:
        """The times without consent once it is given anew from a slot on, as far as the ring still knows of them."""
        spans: list[Span] = []
        for first, last in sorted((*self.without_consent, (self.clock, slot))):
            if spans and first <= spans[-1][1]:
                spans[-1] = spans[-1][0], max(last, spans[-1][1])
            elif first < last and last > self.start:
                spans.append((first, last))
        return tuple(spans)

    @property
    def settled(self) -> State:
        """Where it stood at ``start``, (1,)."""
        return State(*(np.frombuffer(b, t) for b, t in zip((self.head, self.lately, self.habit), _KEPT, strict=True)))

    @property
    def row(self) -> NDArray[np.void]:
        """The fixed part, (1,)."""
        return np.frombuffer(self.who, WHO)

    @property
    def drifts(self) -> NDArray[np.void]:
        """Its slow drifts at ``start``, (1,)."""
        return np.frombuffer(self.drift, DRIFT)


def set_aside(block: Block, row: int, start: int, clock: int) -> Aside:
    """Everything kept of a row, whose ring begins at ``start``."""
    kept, terms = block.settled, block.terms.get(row, NO_TERMS)
    who, head, lately, habit, drift = (
        array[row].tobytes() for array in (block.who, kept.head, kept.lately, kept.habit, block.drift)
    )
    return Aside(
        start, clock, who, head, lately, habit, drift, block.strips.meter[:, row].tobytes(),
        block.strips.phone[:, row].tobytes(), terms.known_from, terms.without_consent,
    )  # fmt: skip


def put_back(aside: Aside, strips: Strips, row: int, start: int) -> None:
    """Fill a row of strips, whose ring begins at ``start``, with what is still in it of what was set aside."""
    slots = np.arange(max(start, aside.start), aside.start + SLOTS)
    hours = np.arange(max(start, aside.start) // 4, aside.start // 4 + HOURS)
    strips.meter[slots % SLOTS, row] = np.frombuffer(aside.meter, np.uint8)[slots % SLOTS]
    strips.phone[hours % HOURS, row] = np.frombuffer(aside.phone, np.uint8)[hours % HOURS]
    strips.dirty_meter.update(slots.tolist())
    strips.dirty_phone.update(hours.tolist())


def lived(
    aside: Aside, life: Life, who: NDArray[np.void], terms: Terms, start: int, heard: NDArray[np.int64]
) -> tuple[State, NDArray[np.void]]:
    """State and drifts, (1,) each, at ``start``, to which the ring's first slot has moved meanwhile: the days that have
    left it are settled as they would have been. ``who`` (1,), ``heard``: as in `Life.run`."""
    strips = Strips(1)
    put_back(aside, strips, 0, aside.start)

    def read(first: int, count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        return strips.read(first, count, slice(0, 1))

    rows = Rows(aside.settled.copy(), who, read, {0: terms}, aside.drifts.copy())
    for first in range(aside.start, start, SLOTS_PER_DAY):
        life.run(rows, first, first + SLOTS_PER_DAY, heard)
        strips.clear(first, SLOTS_PER_DAY)
    assert rows.drift is not None
    return rows.state, rows.drift
