"""`anbu up` from an alert on a topic to an outcome on a topic, with people in the registry; and killed meanwhile."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from anbu.access import acting_as
from deploy.kafka.ports import free_port
from stream.kafka import admin_options, partition_of
from stream.records import ALERTS, HOUSEHOLDS, Alert, Household, ReasonCode
from stream.settings import BrokerSettings, Settings
from tests.broker.running import ROOT, Running
from tests.response.people import KEY

pytestmark = pytest.mark.broker
PARTITIONS = 4
PEOPLE = """person_id,role,dong,household_id,name,phone
r1,resident,d1,h1,김영자,010-0000-0001
r2,resident,d1,h2,이순자,010-0000-0002
o1,officer,d1,,박담당,010-0000-0003
c1,centre,,,관제센터,010-0000-0004
"""
NOW = datetime.now(UTC)


class Stand:
    """`anbu up` with its ports and environment, and clients of its broker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in ("broker", "http", "metrics", "page", "response")}
        self.env = {
            "ANBU_BROKER__BOOTSTRAP": f"127.0.0.1:{self.ports['broker']}", "ANBU_HTTP__PORT": str(self.ports["http"]),
            "ANBU_METRICS_PORT": str(self.ports["metrics"]), "ANBU_WORKERS": "1",
            "ANBU_PARTITIONS": str(PARTITIONS), "ANBU_RESPONSE__KEYS": f'["{KEY}"]',
            "ANBU_RESPONSE__PORT": str(self.ports["page"]), "ANBU_RESPONSE__METRICS_PORT": str(self.ports["response"]),
            "ANBU_RESPONSE__HOURS__CALLING_FROM": "00:00", "ANBU_RESPONSE__HOURS__CALLING_UNTIL": "00:00",
            "ANBU_RESPONSE__RESIDENTS__ANSWERS": "1", "ANBU_RESPONSE__RESIDENTS__PRESSES_1": "1",
            "ANBU_RESPONSE__RESIDENTS__PRESSES_2": "0", "ANBU_RESPONSE__RESIDENTS__ANSWER_SECONDS": "0.1",
            "ANBU_RESPONSE__RESIDENTS__BUSY": "0", "ANBU_RESPONSE__RESIDENTS__REJECTS": "0",
        }  # fmt: skip
        self.up = Running(folder, "up", **self.env)

    def anbu(self, *args: str) -> str:
        """Another command beside it; what it says."""
        env = {**os.environ, "ANBU_DATA_DIR": str(self.folder / "data"), "PYTHONPATH": str(ROOT), **self.env}
        run = subprocess.run(
            [sys.executable, "-m", "anbu", *args], capture_output=True, text=True, env=env,
            cwd=self.folder, timeout=120,
        )  # fmt: skip
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def admin(self) -> dict[str, Any]:
        """How the admin reaches its broker."""
        broker = BrokerSettings(bootstrap=self.env["ANBU_BROKER__BOOTSTRAP"])
        return admin_options(acting_as("admin", Settings(data_dir=self.folder / "data", broker=broker)))

    def send(self, topic: str, household: str, record: object) -> None:
        """A record on a topic, acknowledged."""
        producer = KafkaProducer(**self.admin(), acks="all")
        producer.send(
            topic, msgspec.json.encode(record), key=household.encode(), partition=partition_of(household, PARTITIONS),
            headers=[("schema", b"1")],
        ).get(20)  # fmt: skip
        producer.close()

    def outcomes(self, household: str) -> list[str]:
        """Outcomes of a household as its newest record on the topic has them."""
        consumer = KafkaConsumer(**self.admin(), consumer_timeout_ms=1500)
        tp = TopicPartition(HOUSEHOLDS, partition_of(household, PARTITIONS))
        consumer.assign([tp])
        consumer.seek_to_beginning(tp)
        last = [m.value for m in consumer if m.key == household.encode()][-1]
        consumer.close()
        return [str(outcome.code) for outcome in msgspec.json.decode(last, type=Household).outcomes]

    def ready(self) -> bool:
        """Whether the response has taken what was on the topics."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['response']}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """Everything up, people imported, two households enrolled."""
    made = Stand(tmp_path_factory.mktemp("response"))
    made.up.until(made.ready)
    people = made.folder / "people.csv"
    people.write_text(PEOPLE)
    made.anbu("people", "import", str(people))
    for home in ("h1", "h2"):
        made.send(HOUSEHOLDS, home, Household(home, NOW - timedelta(days=60), "a1", "d1"))
    yield made
    made.up.end()


def alert(home: str) -> Alert:
    """A silent resident."""
    return Alert(
        "raised", f"alert-{home}", home, "silence", "caution", "resident", NOW, NOW - timedelta(hours=12), None, 100.0,
        (ReasonCode("silent", {"hours": 16.0, "usual_hours": 7.0}),), "조용합니다.", "Silent.", "a1", "d1",
    )  # fmt: skip


def test_an_alert_becomes_a_call_and_its_answer_an_outcome(stand: Stand) -> None:
    """The simulated resident presses 1: the case is closed, the stream hears of it, the operator sees it."""
    stand.send(ALERTS, "h1", alert("h1"))
    stand.up.until(lambda: "answered" in stand.anbu("cases", "list", "--all"))
    stand.up.until(lambda: stand.outcomes("h1") == ["safe_answered"])
    assert "1번" in stand.anbu("cases", "show", "1")
    assert "보낼 수단이 설정되지 않음" in stand.anbu("cases", "deliveries", "--case", "1")


def test_killed_it_is_started_again_and_goes_on(stand: Stand) -> None:
    """kill -9 before the alert comes: the next process takes it, once."""
    (process,) = stand.up.children("anbu response")
    process.kill()
    stand.send(ALERTS, "h2", alert("h2"))
    stand.up.until(lambda: stand.outcomes("h2") == ["safe_answered"])
    text = stand.anbu("cases", "list", "--all")
    assert text.count("h2") == 1
    assert "response" in stand.up.text


def test_metrics_tell_of_calls_and_cases(stand: Stand) -> None:
    """What operators watch is served, and says that the telephone is simulated."""
    with urllib.request.urlopen(f"http://127.0.0.1:{stand.ports['response']}/metrics", timeout=5) as page:
        text = page.read().decode()
    assert "anbu_gateway_real" in text
    assert "anbu_open_cases" in text or "anbu_cases" in text
    with urllib.request.urlopen(f"http://127.0.0.1:{stand.ports['page']}/healthz", timeout=5) as page:
        assert page.read() == b"ok"


def test_ctrl_c_ends_database_and_response_too(stand: Stand) -> None:
    """Nothing is left, and no traceback is shown."""
    assert stand.up.interrupt() == 0
    assert stand.up.left() == []
    assert "Traceback" not in stand.up.text
    log = (stand.folder / "data" / "response.log").read_text()
    assert "Traceback" not in log
