"""Simulated residents: the laws that a drill and a benchmark lean on."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from response.gateways import simulated
from response.gateways.simulated import Behaviour, SimulatedGateway, reaction, usual
from response.records import Announcement, Call, CalledBack, CallOutcome, Rang
from response.settings import ResidentsSettings

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PARTS = st.floats(0, 1, allow_nan=False)
BEHAVIOURS = st.builds(
    lambda answers, one, two, busy, rejects, mean: Behaviour(
        answers, one, two * (1 - one), busy, rejects * (1 - busy), mean
    ),
    PARTS, PARTS, PARTS, PARTS, PARTS, st.floats(0, 60),
)  # fmt: skip


def call(key: str = "case-1/ask", person: str = "p-1", ring_s: float = 30.0) -> Call:
    """A call of the tests."""
    return Call(key, person, "01000000000", Announcement("안내"), ring_s=ring_s)


@given(st.integers(0, 2**32), st.text(max_size=20), st.text(max_size=20), BEHAVIOURS)
def test_same_call_same_answer(seed: int, key: str, person: str, behaviour: Behaviour) -> None:
    """A call that is placed again, after a crash say, ends as it ended."""
    assert reaction(seed, call(key, person), behaviour) == reaction(seed, call(key, person), behaviour)


@given(st.integers(0, 2**32), st.text(max_size=20), BEHAVIOURS, st.floats(0.1, 120))
def test_outcome_key_and_times_fit(seed: int, key: str, behaviour: Behaviour, ring_s: float) -> None:
    """A key only where one was pressed; nobody answers after the ringing has ended; nothing fails by itself."""
    done = reaction(seed, call(key, ring_s=ring_s), behaviour)
    assert (done.pressed is not None) == (done.outcome is CallOutcome.answered_key)
    assert 0 <= done.seconds <= ring_s + simulated.TALK_S
    assert done.outcome not in (CallOutcome.failed, CallOutcome.unknown)
    if not done.outcome.startswith("answered"):
        assert done.seconds <= ring_s


@pytest.mark.parametrize("ring_s", [5.0, 30.0])
def test_parts_are_those_of_the_settings(ring_s: float) -> None:
    """Over many calls the parts come out, however long it rings."""
    settings = ResidentsSettings(answers=0.6, presses_1=0.7, presses_2=0.1, busy=0.3, rejects=0.2)
    done = Counter(
        (r.outcome, r.pressed) for n in range(20_000)
        if (r := reaction(7, call(f"k{n}", ring_s=ring_s), usual(settings)))
    )  # fmt: skip
    expected = {
        (CallOutcome.answered_key, "1"): 0.42, (CallOutcome.answered_key, "2"): 0.06,
        (CallOutcome.answered_no_key, None): 0.12, (CallOutcome.busy, None): 0.12,
        (CallOutcome.rejected, None): 0.08, (CallOutcome.no_answer, None): 0.20,
    }  # fmt: skip
    assert {what: n / 20_000 for what, n in done.items()} == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize(
    ("behaviour", "outcome", "pressed"),
    [
        (simulated.PRESSES_1, CallOutcome.answered_key, "1"),
        (simulated.PRESSES_2, CallOutcome.answered_key, "2"),
        (simulated.NO_KEY, CallOutcome.answered_no_key, None),
        (simulated.NEVER_ANSWERS, CallOutcome.no_answer, None),
        (simulated.BUSY, CallOutcome.busy, None),
        (simulated.REJECTS, CallOutcome.rejected, None),
    ],
)
async def test_behaviour_of_a_person(behaviour: Behaviour, outcome: CallOutcome, pressed: str | None) -> None:
    """A drill sets what each person does, and the result says that nothing rang."""
    gateway = SimulatedGateway(ResidentsSettings(), lambda _: behaviour, pace=0, clock=lambda: AT)
    done = await gateway.place(call())
    assert (done.outcome, done.pressed, done.detail) == (outcome, pressed, "simulated · 가상 전화")
    assert done.dialled_at == AT
    assert done.ended_at is not None
    assert AT < done.ended_at <= AT + timedelta(seconds=30 + simulated.TALK_S)
    assert not gateway.real


async def test_most_calls_at_once() -> None:
    """The cap holds here too, so that a benchmark with simulated residents measures the queue."""
    begun: list[str] = []

    def behave(call: Call) -> Behaviour:
        begun.append(call.key)
        return simulated.NEVER_ANSWERS

    gateway = SimulatedGateway(ResidentsSettings(), behave, concurrent=2)
    calls = [asyncio.create_task(gateway.place(call(f"k{n}"))) for n in range(4)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert begun == ["k0", "k1"]
    calls[0].cancel()
    await asyncio.wait(calls[:1])
    await asyncio.sleep(0)
    assert begun == ["k0", "k1", "k2"]
    for task in calls:
        task.cancel()
    await asyncio.wait(calls)


async def test_call_back_is_told() -> None:
    """A simulated resident may ring back: the listener hears what a telephone gateway would tell it."""
    heard: list[CalledBack] = []

    async def listen(back: CalledBack) -> None:
        heard.append(back)

    gateway = SimulatedGateway(ResidentsSettings(), on_call_back=listen)
    await gateway.call_back("01000000001", AT, "1")
    await gateway.call_back("01000000002", AT)
    assert [(back.number, back.key, back.how) for back in heard] == [
        ("01000000001", "1", Rang.key), ("01000000002", None, Rang.no_key),
    ]  # fmt: skip


@pytest.mark.parametrize("parts", [{"presses_1": 0.7, "presses_2": 0.4}, {"busy": 0.7, "rejects": 0.4}])
def test_parts_over_a_whole_are_refused(parts: dict[str, float]) -> None:
    """Settings that cannot all come true are named, not silently cut."""
    with pytest.raises(ValidationError, match="at most 1 together"):
        ResidentsSettings(**parts)
