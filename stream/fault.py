"""The errors of what cannot be used as a whole: a message, a file."""

from stream.records import Reason


class FrameError(Exception):
    """Nothing of a message can be used. ``reason`` is for the counter, ``detail`` for who mends the sender."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class FileError(Exception):
    """A file that cannot be used at all; the message is one line for the person who gave it."""


class OversizeError(FileError):
    """A file that holds, or says that it holds, more than is read of one."""
