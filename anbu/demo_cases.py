"""What became of the alerts: the demonstration's cases in figures, and two of them told as stories."""

from collections import Counter
from datetime import datetime

from rich.console import Console
from rich.markup import escape

from anbu.demo_people import places
from anbu.demo_response import STAFF
from anbu.demo_story import COLLAPSES, Story
from response.case import Case
from response.events import Acknowledged, CallDone, Closed, Entry, MessagePlanned
from response.hours import Hours
from response.names import CODES
from response.records import CallOutcome
from response.sentences import Shown
from response.timeline import past
from stream.records import OutcomeCode

Told = list[tuple[Case, list[Entry]]]


def show(told: Told, story: Story, hours: Hours, console: Console, shown: Shown = str) -> None:
    """Figures, a case that went to the end, and one that no officer ever saw. ``shown``: names by id."""
    console.rule("대응 · response (전화·문자·담당자는 모의 · telephones, messages and officers are simulated)")
    if not told:
        console.print("주의 이상의 알림이 없어 사례가 없습니다 · no case: there was no alert of caution or above")
        return
    closed = [case for case, _ in told if case.closed is not None]
    alone = [case for case, entries in told if case.closed is not None and not _seen(entries)]
    ends = Counter(_end(case) for case in closed)
    console.print(
        f"사례 · cases: {len(told)}, 끝남 · closed: {len(closed)}, 담당자 없이 · without an officer: {len(alone)} "
        f"({100 * len(alone) / max(len(closed), 1):.0f} %)"
    )
    console.print("결과 · outcomes: " + ", ".join(f"{name} × {count}" for name, count in ends.most_common()))
    named = places(story)
    found = [(case, log) for case, log in told if _collapsed(case, story) and _acknowledged(log)]
    if found:
        case, log = found[0]
        _tell("담당자가 찾은 사람 · found by an officer", case, log, hours, console, shown, named)
    pressed = [(case, log) for case, log in told if _pressed(log) and not _seen(log)]
    if pressed:
        case, log = pressed[0]
        title = "1번을 눌러 끝나 담당자는 모르는 사례 · answered by a key, no officer ever saw it"
        _tell(title, case, log, hours, console, shown, named)


def _tell(
    title: str, case: Case, log: list[Entry], hours: Hours, console: Console, shown: Shown, named: dict[str, str]
) -> None:
    console.print(f"\n[bold]{title}[/]  {escape(case.household_id)}, {escape(named.get(case.dong, case.dong))}")
    for line in past(log, case, hours, shown):
        recorded = f" (기록 recorded {line.recorded})" if line.recorded else ""
        console.print(f"  [dim]{line.when}{recorded}[/]  {escape(line.text[0])}", soft_wrap=True, highlight=False)
        console.print(f"  {' ' * len(line.when)}  [dim]{escape(line.text[1])}[/]", soft_wrap=True, highlight=False)


def _seen(log: list[Entry]) -> bool:
    """Whether anybody of the staff was told."""
    return any(isinstance(e.what, MessagePlanned) and e.what.role in STAFF for e in log)


def _acknowledged(log: list[Entry]) -> datetime | None:
    return next((e.at for e in log if isinstance(e.what, Acknowledged)), None)


def _pressed(log: list[Entry]) -> bool:
    return any(isinstance(e.what, CallDone) and e.what.outcome is CallOutcome.answered_key for e in log)


def _collapsed(case: Case, story: Story) -> bool:
    return any(e.kind in COLLAPSES and case.household_id in e.households for e in story.planned)


def _end(case: Case) -> str:
    closed: Closed | None = case.closed
    if closed is None:
        return "-"
    code: OutcomeCode | None = closed.code
    return " ".join(CODES[code]) if code is not None else "생활 신호가 돌아옴 life was seen again"
