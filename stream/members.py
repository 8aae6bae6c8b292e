"""Who is in a partition: enrolment, changes of terms, and consent withdrawn."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stream.aside import Aside
from stream.block import WHO_ROW, Block
from stream.calendar import slot_from
from stream.directory import Directory
from stream.life import FREE, WHO, Terms
from stream.outcomes import terms_of
from stream.records import Household
from stream.report import group
from stream.strips import ROWS
from stream.watch import NO_TERMS, Span

RISKS = ("normal", "elevated", "high")
NO_FEED = ""


class Names:
    """Names told apart by a small number: areas, dongs, feeds. Number 0 is the empty name, and any name past ``most``:
    such a household is watched all the same, only not as a part of that area."""

    def __init__(self, names: Sequence[str] = ("",), most: int = 65_536) -> None:
        self.most = most
        self.names = list(names)
        self.numbers = {name: i for i, name in enumerate(self.names)}

    def number(self, name: str) -> int:
        """Number of a name, given at its first mention."""
        if name not in self.numbers:
            if len(self.names) >= self.most:
                return 0
            self.numbers[name] = len(self.names)
            self.names.append(name)
        return self.numbers[name]


class Members:
    """Rows of a partition's households over its blocks, and the names they go by."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.directory = Directory()
        self.areas, self.dongs, self.feeds = Names(), Names(), Names(most=256)
        self.names_stored: tuple[int, ...] = ()
        self.pauses: dict[int, tuple[Span, ...]] = {}
        """Times without consent, by row over all blocks."""
        self._free: list[int] = []
        self._next = 0

    def locate(self, ids: pa.Array) -> NDArray[np.int32]:
        """Rows over all blocks (block x 1,024 + row) of ids (n,), -1 where not enrolled."""
        return self.directory.rows(ids)

    def at(self, row: int) -> tuple[Block, int]:
        """Block and row in it."""
        return self.blocks[row // ROWS], row % ROWS

    def who(self, household: Household, step: int = 0, phase: int = 0) -> NDArray[np.void]:
        """The fixed part of a household's row, (1,)."""
        who = np.zeros(1, WHO)
        who["since"] = min(slot_from(household.since), FREE - 1)
        who["area"], who["dong"] = self.areas.number(household.area), self.dongs.number(household.dong)
        who["meter_feed"] = self.feeds.number(household.feeds.meter or NO_FEED)
        who["phone_feed"] = self.feeds.number(household.feeds.phone or NO_FEED)
        who["risk"] = RISKS.index(household.risk)
        who["step"], who["phase"] = step, phase
        return who

    def enrol(self, households: Sequence[Household], earliest: int, clock: int = 0) -> list[int]:
        """Admit new households, watched at the earliest from slot ``earliest``, known from slot ``clock`` on where they
        were to be watched before. Returns their rows."""
        if not households:
            return []
        rows = [self._row() for _ in households]
        at = np.array(rows)
        who = np.concatenate([self.who(h) for h in households])
        since = np.maximum(who["since"].astype(np.int64), earliest)
        names = [h.household_id for h in households]
        for block in self.blocks:
            here = at // ROWS == block.number
            if here.any():
                ids = [n for n, keep in zip(names, here, strict=True) if keep]
                block.admit(ids, who[here], since[here], at[here] % ROWS)
        self.directory.add(pa.array(names, pa.string()), at.astype(np.int32))
        for household, row, first in zip(households, rows, since.tolist(), strict=True):
            self.set_terms(row, household, clock if first < clock else 0)
        return rows

    def change(self, row: int, household: Household) -> None:
        """A household's new record: who and on what terms; its state stays."""
        block, i = self.at(row)
        since = int(block.who["since"][i])
        block.who[i] = self.who(household, int(block.who["step"][i]), int(block.who["phase"][i]))[0]
        block.who["since"][i] = since
        self.set_terms(row, household)
        block.dirty.add(WHO_ROW)
        block.look_again()

    def set_terms(
        self, row: int, household: Household, known_from: int | None = None, pauses: tuple[Span, ...] | None = None
    ) -> None:
        """Absences, when the risk group began to hold, outcomes, drill. ``known_from``, ``pauses`` (times without
        consent): None as they were."""
        block, i = self.at(row)
        before = block.terms.get(i, NO_TERMS)
        known_from = before.known_from if known_from is None else known_from
        pauses = before.without_consent if pauses is None else pauses
        terms = replace(terms_of(household), known_from=known_from, without_consent=pauses)
        if pauses:
            self.pauses[row] = pauses
        if terms == Terms():
            block.terms.pop(i, None)
        else:
            block.terms[i] = terms
        (block.drills.add if household.drill else block.drills.discard)(i)

    def come_back(self, household: Household, aside: Aside, resumed: int) -> int:
        """Somebody who had left is here again, with what was set aside of them; from slot ``resumed`` on anything is
        known. Its row: strips are still empty, its state is to be made."""
        (row,) = self.enrol([household], 0)
        block, i = self.at(row)
        kept = aside.row[0]
        block.who[i] = self.who(household, int(kept["step"]), int(kept["phase"]))[0]
        block.who["since"][i] = kept["since"]
        self.set_terms(row, household, aside.known_from, aside.paused_until(resumed))
        return row

    def leave(self, row: int) -> None:
        """Consent withdrawn: nothing is left of it here."""
        block, i = self.at(row)
        self.pauses.pop(row, None)
        block.dismiss(i)
        self.directory.remove(row)
        self._free.append(row)

    def per_area(self) -> dict[str, int]:
        """Homes with a meter per area, those of drills by themselves (`stream.report.group`)."""
        total: Counter[str] = Counter()
        for block in self.blocks:
            who = block.who[: block.n]
            use = np.flatnonzero((who["since"] != FREE) & (who["meter_feed"] > 0))
            total.update(dict(self.per_group(who["area"], use, block.drills)))
        return dict(total)

    def per_group(
        self, area: NDArray[np.integer], rows: NDArray[np.int64], drills: set[int]
    ) -> Iterator[tuple[str, int]]:
        """How many of some rows of a block, whose areas have the numbers ``area`` (n,), each group has."""
        of_drill = np.isin(rows, list(drills)) if drills else np.zeros(len(rows), np.bool_)
        for drill in (False, True) if drills else (False,):
            for number, many in enumerate(np.bincount(area[rows[of_drill == drill]]).tolist()):
                if many and number:
                    yield group(self.areas.names[number], drill), many

    def watching(self) -> dict[str, frozenset[str]]:
        """Names of the feeds that watch at least one household here, by signal."""
        numbers: dict[str, set[int]] = {"meter": set(), "phone": set()}
        for block in self.blocks:
            who = block.who[: block.n][block.who["since"][: block.n] != FREE]
            for signal, found in numbers.items():
                found.update(np.unique(who[f"{signal}_feed"]).tolist())
        return {s: frozenset(self.feeds.names[i] for i in found if i > 0) for s, found in numbers.items()}

    def restored(self) -> None:
        """Blocks were filled from the changelog: find who is where."""
        ids, rows = [], []
        self._next = sum(block.n for block in self.blocks)
        for block in self.blocks:
            for i, name in enumerate(block.ids):
                row = block.number * ROWS + i
                if name:
                    ids.append(name)
                    rows.append(row)
                else:
                    self._free.append(row)
            paused = ((i, terms.without_consent) for i, terms in block.terms.items())
            self.pauses |= {block.number * ROWS + i: spans for i, spans in paused if spans}
        self.directory.add(pa.array(ids, pa.string()), np.array(rows, np.int32))

    def _row(self) -> int:
        if self._free:
            return self._free.pop()
        row, self._next = self._next, self._next + 1
        if row // ROWS >= len(self.blocks):
            self.blocks.append(Block(len(self.blocks)))
        return row
