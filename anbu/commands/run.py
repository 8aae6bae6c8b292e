"""Running it: the demonstration, all services, one worker, the ingest endpoint."""

from typing import Annotated

import typer


def demo(
    households: Annotated[int, typer.Option(min=1, max=100_000, help="가구 수 · households")] = 1000,
    days: Annotated[int, typer.Option(min=1, max=400, help="미리 흘려보낼 일수 · days of history")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="같은 씨앗은 같은 동네 · same seed, same town")] = 1,
    workers: Annotated[int | None, typer.Option(min=1, help="워커 수 · workers (default: setting)")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="브로커 포트, 0은 빈 포트 · 0: any free one")] = 0,
    pace: Annotated[float, typer.Option(min=0, help="1초에 몇 시간 · hours a second; 0: as fast as it goes")] = 3.0,
    stay: Annotated[
        bool | None, typer.Option("--stay/--no-stay", help="끝난 뒤 지표를 켜 둠 · keep the metrics up at the end")
    ] = None,
) -> None:
    """시연: 브로커, 워커, 가상 1,000가구 · everything from nothing: broker, workers, a simulated town, its alerts."""
    import sys

    from anbu import configuration
    from anbu.demo import Options, run

    settings = configuration.load(workers=workers)
    watched = sys.stdin.isatty() and sys.stdout.isatty()
    stays = watched if stay is None else stay
    raise typer.Exit(run(Options(households, days, seed, port, pace, stays), settings))


def up(
    external: Annotated[
        bool, typer.Option("--external", help="브로커를 켜지 않음 · use the configured broker, start none")
    ] = False,
) -> None:
    """서비스 시작: 브로커, 워커, HTTP 수신 · the services for real feeds: broker, topics, workers, HTTP ingest."""
    from anbu import configuration
    from anbu.up import run

    raise typer.Exit(run(configuration.load(), external))


def worker(
    index: Annotated[int, typer.Option(min=0, help="번호 · its number: metrics on metrics_port + index")] = 0,
) -> None:
    """워커 하나 (Faust), SIGTERM까지 · one worker process; run as many as you like, one index each."""
    from anbu import configuration
    from anbu.access import acting_as
    from stream import worker

    worker.main(acting_as("worker", configuration.load(), stays=True), index)


def response(
    from_beginning: Annotated[
        str | None,
        typer.Option(metavar="TOPIC", help="처음부터 다시 읽게 하고 끝냄 · have it read again, and end"),
    ] = None,
) -> None:
    """대응만: 사례, ARS 전화, 문자 · cases, calls and messages alone, with the acknowledgement page, until SIGTERM."""
    if from_beginning is not None:
        _reread(from_beginning)
        return
    from anbu import configuration, database
    from anbu.access import acting_as
    from anbu.errors import UserError
    from deploy.kafka.ports import is_free
    from response import service

    settings = acting_as("response", configuration.load(), stays=True)
    port = settings.response.port
    if port and not is_free(port):
        raise UserError(
            f"포트 {port}을 다른 프로그램이 쓰고 있습니다 · port {port} is taken: end that program, or set "
            "ANBU_RESPONSE__PORT"
        )
    with database.address(settings, make=True) as logins:
        service.run(settings, settings.response, logins)


def _reread(topic: str) -> None:
    """Have the response read a topic from its beginning: what it knows changes nothing by that."""
    from datetime import UTC, datetime

    from anbu import configuration, database
    from anbu.console import out
    from anbu.errors import UserError
    from response import streams
    from stream.records import ALERTS, HOUSEHOLDS

    if topic not in (ALERTS, HOUSEHOLDS):
        raise UserError(f"그런 토픽을 읽지 않습니다 · the response does not read {topic!r}: {ALERTS} or {HOUSEHOLDS}")
    with database.connected(configuration.load()) as engine, engine.begin() as conn:
        streams.reread(conn, topic, datetime.now(UTC))
    out.print(
        f"[green]✓[/] {topic}: 30초 안에 처음부터 다시 읽습니다. 이미 아는 경보는 다시 알리지 않습니다 · it is read "
        "from its beginning within 30 s; alerts that are known are told to nobody again", soft_wrap=True,
    )  # fmt: skip


def http() -> None:
    """HTTP 수신만: POST /v1/readings, /v1/events · the ingest endpoint alone; metrics on metrics_port - 1."""
    from anbu import configuration
    from anbu.access import acting_as
    from anbu.endpoint import run

    run(acting_as("http", configuration.load(), stays=True))
