"""Whatever a worker writes, wherever: it is committed with all of its records or not at all."""

import ast
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from aiokafka.errors import InvalidTimestampError, OutOfOrderSequenceNumber, ProducerFenced, UnknownError
from prometheus_client import CollectorRegistry

from stream import refusals, store, transactions
from stream.lane import Lane
from stream.metrics import Metrics
from stream.partition import Outcome
from stream.records import ALERTS, DEAD_LETTERS, METER, STATE, WIDE, WIDE_STATE, Alert, DeadLetter, Reason
from stream.report import Report, SlotReport
from stream.settings import Settings
from stream.store import Store
from stream.transactions import Out, RefusedError
from stream.widelane import WideLane
from tests.stream.faketxn import FakeProducer
from tests.stream.test_wide import gap

ROOT = Path(__file__).parent.parent.parent
SETTINGS = Settings(topic_prefix="x.")


@pytest.fixture(autouse=True)
def producers(monkeypatch: pytest.MonkeyPatch) -> list[FakeProducer]:
    """The producers that are made."""
    FakeProducer.made = []
    monkeypatch.setattr(store, "AIOKafkaProducer", FakeProducer)
    monkeypatch.setattr(store, "_PAUSES_S", (0.0,))
    return FakeProducer.made


def outs(*topics: str) -> list[Out]:
    """A record for each topic."""
    return [Out(SETTINGS.topic(t), b"k", b"{}", 0) for t in topics]


async def refused(it: Store) -> None:
    """Wait until the store says so."""
    async with asyncio.timeout(10):
        while not it.refusal:
            await asyncio.sleep(0)


@pytest.mark.parametrize("error", [UnknownError(), InvalidTimestampError()])
async def test_what_is_refused_is_tried_again_until_it_is_taken(
    producers: list[FakeProducer], error: Exception
) -> None:
    """Nothing stands before, all of it once afterwards, and the numbers fit for what follows."""
    metrics = Metrics(CollectorRegistry())
    it = Store(SETTINGS, "0", metrics=metrics)
    [broker] = producers
    broker.refuses = {"x.alerts": error}
    writing = asyncio.create_task(it.write(outs(STATE, ALERTS, ALERTS, WIDE)))
    await refused(it)
    assert type(error).__name__ in it.refusal
    assert broker.committed == []
    broker.refuses = {}
    await writing
    await it.write(outs(ALERTS, STATE))
    assert [[topic for topic, _, _ in done] for done in broker.committed] == [
        ["x.state", "x.alerts", "x.alerts", "x.wide"], ["x.alerts", "x.state"],
    ]  # fmt: skip
    assert it.refusal == ""
    assert metrics.writes_refused.labels("alerts", type(error).__name__)._value.get() >= 1


@pytest.mark.parametrize("error", [ProducerFenced(), OutOfOrderSequenceNumber()])
async def test_what_is_final_ends_it(producers: list[FakeProducer], error: Exception) -> None:
    """Fenced, or out of step with the broker: nothing is tried again under this name."""
    it = Store(SETTINGS, "0")
    producers[0].refuses = {"x.state": error}
    with pytest.raises(type(error)):
        await it.write(outs(STATE, ALERTS))
    assert producers[0].committed == []


async def test_it_gives_up_when_told_to(producers: list[FakeProducer]) -> None:
    """A rebalance does not wait for a topic to be mended."""
    it = Store(SETTINGS, "0", stopping=lambda: True)
    producers[0].refuses = {"x.state": UnknownError()}
    with pytest.raises(RefusedError, match=r"1 records, first of x\.state: UnknownError"):
        await it.write(outs(STATE, ALERTS))
    assert (producers[0].aborted, producers[0].committed) == (1, [])


@pytest.mark.parametrize(
    ("error", "alone", "waited", "aside"),
    [
        (InvalidTimestampError(), ["x.alerts"], 31.0, True),
        (InvalidTimestampError(), ["x.alerts"], 29.0, False),  # it may yet be mended
        (InvalidTimestampError(), [], 31.0, False),  # which of its batch it was is not known
        (UnknownError(), ["x.alerts"], 1e6, False),  # no fault of the record
        (transactions.TooLargeError(), [], 0.0, True),
    ],
)
def test_only_what_is_the_records_own_fault_is_set_aside(
    error: Exception, alone: list[str], waited: float, aside: bool
) -> None:
    """An alert is set aside with all that it says; a row of the state never."""
    alert, state = outs(ALERTS, STATE)
    rows, count = refusals.set_aside([state, alert], refusals.hopeless([(alert, error)], alone, waited), SETTINGS)
    assert (rows[0], count) == (state, int(aside))
    if aside:
        assert rows[1].topic == "x.dead.letters"
        letter = msgspec.json.decode(rows[1].value, type=DeadLetter)
        assert (letter.topic, letter.reason, letter.sample) == (ALERTS, Reason.refused, "{}")
    else:
        assert rows[1] == alert
    assert refusals.set_aside([state], [(state, error)], SETTINGS) == ([state], 0)


