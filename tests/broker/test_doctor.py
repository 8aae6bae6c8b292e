"""The doctor on a real broker: content when all is well, and naming what is not."""

import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from anbu import doctor
from anbu.doctor import Finding, diagnose, render
from deploy.kafka.broker import LocalBroker, free_port
from stream import topics
from stream.kafka import admin
from stream.records import METER
from stream.settings import BrokerSettings, HttpSettings, Settings

pytestmark = pytest.mark.broker


@pytest.fixture
def quiet(settings: Settings) -> Settings:
    """Settings whose ports are free on this machine."""
    return settings.model_copy(update={"http": HttpSettings(port=free_port()), "metrics_port": free_port()})


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which something listens that is not ours."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def bad(findings: list[Finding]) -> list[str]:
    return [f.what_en for f in findings if not f.ok]


def test_all_is_well(quiet: Settings) -> None:
    """Java, disk, ports, broker, topics and clock are looked at, and nothing is to mend."""
    findings = diagnose(quiet, datetime.now(UTC))
    assert bad(findings) == []
    assert {"Java", "disk", "broker", "topics", "clock"} <= {f.what_en for f in findings}


def test_a_clock_that_is_an_hour_behind_is_found(quiet: Settings) -> None:
    """The broker's time against ours, in seconds and with its sign."""
    findings = diagnose(quiet, datetime.now(UTC) - timedelta(hours=1))
    assert bad(findings) == ["clock"]
    assert findings[-1].value.startswith(("+3600.", "+3599."))


def test_it_leaves_no_topic_behind(quiet: Settings) -> None:
    """The topic that told the time is deleted again."""
    diagnose(quiet, datetime.now(UTC))
    limit = time.monotonic() + 10
    with admin(quiet) as client:
        while quiet.topic(doctor.CLOCK_TOPIC) in client.list_topics():  # the broker deletes it in its own time
            assert time.monotonic() < limit


def test_missing_topics_and_wrong_partitions_are_named(
    broker: LocalBroker, make_settings: Callable[..., Settings]
) -> None:
    """Each topic that is wrong is a finding of its own, with what to do in both languages."""
    settings = make_settings(broker, metrics_port=0, http=HttpSettings(port=0))
    with admin(settings) as client:
        client.create_topics({settings.topic(METER): {"num_partitions": 3, "replication_factor": 1}})
    found = [f for f in diagnose(settings, datetime.now(UTC)) if f.what_en == "topics"]
    assert not any(f.ok for f in found)
    assert {f.value for f in found} == {settings.topic(topic.name) for topic in topics.wanted(settings)}
    assert "파티션이 3개" in found[0].mend_ko
    assert "anbu topics" in found[-1].mend_en


def test_no_broker_is_a_finding_not_an_error(quiet: Settings, taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where something else listens, the doctor says that no broker answers, and how to go on."""
    monkeypatch.setattr(doctor, "_TIMEOUT_S", 1.0)
    nobody = quiet.model_copy(update={"broker": BrokerSettings(bootstrap=f"127.0.0.1:{taken}")})
    findings = diagnose(nobody, datetime.now(UTC))
    assert bad(findings) == ["broker"]
    assert "ANBU_BROKER__BOOTSTRAP" in findings[-1].mend_en


def test_a_taken_port_is_named_with_its_setting(quiet: Settings, taken: int) -> None:
    """A program that does not answer as ours do holds the port: end it, or set another."""
    settings = quiet.model_copy(update={"http": HttpSettings(port=taken)})
    (found,) = [f for f in doctor.ports(settings) if not f.ok]
    assert found.what_en == f"port {taken}"
    assert "ANBU_HTTP__PORT" in found.mend_en


def test_render_gives_the_exit_code_and_shows_what_to_do() -> None:
    """0 all is well; 1 something to mend, with value and advice in both languages; 3 nothing to mend, and not real."""
    well = Finding(True, "디스크", "disk", "9 GiB")
    ill = Finding(False, "시계", "clock", "+9 s [x]", "맞추십시오", "set it")
    trial = Finding(True, "전화", "calls", "simulated", "설정", "set up", unreal=True)
    out = StringIO()
    assert render([well], Console(file=out)) == 0
    assert "all is well" in out.getvalue()
    assert render([well, ill], Console(file=out, width=160)) == 1
    said = StringIO()
    assert render([well, trial], Console(file=said, width=160)) == 3
    assert "all is well" not in said.getvalue()
    assert "not real: 전화 · calls" in said.getvalue()
    assert render([ill, trial], Console(file=said, width=160)) == 1
    assert all(text in out.getvalue() for text in ("9 GiB", "+9 s [x]", "맞추십시오", "set it", "1 to mend"))
