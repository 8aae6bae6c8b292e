"""Warnings of heat and cold: what was said of each area, and which part of its limits holds in a slot.

They travel on the topic of households, keyed ``area/NAME/KIND``, as a record in every partition: each partition reads
them in the one order and under the one offset of its enrolments, and takes nothing on trust from another.
"""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from stream import plain
from stream.calendar import slot_at, slot_from
from stream.enrolment import Fault, time_fault
from stream.records import AreaWarning, Reason
from stream.watch import Shorter

PREFIX = "area/"
"""Begins the key of a warning; no household's id can hold a slash."""
MAX_DAYS = 31
MAX_SPANS = 100
"""Spans of one area and kind that are kept: those of the last 7 days and those to come."""

Name = tuple[str, str]
"""Area and kind."""
Said = tuple[int, int, int]
"""A span of slots [from, until) and the level in it."""


def key_of(area: str, kind: str) -> str:
    """The message key of an area's warnings of one kind."""
    return f"{PREFIX}{area}/{kind}"


def read(key: bytes, value: bytes | None) -> AreaWarning | Name:
    """A message's warning; its area and kind where it deletes what was said. Raises msgspec's errors, ValueError."""
    text = key.decode()
    area, _, kind = text.removeprefix(PREFIX).rpartition("/")
    if value is None:
        return area, kind
    record = msgspec.json.decode(value, type=AreaWarning)
    if (record.area, record.kind) != (area, kind):
        raise msgspec.ValidationError(f"key is {text[:80]!r}, the record's is {key_of(record.area, record.kind)!r}")
    return record


def fault_of(record: AreaWarning, now: float | None = None) -> Fault | None:
    """Why a warning cannot be used, in one line, or None. ``now`` as of `stream.enrolment.fault_of`."""
    for name, time in (("from", record.from_), ("until", record.until)):
        if (wrong := time_fault(name, time, now)) is not None:
            return wrong
    if (hidden := plain.name_fault(record.area)) is not None or not record.area:
        return Reason.wrong_type, f"area {'is empty: send its name' if hidden is None else hidden[1]}"
    if record.until < record.from_:
        return Reason.bad_time, f"until {record.until.isoformat()} is before from {record.from_.isoformat()}"
    if record.until - record.from_ > timedelta(days=MAX_DAYS):
        return Reason.bad_time, f"a warning of over {MAX_DAYS} days: send it again when the first has ended"
    return None


class Warnings:
    """What a partition has been told of areas. ``dirty``: changed since last stored."""

    def __init__(self, factors: tuple[float, float]) -> None:
        self.factors = factors
        self.said: dict[Name, tuple[Said, ...]] = {}
        self.dirty = False

    def take(self, record: AreaWarning, start: int) -> int | None:
        """Take a record; what was over before slot ``start`` is forgotten. The first slot that it changes, or None."""
        first, last = slot_at(record.from_), slot_from(record.until)
        name = record.area, record.kind
        before = self.said.get(name, ())
        spans = [(a, min(b, first), level) for a, b, level in before if a < first]
        if record.from_ < record.until:
            spans.append((first, last, record.level))
        return self._replace(name, before, tuple(s for s in spans if s[1] > start)[-MAX_SPANS:])

    def forget(self, name: Name) -> int | None:
        """What was said of an area and kind was never true. The first slot that this changes, or None."""
        return self._replace(name, self.said.get(name, ()), ())

    def settle(self, start: int) -> None:
        """Slots before ``start`` cannot change any more: what was said of them alone is forgotten."""
        for name, spans in list(self.said.items()):
            self._replace(name, spans, tuple(s for s in spans if s[1] > start))

    def of(self, numbers: Mapping[str, int]) -> dict[int, list[Shorter]]:
        """What holds of the areas that have a number."""
        found: dict[int, list[Shorter]] = {}
        for (area, kind), spans in sorted(self.said.items()):
            if number := numbers.get(area, 0):
                found.setdefault(number, []).extend(
                    Shorter(a, b, self.factors[level - 1], kind) for a, b, level in spans
                )
        return found

    def _replace(self, name: Name, before: tuple[Said, ...], now: tuple[Said, ...]) -> int | None:
        if now == before:
            return None
        self.dirty = True
        if now:
            self.said[name] = now
        else:
            del self.said[name]
        edges = sorted({edge for a, b, _ in (*before, *now) for edge in (a, b)})
        return next((edge for edge in edges if _level(before, edge) != _level(now, edge)), None)


def _level(said: tuple[Said, ...], slot: int) -> int:
    return next((level for a, b, level in said if a <= slot < b), 0)
