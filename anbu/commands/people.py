"""The registry of people: who is rung, who is told, who is on duty, and who has looked at whom."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anbu.commands import case_tools as tools
from anbu.viewer import viewer
from stream.plain import plain

if TYPE_CHECKING:
    from datetime import datetime

    from response.people_files import Imported

SHOWN = 50
"""Lines at fault shown one by one; the others are counted."""

app = typer.Typer(
    help="사람: 대상자·보호자·담당자·당직 · the registry: residents, guardians, officers, who is on duty",
    no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip

Why = Annotated[str, typer.Option("--why", help="사유, 기록됩니다 · the reason, which is recorded")]


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV, 열 이름은 한글 또는 영어 · columns in Korean or English")],
) -> None:
    """사람을 등록하거나 고칩니다 · register and change people; a bad line is told and the others go in."""
    from anbu import configuration
    from anbu.database import connected
    from response.people_files import import_people
    from response.vault import Vault

    settings = configuration.load()
    vault = Vault.of(settings.response.keys)
    with connected(settings) as engine, engine.begin() as conn:
        done = import_people(conn, vault, file, viewer(), _now(), settings.response.phone_region)
    _shared(file, done)
    raise typer.Exit(_told(file, done))


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="새 CSV 파일 · a new CSV file, for your account alone")], why: Why
) -> None:
    """모두 파일로 내보냅니다 · write everybody to a file that `import` takes; recorded person by person."""
    from rich.markup import escape

    from anbu import configuration
    from anbu.console import out
    from anbu.database import looking
    from response.people_files import export_people
    from response.vault import Vault

    settings = configuration.load()
    vault = Vault.of(settings.response.keys)
    with looking(settings) as (_, sight):
        count = export_people(sight, vault, file, viewer(), why, _now())
    out.print(f"[green]✓[/] {escape(plain(str(file)))}: {count:,}명 · people")


@app.command()
def duties(
    file: Annotated[Path, typer.Argument(help="CSV: 역할, 번호, 요일, 시작, 끝 · role, person, days, from, until")],
    replace: Annotated[
        bool, typer.Option("--replace", help="파일에 없는 당직은 지움 · remove those not in it")
    ] = False,
) -> None:
    """당직표를 등록합니다 · take in duty rosters: days (Mon-Fri, daily, Sat-Sun holidays) and times, nights too."""
    from anbu import configuration
    from anbu.database import connected
    from response.duty_files import import_duties

    with connected(configuration.load()) as engine, engine.begin() as conn:
        done = import_duties(conn, file, viewer(), _now(), replace_all=replace)
    raise typer.Exit(_told(file, done))


@app.command()
def leave(
    person: Annotated[str, typer.Argument(help="번호 · the person's id")],
    until: Annotated[str | None, typer.Option(help="끝: 2026-03-04 또는 RFC 3339 · its end")] = None,
    since: Annotated[str | None, typer.Option("--from", help="시작 (기본: 지금) · its begin (default: now)")] = None,
    back: Annotated[bool, typer.Option("--back", help="돌아옴: 지금 끝냄 · back again: it ends now")] = False,
) -> None:
    """휴가: 그동안 아무것도 받지 않습니다 · leave: meanwhile nothing goes to this person. It always ends."""
    from rich.markup import escape

    from anbu import configuration
    from anbu.console import out
    from anbu.database import connected
    from anbu.errors import UserError
    from response.access import viewing_all
    from response.duty_files import add_leave, end_leave

    settings = configuration.load()
    if (until is None) == (not back):
        raise UserError(
            "휴가에는 끝이 있어야 합니다 · a leave always has an end: say --until, or --back when it is over"
        )
    with connected(settings) as engine, engine.begin() as conn:
        if until is None:
            ended = end_leave(conn, person, _now())
            viewing_all(conn, viewer(), [person] if ended else [], "leave", "back", _now())
            out.print(f"[green]✓[/] {escape(plain(person))}: {ended} 끝남 · ended")
            return
        begin = _now() if since is None else _moment(since, settings.tz)
        end = _moment(until, settings.tz)
        new = add_leave(conn, person, begin, end)
        viewing_all(conn, viewer(), [person] if new else [], "leave", f"{begin:%FT%R%z} - {end:%FT%R%z}", _now())
    out.print(f"[green]✓[/] {escape(plain(person))}: {begin:%Y-%m-%d %H:%M%z} - {end:%Y-%m-%d %H:%M%z}"
              f"{'' if new else ' (이미 있음 · was there)'}")  # fmt: skip


@app.command()
def revoke(person: Annotated[str, typer.Argument(help="번호 · the person's id")]) -> None:
    """받은 사례 링크를 모두 끊습니다 · end all links of a person, as of a lost telephone."""
    from anbu import configuration
    from anbu.console import out
    from anbu.database import connected
    from response import links

    with connected(configuration.load()) as engine, engine.begin() as conn:
        ended = links.revoke(conn, person, _now())
    out.print(f"[green]✓[/] {ended} 끊음 · ended", soft_wrap=True)


@app.command()
def key() -> None:
    """개인정보 키를 만듭니다 · make a key for personal data; keep it where the database's backups are not."""
    from anbu.console import err
    from response.vault import new_key

    typer.echo(new_key())
    err.print(
        "ANBU_RESPONSE__KEYS='[\"새 키 · the new key\", \"이전 키 · the old one\"]'; 그 다음 · then "
        "`anbu people rotate`. 키를 잃으면 자료도 잃습니다 · a lost key is lost data", markup=False, soft_wrap=True,
    )  # fmt: skip


