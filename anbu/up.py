"""`anbu up`: the services for real feeds on this machine, watched over until Ctrl-C."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.markup import escape

from anbu import database, holdings, services
from anbu.access import FOLDER, acting_as
from anbu.configuration import Settings
from anbu.console import err, out
from anbu.doctor_response import not_real
from anbu.probe import health_page
from anbu.processes import Exit, StopRequested, Supervisor
from anbu.servers import Kept, kept_broker, kept_database
from deploy.kafka.broker import LocalBroker
from deploy.postgres.server import LocalPostgres, PostgresInUseError
from response import database as db
from response.channels import make as channels
from response.settings import ResponseSettings
from response.vault import Vault
from stream.kafka import local_port

LOOK_EVERY_S = 0.2
BROKER_WAIT_S = 30.0
"""A broker of others may still be starting; a wrong address is told in the end."""
COMMAND_S = 20.0
"""So long a command that has the database for itself is waited for."""


def run(settings: Settings, external: bool = False) -> int:
    """Run everything until asked to stop; the exit code. Raises what a start can fail with."""
    port = None if external else local_port(settings.broker)
    check(settings.response)
    try:
        with (
            Supervisor(on_exit=_told) as children,
            _database(settings, children) as (logins, postgres),
            _broker(settings, port, children) as broker,
        ):
            services.make_topics(settings, BROKER_WAIT_S if external else 0.0)
            start(children, settings, logins)
            _addresses(settings)
            servers = [kept_broker(broker)] if broker else []
            _watch(children, [*servers, kept_database(postgres)] if postgres else servers)
    except StopRequested as stop:
        out.print("멈췄습니다 · stopped")
        return 0 if stop.exit_code == 130 else stop.exit_code
    return 0


def check(own: ResponseSettings) -> None:
    """What the response could not be started with is one line before anything runs, not a process that ends again and
    again. Raises VaultError, GatewayError."""
    if own.keys:
        Vault.of(own.keys)
    for drill in (False, True):
        channels.make(own, drill)


def start(children: Supervisor, settings: Settings, logins: db.Logins) -> None:
    """Start the response on the database of ``logins``, the workers and the ingest endpoint."""
    services.start_response(children, settings, logins, settings.data_dir)
    services.start_workers(children, settings, settings.data_dir)
    log = settings.data_dir / "http.log"
    beside = settings.metrics_port - 1 if settings.metrics_port else 0
    children.start(
        "http", [*services.ANBU, "http"], log_path=log, env=holdings.environment("http", acting_as("http", settings)),
        most_backoff_s=services.SOON_S, health=health_page(settings.metrics_host, beside),
    )  # fmt: skip


@contextmanager
def _broker(settings: Settings, port: int | None, children: Supervisor) -> Iterator[LocalBroker | None]:
    if port is None:
        try:
            yield None
        finally:
            children.stop_all()
        return
    with services.own_broker(settings.data_dir / FOLDER, port, children, progress=_jars) as broker:
        yield broker


@contextmanager
def _database(settings: Settings, children: Supervisor) -> Iterator[tuple[db.Logins, LocalPostgres | None]]:
    """Addresses of the database, and our own server where the settings name none."""
    given = database.given(settings.response)
    if given is not None:
        db.migrate(given.owner)
        yield given, None
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
        ours = database.logins(server)
        db.migrate(ours.owner)
        yield ours, server
    finally:
        try:
            children.stop_all()
        finally:
            server.stop()


def _watch(children: Supervisor, servers: list[Kept]) -> None:
    """Start again what ends or does not answer any more, until a signal."""

    def look() -> None:
        children.poll()
        for server in servers:
            server.tend(children, look)

    while True:
        look()
        time.sleep(LOOK_EVERY_S)


def _addresses(settings: Settings) -> None:
    s, http = settings, settings.http
    out.print(f"브로커 · broker   {s.broker.bootstrap}")
    out.print(f"수신 · ingest     http://{http.host}:{http.port}/v1/readings, /v1/events")
    if not http.senders():
        out.print("                  [yellow]API 키가 없어 모두 거절합니다 · no API key, all is refused: "
                  "ANBU_HTTP__METER_KEYS__meter=...[/]", soft_wrap=True)  # fmt: skip
    for n in range(s.workers if s.metrics_port else 0):
        out.print(f"지표 · metrics    http://{s.metrics_host}:{s.metrics_port + n}/metrics (worker-{n})")
    response = settings.response
    out.print(f"대응 · response   http://{response.host}:{response.port} (anbu cases; {response.gateway})")
    for finding in not_real(settings):
        said = f"{finding.what_ko} {finding.value} ({finding.what_en}; anbu doctor)"
        out.print(f"                  [yellow]{escape(said)}[/]", soft_wrap=True)
    out.print(f"지표 · metrics    http://{s.metrics_host}:{response.metrics_port}/metrics (response)")
    out.print(f"기록 · logs       {escape(str(s.data_dir.absolute()))}")
    out.print("Ctrl-C로 모두 끝납니다 · Ctrl-C ends all of it")


def _told(ended: Exit) -> None:
    err.print(f"[yellow]{escape(str(ended))}[/]", soft_wrap=True)


def _jars(done: int, total: int) -> None:
    if done in (0, total):
        err.print(f"Kafka: {done}/{total} jars")
