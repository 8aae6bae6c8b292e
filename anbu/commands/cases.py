"""Cases: which are open, one whole with what is coming, and what a person does with it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from stream.records import OutcomeCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection, Engine

    from anbu.configuration import Settings
    from response.desk import Desk
    from response.lists import Whole
    from response.vault import Vault

app = typer.Typer(
    help="사례: 목록, 한 사례의 경과, 맡기, 닫기 · cases: lists, one with its course, take it, close it",
    no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip

Number = Annotated[int, typer.Argument(help="사례 번호 · number of the case")]
By = Annotated[str, typer.Option("--by", help="누가 (사람 번호) · who: the person's id")]
Comment = Annotated[str, typer.Option(help="메모, 봉인해 저장 · a comment; it is sealed")]
Why = Annotated[str, typer.Option("--why", help="이름을 보는 사유, 기록됩니다 · the reason, which is recorded")]


@app.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="7일 안에 닫힌 것도 · those closed in a week too")] = False,
    dong: Annotated[str | None, typer.Option(help="동 · of one dong")] = None,
    level: Annotated[str | None, typer.Option(help="caution, serious")] = None,
    phase: Annotated[str | None, typer.Option(help="asking, telling, acknowledged, calm, closed")] = None,
) -> None:
    """열린 사례 · open cases: the serious first."""
    from rich.table import Table

    from anbu.console import out
    from response import lists, names

    settings, now = _settings(), _now()
    since = now - timedelta(days=lists.CLOSED_DAYS) if all_ or phase == "closed" else None
    with _connected(settings) as engine, engine.connect() as conn:
        rows = lists.cases(conn, closed_since=since, dong=dong, level=level, phase=phase)
    heads = ("번호 no.", "단계 level", "상태 phase", "경과 age", "가구 home", "동 dong", "맡은 이 owner", "다음 next")
    table = Table(*heads)
    for row in rows:
        said = names.CODES[row.code][0] if row.code else names.PHASES[row.phase][0]
        coming = f"{row.next_step} {_stamp(row.next_at, settings)}" if row.next_step and row.next_at else ""
        table.add_row(
            f"{row.case_id}{' 훈련 drill' if row.drill else ''}", " ".join(names.level(row.level)),
            f"{said} {row.code or row.phase}", _age(row.age(now)), row.household_id, row.dong, row.owner or "", coming,
        )  # fmt: skip
    out.print(table if rows else "열린 사례가 없습니다 · no case is open")


@app.command()
def show(
    number: Number,
    names: Annotated[bool, typer.Option("--names", help="이름과 메모도, 사유 필요 · names and comments too")] = False,
    why: Why = "",
) -> None:
    """한 사례: 지난 일과 올 일 · one case: what happened and what is coming if nobody does anything."""
    from rich.markup import escape
    from rich.table import Table

    from anbu.console import out
    from response import comments, homes, lists, timeline

    settings, now = _settings(), _now()
    with _connected(settings) as engine, engine.begin() as conn:
        desk = _desk(engine, settings)
        vault = _vault(settings) if names else None
        whole = lists.whole(conn, number)
        shown = _names(conn, vault, whole, why, now) if vault is not None else str
        household, dong = whole.listed.household_id, whole.listed.dong
        coming = timeline.coming(whole.case, desk.hours, now, lambda at: desk.circle(conn, household, dong, at))
        vain = homes.in_vain(conn, household)
    past = timeline.past(whole.log, whole.case, desk.hours, shown)
    table = Table("때 when", "누가 who", "무엇 what", title=f"{number} · {household} · {dong}", title_style="bold")
    for line in past:
        comment = comments.opened(vault, number, line.comment)
        who = line.who[0] if line.who[0] == line.who[1] else " ".join(line.who)
        table.add_row(line.when, escape(who), escape("\n".join([*line.text, *([f"“{comment}”"] if comment else [])])))
    table.add_section()
    for line in coming:
        table.add_row(line.when, "예정 coming", escape("\n".join(line.text)), style="dim")
    out.print(table)
    out.print(f"이 집의 헛알림 · alerts of this home that were in vain so far: {vain}")


@app.command()
def take(
    number: Number, by: By,
    until: Annotated[str, typer.Option(help="기한 · deadline: HH:MM or YYYY-MM-DD HH:MM")] = "",
    comment: Comment = "",
) -> None:  # fmt: skip
    """사례를 맡습니다 · take a case (acknowledge it): nobody else is told until the deadline."""
    settings, now = _settings(), _now()
    limit = _moment(until, settings, now) if until else None

    def act(desk: "Desk") -> None:
        desk.acknowledge(number, by, now, _sealed(settings, number, comment), limit)

    _by_person(settings, by, number, act)


app.command("acknowledge")(take)


@app.command()
def note(number: Number, by: By, comment: Comment) -> None:
    """사례에 메모합니다 · write a note down."""
    settings, now = _settings(), _now()
    _by_person(settings, by, number, lambda desk: desk.note(number, by, _sealed(settings, number, comment), now))


@app.command()
def close(
    number: Number, code: Annotated[OutcomeCode, typer.Argument(help="결과 · what it turned out to be")], by: By,
    comment: Comment = "",
    from_: Annotated[str, typer.Option("--from", help="언제부터 · since when: YYYY-MM-DD [HH:MM]")] = "",
    until: Annotated[str, typer.Option(help="언제까지 · until when: YYYY-MM-DD [HH:MM]")] = "",
) -> None:  # fmt: skip
    """결과와 함께 닫습니다 · close a case with its outcome; detection learns of it."""
    settings, now = _settings(), _now()
    begin, end = (_moment(text, settings, now) if text else None for text in (from_, until))

    def act(desk: "Desk") -> None:
        desk.close(number, by, code, now, _sealed(settings, number, comment), begin, end)

    _by_person(settings, by, number, act)


@app.command()
def deliveries(
    case: Annotated[int | None, typer.Option(help="사례 번호 · of one case")] = None,
    since: Annotated[str, typer.Option(help="언제부터 · YYYY-MM-DD [HH:MM] (default: a day)")] = "",
) -> None:
    """보낸 것과 보내지 않은 것, 그 까닭 · every call and message, sent and not sent, and why."""
    from rich.markup import escape
    from rich.table import Table

    from anbu.console import out
    from response import lists, names
    from response.records import NotSent

    settings, now = _settings(), _now()
    start = _moment(since, settings, now) if since else None if case is not None else now - timedelta(days=1)
    with _connected(settings) as engine, engine.connect() as conn:
        rows = lists.deliveries(conn, case_id=case, since=start)
    table = Table(*("때 when", "사례 case", "무엇 what", "누구에게 to", "결과 result", "까닭 why"))
    for row in rows:
        what = names.TEMPLATES.get(row.what, names.MEANS["call"] if row.kind == "call" else (row.what, ""))
        why = " ".join(names.REASONS[NotSent(row.reason)]) if row.reason else row.detail
        to = f"{names.role(row.role)[0] if row.role else ''} {row.person_id or ''}".strip()
        table.add_row(
            _stamp(row.created_at, settings), f"{row.case_id or ''}{' 훈련 drill' if row.drill else ''}",
            " ".join(what), to, " ".join(filter(None, (names.STATES[row.state][0], row.result, row.channel))),
            escape(why),
        )  # fmt: skip
    out.print(table if rows else "보낸 것이 없습니다 · nothing was sent or left unsent")


def _by_person(settings: "Settings", by: str, number: int, act: "Callable[[Desk], object]") -> None:
    """Let a person of the registry do something; a decision's refusal is a user's mistake."""
    from sqlalchemy import select

    from anbu.console import out
    from anbu.errors import UserError
    from response import tables

    p = tables.people.c
    with _connected(settings) as engine:
        with engine.connect() as conn:
            role = conn.execute(select(p.role).where(p.person_id == by)).scalar_one_or_none()
        if role in (None, "resident", "guardian"):
            raise UserError(f"담당자가 아닙니다 · {by!r} is nobody who may act on a case: see `anbu people show`")
        try:
            act(_desk(engine, settings))
        except ValueError as e:
            raise UserError(f"할 수 없습니다 · refused: {e}") from e
    out.print(f"[green]✓[/] {number}")


def _names(
    conn: "Connection", vault: "Vault", whole: "Whole", why: str, now: datetime
) -> "Callable[[str], str]":
    """Names of everybody in a log, each view recorded first. Raises ReasonNeededError."""
    from anbu.viewer import viewer
    from response.access import viewing
    from response.registry import person

    me = viewer()
    ids = {entry.by for entry in whole.log} | {s.person_id for s in whole.sent if s.person_id}
    known: dict[str, str] = {}
    viewing(conn, me.name, me.source, whole.listed.household_id, "case", why, whole.listed.case_id, now)
    for person_id in sorted(ids - {"system", "resident"}):
        viewing(conn, me.name, me.source, person_id, "name", why, whole.listed.case_id, now)
        if (found := person(conn, vault, person_id)) is not None:
            known[person_id] = f"{found.name} ({person_id})"
    return lambda person_id: known.get(person_id, person_id)


def _desk(engine: "Engine", settings: "Settings") -> "Desk":
    from response.desk import desk_of

    return desk_of(engine, settings.response, settings.tz)


def _vault(settings: "Settings") -> "Vault":
    from response.vault import Vault

    return Vault.of(settings.response.keys)


def _sealed(settings: "Settings", number: int, comment: str) -> str:
    from response import comments

    return comments.seal(_vault(settings) if settings.response.keys else None, number, comment)


def _settings() -> "Settings":
    from anbu import configuration

    return configuration.load()


def _connected(settings: "Settings"):  # type: ignore[no-untyped-def]
    from anbu.database import connected

    return connected(settings)


def _zone(settings: "Settings") -> "ZoneInfo":
    from zoneinfo import ZoneInfo

    return ZoneInfo(settings.tz)


def _stamp(at: datetime, settings: "Settings") -> str:
    from response.sentences import stamp

    return stamp(at, _zone(settings))


def _moment(text: str, settings: "Settings", now: datetime) -> datetime:
    """A local time of the command line. Raises UserError."""
    from anbu.errors import UserError

    tz = _zone(settings)
    try:
        if len(text) <= 5:
            return datetime.combine(now.astimezone(tz).date(), time.fromisoformat(text), tz).astimezone(UTC)
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(), tz).astimezone(UTC)
        return datetime.fromisoformat(text).replace(tzinfo=tz).astimezone(UTC)
    except ValueError as e:
        raise UserError(f"시각을 읽을 수 없습니다 · {text!r} is no time: HH:MM, or YYYY-MM-DD HH:MM") from e


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return f"{minutes // 1440}d {minutes % 1440 // 60}h" if minutes >= 1440 else f"{minutes // 60}h {minutes % 60:02}m"


def _now() -> datetime:
    return datetime.now(UTC)
