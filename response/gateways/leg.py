"""One call as the SIP stack tells of it, and all that are alive by their handle.

The stack tells events from its own thread; they are noted by handle from the first one on, since a fast final answer
(busy) may be told before ``dial()`` has given us the call, which then never hears of it (baresip-python 0.5.2a3).
"""

import asyncio
from collections.abc import Callable, Iterator

from baresip import Call, Event, StackEvent

from response.gateways.keys import ANSWERS, pressed

_ORPHAN_S = 120.0
"""An ended call that nobody has taken for so long is forgotten: dialling failed after it began."""


class Leg:
    """A call's state, changed by ``apply`` alone. ``closed``: the reason, None while it is alive; ``lost``: the stack
    died under it. One waiter at a time."""

    def __init__(self, born: float) -> None:
        self.born = born
        self.call_id: str | None = None
        self.call: Call | None = None
        self.ringing = False
        self.established = False
        self.closed: str | None = None
        self.lost = False
        self.keys = ""
        self.missed: list[StackEvent] = []
        self._changed = asyncio.Event()

    def apply(self, event: StackEvent) -> None:
        """Note what the stack tells."""
        self.call_id = self.call_id or event.call_id
        if event.event in (Event.CALL_RINGING, Event.CALL_PROGRESS):
            self.ringing = True
        elif event.event is Event.CALL_ESTABLISHED:
            self.established = True
        elif event.event is Event.CALL_CLOSED:
            self.closed = event.text or ""
        elif event.event is Event.CALL_DTMF_START and event.text:  # the end of a key is lost more often
            self.press(event.text.strip()[:1])
        if self.call is None:
            self.missed.append(event)
        self._changed.set()

    def press(self, key: str) -> None:
        """A key was pressed: before the call is established, or after its end, that is nothing."""
        if self.established and self.closed is None:
            self.keys += key
            self._changed.set()

    def lose(self) -> None:
        """The stack is dead: nothing more will be told."""
        self.lost, self.closed = True, self.closed or ""
        self._changed.set()

    @property
    def pressed(self) -> str | None:
        """The key that counts (`gateways.keys`)."""
        return pressed(self.keys)

    @property
    def over(self) -> bool:
        """Whether there is nothing more to hear: an answer was pressed, or the call has ended."""
        return self.closed is not None or any(key in ANSWERS for key in self.keys)

    async def until(self, holds: Callable[["Leg"], bool], seconds: float) -> bool:
        """Wait until ``holds`` of this leg, for ``seconds`` at most; whether it does."""
        ends = asyncio.get_running_loop().time() + seconds
        while not holds(self):
            self._changed.clear()
            try:
                async with asyncio.timeout_at(ends):
                    await self._changed.wait()
            except TimeoutError:
                return holds(self)
        return True


class Legs:
    """Legs by the stack's handle, from the first event of a call until ``drop``."""

    def __init__(self) -> None:
        self._alive: dict[int, Leg] = {}

    def __len__(self) -> int:
        return len(self._alive)

    def __iter__(self) -> Iterator[Leg]:
        return iter(list(self._alive.values()))

    def apply(self, event: StackEvent) -> None:
        """Note an event; given to ``Runtime.subscribe`` before anything is dialled."""
        if event.event in (Event.CALL_OUTGOING, Event.CALL_INCOMING):
            now = asyncio.get_running_loop().time()
            for handle, leg in list(self._alive.items()):
                if leg.call is None and leg.closed is not None and now - leg.born > _ORPHAN_S:
                    del self._alive[handle]
            self._alive[event.call] = Leg(now)
        if event.call in self._alive:
            self._alive[event.call].apply(event)

    def press(self, call_id: str, key: str) -> None:
        """A key came for the call of this Call-ID by another way than the sound."""
        for leg in self:
            if leg.call_id == call_id:
                leg.press(key)

    def take(self, call: Call) -> Leg:
        """The leg of a call that was just made or came in, with all that was told of it already.

        Call it before giving control back to the loop: the call hears by itself what is told from now on.
        """
        leg = self._alive.setdefault(call.handle, Leg(asyncio.get_running_loop().time()))
        missed, leg.missed, leg.call = leg.missed, [], call
        for event in missed:
            call._on_stack_event(event)  # else a call that has ended listens to the stack for ever
        return leg

    def drop(self, leg: Leg) -> None:
        """Forget a leg that was taken."""
        if leg.call is not None and self._alive.get(leg.call.handle) is leg:
            del self._alive[leg.call.handle]
