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
    AlertSeen,
    CallDone,
    CallPlanned,
    Calmed,
    Closed,
    DeadlinePassed,
    Entry,
    MessagePlanned,
    Noted,
    NotTold,
    Reopened,
    StepDone,
)
from response.hours import Hours
from response.ladder import Step
from response.names import HOW, MEANS, REASONS, Words, every, role, to
from response.records import ROLES, CallOutcome, Circle, Contact, NotSent
from response.sentences import Shown, context, detail, sentence, stamp, whose
from stream.plain import DETAIL, plain

BY: dict[str, Words] = {SYSTEM: ("시스템", "system"), RESIDENT: ("본인", "resident")}
AFTERWARDS = ("nobody_on_duty", "nobody_reached", "deadline_passed", "calmed", "calmed_guardian", "calmed_owner")
"""Messages that are no turn of anybody: they say what has happened."""
CircleAt = Callable[[datetime], Circle]


class Line(Struct, frozen=True):
    """One line: local time (``when``), who, and a sentence. ``comment``: sealed, where there is one; ``detail``: what
    machines said of it; ``recorded``: the local time at which it was written down, where that is another than when it
    was so. The order is by this. ``account``: which account of the machine gave the command, where it was one."""

    at: datetime
    when: str
    who: Words
    text: Words
    comment: str = ""
    detail: str = ""
    recorded: str = ""
    account: str = ""


def everybody(at: datetime) -> Circle:
    """A circle where everybody is there and may be told."""
    return Circle(tuple(Contact(role, role) for role in ROLES))


def past(entries: Iterable[Entry], case: Case, hours: Hours, shown: Shown = str) -> list[Line]:
    """Every event of a case's log, in order. ``shown``: what is shown of a person, by id."""
    log = list(entries)
    of = context(log, case, hours.tz, shown)
    return [
        Line(
            _event_time(entry), when := stamp(_event_time(entry), hours.tz),
            BY.get(entry.by) or _staff(shown(entry.by)),
            _plain(sentence(entry.what, of)),
            entry.what.comment if isinstance(entry.what, Acknowledged | Noted | Closed | Reopened) else "",
            plain(detail(entry.what), DETAIL), "" if when == (recorded := stamp(entry.at, hours.tz)) else recorded,
            entry.account,
        )
        for entry in log
    ]  # fmt: skip


def _plain(words: Words) -> Words:
    """What others had said stands in a sentence too: of alerts of a version that took it as it was."""
    return plain(words[0]), plain(words[1])


def _event_time(entry: Entry) -> datetime:
    """When it was so: what the stream tells was so before we heard of it."""
    return entry.what.alert_at if isinstance(entry.what, AlertSeen) else entry.at


def _staff(name: str) -> Words:
    return (name, name) if name else ("담당자", "staff")


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
            case MessagePlanned() if what.template not in AFTERWARDS:
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
    ko = [f"{to(whom)[0]} {MEANS[by][0]}" for whom, by in means]
    en = [f"{MEANS[by][1]} to {role(whom)[1]}" for whom, by in means]
    ko += [f"{to(whom)[0]} 알리지 못함({REASONS[why][0]})" for whom, why in nobody.items()]
    en += [f"{role(whom)[1]} is not told ({REASONS[why][1]})" for whom, why in nobody.items()]
    return [(", ".join(ko), ", ".join(en))] if ko else []


def _for_ever(last: Step) -> Words:
    often = every(last.repeat_minutes or 1)
    whom = whose(last)[1]
    when = ("근무 시간에 ", ", in office hours,") if last.hours == "office" else ("", "")
    return (
        f"그 뒤 누가 맡을 때까지 {when[0]}{often[0]} {'·'.join(to(r)[0] for r in last.to)} 다시 알립니다",
        f"then {whom} again {often[1]}{when[1]} until somebody acknowledges",
    )
