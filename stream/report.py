"""What a partition tells the judge of whole areas: per slot, how many homes of each area are silent, and data gaps."""

from msgspec import Struct

from stream.records import Alert


class SlotReport(Struct, frozen=True):
    """One judged slot: silent homes per area (areas with none are left out), and this slot's events on data gaps."""

    slot: int
    silent: dict[str, int]
    gaps: tuple[Alert, ...] = ()


class Report(Struct, frozen=True):
    """Slots judged by one partition, in order, up to ``clock`` (exclusive), and its homes per area when they
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
