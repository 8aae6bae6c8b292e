"""Who says the same again and again says it a few times in a while, and how often it was left out: nobody outside
fills our log."""

import logging
import re
import time
from collections.abc import Callable
from typing import Any

EVERY_S = 30.0
"""A library says the same once in so many seconds."""
OURS_MOST, OURS_WITHIN_S = 300, 60.0
"""We say the same (the same event, of whatever home, case or sender) so often within so many seconds."""
OURS = ("stream", "response", "anbu", "deploy", "simulators", "models", "__main__")
_MOST = 1000
_VARIES = re.compile(r"0x[0-9a-f]+|\d+|'[^']*'|\"[^\"]*\"")
_LONGEST = 500


class Repeats(logging.Filter):
    """Lets a message of a library through once in ``every_s`` seconds, whatever numbers and names are in it; an event
    of ours OURS_MOST times within OURS_WITHIN_S. Our debug lines all pass: who asks for them wants them.

    With the next one let through goes ``left_out``: how many were not.
    """

    def __init__(self, every_s: float = EVERY_S, clock: Callable[[], float] | None = None) -> None:
        super().__init__()
        self._every_s = every_s
        self._clock = clock or time.monotonic
        self._said: dict[tuple[str, int, str], list[float]] = {}
        """Since when, how often it was said since, how often left out."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        ours = record.name.partition(".")[0] in OURS
        if ours and record.levelno <= logging.DEBUG:
            return True
        most, within_s = (OURS_MOST, OURS_WITHIN_S) if ours else (1, self._every_s)
        now, key = self._clock(), (record.name, record.levelno, _kind(record.msg))
        since, said, left_out = self._said.get(key, (now, 0, 0))
        if now - since >= within_s:
            since, said = now, 0
        if said >= most:
            self._said[key] = [since, said, left_out + 1]
            return False
        if key not in self._said:
            self._make_room(now)
        self._said[key] = [since, said + 1, 0]
        if left_out:
            _tell(record, int(left_out))
        return True

    def _make_room(self, now: float) -> None:
        if len(self._said) >= _MOST:
            self._said = {k: v for k, v in self._said.items() if now - v[0] < max(self._every_s, OURS_WITHIN_S)}
        if len(self._said) >= _MOST:
            del self._said[next(iter(self._said))]


def _kind(said: Any) -> str:
    """What is said, without what varies in it. Of our own lines the event: their values are beside it."""
    text = said.get("event") if isinstance(said, dict) else said
    return _VARIES.sub("#", str(text)[:_LONGEST])


def _tell(record: logging.LogRecord, left_out: int) -> None:
    if isinstance(record.msg, dict):
        record.msg = {**record.msg, "left_out": left_out}
    else:
        record.left_out = left_out
