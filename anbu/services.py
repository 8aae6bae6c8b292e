"""The processes that `demo`, `up` and `replay` run: a broker of our own, workers, the ingest endpoint."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anbu import holdings
from anbu.access import acting_as
from anbu.configuration import Settings
from anbu.errors import UserError
from anbu.probe import health_page
from anbu.processes import Supervisor
from deploy.kafka.broker import LocalBroker
from deploy.kafka.jars import Progress
from deploy.kafka.ports import free_port, is_free
from response.database import Logins
from stream import acls, topics
from stream.kafka import local_port
from stream.patience import patiently_now
from stream.settings import Settings as StreamSettings

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


def make_topics(settings: StreamSettings, wait_s: float = 0.0) -> None:
    """Make the topics that are missing, on a broker of our own also the rights to them; a broker that is away is waited
    for so many seconds. Raises UserError where one that exists is not as it should be."""
    problems = patiently_now(lambda: topics.ensure(acting_as("admin", settings)), wait_s)
    if local_port(settings.broker) is not None and not problems:
        problems = acls.ensure(acting_as("admin", settings), narrow=True)
    if problems:
        more = f" (+{len(problems) - 1})" if len(problems) > 1 else ""
        raise UserError(f"{problems[0]}{more}")


SOON_S = 3.0
"""Those who speak with people are away for no longer than this between two starts, however often they end."""


def start_workers(children: Supervisor, settings: StreamSettings, logs: Path) -> None:
    """Start ``settings.workers`` workers, each with its log in ``logs``."""
    env = holdings.environment("worker", acting_as("worker", settings))
    for n in range(settings.workers):
        name = f"worker-{n}"
        port = settings.metrics_port + n if settings.metrics_port else 0
        children.start(
            name, [*ANBU, "worker", "--index", str(n)], log_path=logs / f"{name}.log", env=env,
            health=health_page(settings.metrics_host, port),
        )  # fmt: skip


def start_response(children: Supervisor, settings: Settings, logins: Logins, logs: Path) -> None:
    """Start the process of cases, calls and messages on the database of ``logins``; its owner's is not told."""
    own = {"ANBU_RESPONSE__DATABASE_URL": logins.service, "ANBU_RESPONSE__VIEWER_URL": logins.viewer}
    env = holdings.environment("response", acting_as("response", settings), own)
    children.start(
        "response", [*ANBU, "response"], log_path=logs / "response.log", env=env, most_backoff_s=SOON_S,
        health=health_page(settings.metrics_host, settings.response.metrics_port),
    )  # fmt: skip


def metrics_ports(settings: StreamSettings) -> int:
    """First of as many neighbouring free ports as there are workers: the configured one, if they are free."""
    firsts = [settings.metrics_port] if settings.metrics_port else []
    firsts += [free_port() for _ in range(20)]
    for first in firsts:
        if all(is_free(first + n) for n in range(settings.workers)):
            return first
    raise UserError(
        f"지표용 빈 포트가 없습니다 · no {settings.workers} free neighbouring ports for the metrics: end some programs"
    )