@app.command()
def rotate() -> None:
    """모두 첫 번째 키로 다시 잠급니다 · seal everything anew with the first key; then the old ones can go."""
    from anbu import configuration
    from anbu.console import out
    from anbu.database import connected
    from response.access import viewing_all
    from response.rotate import rotate
    from response.vault import Vault

    settings = configuration.load()
    vault = Vault.of(settings.response.keys)
    with connected(settings, owner=True) as engine:
        done = rotate(engine, vault)
        with engine.begin() as conn:
            viewing_all(conn, viewer(), ["*"], "rotate", f"{done.people:,} people", _now())
    out.print(f"[green]✓[/] {done.people:,}명 · people, {done.comments:,} 메모 · comments")


@app.command()
def show(person: Annotated[str, typer.Argument(help="번호 · the person's id")], why: Why = "") -> None:
    """한 사람을 보여 줍니다: 열람이 기록됩니다 · show one person: that you looked is recorded."""
    from anbu import configuration
    from anbu.console import out
    from anbu.database import looking
    from anbu.errors import UserError
    from response.access import view_person
    from response.people_files import cells, headers
    from response.vault import Vault

    settings = configuration.load()
    vault = Vault.of(settings.response.keys)
    with looking(settings) as (_, sight):
        shown = view_person(sight, vault, viewer(), person, why, _now())
    if shown is None:
        raise UserError(f"없는 사람입니다 · nobody is registered as {person}: see `anbu people export`")
    for header, cell in zip(headers(), cells(shown), strict=True):
        if cell:
            out.print(f"{header:<18}{cell}", markup=False, soft_wrap=True)


@app.command()
def access(
    month: Annotated[str, typer.Option("--month", help="2026-03")],
    viewer_: Annotated[str | None, typer.Option("--viewer", help="이 사람만 · this viewer alone")] = None,
    entries: Annotated[bool, typer.Option("--all", help="한 건씩 · each entry")] = False,
) -> None:
    """누가 누구를 보았는지: 월별 점검 · who looked at whom: the monthly review."""
    from zoneinfo import ZoneInfo

    from anbu import configuration
    from anbu.console import out
    from anbu.database import connected
    from response.access import months_entries, months_views

    settings = configuration.load()
    zone = ZoneInfo(settings.tz)
    first = _moment(f"{month}-01", settings.tz).astimezone(zone).date()
    with connected(settings) as engine, engine.begin() as conn:
        if entries:
            for e in months_entries(conn, first, zone, viewer_):
                at = f"{e.written_at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
                line = "  ".join((at, *map(plain, (e.viewer, e.source, e.action, e.subject, e.reason))))
                out.print(line, markup=False, soft_wrap=True)
            return
        views = months_views(conn, first, zone, viewer_)
        if not views:
            out.print("열람 기록이 없습니다 · nobody has looked, as far as is recorded here")
        for seen in views:
            out.print(
                f"{plain(seen.viewer):<16} {plain(seen.action):<14} {seen.times:>7,}회 · times {seen.subjects:>7,}명 · "
                f"people {seen.odd_hours:>6,} 밤·주말 · at night or weekends", markup=False, soft_wrap=True,
            )  # fmt: skip


