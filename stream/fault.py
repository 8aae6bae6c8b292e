"""The one error a message that cannot be used as a whole gives."""

from stream.records import Reason


class FrameError(Exception):
    """Nothing of a message can be used. ``reason`` is for the counter, ``detail`` for who mends the sender."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
