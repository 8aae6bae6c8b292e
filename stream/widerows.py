"""The state of the judge of areas as rows of its compacted topic, and back: no row larger than a record may be.

Homes per area are a row a partition, written when they changed. The rest is cut into pieces; how many is in each.
A small row says how far reports have been read, for those who follow.
"""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from stream.wide import WideState

Row = tuple[bytes, bytes]
AT = b"at"
_PIECE = 512 * 1024

_json = msgspec.json.Encoder().encode


class Read(Struct, frozen=True):
    """The row ``at``: next report to read."""

    offset: int


class Stored(Struct, frozen=True):
    """Everything but the homes per area: next report to read, areas, feeds."""

    offset: int
    wide: WideState
    last: dict[str, float]
    stalled: dict[str, float]


def rows(stored: Stored, changed: Iterable[int]) -> Iterator[Row]:
    """Rows of a state of which the homes per area changed for these partitions."""
    members = stored.wide.members
    for partition in changed:
        yield f"members/{partition}".encode(), _json(members[partition])
    rest = msgspec.structs.replace(stored, wide=msgspec.structs.replace(stored.wide, members={}))
    value = _json(rest)
    cuts = [value[a : a + _PIECE] for a in range(0, len(value), _PIECE)]
    for i, cut in enumerate(cuts):
        yield f"wide/{i}".encode(), len(cuts).to_bytes(4, "little") + cut
    yield AT, _json(Read(stored.offset))


def restore(found: Iterable[tuple[bytes | None, bytes | None]]) -> Stored | None:
    """The state from rows in the order of the topic (the last of a key counts); None where there is none."""
    last = {key: value for key, value in found if key is not None and value is not None}
    first = last.get(b"wide/0")
    if first is None:
        return None
    cuts = [last[f"wide/{i}".encode()][4:] for i in range(int.from_bytes(first[:4], "little"))]
    stored = msgspec.json.decode(b"".join(cuts), type=Stored)
    for key, value in last.items():
        if key.startswith(b"members/"):
            stored.wide.members[int(key[8:])] = msgspec.json.decode(value, type=dict[str, int])
    return stored
