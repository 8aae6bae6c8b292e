"""Data in: ingest of files, and files of a simulated town."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

SHOWN = 50
"""Bad rows shown one by one; the others are counted."""

Kinds = Annotated[
    Literal["names", "android"],
    typer.Option("--phone-kinds", help="전화 기록의 kind: 이름, 또는 Android 통화 기록의 번호 · kinds of phone events: "
                                       "names, or the numbers of Android's call log"),
]


class TimeIs(StrEnum):
    """What a reading's time is."""

    start = "start"
    end = "end"


def ingest(
    files: Annotated[list[Path], typer.Argument(help="CSV, JSON lines, Parquet, 열 이름으로 구별 · told by columns")],
    feed: Annotated[str | None, typer.Option(help="자료 이름 · name of the source (default: meter, phone)")] = None,
    tz: Annotated[str | None, typer.Option(help="시각의 시간대 · zone of naive times (default: setting tz)")] = None,
    complete_until: Annotated[
        str | None,
        typer.Option(help="이 시각까지 빠짐없음 (RFC 3339) · these files are all there is up to then"),
    ] = None,
    time_is: Annotated[
        TimeIs, typer.Option(help="전기 시각은 구간의 시작 또는 끝 · readings' times are the start or the end")
    ] = TimeIs.start,
    force: Annotated[
        bool, typer.Option("--force", help="의심스러운 자료도 보냄 · send also what would blind the detector")
    ] = False,
    phone_kinds: Kinds = "names",
) -> None:
    """파일을 토픽으로 보냅니다 · send files to the topics; a bad row is told by its line and the others go on.

    What is suspected of a household is told; what would blind the detector is not sent (exit code 1) without --force.
    """
    import asyncio

    from rich.markup import escape

    from anbu import configuration
    from anbu.access import acting_as
    from anbu.console import bad_rows, bar, err, out, suspicions
    from stream import ingest
    from stream.badrows import BadRow
    from stream.plain import plain

    settings = acting_as("operator", configuration.load())
    until = None if complete_until is None else _seconds(complete_until)
    with bar() as progress:
        task = progress.add_task("보내는 중 · sending", total=None)
        shown = 0

        def sent(path: Path, rows: int) -> None:
            done = int(progress.tasks[0].completed) + rows
            progress.update(task, advance=rows, description=f"{escape(path.name)} {done:,}")

        def bad(path: Path, line: int, fault: BadRow) -> None:
            nonlocal shown
            shown += 1
            if shown <= SHOWN:
                err.print(escape(plain(f"{path}:{line}: {fault.reason}: {fault.detail}")), soft_wrap=True)

        result = asyncio.run(
            ingest.run(
                files, settings, feed, sent, bad, tz=_zone(tz), complete_until=until, now=_now(),
                ends=time_is == TimeIs.end, force=force, phone_kinds=phone_kinds,
            )
        )  # fmt: skip
    for what, rows in sorted(result.sent.items()):
        out.print(f"[green]✓[/] {escape(what)}: {rows:,}")
    bad_rows(result.bad, result.examples)
    suspicions(result.suspicions, force)
    for signal, sent_by, named in result.foreign:
        own, name = escape(", ".join(named[:3])), escape(sent_by)
        err.print(
            f"[red]✗[/] {signal}: 이 가구들의 자료 이름은 {own}입니다. {name}(으)로 보낸 것은 버려집니다: "
            "--feed로 이름을 적어 다시 보내십시오 · "
            f"these homes name the feed {own}: what was sent as {name} is dropped; send it again with --feed",
            soft_wrap=True,
        )
    for line in result.failed:
        err.print(f"[red]✗[/] {escape(line)}", soft_wrap=True)
    raise typer.Exit(result.exit_code)


class WarningKind(StrEnum):
    """What an area is warned of."""

    heat = "heat"
    cold = "cold"


