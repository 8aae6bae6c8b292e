"""``anbu``: the command line. Each command imports what it needs when it runs, so that help comes at once."""

import logging
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from anbu import errors
from anbu.commands import care, cases, feed, judge, people, run, teach, withdrawal
from deploy.bare import NO_ACCESS_TO_OTHERS
from stream.plain import plain

ABOUT = """안부: 전기와 전화 기록으로, 혼자 사는 분의 생활이 멈춘 것을 몇 시간 안에 알아챕니다.

Notices within hours, from electricity and phone activity, that the life of someone living alone has stopped.
"""
END = "처음이라면 `anbu demo` · new here? `anbu demo`. 설정 · settings: docs/settings.md; ANBU_DEBUG=1: tracebacks"

app = typer.Typer(
    name="anbu", help=ABOUT, epilog=END, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip

PANELS: tuple[tuple[str, dict[str, Callable[..., None]]], ...] = (
    ("시작 · start here", {"demo": run.demo, "up": run.up}),
    ("자료 · data", {"ingest": feed.ingest, "warn": feed.warn, "simulate": feed.simulate}),
    ("판단 · judging", {"backtest": judge.backtest, "replay": judge.replay, "train": teach.train}),
    ("운영 · operations", {
        "doctor": care.doctor, "topics": care.topics, "worker": run.worker, "response": run.response,
        "http": run.http, "docs": care.docs,
    }),
)  # fmt: skip
for panel, commands in PANELS:
    for name, command in commands.items():
        app.command(name, rich_help_panel=panel)(command)


app.add_typer(cases.app, name="cases", rich_help_panel="대응 · response")
app.add_typer(people.app, name="people", rich_help_panel="대응 · response")
app.add_typer(withdrawal.app, name="withdrawal", rich_help_panel="대응 · response")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(version("anbu"))
        except PackageNotFoundError:  # run from the source, not installed
            typer.echo("source")
        raise typer.Exit


@app.callback(help=ABOUT)
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="버전 · the version")
    ] = False,
) -> None:
    """Options of ``anbu`` itself: ``--version`` has been answered by now."""


def main(args: list[str] | None = None) -> Any:
    """Run a command. A user's mistake is one line and exit code 2; a fault of ours is one line and exit code 1."""
    os.umask(NO_ACCESS_TO_OTHERS)
    logging.getLogger().addHandler(logging.NullHandler())  # what matters of the clients' warnings comes as an error
    try:
        app(args, prog_name="anbu")
    except KeyboardInterrupt as e:
        sys.exit(getattr(e, "exit_code", 130))
    except BrokenPipeError:  # `anbu ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as e:
        if errors.debugging():
            raise
        line = errors.line_of(e)
        if line is not None:
            sys.stderr.write(f"anbu: {line}\n")
            sys.exit(2)
        sys.stderr.write(
            f"anbu: 예상하지 못한 오류입니다 · an error nobody foresaw: {type(e).__name__}: {plain(str(e))} "
            "(ANBU_DEBUG=1 shows where; please report it)\n"
        )
        sys.exit(1)
