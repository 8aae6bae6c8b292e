"""Looking after it: doctor, topics, docs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


def doctor() -> None:
    """점검: 무엇을 어떻게 고칠지 · what is wrong (broker, topics, clock, disk, ports), how to mend it."""
    from datetime import UTC, datetime

    from anbu import configuration, doctor_response
    from anbu.doctor import diagnose, render

    settings = configuration.load()
    raise typer.Exit(render([*diagnose(settings, datetime.now(UTC)), *doctor_response.look(settings)]))


class Action(StrEnum):
    """What to do with the topics."""

    create = "create"
    check = "check"


def topics(
    action: Annotated[
        Action, typer.Argument(help="만들기 또는 확인 · make those missing, or only check")
    ] = Action.create,
) -> None:
    """토픽을 만들거나 확인합니다 · make the topics that are missing and check those that exist; nothing is altered."""
    from anbu import configuration
    from anbu.console import err, out
    from stream import topics

    settings = configuration.load()
    problems = topics.ensure(settings) if action is Action.create else topics.check(settings)
    for problem in problems:
        err.print(f"[red]✗[/] {problem.text_ko}\n  [dim]{problem.text_en}[/]", soft_wrap=True)
    if problems:
        raise typer.Exit(1)
    for topic in topics.wanted(settings):
        out.print(f"[green]✓[/] {settings.topic(topic.name)} [dim]{topic.partitions}[/]")


def docs(
    out: Annotated[Path | None, typer.Option(help="폴더 · folder (default: docs/ of this checkout)")] = None,
) -> None:
    """설정·토픽·사다리 문서를 코드에서 씁니다 · write settings.md, topics.md, ladder.svg, schemas from the code."""
    from anbu import docs

    for path in docs.write(out or docs.DOCS):
        typer.echo(path)
