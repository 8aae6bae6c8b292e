"""What the stack tells of a call is kept from its first event on, whoever knows of the call when."""

import asyncio
from typing import Any

import pytest
from baresip import Event, StackEvent

from response.gateways.leg import Leg, Legs


class Stack:
    """A call of the stack, as far as legs use it."""

    def __init__(self, handle: int) -> None:
        self.handle, self.told = handle, []
        self.told: list[Event]

    def _on_stack_event(self, event: StackEvent) -> None:
        self.told.append(event.event)


def tell(legs: Legs, handle: int, event: Event, text: str | None = None) -> None:
    """An event of the stack."""
    legs.apply(StackEvent(event, handle, call=handle, text=text))


async def test_what_came_before_the_call_was_known_is_kept_and_told_to_it() -> None:
    """Busy within a millisecond: the leg knows, and the call hears that it has ended."""
    legs, call = Legs(), Stack(2)
    tell(legs, 2, Event.CALL_OUTGOING)
    tell(legs, 2, Event.CALL_CLOSED, "486 Busy Here")
    leg = legs.take(call)  # type: ignore[arg-type]
    assert leg.closed == "486 Busy Here"
    assert call.told == [Event.CALL_OUTGOING, Event.CALL_CLOSED]
    legs.drop(leg)
    tell(legs, 2, Event.CALL_RTCP)
    assert len(legs) == 0


async def test_ended_calls_that_nobody_took_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dialling that failed after it began leaves nothing for ever."""
    legs, loop = Legs(), asyncio.get_running_loop()
    now = loop.time()
    tell(legs, 2, Event.CALL_OUTGOING)
    tell(legs, 2, Event.CALL_CLOSED)
    tell(legs, 3, Event.CALL_OUTGOING)
    assert len(legs) == 2
    monkeypatch.setattr(loop, "time", lambda: now + 1000)
    tell(legs, 4, Event.CALL_OUTGOING)
    assert len(legs) == 2, "the one that has ended is gone, the one under way is not"


@pytest.mark.parametrize(
    ("keys", "pressed", "over"),
    [
        ("", None, False), ("1", "1", True), ("72", "2", True), ("21", "2", True), ("12", "2", True),
        ("79", "9", False), ("*", "*", False),
    ],
)
async def test_which_key_counts(keys: str, pressed: str | None, over: bool) -> None:
    """Help, whatever was pressed before; another key only where neither 1 nor 2 came."""
    legs = Legs()
    tell(legs, 2, Event.CALL_INCOMING)
    tell(legs, 2, Event.CALL_ESTABLISHED)
    for key in keys:
        tell(legs, 2, Event.CALL_DTMF_START, key)
    leg = legs.take(Stack(2))  # type: ignore[arg-type]
    assert (leg.pressed, leg.over) == (pressed, over)


async def test_a_key_outside_an_established_call_is_nothing() -> None:
    """Before it stands nobody has heard anything; after its end there is nobody."""
    legs = Legs()
    tell(legs, 2, Event.CALL_INCOMING)
    tell(legs, 2, Event.CALL_DTMF_START, "1")
    tell(legs, 2, Event.CALL_ESTABLISHED)
    tell(legs, 2, Event.CALL_CLOSED, "")
    tell(legs, 2, Event.CALL_DTMF_START, "1")
    leg = legs.take(Stack(2))  # type: ignore[arg-type]
    assert (leg.pressed, leg.keys) == (None, "")


async def test_waiting_ends_with_what_is_waited_for_or_in_time() -> None:
    """Whichever comes first, and what is true already needs no event."""
    leg = Leg(0.0)
    assert not await leg.until(_rings, 0.01)
    waiting: asyncio.Task[Any] = asyncio.create_task(leg.until(_rings, 30))
    await asyncio.sleep(0)
    leg.apply(StackEvent(Event.CALL_LOCAL_SDP))
    await asyncio.sleep(0)
    assert not waiting.done()
    leg.apply(StackEvent(Event.CALL_RINGING))
    assert await waiting
    assert await leg.until(_rings, 0)


def _rings(leg: Leg) -> bool:
    return leg.ringing
