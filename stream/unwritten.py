"""What is judged and not written, for /readyz and a rule: a worker that writes nothing looks well otherwise."""

import time
from collections.abc import Callable

LIMIT_S = 10.0
"""A worker that has not written for so long what it has judged is not ready."""


class Unwritten:
    """Entered when something is judged, left when the broker has it. Any thread may ask ``seconds``."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None

    def __enter__(self) -> None:
        """It is judged."""
        self._since = self._clock()

    def __exit__(self, *_: object) -> None:
        """It is written, or given up with the process."""
        self._since = None

    def seconds(self) -> float:
        """For how long something has been waiting to be written; 0 where nothing is."""
        since = self._since
        return 0.0 if since is None else self._clock() - since
