"""/metrics, /healthz, /readyz and the event-loop sampler."""

import asyncio
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from prometheus_client import CollectorRegistry

from stream.health import Check, HealthServer, LoopBeat, all_of, serve
from stream.metrics import Metrics

Serve = Callable[[Check, Check], HealthServer]


def well() -> tuple[bool, str]:
    return True, "well"


def ill() -> tuple[bool, str]:
    return False, "partitions 1, 2 are being restored"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


@pytest.fixture
def serving(metrics: Metrics) -> Iterator[Serve]:
    servers: list[HealthServer] = []

    def start(live: Check, ready: Check) -> HealthServer:
        servers.append(serve("127.0.0.1", 0, metrics.registry, live, ready))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def get(server: HealthServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def test_metrics_are_those_of_the_registry(serving: Serve, metrics: Metrics) -> None:
    """/metrics shows what the process counted."""
    metrics.fenced.inc(3)
    status, text = get(serving(well, well), "/metrics")
    assert status == 200
    assert "anbu_fenced_total 3.0" in text


def test_live_and_ready_are_answered_apart(serving: Serve) -> None:
    """A worker that restores its partitions lives, but is not ready, and says what it waits for."""
    server = serving(well, ill)
    assert get(server, "/healthz") == (200, "well\n")
    assert get(server, "/readyz") == (503, "partitions 1, 2 are being restored\n")


def test_check_that_raises_is_not_health(serving: Serve) -> None:
    """A broken check answers 503 with its reason instead of looking well."""

    def broken() -> tuple[bool, str]:
        raise KeyError("stream")

    status, text = get(serving(broken, well), "/healthz")
    assert status == 503
    assert "KeyError" in text


def test_other_paths_are_not_found(serving: Serve) -> None:
    """Only the three paths exist."""
    assert get(serving(well, well), "/")[0] == 404


def test_taken_port_is_one_clear_line(serving: Serve, metrics: Metrics) -> None:
    """The error names address and setting."""
    port = serving(well, well).port
    with pytest.raises(OSError, match=rf"127\.0\.0\.1:{port}.*ANBU_METRICS_PORT") as e:
        serve("127.0.0.1", port, metrics.registry, well, well)
    assert "\n" not in str(e.value)


def test_closed_server_listens_no_more(metrics: Metrics) -> None:
    """close() frees the port."""
    server = serve("127.0.0.1", 0, metrics.registry, well, well)
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)


def test_all_of_names_the_first_that_is_ill() -> None:
    """The loop turning is not enough when the stream is dead."""
    assert all_of(well, ill)() == (False, "partitions 1, 2 are being restored")
    assert all_of(well, well)() == (True, "well; well")


async def test_loop_that_turns_is_live_and_its_lag_is_observed(metrics: Metrics) -> None:
    """Each beat is noted in the histogram and in the timestamp."""
    beat = LoopBeat(metrics, interval=0.001)
    sampling = asyncio.create_task(beat.sample())
    async with asyncio.timeout(5):
        while not metrics.registry.get_sample_value("anbu_event_loop_lag_seconds_count"):
            await asyncio.sleep(0)
    sampling.cancel()
    assert beat.live()[0]
    assert metrics.registry.get_sample_value("anbu_event_loop_beat_timestamp_seconds") == pytest.approx(
        metrics.now(), abs=5
    )


def test_loop_that_stopped_is_not_live(metrics: Metrics) -> None:
    """Beyond the limit the answer is no, with the age and what to do."""
    clock = [100.0]
    beat = LoopBeat(metrics, limit=15, monotonic=lambda: clock[0])
    clock[0] = 114.9
    assert beat.live()[0]
    clock[0] = 130.0
    live, text = beat.live()
    assert not live
    assert "30 s" in text
    assert "restart" in text


async def test_stuck_loop_is_answered_from_the_thread(serving: Serve, metrics: Metrics) -> None:
    """While the loop is blocked the server still answers, and the answer is 503."""
    clock = [100.0]
    beat = LoopBeat(metrics, limit=15, monotonic=lambda: clock[0])
    server = serving(beat.live, well)
    clock[0] = 200.0
    assert get(server, "/healthz")[0] == 503  # a blocking call: this loop does not turn meanwhile
