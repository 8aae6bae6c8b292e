"""State as rows of the compacted `state` topic, and back.

A row is one part of one block: a slot of the meter ring, an hour of the phone ring, the heads, what changes of the
last hours with every slot and what with every two hours, the habits, the settled state, who is in it. One more row
holds the partition itself: the offsets its state includes, its clock, its feeds. Rows changed by a batch are written in
one transaction with the alerts the batch gave rise to.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from models.state import DRIFT as DRIFT_TYPE
from models.state import HABIT as HABIT_TYPE
from models.state import HEAD as HEAD_TYPE
from models.state import LATELY as LATELY_TYPE
from stream.block import BLOCKS, DRIFT, HABIT, HEAD, LATELY, SETTLED, WHO_ROW, Block
from stream.deaths import PREFIX as DIED
from stream.deaths import Deaths
from stream.ids import Ids
from stream.leavers import Left
from stream.life import WHO, Terms
from stream.members import Names
from stream.partition import Partition
from stream.strips import HOURS, SLOTS
from stream.warned import Name, Said
from stream.watch import Span
from stream.watermark import Source

VERSION = 2
META = b"meta"
NAMES = b"names"
WARNINGS = b"warnings"
LEFT = b"left/"
"""Before the key of a household that left."""
_SETTLED = HEAD_TYPE, LATELY_TYPE, HABIT_TYPE
_RUNNING: int = LATELY_TYPE.fields["blocks"][1]  # type: ignore[index]
"""Bytes of the last hours before the figures of whole blocks."""


class StateVersionError(Exception):
    """The state on the broker was written by another version."""


class SourceRow(Struct, frozen=True):
    """A feed's watermark."""

    name: str
    lateness: int
    until: int | None
    last_arrival: float


class Meta(Struct, frozen=True):
    """A partition's own row. ``offsets``: next offset to read, per plain topic name."""

    version: int
    offsets: dict[str, int]
    start: int | None
    clock: int | None
    begun: int | None
    sources: list[SourceRow]


class NamesRow(Struct, frozen=True):
    """Names by number: a row of its own, as it is long and seldom changes."""

    areas: list[str]
    dongs: list[str]
    feeds: list[str]


class TermsRow(Struct, frozen=True, array_like=True, omit_defaults=True):
    """A household's terms. What a version did not know yet is missing at the end."""

    absences: tuple[Span, ...]
    risk_since: int
    proofs: tuple[int, ...] = ()
    phone_out: tuple[Span, ...] = ()
    meter_out: tuple[Span, ...] = ()
    known_from: int = 0
    without_consent: tuple[Span, ...] = ()


class Who(Struct, frozen=True):
    """Who is in a block. ``terms``: by row."""

    ids: list[str]
    rows: bytes
    terms: dict[int, TermsRow]
    drills: list[int]


Row = tuple[bytes, bytes]

_pack = msgspec.msgpack.Encoder().encode


def changed_rows(partition: Partition, offsets: dict[str, int]) -> Iterator[Row]:
    """Rows of everything changed since last asked, and the partition's own row with ``offsets``."""
    for block in partition.members.blocks:
        yield from _block_rows(block, partition.start or 0)
    marks, members = partition.marks, partition.members
    sources = [SourceRow(s.name, s.lateness, s.until, s.last_arrival) for s in marks.sources.values()]
    names = members.areas.names, members.dongs.names, members.feeds.names
    if members.names_stored != (many := tuple(map(len, names))):
        yield NAMES, _pack(NamesRow(*names))
        members.names_stored = many
    if partition.warnings.dirty:
        yield WARNINGS, _pack(sorted(partition.warnings.said.items()))
        partition.warnings.dirty = False
    for key in sorted(partition.leavers.dirty):
        yield LEFT + key, _pack(partition.leavers.left[key])
    partition.leavers.dirty.clear()
    yield META, _pack(Meta(VERSION, offsets, partition.start, marks.clock, marks.begun, sources))


def _block_rows(block: Block, start: int) -> Iterator[Row]:
    n, strips, at = block.n, block.strips, str(block.number)
    for slot in strips.dirty_meter:
        if slot >= start:
            column = slot % SLOTS
            yield f"{at}/m{column}".encode(), slot.to_bytes(8, "little") + strips.meter[column, :n].tobytes()
    for hour in strips.dirty_phone:
        if hour >= start // 4:
            column = hour % HOURS
            yield f"{at}/p{column}".encode(), hour.to_bytes(8, "little") + strips.phone[column, :n].tobytes()
    strips.dirty_meter.clear()
    strips.dirty_phone.clear()
    now, settled = block.state, block.settled
    running, blocks = _parted(now.lately)
    for part, arrays in (
        (HEAD, (now.head,)), (LATELY, (running,)), (BLOCKS, (blocks,)), (HABIT, (now.habit,)),
        (SETTLED, (settled.head, settled.lately, settled.habit)), (DRIFT, (block.drift,)),
    ):  # fmt: skip
        if part in block.dirty:
            yield f"{at}/{part}".encode(), b"".join(array[:n].tobytes() for array in arrays)
    if WHO_ROW in block.dirty:
        terms = {
            row: TermsRow(
                t.absences, t.risk_since, t.proofs, t.phone_out, t.meter_out, t.known_from, t.without_consent
            )
            for row, t in block.terms.items()
        }
        who = Who(list(block.ids), block.who[:n].tobytes(), terms, sorted(block.drills))
        yield f"{at}/{WHO_ROW}".encode(), _pack(who)
    block.dirty.clear()


