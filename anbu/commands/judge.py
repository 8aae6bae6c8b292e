"""History judged: offline by the same functions (backtest), and through the broker (replay)."""

from pathlib import Path
from typing import Annotated

import typer

from anbu.commands.feed import Kinds, TimeIs

Meter = Annotated[Path, typer.Option(help="전기: household_id, timestamp, kwh (CSV, Parquet, JSON lines) · readings")]
Phone = Annotated[
    Path | None, typer.Option(help="전화: household_id, timestamp, kind, duration_s · phone events")
]
Households = Annotated[
    Path | None, typer.Option(help="등록 기록 (JSON lines); 없으면 기본값 · enrolments; the others get the defaults")
]
Warnings = Annotated[
    Path | None, typer.Option(help="폭염·한파 특보 (JSON lines) · warnings of heat and cold, in their order")
]
Out = Annotated[Path, typer.Option(help="알림, 한 줄에 하나 · alert events, one JSON object a line, ordered by `at`")]
Report = Annotated[
    Path | None, typer.Option(help="읽고 인쇄할 보고서 (HTML) · a page to read and print: alerts, homes, pictures")
]
Tz = Annotated[str | None, typer.Option(help="시간대 없는 시각의 시간대 · zone of naive times (default: setting tz)")]
Folds = Annotated[
    Path | None, typer.Option(help="anbu train --save-folds의 폴더: 본 적 없는 모델로 판단 · each home by the "
                              "model that never saw it; 'home-x' is taken for a copy of 'home'")
]
Ends = Annotated[
    TimeIs, typer.Option("--time-is", help="전기 시각은 구간의 시작 또는 끝 · readings' times are the start or the end")
]
Force = Annotated[
    bool, typer.Option("--force", help="의심스러운 자료도 사용 · use also what would blind the detector")
]

def backtest(
    meter: Meter, out: Out, phone: Phone = None, households: Households = None, warnings: Warnings = None,
    tz: Tz = None, report: Report = None, folds: Folds = None, time_is: Ends = TimeIs.start, force: Force = False,
    phone_kinds: Kinds = "names",
) -> None:  # fmt: skip
    """지난 기록을 판단합니다 · judge history by the functions that judge the live stream; no broker needed."""
    from anbu import configuration, history
    from anbu import folds as left_out
    from anbu.console import bar
    from anbu.errors import UserError
    from simulators import backtest
    from simulators.review import review

    if folds is not None and report is not None:
        raise UserError("--folds와 --report는 함께 못 씁니다 · --folds goes without --report: that is of one model")
    settings = configuration.load(tz=tz)
    with bar() as progress, history.alerts_file(out) as write:
        task = progress.add_task("읽는 중 · reading", total=None)
        past = history.load(
            meter, phone, households, settings.tz, warnings, ends=time_is == TimeIs.end, force=force,
            phone_kinds=phone_kinds,
        )  # fmt: skip
        progress.update(task, description="판단하는 중 · judging", total=1)

        def step(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        if folds is not None:
            for alert in left_out.backtest(left_out.read(folds), past, settings, step):
                write(alert)
        elif report is None:
            for alert in backtest.backtest(past.meter, past.phone, past.households, settings, step, past.warnings):
                write(alert)
        else:
            found = review(past.meter, past.phone, past.households, settings, write, step, past.warnings)
            history.save_report(found, past, settings, report)
        progress.update(task, completed=progress.tasks[0].total)
    history.report(past, write.counts, out)
    raise typer.Exit(past.exit_code)


def replay(
    meter: Meter, out: Out, phone: Phone = None, households: Households = None, warnings: Warnings = None,
    tz: Tz = None, time_is: Ends = TimeIs.start, force: Force = False, phone_kinds: Kinds = "names",
    local: Annotated[bool, typer.Option("--local", help="브로커도 켬 · start a broker of its own for this")] = False,
) -> None:  # fmt: skip
    """같은 파일을 브로커로 흘려 판단합니다 · send the same files through the broker and its workers, on event time.

    Topics of the setting topic_prefix must be empty: ANBU_TOPIC_PREFIX=replay1. gives new ones. With --local a broker
    is started for it, and its data are deleted at the end.
    """
    from anbu import configuration, history, replaying

    settings = configuration.load(tz=tz)
    past = history.load(
        meter, phone, households, settings.tz, warnings, ends=time_is == TimeIs.end, force=force,
        phone_kinds=phone_kinds,
    )  # fmt: skip
    with history.alerts_file(out) as write:
        for alert in replaying.run(past, settings, local):
            write(alert)
    history.report(past, write.counts, out)
    raise typer.Exit(past.exit_code)