def test_a_dead_letter_that_is_refused_is_shortened() -> None:
    """Its sample goes, what it says stays; a shorter one there is not."""
    letter = DeadLetter(METER, 0, 7, Reason.truncated, "cut", 1, "s" * 2000)
    out = Out("x.dead.letters", None, msgspec.json.encode(letter), 0)
    [short], count = refusals.set_aside([out], [(out, UnknownError())], SETTINGS)
    assert (msgspec.json.decode(short.value, type=DeadLetter), count) == (msgspec.structs.replace(letter, sample=""), 1)
    assert refusals.set_aside([short], [(short, UnknownError())], SETTINGS) == ([short], 0)


GAP = gap("raised")


async def lane_writes(metrics: Metrics) -> tuple[FakeProducer, Callable[[], Awaitable[object]]]:
    """A lane with one of everything to write."""
    lane = Lane(0, SETTINGS, metrics, None, None)  # type: ignore[arg-type]
    lane._paused = False
    broker = FakeProducer.made[-1]
    lane.intake.next = {METER: 7}
    taken = lane.intake.take(1, 0.0)
    taken.dead.append(DeadLetter(METER, 0, 0, Reason.truncated, "cut"))
    told = Outcome([GAP], Report(0, 5, (SlotReport(4, {}, (GAP,)),), {"east": 1}), 1)
    rows = [*lane._state(), *outs(STATE)]
    return broker, lambda: lane.store.write(lane._records(rows, taken, told, None))


async def wide_writes(metrics: Metrics) -> tuple[FakeProducer, Callable[[], Awaitable[object]]]:
    """The judge of areas with a data gap to tell."""
    lane = WideLane(SETTINGS, metrics)
    lane._go.set()
    return FakeProducer.made[-1], lambda: lane._write([GAP])


@pytest.mark.parametrize(
    ("who", "topic"),
    [
        *((lane_writes, t) for t in (STATE, ALERTS, DEAD_LETTERS, WIDE)),
        *((wide_writes, t) for t in (ALERTS, WIDE_STATE)),
    ],
)
async def test_every_record_of_a_worker_is_awaited(
    who: Callable[[Metrics], Awaitable[tuple[FakeProducer, Callable[[], Awaitable[object]]]]], topic: str
) -> None:
    """Whichever of its topics refuses, a data gap's or the judge of areas' too: nothing stands until it is taken."""
    broker, write = await who(Metrics(CollectorRegistry()))
    broker.refuses = {SETTINGS.topic(topic): UnknownError()}
    writing = asyncio.ensure_future(write())
    async with asyncio.timeout(10):
        while not broker.aborted:
            await asyncio.sleep(0)
    assert broker.committed == []
    broker.refuses = {}
    await writing
    [done] = broker.committed
    assert SETTINGS.topic(topic) in [t for t, _, _ in done]
    if topic == ALERTS:
        assert GAP in [msgspec.json.decode(value, type=Alert) for t, _, value in done if t == "x.alerts"]


SENDS = {"send", "send_batch", "enqueue"}
AWAITS_ITSELF = {"self.producer", "self._passer", "producer"}
"""Names under which others hold a ``FrameProducer``, whose ``send`` returns when the broker has it."""


def test_no_future_of_a_send_is_dropped() -> None:
    """What a Kafka client's ``send`` gives is kept and asked, wherever in the tree: alone it says nothing."""
    dropped = []
    for path in (p for folder in ("stream", "response", "simulators", "anbu") for p in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            sent = node.value if isinstance(node, ast.Expr) else None
            sent = sent.value if isinstance(sent, ast.Await) else sent
            if isinstance(sent, ast.Call) and isinstance(sent.func, ast.Attribute) and sent.func.attr in SENDS:
                of = ast.unparse(sent.func.value)
                raw = "AIOKafkaProducer" in path.read_text() or of not in AWAITS_ITSELF
                if raw and ("kafka" in of.lower() or "producer" in of):
                    dropped.append(f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(sent)}")
    assert dropped == []
