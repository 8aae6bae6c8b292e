"""Every bound of what is served over HTTP, and when a connection has taken too long."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

Refused = Callable[[str], None]
"""Counts what was refused or ended, by its reason (one of REASONS)."""
BACKLOG = 64
"""Connections taken at once: each may need a file descriptor before the first can be refused."""
QUEUE = 1024
"""Connections that wait to be taken, in the kernel."""
READ_BYTES = 64 * 1024
"""Most bytes taken from a connection before the next one has its turn."""


class Stage(Enum):
    """What a connection is at. The value is the reason under which it is counted when it is ended there."""

    head = "head_slow"
    """The head of its request is not whole; or there is nothing of it yet."""
    body = "body_slow"
    """The body of its request is not whole, and we are ready for more."""
    answering = ""
    """It has asked; it is our turn."""
    taking = "answer_not_taken"
    """There is an answer, and the other side does not take it."""
    rest = "rest_of_body"
    """It was answered, and goes on to send the body that nobody wants."""
    idle = "idle"
    """It was answered, and may ask again."""


REASONS = (
    *(stage.value for stage in Stage if stage.value not in ("", "idle")),
    "crowded", "full", "malformed", "headers", "too_large", "too_much", "fault",
)  # fmt: skip
"""Beside the stages: ended to make room; no room could be made; no HTTP; too many headers; a body that is too large;
all bodies together are; a fault of ours. A connection that was idle is none."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one listener. Bytes and seconds."""

    body_bytes: int
    """Of one body."""
    bodies_bytes: int
    """Of all bodies that are being read and answered."""
    connections: int = 500
    head_bytes: int = 16 * 1024
    headers: int = 100
    head_s: float = 10.0
    body_s: float = 10.0
    body_rate: float = 4096.0
    """Bytes a second that a body must come with, after ``body_s``."""
    take_s: float = 30.0
    rest_s: float = 3.0
    idle_s: float = 15.0
    ending_s: float = 3.0
    """At the end of the process, for what is under way."""

    def late(self, stage: Stage, seconds: float, received: int) -> bool:
        """Whether a connection has been in a stage for too long, in which it sent ``received`` bytes."""
        match stage:
            case Stage.head:
                return seconds > self.head_s
            case Stage.body:
                return seconds > self.body_s + received / self.body_rate
            case Stage.taking:
                return seconds > self.take_s
            case Stage.rest:
                return seconds > self.rest_s
            case Stage.idle:
                return seconds > self.idle_s
            case Stage.answering:
                return False
