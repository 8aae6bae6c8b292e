"""Which processes are started, with which settings, and that they end in the right order."""

import os
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from anbu import configuration, holdings, services, up
from anbu.errors import UserError
from anbu.probe import Probe
from anbu.processes import Supervisor
from response.database import Logins
from stream.kafka import local_port
from stream.settings import BrokerSettings, Settings

LOGINS = Logins("postgresql://service@somewhere", "postgresql://viewer@somewhere", "postgresql://owner@somewhere")


class Started(Supervisor):
    """Notes what would be started."""

    def __init__(self) -> None:
        super().__init__()
        self.argv: dict[str, list[str]] = {}
        self.env: dict[str, Mapping[str, str]] = {}
        self.asked: dict[str, object] = {}
        self.most: dict[str, float | None] = {}

    def start(
        self, name: str, argv: Sequence[str | Path], *, log_path: Path, env: Mapping[str, str] | None = None,
        restart: bool = True, most_backoff_s: float | None = None, health: Probe | None = None,
    ) -> int:  # fmt: skip
        assert restart
        self.argv[name], self.env[name] = [str(a) for a in argv], env or {}
        self.asked[name], self.most[name] = health and health.address, most_backoff_s
        return 1


def test_up_starts_the_response_the_workers_and_the_endpoint(tmp_path: Path) -> None:
    """The response on its database, as many workers as set, each with its index, and one ingest endpoint."""
    children = Started()
    up.start(children, configuration.Settings(workers=3, data_dir=tmp_path), LOGINS)
    assert list(children.argv) == ["response", "worker-0", "worker-1", "worker-2", "http"]
    assert children.env["response"]["ANBU_RESPONSE__DATABASE_URL"] == LOGINS.service
    assert children.env["response"]["ANBU_RESPONSE__VIEWER_URL"] == LOGINS.viewer
    assert children.argv["worker-2"][1:] == ["-m", "anbu", "worker", "--index", "2"]
    assert children.argv["http"][1:] == ["-m", "anbu", "http"]


def test_up_asks_every_child_whether_it_answers_at_the_port_of_its_metrics(tmp_path: Path) -> None:
    """Each at its own; and who speaks with people is never away for long between two starts."""
    children, settings = Started(), configuration.Settings(workers=2, data_dir=tmp_path, metrics_port=23456)
    up.start(children, settings, LOGINS)
    response = settings.response.metrics_port
    ports = {"response": response, "worker-0": 23456, "worker-1": 23457, "http": 23455}
    assert children.asked == {name: ("127.0.0.1", port) for name, port in ports.items()}
    assert children.most == {"response": 3.0, "worker-0": None, "worker-1": None, "http": 3.0}


def test_a_child_reads_the_settings_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them by environment: no file is read, and what we were told meanwhile is among them."""
    monkeypatch.chdir(tmp_path)
    Path("anbu.toml").write_text('partitions = 5\n[broker]\nbootstrap = "elsewhere:9092"\nreplication_factor = 3\n')
    given = Settings(
        tz="Europe/London", topic_prefix="p.", metrics_port=23456, workers=4, data_dir=tmp_path / "x",
        broker=BrokerSettings(bootstrap="127.0.0.1:20001"),
    )  # fmt: skip
    for name, value in holdings.environment("worker", given).items():
        monkeypatch.setenv(name, value)
    read = configuration.load()
    for name in ("tz", "topic_prefix", "metrics_port", "workers", "data_dir", "partitions"):
        assert getattr(read, name) == getattr(given, name), name
    assert read.broker.bootstrap == "127.0.0.1:20001"
    assert read.broker.replication_factor == 1


@pytest.mark.parametrize(
    ("bootstrap", "protocol", "port"),
    [
        ("127.0.0.1:9092", "LOCAL", 9092),
        ("localhost:19092", "LOCAL", 19092),
        ("kafka-1:9092", "LOCAL", None),
        ("127.0.0.1:9092", "PLAINTEXT", None),
        ("127.0.0.1:9092", "SASL_PLAINTEXT", None),
        ("127.0.0.1:9092,127.0.0.1:9093", "LOCAL", None),
    ],
)
def test_which_broker_is_ours_to_start(bootstrap: str, protocol: str, port: int | None) -> None:
    """One address on this machine, and no way in is named; any other is somebody's cluster."""
    broker = BrokerSettings(bootstrap=bootstrap, security_protocol=protocol, allow_plain=True)  # type: ignore[arg-type]
    assert local_port(broker) == port


def test_metrics_take_other_ports_when_theirs_are_taken() -> None:
    """All workers' ports must be free: neighbours of a taken one are not used."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings(metrics_port=port - 1, workers=2)
        assert services.metrics_ports(settings) not in (port - 1, port)


def test_a_wrong_value_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several faults are one line."""
    monkeypatch.setenv("ANBU_PARTITIONS", "0")
    monkeypatch.setenv("ANBU_BROKER__SECURITY_PROTOCOL", "NONE")
    with pytest.raises(UserError, match=r"ANBU_PARTITIONS.*ANBU_BROKER__SECURITY_PROTOCOL|ANBU_BROKER.*ANBU_PART") as e:
        configuration.load()
    assert "\n" not in str(e.value)


def test_a_settings_file_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing mistake in ANBU_CONFIG must not mean defaults."""
    monkeypatch.setenv("ANBU_CONFIG", "nowhere.toml")
    with pytest.raises(UserError, match=r"nowhere\.toml"):
        configuration.load()


def test_the_broker_is_ended_after_its_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers first, then the broker; and when a second Ctrl-C comes while it stops, it is killed."""
    order: list[str] = []

    class Broker:
        def __init__(self, *args: object, **kwargs: object) -> None:
            pass

        def start(self) -> None:
            order.append("start")

        def stop(self) -> None:
            order.append("stop")
            os.kill(os.getpid(), signal.SIGINT)

        def kill(self) -> None:
            order.append("kill")

    class Children(Supervisor):
        def stop_all(self) -> None:
            order.append("children")

    monkeypatch.setattr(services, "LocalBroker", Broker)
    with pytest.raises(KeyboardInterrupt), services.own_broker(tmp_path, 0, Children()):
        pass
    assert order == ["start", "children", "stop", "kill"]
