"""A case's time line: what happened to it, and what will happen when if nobody does anything. Pure.

What is coming is not told from a copy of the rules: the decisions themselves are asked, with calls that nobody answers.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from msgspec import Struct

from response import decide
from response.case import Case, apply
from response.climb import due_at
from response.draft import Draft
from response.events import (
    RESIDENT,
    SYSTEM,
    Acknowledged,
    CallDone,
    CallPlanned,
    Calmed,
    Closed,
    DeadlinePassed,
    Entry,
    MessagePlanned,
    Noted,
    NotTold,
    StepDone,
)
from response.hours import Hours
from response.ladder import Step
from response.names import HOW, MEANS, REASONS, Words, every, role
from response.records import ROLES, CallOutcome, Circle, Contact, NotSent
from response.sentences import Shown, context, sentence, stamp, whose

BY: dict[str, Words] = {SYSTEM: ("시스템", "system"), RESIDENT: ("본인", "resident")}
CircleAt = Callable[[datetime], Circle]


class Line(Struct, frozen=True):
    """One line: local time (``when``), who, and a sentence. ``comment``: sealed, where there is one."""

    at: datetime
    when: str
    who: Words
    text: Words
    comment: str = ""


def everybody(at: datetime) -> Circle:
    """A circle where everybody is there and may be told."""
    return Circle(tuple(Contact(role, role) for role in ROLES))


def past(entries: Iterable[Entry], case: Case, hours: Hours, shown: Shown = str) -> list[Line]:
    """Every event of a case's log, in order. ``shown``: what is shown of a person, by id."""
    log = list(entries)
    of = context(log, case, hours.tz, shown)
    return [
        Line(
            entry.at, stamp(entry.at, hours.tz), BY.get(entry.by) or (shown(entry.by),) * 2, sentence(entry.what, of),
            entry.what.comment if isinstance(entry.what, Acknowledged | Noted | Closed) else "",
        )
        for entry in log
    ]  # fmt: skip


def coming(case: Case, hours: Hours, now: datetime, circle: CircleAt = everybody) -> list[Line]:
    """What will happen, and when, if nobody does anything; the last line stands for all that follows.

    ``circle``: who is around the household at a time; as it stands, everybody is.
    """
    lines: list[Line] = []
    case = _unanswered(case, now)
    for _ in range(len(case.ladder.steps) + 2):
        due = due_at(case, hours)
        if due is None:
            return lines
        at = max(due, now)
        if case.owner is None and case.step + 1 >= len(case.ladder.steps):
            return [*lines, _line(at, hours, _for_ever(case.ladder.steps[-1]))]
        draft = Draft(case, at)
        decide.due(draft, circle(at), hours)
        lines += [_line(at, hours, words) for words in _told(draft.entries, case)]
        if draft.case.version == case.version:  # nothing to be done now: it would not be told either
            return lines
        case = _unanswered(draft.case, at)
    return lines


def _unanswered(case: Case, at: datetime) -> Case:
    for key, outcome in case.calls.items():
        if outcome is None:
            case = apply(case, Entry(case.version, at, SYSTEM, CallDone(key, CallOutcome.no_answer)))
    return case


def _line(at: datetime, hours: Hours, text: Words) -> Line:
    return Line(at, stamp(at, hours.tz), BY[SYSTEM], text)


def _told(entries: list[Entry], case: Case) -> list[Words]:
    """Sentences for what a decision wrote: one a step, one for a deadline, one for an end."""
    lines: list[Words] = []
    means: dict[tuple[str, str], None] = {}
    nobody: dict[str, NotSent] = {}
    for what in (entry.what for entry in entries):
        match what:
            case CallPlanned():
                means["resident", "call"] = None
            case MessagePlanned() if what.template not in ("nobody_on_duty", "deadline_passed", "calmed"):
                means[what.role, what.means] = None
            case NotTold() if what.reason is not NotSent.duplicate:
                nobody[what.role] = what.reason
            case StepDone():
                lines += _rung(list(means), nobody)
                means, nobody = {}, {}
            case DeadlinePassed():
                lines.append(("기한: 결과가 없으면 사례가 다시 열리고 다시 알립니다", (
                    "deadline: without an outcome the case is open again, and people are told anew")))  # fmt: skip
            case Calmed() if case.owner is not None:
                lines.append((f"안정: {HOW[what.how][0]}", f"calm: {HOW[what.how][1]}"))
            case Closed():
                lines.append((f"사례가 저절로 닫힙니다: {HOW[what.how][0]}", f"closes by itself: {HOW[what.how][1]}"))
    return lines


def _rung(means: list[tuple[str, str]], nobody: dict[str, NotSent]) -> list[Words]:
    ko = [f"{role(to)[0]}에게 {MEANS[by][0]}" for to, by in means]
    en = [f"{MEANS[by][1]} to {role(to)[1]}" for to, by in means]
    ko += [f"{role(to)[0]} 없음({REASONS[why][0]})" for to, why in nobody.items()]
    en += [f"no {role(to)[1]} ({REASONS[why][1]})" for to, why in nobody.items()]
    return [(", ".join(ko), ", ".join(en))] if ko else []


def _for_ever(last: Step) -> Words:
    often = every(last.repeat_minutes or 1)
    to = whose(last)
    when = ("근무 시간에 ", ", in office hours,") if last.hours == "office" else ("", "")
    return (
        f"그 뒤 누가 맡을 때까지 {when[0]}{often[0]} {to[0]}에게 다시 알립니다",
        f"then {to[1]} again {often[1]}{when[1]} until somebody acknowledges",
    )
