"""What a broker says when it cannot be started at all: before any Java runs, and before anything is downloaded."""

import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from deploy.kafka import broker, java
from deploy.kafka.broker import BrokerError, LocalBroker
from deploy.kafka.ports import free_port, is_free


@pytest.fixture(autouse=True)
def _no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here may come as far as the jars."""

    def fetch(progress: object) -> NoReturn:
        pytest.fail("asked for the jars")

    monkeypatch.setattr(broker, "fetch_jars", fetch)


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    """The error names the port and another one to use, and the data directory is free again."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for _ in range(2):
            with pytest.raises(BrokerError, match=rf"port {port} is taken .*ANBU_BROKER__BOOTSTRAP=127\.0\.0\.1:\d+"):
                LocalBroker(tmp_path, port).start()


def test_a_full_disk_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the folder, what is free and the setting that moves it."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 3 << 20))  # type: ignore[attr-defined]
    with pytest.raises(BrokerError, match=r"is full \(3 MB free\): free at least 100 MB.* ANBU_DATA_DIR"):
        LocalBroker(tmp_path, 0).start()


def test_a_folder_that_is_a_file_is_one_clear_line(tmp_path: Path) -> None:
    """The error names it and the setting."""
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokerError, match=r"cannot use .*file.* ANBU_DATA_DIR"):
        LocalBroker(tmp_path / "file", 0).start()


def test_a_free_port_is_free_and_below_those_of_outgoing_connections() -> None:
    """Else a client calling a broker that is down could be given the broker's own port."""
    port = free_port()
    assert is_free(port)
    assert port < 32_768


def _java(folder: Path, version: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a java of some version first on the PATH."""

    def put(version: str) -> Path:
        program = _java(tmp_path / version, version)
        monkeypatch.delenv("JAVA_HOME", raising=False)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
        return program

    return put


def test_the_systems_java_is_used_when_new_enough(on_path: Callable[[str], Path]) -> None:
    """17 is enough."""
    program = on_path("17.0.15")
    assert java.find_java() == program


@pytest.mark.parametrize("version", ["1.8.0_392", "11.0.2"])
def test_an_old_java_is_passed_over_for_the_wheels(version: str, on_path: Callable[[str], Path]) -> None:
    """8 and 11 do not run Kafka 4: the one from pip does."""
    old = on_path(version)
    found = java.find_java()
    assert found != old
    assert (java.java_major(found) or 0) >= java.MIN_JAVA


def test_java_home_comes_first(tmp_path: Path, on_path: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sets JAVA_HOME means it."""
    on_path("17.0.1")
    mine = _java(tmp_path / "mine", "21.0.8")
    monkeypatch.setenv("JAVA_HOME", str(mine.parents[1]))
    assert java.find_java() == mine


def test_a_log_that_was_begun_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    """It rolls at 10 MB, while the broker starts too: that it has started must still be seen."""
    log = tmp_path / "kafka.log"
    log.write_text("before, started")
    assert broker._tail(log, 8) == "started"
    log.write_text("started")
    assert broker._tail(log, 15) == "started"
