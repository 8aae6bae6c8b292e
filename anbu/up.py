"""`anbu up`: the services for real feeds on this machine, watched over until Ctrl-C."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.markup import escape

from anbu import database, services
from anbu.configuration import Settings, environment, local_port
from anbu.console import err, out
from anbu.processes import Exit, StopRequested, Supervisor
from deploy.kafka.broker import BrokerError, LocalBroker
from deploy.postgres.errors import PostgresError
from deploy.postgres.server import LocalPostgres, PostgresInUseError
from response import database as db

LOOK_EVERY_S = 0.2
SERVER_PAUSE_S = 5.0
COMMAND_S = 20.0
"""So long a command that has the database for itself is waited for."""


def run(settings: Settings, external: bool = False) -> int:
    """Run everything until asked to stop; the exit code. Raises what a start can fail with."""
    port = None if external else local_port(settings)
    try:
        with (
            Supervisor(on_exit=_told) as children,
            _database(settings, children) as (url, postgres),
            _broker(settings, port, children) as broker,
        ):
            services.make_topics(settings)
            start(children, settings, url)
            _addresses(settings)
            _watch(children, [server for server in (broker, postgres) if server is not None])
    except StopRequested as stop:
        out.print("멈췄습니다 · stopped")
        return 0 if stop.exit_code == 130 else stop.exit_code
    return 0


def start(children: Supervisor, settings: Settings, url: str) -> None:
    """Start the response on the database at ``url``, the workers and the ingest endpoint."""
    services.start_response(children, settings, url, settings.data_dir)
    services.start_workers(children, settings, settings.data_dir)
    log = settings.data_dir / "http.log"
    children.start("http", [*services.ANBU, "http"], log_path=log, env=environment(settings))


@contextmanager
def _broker(settings: Settings, port: int | None, children: Supervisor) -> Iterator[LocalBroker | None]:
    if port is None:
        try:
            yield None
        finally:
            children.stop_all()
        return
    with services.own_broker(broker_dir(settings), port, children, progress=_jars) as broker:
        yield broker


@contextmanager
def _database(settings: Settings, children: Supervisor) -> Iterator[tuple[str, LocalPostgres | None]]:
    """Address of the database, and our own server where the settings name none."""
    given = settings.response.database_url
    if given is not None:
        db.migrate(given.get_secret_value())
        yield given.get_secret_value(), None
        return
    server = LocalPostgres(database.folder(settings))
    until = time.monotonic() + COMMAND_S
    try:
        while True:
            try:
                server.start()
                break
            except PostgresInUseError:  # a command may hold it for a moment
                if time.monotonic() > until:
                    raise
                time.sleep(LOOK_EVERY_S)
        db.migrate(server.url)
        yield server.url, server
    finally:
        try:
            children.stop_all()
        finally:
            server.stop()


def broker_dir(settings: Settings) -> Path:
    """Where the broker of `anbu up` keeps its data, from one start to the next."""
    return settings.data_dir / "kafka"


def _watch(children: Supervisor, servers: Sequence[LocalBroker | LocalPostgres]) -> None:
    """Restart what ends, until a signal."""
    retry = 0.0
    while True:
        children.poll()
        for server in servers:
            if server.alive or time.monotonic() < retry:
                continue
            what = "브로커 · the broker" if isinstance(server, LocalBroker) else "데이터베이스 · the database"
            err.print(f"[red]{what}: 끝났습니다 · has ended[/]: {escape(server.reason())}", soft_wrap=True)
            try:
                server.start()
            except (BrokerError, PostgresError) as e:
                err.print(f"[red]✗[/] {escape(str(e))}", soft_wrap=True)
                retry = time.monotonic() + SERVER_PAUSE_S
        time.sleep(LOOK_EVERY_S)


def _addresses(settings: Settings) -> None:
    s, http = settings, settings.http
    out.print(f"브로커 · broker   {s.broker.bootstrap}")
    out.print(f"수신 · ingest     http://{http.host}:{http.port}/v1/readings, /v1/events")
    if not http.api_keys:
        out.print("                  [yellow]API 키가 없어 모두 거절합니다 · no API key, all is refused: "
                  "ANBU_HTTP__API_KEYS__meter=...[/]", soft_wrap=True)  # fmt: skip
    for n in range(s.workers if s.metrics_port else 0):
        out.print(f"지표 · metrics    http://{s.metrics_host}:{s.metrics_port + n}/metrics (worker-{n})")
    response = settings.response
    out.print(f"대응 · response   http://{response.host}:{response.port} (anbu cases; {response.gateway})")
    if not response.keys:
        out.print("                  [yellow]개인정보 키가 없어 아무에게도 연락하지 못합니다 · no key, "
                  "nobody can be told: anbu people key[/]", soft_wrap=True)  # fmt: skip
    out.print(f"지표 · metrics    http://{s.metrics_host}:{response.metrics_port}/metrics (response)")
    out.print(f"기록 · logs       {s.data_dir.absolute()}")
    out.print("Ctrl-C로 모두 끝납니다 · Ctrl-C ends all of it")


def _told(ended: Exit) -> None:
    err.print(f"[yellow]{escape(str(ended))}[/]", soft_wrap=True)


def _jars(done: int, total: int) -> None:
    if done in (0, total):
        err.print(f"Kafka: {done}/{total} jars")
