"""Waiting for a broker that is away: what is waited for, what is said, and how it ends."""

import asyncio
import time

import aiokafka.errors
import kafka.errors
import pytest
from aiokafka.client import AIOKafkaClient
from structlog.testing import capture_logs

from response.topics import Reader
from stream import http, patience
from stream.kafka import BrokerUnreachableError
from stream.patience import Patience, StoppedError, is_away, patiently, patiently_now
from stream.settings import BrokerSettings, Settings


def caused(error: Exception, cause: Exception) -> Exception:
    """An error and what led to it."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (aiokafka.errors.KafkaConnectionError("Unable to bootstrap"), True),
        (aiokafka.errors.KafkaTimeoutError(), True),
        (aiokafka.errors.NodeNotReadyError(), True),
        (kafka.errors.KafkaTimeoutError("Unable to bootstrap"), True),
        (ConnectionRefusedError(), True),
        (caused(aiokafka.errors.KafkaError("x"), aiokafka.errors.NodeNotReadyError()), True),
        (caused(BrokerUnreachableError("none answers"), kafka.errors.KafkaTimeoutError()), True),
        (caused(BrokerUnreachableError("refused"), kafka.errors.SaslAuthenticationFailedError()), False),
        (BrokerUnreachableError("it makes no topic"), False),
        (aiokafka.errors.TopicAuthorizationFailedError("a"), False),
        (aiokafka.errors.ProducerFenced(), False),
        (ValueError("no user"), False),
    ],
)
def test_only_an_absent_broker_is_waited_for(error: Exception, away: bool) -> None:
    """One that answers and refuses is no matter of patience."""
    assert is_away(error) is away


async def test_it_is_waited_for_until_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one line at once and one at the end, by either of the two ways."""
    monkeypatch.setattr(patience, "PAUSE_S", 0.0)
    answers = [aiokafka.errors.KafkaConnectionError("none"), aiokafka.errors.KafkaConnectionError("none"), "done"] * 2

    def answer() -> str:
        given = answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return str(given)

    async def ask() -> str:
        return answer()

    with capture_logs() as lines:
        assert await patiently(ask) == "done"
        assert patiently_now(answer, 10.0) == "done"
    assert [line["event"] for line in lines] == [
        "the broker does not answer: waiting for it", "the broker answers again",
    ] * 2  # fmt: skip


def test_a_command_does_not_wait_for_ever() -> None:
    """Whoever has started it gets the error in the end."""

    def away() -> None:
        raise ConnectionRefusedError("nobody")

    with capture_logs() as lines, pytest.raises(ConnectionRefusedError, match="nobody"):
        patiently_now(away, 0.0)
    assert len(lines) == 1


def test_it_is_said_now_and_then() -> None:
    """At once and every half minute, with how long it has been."""
    at = [0.0]
    waiting = Patience(clock=lambda: at[0])
    with capture_logs() as lines:
        for _ in range(100):
            waiting.away(ConnectionRefusedError())
            at[0] += 1
    assert [line["waited_s"] for line in lines] == [0, 30, 60, 90]


async def test_what_waiting_does_not_mend_is_raised() -> None:
    """A refusal ends it at once."""

    async def refused() -> None:
        raise aiokafka.errors.TopicAuthorizationFailedError("alerts")

    with pytest.raises(aiokafka.errors.TopicAuthorizationFailedError):
        await patiently(refused)


async def test_it_stops_when_told_to() -> None:
    """SIGTERM does not wait for a broker."""
    stopping = asyncio.Event()
    stopping.set()

    async def away() -> None:
        raise ConnectionRefusedError

    with pytest.raises(StoppedError):
        await patiently(away, stopping)


async def test_a_client_does_not_ask_an_absent_broker_without_pause() -> None:
    """aiokafka would ask again at once."""
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:1")
    began = time.monotonic()
    assert not await client._metadata_update(client.cluster, set())
    assert time.monotonic() - began >= 0.15


NOBODY = Settings(broker=BrokerSettings(bootstrap="127.0.0.1:1"))


async def test_the_ingest_endpoint_waits_for_its_broker() -> None:
    """Started before the broker it does not end; it says what it waits for."""
    with capture_logs() as lines:
        serving = asyncio.create_task(http.serve(NOBODY))
        async with asyncio.timeout(20):
            while not any(line["event"].startswith("the broker does not answer") for line in lines):
                await asyncio.sleep(0.01)
        assert not serving.done()
        serving.cancel()
        await asyncio.wait([serving])


async def test_the_response_waits_for_its_broker_and_can_be_stopped() -> None:
    """Started before the broker it does not end, until it is told to."""
    stopping = asyncio.Event()
    reader = Reader(NOBODY, None, None)  # type: ignore[arg-type]
    with capture_logs() as lines:
        starting = asyncio.create_task(reader.start(stopping))
        async with asyncio.timeout(20):
            while not lines:
                await asyncio.sleep(0.01)
        assert not starting.done()
        stopping.set()
        with pytest.raises(StoppedError):
            await starting
    await reader.close()
