"""The processes that `demo`, `up` and `replay` run: a broker of our own, workers, the ingest endpoint."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anbu.configuration import environment
from anbu.errors import UserError
from anbu.processes import Supervisor
from deploy.kafka.broker import LocalBroker
from deploy.kafka.jars import Progress
from deploy.kafka.ports import free_port, is_free
from stream import topics
from stream.settings import Settings

ANBU = (sys.executable, "-m", "anbu")


@contextmanager
def own_broker(
    data_dir: Path, port: int, children: Supervisor, progress: Progress | None = None
) -> Iterator[LocalBroker]:
    """A running broker of our own. At the end the children are stopped first: they would only miss it.

    Raises:
        BrokerError: port taken, folder in use, no Java, jars not to be had, disk full.
    """
    broker = LocalBroker(data_dir, port, progress=progress)
    try:
        broker.start()
        yield broker
    finally:
        try:
            children.stop_all()
            broker.stop()
        finally:  # a second Ctrl-C while it stops
            broker.kill()


def make_topics(settings: Settings) -> None:
    """Make the topics that are missing. Raises UserError where one that exists is not as it should be."""
    problems = topics.ensure(settings)
    if problems:
        more = f" (+{len(problems) - 1})" if len(problems) > 1 else ""
        raise UserError(f"{problems[0]}{more}")


LEAN = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}
"""glibc gives memory back at once: a worker with a million households needs 150 MiB less (docs/benchmarks.md)."""


def start_workers(children: Supervisor, settings: Settings, logs: Path) -> None:
    """Start ``settings.workers`` workers, each with its log in ``logs``."""
    env = {**LEAN, **environment(settings)}
    for n in range(settings.workers):
        name = f"worker-{n}"
        children.start(name, [*ANBU, "worker", "--index", str(n)], log_path=logs / f"{name}.log", env=env)


def start_response(children: Supervisor, settings: Settings, url: str, logs: Path) -> None:
    """Start the process of cases, calls and messages on the database at ``url``."""
    env = {**environment(settings), "ANBU_RESPONSE__DATABASE_URL": url}
    children.start("response", [*ANBU, "response"], log_path=logs / "response.log", env=env)


def metrics_ports(settings: Settings) -> int:
    """First of as many neighbouring free ports as there are workers: the configured one, if they are free."""
    firsts = [settings.metrics_port] if settings.metrics_port else []
    firsts += [free_port() for _ in range(20)]
    for first in firsts:
        if all(is_free(first + n) for n in range(settings.workers)):
            return first
    raise UserError(
        f"지표용 빈 포트가 없습니다 · no {settings.workers} free neighbouring ports for the metrics: end some programs"
    )
