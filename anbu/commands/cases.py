"""Cases: which are open, one whole with what is coming, what was sent; what a person does is in `case_acts`."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from anbu.commands import case_acts
from anbu.commands import case_tools as tools

if TYPE_CHECKING:
    from response.lists import Sent

app = typer.Typer(
    help="사례: 목록, 경과, 맡기, 닫기, 되돌리기 · cases: lists, one with its course, take it, close it, undo",
    no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
Why = Annotated[str, typer.Option("--why", help="이름을 보는 사유, 기록됩니다 · the reason, which is recorded")]


@app.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="7일 안에 닫힌 것도 · those closed in a week too")] = False,
    dong: Annotated[str | None, typer.Option(help="동, 이름이나 번호 · of one dong, by name or id")] = None,
    level: Annotated[str | None, typer.Option(help="caution, serious")] = None,
    phase: Annotated[str | None, typer.Option(help="asking, telling, acknowledged, calm, closed")] = None,
) -> None:
    """열린 사례 · open cases: the serious first."""
    from rich.markup import escape

    from anbu.console import err, out, sheet
    from response import lists, names, outbox

    settings, now = tools.load(), tools.now()
    since = now - timedelta(days=lists.CLOSED_DAYS) if all_ or phase == "closed" else None
    named = {name: id_ for id_, name in settings.response.places.items()}
    dong = named.get(dong, dong) if dong is not None else None
    tools.one_of("--level", level, ("caution", "serious"))
    tools.one_of("--phase", phase, names.PHASES)
    with tools.looking(settings) as (engine, sight), engine.begin() as conn:
        tools.one_of("--dong", dong, [*lists.dongs(conn), *settings.response.places])
        rows = lists.cases(conn, closed_since=since, dong=dong, level=level, phase=phase)
        shown = tools.shown(sight, settings, [row.owner for row in rows], now)
        aside = outbox.refused(conn, now)
    heads = ("번호 no.", "단계 level", "상태 phase", "경과 age", "가구 home", "동 dong", "맡은 이 owner", "다음 next")
    table = sheet(*heads)
    for row in rows:
        said = names.CODES[row.code] if row.code else names.UNTOLD if row.untold else names.PHASES[row.phase]
        coming = f"{' '.join(row.turn)} {tools.stamp(row.next_at, settings)}" if row.next_step and row.next_at else ""
        table.add_row(
            f"{row.case_id}{' 훈련 drill' if row.drill else ''}", " ".join(names.level(row.level)), " ".join(said),
            tools.age(row.age(now)), escape(row.household_id), escape(settings.response.place(row.dong)),
            escape(shown(row.owner or "")), escape(coming),
        )  # fmt: skip
    out.print(table if rows else "열린 사례가 없습니다 · no case is open")
    for _, case_id, why in aside:
        ko = f"{case_id}번의 결과를 감지에 전할 수 없습니다: 다시 열어 다시 닫으십시오"
        en = f"the stream refuses the outcome of case {case_id}, reopen it and close it anew: {why}"
        err.print(f"{ko} · {en}", markup=False, soft_wrap=True)


@app.command()
def past() -> None:
    """지난 경보: 기록만 한 것과 기다리는 것, 7일 · a week's alerts of the past, those that wait too."""
    from rich.markup import escape

    from anbu.console import out, sheet
    from response import known, lists, names

    settings, now = tools.load(), tools.now()
    with tools.connected(settings) as engine, engine.connect() as conn:
        rows = known.of_the_past(conn, tools.desk(engine, settings).past, now - timedelta(days=lists.CLOSED_DAYS))
    heads = ("일어난 때 when", "기록한 때 recorded", "가구·지역 home, area", "무엇 what", "단계 level", "")
    table = sheet(*heads)
    for row in rows:
        what = names.ALERTS.get(row.kind) or names.TEMPLATES.get(row.kind, (row.kind, ""))
        whose = settings.response.place(row.area) if row.area else row.subject
        table.add_row(
            tools.stamp(row.at, settings), tools.stamp(row.recorded_at, settings),
            escape(f"{whose}{' 훈련 drill' if row.drill else ''}"), f"{escape(what[0])} {names.EVENTS[row.event][0]}",
            names.level(row.level)[0], "따라잡기를 기다림 waits" if row.waits else "",
        )  # fmt: skip
    out.print(table if rows else "지난 경보가 없습니다 · no alert of the past")


