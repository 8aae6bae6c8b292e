"""The broker's jars: only what the lock names, only with its hash, and one clear line when that cannot be."""

import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
import requests

from deploy.kafka import jars
from deploy.kafka.errors import BrokerError
from deploy.kafka.reason import reason_in_log

GOOD = b"a jar"


class Registry:
    """Stands where the Maven registry stands: raises ``fault`` the first ``faults`` times, then gives ``content``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.content: bytes = GOOD
        self.fault: Exception | None = None
        self.faults = 1_000
        self.asked = 0
        monkeypatch.setattr(jars, "_PAUSES_S", (0.0, 0.0, 0.0))
        monkeypatch.setattr("jgo.maven._resolver.PythonResolver.download", lambda _, artifact: self._give(artifact))

    def _give(self, artifact: Any) -> Path:
        self.asked += 1
        path: Path = artifact.cached_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.content[:2])
        if self.fault is not None and self.asked <= self.faults:
            raise self.fault
        path.write_bytes(self.content)
        return path


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry that gives the right jar."""
    return Registry(monkeypatch)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock of one jar."""
    path = tmp_path / "jars.lock"
    path.write_text(f"# one\norg.example:one:1.0 {hashlib.sha256(GOOD).hexdigest()}\n")
    return path


def test_the_lock_names_kafka_and_a_hash_for_each_jar() -> None:
    """The committed lock is whole: Kafka 4.1.1, each jar once, each with a SHA-256."""
    locked = jars.read_lock()
    assert "org.apache.kafka:kafka_2.13:4.1.1" in {str(jar) for jar in locked}
    assert len({jar.file for jar in locked}) == len(locked)
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in locked)


def test_a_jar_is_fetched_once(lock: Path, tmp_path: Path, registry: Registry) -> None:
    """The second time it is there, and not even hashed again."""
    cache = tmp_path / "cache"
    paths = jars.fetch_jars(lock=lock, cache=cache)
    assert [path.read_bytes() for path in paths] == [GOOD]
    assert jars.fetch_jars(lock=lock, cache=cache) == paths
    assert registry.asked == 1


def test_a_wrong_hash_is_refused_and_not_kept(lock: Path, tmp_path: Path, registry: Registry) -> None:
    """A jar that is not the lock's is named with both hashes, and is not left where it could be used."""
    registry.content = b"another jar"
    with pytest.raises(BrokerError, match=r"org\.example:one:1\.0 has SHA-256 \w+, the lock says \w+: not used"):
        jars.fetch_jars(lock=lock, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").rglob("*.jar")) == []


def test_a_jar_changed_after_the_check_is_fetched_anew(lock: Path, tmp_path: Path, registry: Registry) -> None:
    """What is in the cache is used only while it is what was verified."""
    (path,) = jars.fetch_jars(lock=lock, cache=tmp_path)
    path.write_bytes(b"a war")  # the same size, another time
    os.utime(path, ns=(1, 1))
    assert jars.fetch_jars(lock=lock, cache=tmp_path) == [path]
    assert path.read_bytes() == GOOD


def test_an_unreachable_registry_is_one_clear_line(lock: Path, tmp_path: Path, registry: Registry) -> None:
    """After four tries it says what to look at; half a file is not kept."""
    registry.fault = requests.ConnectTimeout()
    with pytest.raises(BrokerError, match=r"registry cannot be reached \(ConnectTimeout\): check the network") as e:
        jars.fetch_jars(lock=lock, cache=tmp_path)
    assert "\n" not in str(e.value)
    assert registry.asked == 4
    assert list(tmp_path.rglob("*.jar")) == []


@pytest.mark.parametrize("fault", [requests.ConnectTimeout(), RuntimeError("not found in remote repositories")])
def test_a_registry_that_refuses_at_first_is_asked_again(
    fault: Exception, lock: Path, tmp_path: Path, registry: Registry
) -> None:
    """A fresh machine's first start must not hang on one answer of a busy registry (jgo: any but 200)."""
    registry.fault, registry.faults = fault, 3
    assert [path.read_bytes() for path in jars.fetch_jars(lock=lock, cache=tmp_path)] == [GOOD]
    assert registry.asked == 4


def test_a_jar_that_the_registry_does_not_give_is_named(lock: Path, tmp_path: Path, registry: Registry) -> None:
    """One line: which jar, what to do."""
    registry.fault = RuntimeError("Artifact not found in remote repositories")
    with pytest.raises(BrokerError, match=r"does not give org\.example:one:1\.0: run again later") as e:
        jars.fetch_jars(lock=lock, cache=tmp_path)
    assert "\n" not in str(e.value)


def test_a_full_disk_is_one_clear_line(lock: Path, tmp_path: Path, registry: Registry) -> None:
    """It names the folder and how much is needed."""
    registry.fault = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(BrokerError, match=r"the disk of .* is full: free about 60 MB"):
        jars.fetch_jars(lock=lock, cache=tmp_path)


def test_a_folder_that_cannot_be_written_is_one_clear_line(lock: Path, tmp_path: Path, registry: Registry) -> None:
    """It names the folder and the setting that moves it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokerError, match=r"cannot write to .*file.* XDG_CACHE_HOME"):
        jars.fetch_jars(lock=lock, cache=tmp_path / "file")


def test_a_broken_lock_names_its_line(tmp_path: Path) -> None:
    """A line without a hash is refused with its number."""
    lock = tmp_path / "jars.lock"
    lock.write_text("# head\norg.example:one:1.0\n")
    with pytest.raises(BrokerError, match=r"jars\.lock line 2 .*org\.example:one:1\.0"):
        jars.read_lock(lock)


@pytest.mark.parametrize(
    ("log", "exit_code", "reason"),
    [
        ("[t] INFO starting (a)\n[t] ERROR Exiting (k)\njava.io.IOException: x\nCaused by: a.B: why\n", 1, "a.B: why"),
        ("[t] ERROR Failed: No space left on device (k)", 1, "the disk is full"),
        ("Error occurred during initialization of VM\nToo small maximum heap\n", 1, "VM Too small maximum heap"),
        ("[t] INFO all well (a)\n", -9, "signal 9"),
        ("[t] ERROR a client went away (k)\njava.io.IOException: x\nCaused by: a.B: why\n", -9, "signal 9"),
        ("[t] ERROR a client went away (k)\n", 143, "asked to end by SIGTERM"),
        ("Caused by: old\n" + "[t] INFO at work (a)\n" * 400 + "[t] ERROR new (k)\n", 1, "new"),
        ("", 1, "it said nothing"),
    ],
)
def test_the_reason_is_found_in_the_log(log: str, exit_code: int, reason: str) -> None:
    """The innermost cause, the machine's own line, or the signal: one line without time and stack."""
    found = reason_in_log(log, exit_code)
    assert reason in found
    assert "\n" not in found