class Restore:
    """Fills an empty partition from rows, given in the order of the topic (the last of a key counts)."""

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.rows = 0
        self.meta: Meta | None = None
        self.names = NamesRow([""], [""], [""])
        self.warnings: list[tuple[Name, tuple[Said, ...]]] = []
        self.deaths = Deaths()
        self._blocks: dict[int, Block] = {}
        self._slots: dict[tuple[int, int], int] = {}
        self._hours: dict[tuple[int, int], int] = {}

    def add(self, rows: Iterable[tuple[bytes | None, bytes | None]]) -> None:
        """Take rows (key, value)."""
        for key, value in rows:
            if key is not None and key.startswith(DIED):
                self.deaths.row(key, value)
                continue
            if key is None or value is None:
                continue
            self.rows += 1
            if key == META:
                self.meta = msgspec.msgpack.decode(value, type=Meta)
                if self.meta.version != VERSION:
                    raise StateVersionError(
                        f"state version {self.meta.version}, this anbu reads {VERSION}: "
                        "run the version that wrote it, or start with another topic_prefix"
                    )
                continue
            if key == NAMES:
                self.names = msgspec.msgpack.decode(value, type=NamesRow)
                continue
            if key == WARNINGS:
                self.warnings = msgspec.msgpack.decode(value, type=list[tuple[Name, tuple[Said, ...]]])
                continue
            if key.startswith(LEFT):
                self.partition.leavers.restored(key[len(LEFT) :], msgspec.msgpack.decode(value, type=Left))
                continue
            number, part = key.split(b"/")
            block = self._blocks.get(int(number))
            if block is None:
                block = self._blocks[int(number)] = Block(int(number))
            self._part(block, part.decode(), value)

    def _part(self, block: Block, part: str, value: bytes) -> None:
        if part[0] == "m" and part[1:].isdigit():
            self._column(block.strips.meter, self._slots, block.number, int(part[1:]), value)
        elif part[0] == "p" and part[1:].isdigit():
            self._column(block.strips.phone, self._hours, block.number, int(part[1:]), value)
        elif part == HEAD:
            _fill(block.state.head, np.frombuffer(value, HEAD_TYPE))
        elif part in (LATELY, BLOCKS):
            kept = _parted(block.state.lately)[part == BLOCKS]
            _fill(kept, np.frombuffer(value, np.uint8).reshape(-1, kept.shape[1]))
        elif part == HABIT:
            _fill(block.state.habit, np.frombuffer(value, HABIT_TYPE))
        elif part == DRIFT:
            _fill(block.drift, np.frombuffer(value, DRIFT_TYPE))
        elif part == SETTLED:
            old = block.settled
            n, begin = len(value) // sum(t.itemsize for t in _SETTLED), 0
            for array, kind in zip((old.head, old.lately, old.habit), _SETTLED, strict=True):
                _fill(array, np.frombuffer(value, kind, n, begin))
                begin += n * kind.itemsize
        elif part == WHO_ROW:
            who = msgspec.msgpack.decode(value, type=Who)
            block.n, block.ids, block.drills = len(who.ids), Ids(who.ids), set(who.drills)
            _fill(block.who, np.frombuffer(who.rows, WHO))
            block.terms = {
                row: Terms(
                    t.absences, t.risk_since, t.proofs, t.phone_out, t.meter_out, t.known_from, t.without_consent
                )
                for row, t in who.terms.items()
            }

    def _column(
        self, ring: np.ndarray[Any, Any], stamps: dict[tuple[int, int], int], block: int, column: int, value: bytes
    ) -> None:
        stamps[block, column] = int.from_bytes(value[:8], "little")
        codes = np.frombuffer(value, np.uint8, offset=8)
        ring[column, : len(codes)] = codes
        ring[column, len(codes) :] = 0

    def finish(self) -> dict[str, int]:
        """All rows were given. Returns the next offsets to read, per plain topic name; {} for a new partition."""
        meta, p = self.meta, self.partition
        if meta is None:
            return {}
        start = meta.start or 0
        for (number, column), slot in self._slots.items():
            if not start <= slot < start + SLOTS:
                self._blocks[number].strips.meter[column] = 0
        for (number, column), hour in self._hours.items():
            if not start // 4 <= hour < start // 4 + HOURS:
                self._blocks[number].strips.phone[column] = 0
        p.start, p.marks.clock, p.marks.begun = meta.start, meta.clock, meta.begun
        for s in meta.sources:
            p.marks.sources[s.name] = Source(s.name, s.lateness, s.until, None, s.last_arrival)
        names = self.names
        p.members.areas, p.members.dongs = Names(names.areas), Names(names.dongs)
        p.members.feeds = Names(names.feeds, most=256)
        p.members.names_stored = len(names.areas), len(names.dongs), len(names.feeds)
        p.members.blocks = [self._blocks[i] for i in sorted(self._blocks)]
        p.warnings.said = dict(self.warnings)
        p.members.restored()
        p.restored()
        return dict(meta.offsets)


def _parted(lately: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Views of the bytes of ``lately`` (n,) that change with every slot, and of those that change when a block ends."""
    whole = lately.view(np.uint8).reshape(len(lately), -1)
    return whole[:, :_RUNNING], whole[:, _RUNNING:]


def _fill(array: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> None:
    array[: len(values)] = values