@app.command()
def show(
    number: case_acts.Number,
    names: Annotated[bool, typer.Option("--names", help="모든 이름과 메모, 사유 필요 · all names, comments")] = False,
    why: Why = "",
) -> None:
    """한 사례: 지난 일과 올 일 · one case: what happened and what is coming if nobody does anything."""
    from rich.markup import escape

    from anbu.console import err, out, sheet
    from anbu.errors import UserError
    from anbu.viewer import viewer
    from response import comments, homes, lists, timeline, who, withdrawals
    from response.access import viewing
    from response.vault import Vault

    settings, now = tools.load(), tools.now()
    with tools.looking(settings) as (engine, sight), engine.begin() as conn:
        desk, vault = tools.desk(engine, settings), Vault.of(settings.response.keys) if names else None
        whole = lists.whole(conn, number)
        household, dong = whole.listed.household_id, whole.listed.dong
        if withdrawals.stands(conn, household) == "pending":
            raise UserError("동의가 철회된 댁이라 보일 수 없습니다 · consent was withdrawn: nothing of it is shown")
        if names:
            me = viewer()
            viewing(conn, me.name, me.source, household, "case", why, number, now)
        ids = who.in_log(whole.log)
        shown = tools.shown(sight, settings, ids, now, number, why if names else tools.WHY, whole=names)
        coming = timeline.coming(whole.case, desk.hours, now, lambda at: desk.circle(conn, household, dong, at))
        vain = homes.in_vain(conn, household)
    past = timeline.past(whole.log, whole.case, desk.hours, shown)
    title = f"{number} · {household} · {settings.response.place(dong)}"
    table = sheet("때 when", "누가 who", "무엇 what", title=escape(title), title_style="bold")
    for line in past:
        comment = comments.opened(vault, number, line.comment)
        by = line.who[0] if line.who[0] == line.who[1] else " ".join(line.who)
        by = f"{by}\n(계정 account {line.account})" if line.account else by
        when = line.when if not line.recorded else f"{line.when}\n(기록 recorded {line.recorded})"
        table.add_row(when, escape(by), escape("\n".join([*line.text, *([f"“{comment}”"] if comment else [])])))
    table.add_section()
    for line in coming:
        table.add_row(line.when, "예정 coming", escape("\n".join(line.text)), style="dim")
    out.print(table)
    out.print(f"이 집의 헛알림 · alerts of this home that were in vain so far: {vain}")
    for line in past:
        if line.detail:
            err.print(f"기계 기록 · machine: {line.when} {line.detail}", markup=False, soft_wrap=True, style="dim")


for command in (
    case_acts.take, case_acts.ask, case_acts.note, case_acts.close, case_acts.undo, case_acts.reopen,
):  # fmt: skip
    app.command()(command)
app.command("acknowledge")(case_acts.take)


@app.command()
def deliveries(
    case: Annotated[int | None, typer.Option(help="사례 번호 · of one case")] = None,
    since: Annotated[str, typer.Option(help="언제부터 · YYYY-MM-DD [HH:MM] (default: a day)")] = "",
) -> None:
    """보낸 것과 보내지 않은 것, 그 까닭 · every call and message, sent and not sent, and why."""
    from rich.markup import escape

    from anbu.console import err, out, sheet
    from response import lists, names
    from response.records import NotSent

    settings, now = tools.load(), tools.now()
    start = tools.moment(since, settings, now) if since else None if case is not None else now - timedelta(days=1)
    with tools.looking(settings) as (engine, sight), engine.begin() as conn:
        rows = lists.deliveries(conn, case_id=case, since=start)
        if case is not None and not rows:
            lists.whole(conn, case)  # a wrong number is no case of which nothing was sent
        staff = [row.person_id for row in rows if row.role not in ("resident", None)]
        shown = tools.shown(sight, settings, staff, now, case)
    table = sheet("때 when", "사례 case", "무엇 what", "누구에게 to", "결과 result", "까닭 why")
    for row in rows:
        what = names.MEANS["call"] if _rings(row) else names.TEMPLATES.get(row.what, ("연락", "contact"))
        to = names.role(row.role)[0] if row.role else ""
        if row.person_id and row.role != "resident":
            to = f"{to} {shown(row.person_id)}".strip()
        result = (names.result(row.result) or names.STATES[row.state])[0]
        table.add_row(
            tools.stamp(row.created_at, settings), f"{row.case_id or ''}{' 훈련 drill' if row.drill else ''}",
            escape(" ".join(what)), escape(to), escape(" ".join(filter(None, (result, names.channel(row.channel)[0])))),
            " ".join(names.REASONS[NotSent(row.reason)]) if row.reason else "",
        )  # fmt: skip
    out.print(table if rows else "보낸 것이 없습니다 · nothing was sent or left unsent")
    for row in rows:
        if row.detail:
            line = f"기계 기록 · machine: {tools.stamp(row.created_at, settings)} {row.case_id or ''} {row.detail}"
            err.print(line, markup=False, soft_wrap=True, style="dim")


def _rings(row: "Sent") -> bool:
    """Whether it is, or would have been, a call."""
    return row.kind == "call" or (not row.what and row.reason == "no_calls")