def warn(
    areas: Annotated[list[str], typer.Argument(help="지역, 등록 기록의 area · areas, as in the households' records")],
    kind: Annotated[WarningKind, typer.Option(help="폭염 또는 한파 · heat or cold")],
    until: Annotated[str | None, typer.Option(help="끝나는 시각 (RFC 3339) · when it ends")] = None,
    level: Annotated[int, typer.Option(min=1, max=2, help="1 주의보 · advisory, 2 경보 · alert")] = 1,
    since: Annotated[str | None, typer.Option("--from", help="시작 (기본: 지금) · its begin (default: now)")] = None,
    lift: Annotated[bool, typer.Option("--lift", help="해제 · it ends at once (or at --from)")] = False,
) -> None:
    """폭염·한파 특보를 알립니다: 한도가 짧아집니다 · tell of a warning of heat or cold: the area's limits get shorter.

    From its beginning on it replaces what was said before of the area and kind. It always has an end.
    """
    import asyncio
    from datetime import UTC

    from rich.markup import escape

    from anbu import configuration
    from anbu.access import acting_as
    from anbu.console import out
    from stream import ingest, warned
    from stream.records import AreaWarning

    settings = acting_as("operator", configuration.load())
    if (until is None) != lift:
        raise typer.BadParameter("--until TIME, or --lift: a warning always has an end")
    begin = datetime.fromtimestamp(_now() if since is None else _seconds(since), UTC)
    end = begin if until is None else datetime.fromtimestamp(_seconds(until), UTC)
    records = [AreaWarning(area, kind.value, 2 if level == 2 else 1, begin, end) for area in areas]
    for record in records:
        if (fault := warned.fault_of(record, _now())) is not None:
            raise typer.BadParameter(fault[1])
    asyncio.run(ingest.warn(records, settings))
    out.print(f"[green]✓[/] {kind.value}: {escape(', '.join(areas))}", soft_wrap=True)


def simulate(
    out: Annotated[Path, typer.Option(help="폴더 · folder for the files: readings, events, households, truth")],
    households: Annotated[int, typer.Option(min=1, help="가구 수 · households")] = 400,
    days: Annotated[int, typer.Option(min=1, help="일수 · days")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="같은 씨앗은 같은 동네 · same seed, same town")] = 1,
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="첫날 · first day")] = datetime(2026, 3, 2),
    drill: Annotated[bool, typer.Option("--drill", help="훈련 표시 · alerts will be marked as a drill")] = False,
    share: Annotated[float, typer.Option(min=0, max=1, help="일을 겪는 가구 · share of homes with an incident")] = 0.2,
) -> None:
    """가상 동네를 파일로, 정답과 함께 · a simulated town as files, with the truth beside."""
    from rich.markup import escape

    from anbu import configuration
    from anbu.console import bar
    from anbu.console import out as screen
    from simulators.plans import plan_weeks
    from simulators.town import make_town
    from simulators.write import write

    town = make_town(households, seed, start.date(), configuration.load().tz, drill=drill)
    events = plan_weeks(town, range(days), share)
    with bar(counts=True) as progress:
        task = progress.add_task("쓰는 중 · writing days", total=days)
        written = write(town, range(days), events, out, lambda done, _: progress.update(task, completed=done))
    screen.print(
        f"[green]✓[/] {escape(str(out))}: {written.readings:,} readings, {written.phone_events:,} phone events, "
        f"{written.households:,} households, {written.truths:,} lines of truth"
    )
    screen.print(
        f"anbu backtest --meter {out}/meter.parquet --phone {out}/phone.parquet "
        f"--households {out}/households.jsonl --out alerts.jsonl", soft_wrap=True, markup=False, style="dim",
    )  # fmt: skip


def _seconds(text: str) -> int:
    """UTC seconds of an RFC 3339 time."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as e:
        raise typer.BadParameter(f"{text!r}: write it as 2026-01-31T14:15:00+09:00") from e
    if at.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no time zone: write it as 2026-01-31T14:15:00+09:00")
    return int(at.timestamp())


def _zone(name: str | None) -> str | None:
    if name is not None:
        from anbu import configuration

        configuration.load(tz=name)
    return name


def _now() -> int:
    import time

    return int(time.time())
