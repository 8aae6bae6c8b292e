"""What happens after somebody has picked up: the announcement is played, a key is waited for."""

from contextlib import suppress

from baresip import AudioNotActive, AudioRestarted, Call

from response.gateways.leg import Leg
from response.gateways.sound import RATE, SAMPLE, seconds

AHEAD = RATE * SAMPLE
"""Bytes given to the stack ahead of the voice: one second (it takes at most two), so that a busy moment of ours is not
heard, and little is lost where the sound is negotiated anew."""
STEP_S = 0.1
SLOW_S = 15.0
"""Longer than the announcement itself by so much: the sound never began."""


class Feed:
    """Sound on its way into a call, a second ahead."""

    def __init__(self, sound: bytes) -> None:
        self._sound = sound
        self._at = 0
        self._waiting = 0

    @property
    def played(self) -> bool:
        """Whether the last sample has left."""
        return self._at >= len(self._sound) and not self._waiting

    def step(self, call: Call) -> None:
        """Give what there is room for."""
        try:
            if self._waiting < AHEAD:
                self._at += call.audio.write(self._sound[self._at : self._at + AHEAD - self._waiting])
            self._waiting = call.audio.info().tx_buffered
        except AudioRestarted:  # negotiated anew: what waited is lost, and said again
            self._at, self._waiting = max(0, self._at - self._waiting), 0
        except AudioNotActive:  # not yet, or the call is ending
            pass


async def talk(leg: Leg, sound: bytes, key_seconds: float) -> bool:
    """Play ``sound`` until its end, an answer (key 1 or 2) or a hang-up; then wait ``key_seconds`` for a key. Whether
    it was played to its end."""
    assert leg.call is not None
    feed, steps = Feed(sound), round((seconds(sound) + SLOW_S) / STEP_S)
    for _ in range(steps):
        feed.step(leg.call)
        if feed.played or await leg.until(_over, STEP_S):
            break
    if leg.over:
        with suppress(AudioNotActive, AudioRestarted):
            leg.call.audio.flush_tx()
    await leg.until(_over, 0 if leg.keys else key_seconds)
    return feed.played


def _over(leg: Leg) -> bool:
    return leg.over
