"""What a person does with a case by command: take it, ask for it, write a note, close it, undo that, open it again."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from anbu.commands import case_tools as tools
from stream.records import OutcomeCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from anbu.configuration import Settings
    from response.desk import Desk

Number = Annotated[int, typer.Argument(help="사례 번호 · number of the case")]
By = Annotated[str, typer.Option("--by", help="누가 (사람 번호) · who: the person's id")]
Comment = Annotated[str, typer.Option(help="메모, 봉인해 저장 · a comment; it is sealed")]


def take(
    number: Number, by: By,
    until: Annotated[str, typer.Option(help="기한 · deadline: HH:MM or YYYY-MM-DD HH:MM")] = "",
    over: Annotated[bool, typer.Option("--over", help="맡은 사람에게서 넘겨받음 · from whoever has it")] = False,
    comment: Comment = "",
) -> None:  # fmt: skip
    """사례를 맡습니다 · take a case (acknowledge it): nobody else is told until the deadline."""
    settings, now = tools.load(), tools.now()
    limit = tools.moment(until, settings, now) if until else None
    sealed = tools.sealed(settings, number, comment)
    _by_person(settings, by, number, lambda desk: desk.acknowledge(number, by, now, sealed, limit, over))


def ask(number: Number, by: By) -> None:
    """맡은 사람에게 넘겨받고 싶다고 알립니다 · tell whoever has the case that you would like to take it over."""
    _by_person(tools.load(), by, number, lambda desk: desk.ask(number, by, tools.now()))


def note(number: Number, by: By, comment: Comment) -> None:
    """사례에 메모합니다 · write a note down."""
    settings = tools.load()
    sealed = tools.sealed(settings, number, comment)
    _by_person(settings, by, number, lambda desk: desk.note(number, by, sealed, tools.now()))


def close(
    number: Number, code: Annotated[OutcomeCode, typer.Argument(help="결과 · what it turned out to be")], by: By,
    comment: Comment = "",
    from_: Annotated[str, typer.Option("--from", help="언제부터 · since when: YYYY-MM-DD [HH:MM]")] = "",
    until: Annotated[str, typer.Option(help="언제까지 · until when: YYYY-MM-DD [HH:MM]")] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="사망·이사·119도 묻지 않음 · do not ask again for grave outcomes")
    ] = False,
) -> None:  # fmt: skip
    """맡은 사례를 결과와 함께 닫습니다 · close a case you have with its outcome; detection learns of it."""
    from response.refusals import SureError

    settings, now = tools.load(), tools.now()
    begin, end = (tools.moment(text, settings, now) if text else None for text in (from_, until))
    sealed = tools.sealed(settings, number, comment)

    def act(desk: "Desk", sure: bool = yes) -> None:
        desk.close(number, by, code, now, sealed, begin, end, sure)

    try:
        _by_person(settings, by, number, act)
    except SureError as e:
        _confirm(number, code, e)
        _by_person(settings, by, number, lambda desk: act(desk, sure=True))


def undo(number: Number, by: By) -> None:
    """1분 안에, 맡거나 닫은 것을 되돌립니다 · undo your taking or closing, within a minute."""
    _by_person(tools.load(), by, number, lambda desk: desk.undo(number, by, tools.now()))


def reopen(
    number: Number, by: By, reason: Annotated[str, typer.Option(help="사유, 봉인해 저장 · why; it is sealed")],
    until: Annotated[str, typer.Option(help="기한 · deadline: HH:MM or YYYY-MM-DD HH:MM")] = "",
) -> None:  # fmt: skip
    """닫힌 사례를 다시 열고 맡습니다 · open a closed case again and take it; its outcome is taken back."""
    settings, now = tools.load(), tools.now()
    limit = tools.moment(until, settings, now) if until else None
    sealed = tools.sealed(settings, number, reason)
    _by_person(settings, by, number, lambda desk: desk.reopen(number, by, sealed, now, limit))


def _confirm(number: int, code: OutcomeCode, asked: Exception) -> None:
    """Ask once more, where somebody sits there to answer. Raises UserError, typer.Abort."""
    from anbu.errors import UserError
    from response.names import CODES, ro

    ko, en = CODES[code]
    if not sys.stdin.isatty():
        raise UserError(
            f"{number}번을 ‘{ko}’{ro(ko)} 닫으려면 --yes를 붙이십시오 · {asked.args[0].split(' · ')[-1]} with --yes"
        ) from asked
    question = f"{number}번을 ‘{ko}’{ro(ko)} 닫습니다. 맞습니까? · close case {number} as “{en}”, are you sure?"
    typer.confirm(question, abort=True)


def _by_person(settings: "Settings", by: str, number: int, act: "Callable[[Desk], object]") -> None:
    """Let a person of the registry do something; a decision's refusal is a user's mistake.

    Raises:
        NoActorError: nobody who may act.
        UserError: refused.
        SureError: it is asked once more.
    """
    from anbu.console import out
    from anbu.errors import UserError
    from response.actors import acting
    from response.refusals import RefusedError, SureError

    with tools.looking(settings) as (engine, sight):
        with engine.connect() as conn:
            acting(conn, by, number)
        try:
            act(tools.desk(engine, settings))
        except SureError:
            raise
        except RefusedError as e:
            words = e.words(tools.shown(sight, settings, [e.person_id], tools.now(), number))
            raise UserError(f"할 수 없습니다 · refused: {' · '.join(words)}{_then(e, number)}") from e
    out.print(f"[green]✓[/] {number}")


def _then(refused: Exception, number: int) -> str:
    """The command that comes next."""
    from response.refusals import TakenError

    return f" (`anbu cases ask {number} --by ...`)" if isinstance(refused, TakenError) else ""
