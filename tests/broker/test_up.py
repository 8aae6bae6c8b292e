"""`anbu up`: real feeds can be sent to it at once, what dies is started again, and Ctrl-C ends all of it."""

import json
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.ports import free_port
from tests.broker.running import Running

pytestmark = pytest.mark.broker
KEY = "kepco-key-0123456789"
CSV = b"household_id,start,kwh,minutes\na,2026-01-01T00:00:00+09:00,0.2,60\n"


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return {name: free_port() for name in ("broker", "http", "metrics", "page", "response")}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]) -> Iterator[Running]:
    """All services on ports of their own, with one worker and a key for the feed ``kepco``."""
    running = Running(
        tmp_path_factory.mktemp("up"), "up",
        ANBU_BROKER__BOOTSTRAP=f"127.0.0.1:{ports['broker']}", ANBU_HTTP__PORT=str(ports["http"]),
        ANBU_METRICS_PORT=str(ports["metrics"]), ANBU_WORKERS="1", ANBU_HTTP__METER_KEYS__KEPCO=KEY,
        ANBU_RESPONSE__PORT=str(ports["page"]), ANBU_RESPONSE__METRICS_PORT=str(ports["response"]),
    )  # fmt: skip
    yield running
    running.end()


def answers(url: str) -> bool:
    """Whether a page answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_readings_are_taken_and_counted(up: Running, ports: dict[str, int]) -> None:
    """A posted reading is answered with 202, and the worker has seen it."""
    metrics = f"http://127.0.0.1:{ports['metrics']}"
    up.until(lambda: answers(f"{metrics}/readyz") and answers(f"http://127.0.0.1:{ports['http']}/healthz"))
    request = urllib.request.Request(
        f"http://127.0.0.1:{ports['http']}/v1/readings", CSV,
        {"Authorization": f"Bearer {KEY}", "Content-Type": "text/csv"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 202
        assert json.load(answer)["accepted"] == 1

    def counted() -> bool:
        with urllib.request.urlopen(f"{metrics}/metrics", timeout=5) as page:
            return 'anbu_rows_total{topic="meter.readings"} 1.0' in page.read().decode()

    up.until(counted)


def test_commands_beside_it_find_their_login(up: Running, ports: dict[str, int]) -> None:
    """Who started it sends a file and looks at topics and rights without a setting more than its own."""
    folder = up.output.parent
    (folder / "more.csv").write_bytes(CSV)
    for command, said in ((("ingest", "more.csv"), "✓ meter: 1"), (("topics", "check"), "✓ households")):
        beside = Running(folder, *command, ANBU_BROKER__BOOTSTRAP=f"127.0.0.1:{ports['broker']}")
        assert beside.ended() == 0, beside.text
        assert said in beside.text


def test_the_broker_is_started_again(up: Running) -> None:
    """Killed with -9 it comes back under another process id, with a line that says so and why."""
    (broker,) = up.children("kafka.Kafka")
    broker.kill()
    up.until(lambda: [p for p in up.children("kafka.Kafka") if p.pid != broker.pid])
    assert "the broker: 끝났습니다 · has ended: it was ended by signal 9" in up.text


def test_the_database_is_started_again(up: Running, ports: dict[str, int]) -> None:
    """Killed with -9 it comes back at once, without tripping over our own lock, and the response goes on."""
    (database,) = [p for p in up.children("postgres -D") if p.ppid() == up.process.pid]
    database.kill()
    up.until(lambda: [p for p in up.children("postgres -D") if p.ppid() == up.process.pid and p.pid != database.pid])
    assert "the database: 끝났습니다 · has ended: it was ended by signal 9" in up.text
    assert "in use by another run" not in up.text
    up.until(lambda: answers(f"http://127.0.0.1:{ports['response']}/healthz"))


def test_addresses_are_shown_and_ctrl_c_ends_all(up: Running, ports: dict[str, int]) -> None:
    """Where to send, where to look; and nothing is left afterwards."""
    for name, port in ports.items():
        assert str(port) in up.text, name
    assert up.interrupt(signal.SIGINT) == 0
    assert up.left() == []
    assert "Traceback" not in up.text


def test_without_a_broker_external_waits_and_says_for_whom(tmp_path: Path) -> None:
    """`--external` starts none: the address that does not answer is named, and it is waited for."""
    running = Running(tmp_path, "up", "--external", ANBU_BROKER__BOOTSTRAP="127.0.0.1:1")
    try:
        running.until(lambda: "no broker answers at 127.0.0.1:1" in running.text)
        running.interrupt()
        assert "Traceback" not in running.text
    finally:
        running.end()
