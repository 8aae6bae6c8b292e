"""What a worker is at, in a file of its own: whatever ends the process, who comes after it reads where it ended.

The mark is made before a message is decoded and wiped when the batch is taken. It is written without waiting for the
disk: that outlives the process (killed, out of memory, crashed), not the machine, which no message brings down.
"""

import os
import secrets
import struct
from pathlib import Path

from msgspec import Struct

_FORM = struct.Struct("<Q32siqq")
_NOTHING = bytes(_FORM.size)


class Left(Struct, frozen=True):
    """What a process was at when it ended: messages [first, last] of a topic (plain name) in a partition.

    ``who``: another number for each process.
    """

    who: int
    topic: str
    partition: int
    first: int
    last: int


class Mark:
    """The mark of this process. ``left``: that of the one before it, None where that one was at nothing.

    Without a path it is kept nowhere. Raises OSError where the file cannot be written.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.left: Left | None = None
        self._who = secrets.randbits(63) | 1
        self._set = False
        self._file: int | None = None
        if path is not None:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            self.left = _read(os.pread(self._file, _FORM.size, 0))

    def at(self, partition: int, topic: str, first: int, last: int | None = None) -> None:
        """From now on this process is at these messages."""
        self._set = True
        if self._file is not None:
            last = first if last is None else last
            os.pwrite(self._file, _FORM.pack(self._who, topic.encode(), partition, first, last), 0)

    def clear(self) -> None:
        """This process is at nothing."""
        if self._set:
            self._wipe()

    def told(self) -> None:
        """What the process before was at is known elsewhere by now."""
        self.left = None
        self._wipe()

    def close(self) -> None:
        """Close the file, as it is."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _wipe(self) -> None:
        self._set = False
        if self._file is not None:
            os.pwrite(self._file, _NOTHING, 0)


def _read(data: bytes) -> Left | None:
    if len(data) != _FORM.size:
        return None
    who, topic, partition, first, last = _FORM.unpack(data)
    return Left(who, topic.rstrip(b"\0").decode("ascii", "replace"), partition, first, last) if who else None
