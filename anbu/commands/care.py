"""Looking after it: doctor, topics, docs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


def doctor() -> None:
    """점검: 고칠 것과 실제가 아닌 것, 앞으로 한 주 · what to mend, what is not real, who is missing in the coming week.

    끝 값 · exit code: 0 정상 · all is well, 1 고칠 것 · something to mend, 3 실제가 아님 · nothing to mend, not real.
    """
    from datetime import UTC, datetime

    from anbu import configuration, doctor_overt, doctor_response
    from anbu.doctor import diagnose, render

    settings = configuration.load()
    now = datetime.now(UTC)
    found = [*diagnose(settings, now), *doctor_overt.look(settings), *doctor_response.look(settings, now)]
    raise typer.Exit(render(found))


class Action(StrEnum):
    """What to do with the topics."""

    create = "create"
    check = "check"


def topics(
    action: Annotated[
        Action, typer.Argument(help="만들기 또는 확인 · make those missing, or only check")
    ] = Action.create,
) -> None:
    """토픽과 권한을 만들거나 확인합니다 · make the missing topics and users' rights, and check those there are."""
    from rich.markup import escape

    from anbu import configuration
    from anbu.access import acting_as
    from anbu.console import err, out
    from stream import acls, topics
    from stream.kafka import local_port

    given = configuration.load()
    settings, create = acting_as("admin", given), action is Action.create
    problems = topics.ensure(settings) if create else topics.check(settings)
    try:
        narrow = local_port(given.broker) is not None
        problems += acls.ensure(settings, narrow) if create else acls.check(settings)
    except (acls.NoAuthorizerError, acls.NotToldError) as e:
        err.print(f"[yellow]○[/] 권한 · rights: {escape(str(e))}", soft_wrap=True)
    for problem in problems:
        err.print(f"[red]✗[/] {escape(problem.text_ko)}\n  [dim]{escape(problem.text_en)}[/]", soft_wrap=True)
    if problems:
        raise typer.Exit(1)
    for topic in topics.wanted(settings):
        out.print(f"[green]✓[/] {escape(settings.topic(topic.name))} [dim]{topic.partitions}[/]")


def docs(
    out: Annotated[Path | None, typer.Option(help="폴더 · folder (default: docs/ of this checkout)")] = None,
) -> None:
    """설정·토픽·사다리 문서를 코드에서 씁니다 · write settings.md, topics.md, ladder.svg, schemas from the code."""
    from anbu import docs

    for path in docs.write(out or docs.DOCS):
        typer.echo(path)