@app.command()
def forget(
    household: Annotated[str, typer.Argument(help="가구 번호 · the household's id")],
    yes: Annotated[bool, typer.Option("--yes", help="묻지 않음 · do not ask")] = False,
) -> None:
    """개인정보를 바로 파기합니다, 되돌릴 수 없음 · personal data are deleted at once, which nobody can undo.

    보통은 토픽의 withdrawn으로 하루 뒤에 · as a rule a record's `withdrawn` does that a day later: `anbu withdrawal`.
    """
    from anbu import configuration
    from anbu.console import err, out
    from anbu.database import connected
    from anbu.errors import UserError
    from response.access import viewing
    from response.forget import forget
    from stream.ids import ASK_ID, id_fault

    if (wrong := id_fault(household)) is not None:
        raise UserError(f"가구 번호가 아닙니다 · the household's id {wrong}: {ASK_ID.replace('send', 'give')}")
    settings = configuration.load()
    if not yes:
        typer.confirm(f"{household}: 되돌릴 수 없습니다, 지울까요? · cannot be undone, remove?", abort=True)
    me, now = viewer(), _now()
    with connected(settings) as engine:
        desk = tools.desk(engine, settings)
        with desk.transaction() as conn:
            viewing(conn, me.name, me.source, household, "forget", "consent withdrawn", None, now)
            desk.withdraw(conn, household, now)
            gone = forget(conn, household, now)
    out.print(
        f"[green]✓[/] {gone.people}명 · people, {gone.comments} 메모 · comments, {gone.waiting} 보낼 것 · waiting"
    )
    err.print(
        "감지를 멈추려면 households 토픽에 withdrawn을 보내십시오 · to stop detection too, send the household's "
        "record with `withdrawn`", markup=False, soft_wrap=True,
    )  # fmt: skip


@app.command()
def sweep() -> None:
    """오래된 열람 기록을 지웁니다 · remove entries of the access log that are older than the setting (two years)."""
    from anbu import configuration
    from anbu.console import out
    from anbu.database import connected
    from response.access import sweep, viewing_all

    settings = configuration.load()
    with connected(settings) as engine, engine.begin() as conn:
        count = sweep(conn, settings.response.access_log_days, _now())
        viewing_all(conn, viewer(), ["*"] if count else [], "sweep", f"{count:,} entries", _now())
    out.print(f"[green]✓[/] {count:,}")


@app.command()
def migrate() -> None:
    """데이터베이스를 만들거나 이 버전으로 올립니다 · make the database, or bring it to this version; twice is well.

    전화번호의 꼴도 하나로 맞춥니다(키가 있어야 함) · numbers get their one form too, where the keys are set.
    """
    from anbu import configuration
    from anbu.console import err, out
    from anbu.database import address
    from response import database as db
    from response.renumber import renumber
    from response.vault import Vault

    settings = configuration.load()
    own = settings.response
    with address(settings, migrate=True, make=True) as logins:
        out.print(f"[green]✓[/] {db.wanted()}")
        if not own.keys:
            return
        engine = db.engine(logins.service)
        try:
            done = renumber(engine, Vault.of(own.keys), own.phone_region)
        finally:
            engine.dispose()
    if done.people:
        out.print(f"[green]✓[/] 전화번호 {done.people:,}개를 한 꼴로 · numbers brought to one form")
    for person in done.unusable:
        err.print(f"{person}: 전화번호가 아닙니다, 고쳐 등록하십시오 · its number is none: mend it", markup=False)


def _shared(file: Path, done: "Imported") -> None:
    """Warn of numbers that several people have."""
    from anbu.console import err

    for people in done.shared[:SHOWN]:
        err.print(
            f"{plain(str(file))}: {', '.join(people)}: 전화번호가 같습니다. 그 번호로 누른 1번은 누구의 안부도 아닙니다"
            " · one number: key 1 in a call to or from it says nothing of any of them", markup=False, soft_wrap=True,
        )  # fmt: skip
    if len(done.shared) > SHOWN:
        err.print(f"... +{len(done.shared) - SHOWN:,}")


def _told(file: Path, done: "Imported") -> int:
    """Say what became of a file; the exit code."""
    from rich.markup import escape

    from anbu.console import err, out

    for fault in done.faults[:SHOWN]:
        err.print(escape(f"{plain(str(file))}:{fault}"), soft_wrap=True)
    if len(done.faults) > SHOWN:
        err.print(f"... +{len(done.faults) - SHOWN:,}")
    counts = f"새로 · new {done.new:,}, 바뀜 · changed {done.changed:,}, 그대로 · same {done.same:,}"
    if not done.faults:
        nothing = "" if done.new or done.changed else " (바뀐 것 없음 · nothing has changed)"
        out.print(f"[green]✓[/] {counts}{nothing}")
        return 0
    err.print(f"[yellow]{counts}; 고칠 행 · lines to mend {len({f.line for f in done.faults}):,}[/]")
    return 1


def _now() -> "datetime":
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _moment(text: str, tz: str) -> "datetime":
    """A moment or a day (its beginning) in the zone of the settings."""
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from anbu.errors import UserError

    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as e:
        raise UserError(f"시각이 아닙니다 · not a day or a time {text!r}: write 2026-03-04 or 2026-03-04T09:00") from e
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(tz))).astimezone(UTC)
