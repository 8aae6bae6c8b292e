"""Apache Kafka's jars by jgo: fetched by the coordinates of ``jars.lock``, used only with the hashes it gives.

``python -m deploy.kafka.jars`` resolves the recipe anew and rewrites the lock (after a change of version).
"""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jgo
import requests
from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext

from deploy.kafka.errors import BrokerError

RECIPE = "org.apache.kafka:kafka_2.13:4.1.1+org.apache.kafka:kafka-tools:4.1.1+org.slf4j:slf4j-reload4j:1.7.36"
LOCK = Path(__file__).with_name("jars.lock")
NEED_MB = 60
_PAUSES_S = (1.0, 4.0, 15.0)
"""Before the second, third and fourth try of a jar: a registry that is busy, or fetches it itself, refuses at first."""
_SIDE_BY_SIDE = 6

Progress = Callable[[int, int], None]
"""Called with (jars there, jars in all)."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        """Name in our cache; the group is in it because two groups may use one artifact name."""
        return f"{self.group}.{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


def read_lock(lock: Path = LOCK) -> list[Jar]:
    """The jars of a lock file: lines of ``group:artifact:version sha256``, ``#`` for comments.

    Raises:
        BrokerError: for a line that is not so.
    """
    jars = []
    for number, line in enumerate(lock.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            coordinate, sha256 = line.split()
            group, artifact, version = coordinate.split(":")
        except ValueError as e:
            raise BrokerError(f"{lock.name} line {number} is not 'group:artifact:version sha256': {line!r}") from e
        jars.append(Jar(group, artifact, version, sha256))
    return jars


def cache_dir() -> Path:
    """Where fetched jars are kept: the user's cache, so that every checkout shares them."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anbu" / "jars"


def fetch_jars(progress: Progress | None = None, *, lock: Path = LOCK, cache: Path | None = None) -> list[Path]:
    """Paths of all jars of the lock, fetched where they are missing, each with the hash the lock gives.

    Hashes are computed again only when the lock, or a file's size or time, has changed since the last time.

    Raises:
        BrokerError: registry unreachable, disk full, or a hash that is not the lock's.
    """
    cache = cache or cache_dir()
    jars = read_lock(lock)
    paths = [cache / jar.file for jar in jars]
    stamp = cache / f"verified-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}.json"
    if _stamp_holds(stamp, paths):
        return paths
    try:
        with _only_one(cache):
            _complete(jars, cache, progress or (lambda done, total: None))
            stamp.write_text(json.dumps(_facts(paths)))
    except requests.RequestException as e:
        raise BrokerError(
            f"the Maven registry cannot be reached ({type(e).__name__}): check the network or the proxy (HTTPS_PROXY) "
            "and run again; what was fetched is kept"
        ) from e
    except OSError as e:
        raise _disk_error(e, cache) from e
    return paths


def _disk_error(e: OSError, folder: Path) -> BrokerError:
    if e.errno in (errno.ENOSPC, errno.EDQUOT):
        return BrokerError(f"the disk of {folder} is full: free about {NEED_MB} MB and run again")
    return BrokerError(f"cannot write to {folder} ({e.strerror or e}): mend it or set XDG_CACHE_HOME to another folder")


def _facts(paths: list[Path]) -> dict[str, list[int]]:
    """Size and time of each file: what the stamp remembers."""
    return {path.name: [path.stat().st_size, path.stat().st_mtime_ns] for path in paths}


def _stamp_holds(stamp: Path, paths: list[Path]) -> bool:
    try:
        return bool(json.loads(stamp.read_text()) == _facts(paths))
    except (OSError, ValueError):
        return False


@contextmanager
def _only_one(cache: Path) -> Iterator[None]:
    """Two runs at once must not fetch into the same files: the second waits."""
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / ".lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _complete(jars: list[Jar], cache: Path, progress: Progress) -> None:
    """Fetch what is missing or damaged, several at once; the first failure ends it."""
    missing = [jar for jar in jars if not (cache / jar.file).exists() or sha256_of(cache / jar.file) != jar.sha256]
    done = len(jars) - len(missing)
    progress(done, len(jars))
    partial = cache / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    repositories = {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    context = MavenContext(repo_cache=partial, remote_repos=repositories, timeout=15)
    pool = ThreadPoolExecutor(_SIDE_BY_SIDE)
    try:
        for future in as_completed([pool.submit(_fetch, jar, context, cache) for jar in missing]):
            future.result()
            done += 1
            progress(done, len(jars))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(partial, ignore_errors=True)


def _fetch(jar: Jar, context: Any, cache: Path) -> None:
    """One jar into the cache: under its own name only when whole and right."""
    path = _download(jar, context)
    found = sha256_of(path)
    if found != jar.sha256:
        raise BrokerError(
            f"{jar} has SHA-256 {found}, the lock says {jar.sha256}: not used. A proxy or mirror may have changed it; "
            "fetch from another network"
        )
    os.replace(path, cache / jar.file)


def _download(jar: Jar, context: Any) -> Path:
    for pause_s in (*_PAUSES_S, None):
        artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
        try:
            return Path(artifact.resolve())
        except (requests.RequestException, RuntimeError) as e:  # RuntimeError: jgo's, for any answer but 200
            artifact.cached_path.unlink(missing_ok=True)  # half a file
            if pause_s is None and isinstance(e, RuntimeError):
                raise BrokerError(
                    f"the Maven registry does not give {jar}: run again later, or name a mirror in jgo's configuration"
                ) from e
            if pause_s is None:
                raise
        time.sleep(pause_s)
    raise AssertionError("unreachable")


def relock(lock: Path = LOCK) -> int:
    """Resolve the recipe anew with jgo and write the lock; gives the number of jars."""
    resolved = jgo.build(RECIPE, update=True).lockfile
    if resolved is None:
        raise BrokerError(f"jgo resolved {RECIPE} without a lock: use the pinned jgo")
    found = resolved.dependencies
    head = [line for line in lock.read_text().splitlines() if line.startswith("#")]
    rows = sorted(f"{d.groupId}:{d.artifactId}:{d.version} {d.sha256}" for d in found)
    lock.write_text("\n".join([*head, *rows]) + "\n")
    return len(rows)


if __name__ == "__main__":
    print(f"{LOCK.name}: {relock()} jars")
