"""Simulated residents: no telephone rings. What each does with a call follows from the call alone, so that a drill, a
test or a demonstration that is run again tells the same story."""

import asyncio
import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from msgspec import Struct

from response.records import Call, CalledBack, CallOutcome, CallResult, OnCallBack
from response.settings import ResidentsSettings

SAYS = "simulated · 가상 전화"
"""Every result's detail: nobody is to take it for a call that was made."""
TALK_S = 20.0
"""About the time until somebody has listened and pressed a key, or the announcement has been played twice."""


class Behaviour(Struct, frozen=True):
    """What somebody does with calls. ``answers``: part answered; ``presses_1``, ``presses_2``: parts of those answered;
    ``busy``, ``rejects``: parts of those not answered; ``answer_seconds``: mean time until it is answered."""

    answers: float = 0.75
    presses_1: float = 0.9
    presses_2: float = 0.02
    busy: float = 0.1
    rejects: float = 0.05
    answer_seconds: float = 12.0


PRESSES_1 = Behaviour(answers=1, presses_1=1, presses_2=0)
PRESSES_2 = Behaviour(answers=1, presses_1=0, presses_2=1)
NO_KEY = Behaviour(answers=1, presses_1=0, presses_2=0)
NEVER_ANSWERS = Behaviour(answers=0, busy=0, rejects=0)
BUSY = Behaviour(answers=0, busy=1, rejects=0)
REJECTS = Behaviour(answers=0, busy=0, rejects=1)


class Reaction(Struct, frozen=True):
    """What came of one call, and after how many ``seconds`` from dialling it was over."""

    outcome: CallOutcome
    seconds: float
    pressed: str | None = None


def usual(settings: ResidentsSettings) -> Behaviour:
    """What residents do where a person has nothing of their own."""
    return Behaviour(**settings.model_dump(exclude={"seed"}))


def reaction(seed: int, call: Call, behaviour: Behaviour) -> Reaction:
    """What the resident does with ``call``: the same for the same seed, person, key of the call and behaviour.

    The time until it is answered is exponential, cut at ``call.ring_s``: of calls of any ringing time the part
    ``behaviour.answers`` is answered.
    """
    named = f"{seed}\n{call.person_id}\n{call.key}".encode()
    chance = random.Random(int.from_bytes(blake2b(named, digest_size=16).digest(), "big"))  # noqa: S311 -- a play
    answers, does, delay, talk = (chance.random() for _ in range(4))
    waited = _waited(delay, behaviour.answer_seconds, call.ring_s)
    if answers < behaviour.answers:
        after = waited + TALK_S * (0.5 + 0.5 * talk)
        if does < behaviour.presses_1:
            return Reaction(CallOutcome.answered_key, after, "1")
        if does < behaviour.presses_1 + behaviour.presses_2:
            return Reaction(CallOutcome.answered_key, after, "2")
        return Reaction(CallOutcome.answered_no_key, after)
    if does < behaviour.busy:
        return Reaction(CallOutcome.busy, min(1.0, call.ring_s))
    if does < behaviour.busy + behaviour.rejects:
        return Reaction(CallOutcome.rejected, waited)
    return Reaction(CallOutcome.no_answer, call.ring_s)


def _waited(chance: float, mean_s: float, at_most_s: float) -> float:
    """Seconds of an exponential time below ``at_most_s``, by its inverse distribution."""
    if mean_s <= 0:
        return 0.0
    return min(at_most_s, -mean_s * math.log1p(-chance * -math.expm1(-at_most_s / mean_s)))


class SimulatedGateway:
    """A gateway to nobody. ``behave``: what a person does, for drills, tests and the demonstration; without it all are
    as ``settings`` has them. ``pace``: seconds waited for a second of the call (0: none, 1: as real). ``concurrent``:
    most calls at once. ``clock``: gives the present, of the wall or of a replay.

    ``ended_at`` is the end by the story, whatever the pace.
    """

    name = "simulated"
    real = False

    def __init__(
        self,
        settings: ResidentsSettings,
        behave: Callable[[Call], Behaviour] | None = None,
        *,
        pace: float = 1.0,
        concurrent: int = 20,
        on_call_back: OnCallBack | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        everybody = usual(settings)
        self._behave = behave or (lambda call: everybody)
        self._seed = settings.seed
        self._pace = pace
        self._lines = asyncio.Semaphore(concurrent)
        self._on_call_back = on_call_back
        self._clock = clock

    async def start(self) -> None:
        """Nothing is needed."""

    async def place(self, call: Call) -> CallResult:
        """Wait as long as the call would take (by ``pace``), then say what came of it."""
        async with self._lines:
            dialled_at = self._clock()
            done = reaction(self._seed, call, self._behave(call))
            await asyncio.sleep(done.seconds * self._pace)
            ended_at = dialled_at + timedelta(seconds=done.seconds)
            return CallResult(done.outcome, done.pressed, SAYS, dialled_at, ended_at)

    async def call_back(self, number: str, at: datetime, pressed: str | None = None) -> None:
        """A simulated resident rings back from ``number``; a real telephone network is not asked."""
        if self._on_call_back is not None:
            await self._on_call_back(CalledBack(number, at, pressed, established=True, heard=True))

    async def close(self) -> None:
        """Nothing is left."""
