"""Consent withdrawn: which households can still be undone, and undoing it."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from anbu.commands import case_tools as tools

if TYPE_CHECKING:
    from stream.records import Household

app = typer.Typer(
    help="동의 철회: 목록, 되돌리기 · consent withdrawn: which can be undone, undo it",
    no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip


@app.command("list")
def list_(
    ids: Annotated[bool, typer.Option("--ids", help="가구 번호만 · the households' ids alone")] = False,
) -> None:
    """파기를 기다리는 철회 · withdrawals whose data are not deleted yet, and until when they can be undone."""
    from rich.markup import escape

    from anbu.console import out, sheet
    from response import withdrawals

    settings, now = tools.load(), tools.now()
    with tools.connected(settings) as engine, engine.connect() as conn:
        rows = withdrawals.pending(conn)
    if ids:
        for row in rows:
            typer.echo(row.household_id)
        return
    table = sheet("가구 home", "철회 withdrawn", "받은 때 heard", "파기 deleted at", "남은 시간 left")
    for row in rows:
        times = (tools.stamp(time, settings) for time in (row.at, row.heard_at, row.delete_at))
        table.add_row(escape(row.household_id), *times, tools.age(max(row.delete_at - now, timedelta(0))))
    out.print(table if rows else "파기를 기다리는 철회가 없습니다 · no withdrawal waits to be deleted")
    if rows:
        out.print(
            "잘못이면 · if one is wrong: anbu withdrawal undo 가구 HOUSEHOLD --by 번호 PERSON --why 사유 REASON",
            markup=False, soft_wrap=True,
        )  # fmt: skip


@app.command()
def undo(
    households: Annotated[list[str], typer.Argument(help="가구 번호 · the households' ids")],
    by: Annotated[str, typer.Option("--by", help="누가 (사람 번호) · who: the person's id")],
    why: Annotated[str, typer.Option("--why", help="사유, 기록됩니다 · the reason, which is recorded")],
) -> None:
    """철회를 되돌립니다: 다시 살피고, 등록된 분들이 돌아옵니다 · undo withdrawals: watched again, people are back.

    하루(withdrawal_hours)가 지나면 자료가 없어 되돌릴 수 없습니다 · afterwards there is nothing left to go back to.
    """
    import asyncio

    from anbu.access import acting_as
    from anbu.console import err, out
    from anbu.viewer import viewer
    from response import actors, registry, withdrawals
    from response.access import viewing
    from stream import consent, ingest

    settings, now = tools.load(), tools.now()
    sender = acting_as("operator", settings)
    records: list[Household] = []
    with tools.connected(settings) as engine, engine.begin() as conn:
        actors.acting(conn, by)
        pending = {row.household_id: row.at for row in withdrawals.pending(conn) if row.delete_at > now}
        me = viewer()
        for home in dict.fromkeys(households):
            record = registry.household(conn, home)
            if home not in pending or record is None:
                err.print(
                    f"{home}: 되돌릴 철회가 없습니다 · no withdrawal of it can be undone: see `anbu withdrawal list`",
                    markup=False, soft_wrap=True,
                )  # fmt: skip
                continue
            viewing(conn, me.name, me.source, home, f"withdrawal undo as {by}", why, None, now)
            records.append(consent.given_anew(record, pending[home], now))
    asyncio.run(ingest.enrol(records, sender))
    out.print(f"[green]✓[/] {len(records):,}가구를 되돌립니다 · undone")
    raise typer.Exit(1 if len(records) < len(set(households)) else 0)
