"""What a partition tells the judge of whole areas: per slot, how many homes of each area are silent, and data gaps."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from stream.records import Alert

_DRILL = "\x1fdrill"
"""Behind the name of an area: its homes of a drill. No name that comes in holds such a character."""


def group(area: str, drill: bool) -> str:
    """The homes of an area that are judged together: those of a drill by themselves, so that their outage is one of the
    drill and neither hides nor makes a real one."""
    return area + _DRILL if drill else area


def of_group(name: str) -> tuple[str, bool]:
    """Area, and whether it is its homes of a drill."""
    return name.removesuffix(_DRILL), name.endswith(_DRILL)


class SlotReport(Struct, frozen=True):
    """One judged slot: silent homes per `group` (those with none are left out), and this slot's events on data gaps."""

    slot: int
    silent: dict[str, int]
    gaps: tuple[Alert, ...] = ()


class Report(Struct, frozen=True):
    """Slots judged by one partition, in order, up to ``clock`` (exclusive), and its homes per `group` when they
    changed."""

    partition: int
    clock: int
    slots: tuple[SlotReport, ...] = ()
    members: dict[str, int] | None = None
    late: tuple[Alert, ...] = ()
    """Events on data gaps that late data ended or changed."""
    arrivals: dict[str, float] | None = None
    """Last arrival per feed in use here, wall clock in UTC seconds (0: none yet)."""
    offsets: dict[str, int] | None = None
    """Next offset of each input topic that the partition's state does not include yet."""


MOST = 500
"""Alerts in one record, at half a kilobyte each; 25 areas count as one. No record comes near the broker's limit."""


def pieces(report: Report, most: int = MOST) -> Iterator[Report]:
    """The same report as records of bearable size: all that is told first, the clock it brings in the last of them.

    A whole region without data is thousands of gaps in one slot.
    """
    before = report.slots[0].slot if report.slots else report.clock
    if report.members is not None:
        yield Report(report.partition, before, members=report.members)
    for a in range(0, len(report.late), most):
        yield Report(report.partition, before, late=report.late[a : a + most])
    kept: list[SlotReport] = []
    weight = 0
    for slot in (part for whole in report.slots for part in _parts(whole, most)):
        more = len(slot.gaps) + len(slot.silent) // 25 + 1
        if kept and weight + more > most:
            yield Report(report.partition, before, tuple(kept))
            kept, weight = [], 0
        kept.append(slot)
        weight += more
    yield msgspec.structs.replace(report, slots=tuple(kept), members=None, late=())


def _parts(slot: SlotReport, most: int) -> Iterator[SlotReport]:
    yield msgspec.structs.replace(slot, gaps=slot.gaps[:most])
    for a in range(most, len(slot.gaps), most):
        yield SlotReport(slot.slot, {}, slot.gaps[a : a + most])
