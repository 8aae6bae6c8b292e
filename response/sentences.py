"""One plain sentence for one event of a case's log, in Korean and English. No personal data: ids and roles."""

from collections.abc import Callable
from datetime import datetime, tzinfo

from msgspec import Struct

from response.case import Case
from response.events import (
    Acknowledged,
    AlertSeen,
    CallDone,
    CallPlanned,
    Calmed,
    Cancelled,
    Closed,
    DeadlinePassed,
    Entry,
    Escalated,
    HelpAsked,
    MessageDone,
    MessagePlanned,
    Noted,
    NotTold,
    Opened,
    RangBack,
    StepDone,
    What,
)
from response.ladder import Step
from response.names import (
    ALERTS,
    CODES,
    HOW,
    MEANS,
    OUTCOMES,
    REASONS,
    RESULTS,
    TEMPLATES,
    Words,
    level,
    role,
)

DAYS = "월화수목금토일"
Shown = Callable[[str], str]
"""Person id -> what is shown of that person: the id itself, or a name where the viewer may see it."""


class Context(Struct, frozen=True):
    """What a sentence needs beside its event. ``calls``: key -> which attempt; ``messages``: key -> the message."""

    case: Case
    tz: tzinfo
    shown: Shown
    calls: dict[str, int]
    messages: dict[str, MessagePlanned]


def context(entries: list[Entry], case: Case, tz: tzinfo, shown: Shown = str) -> Context:
    """The context of a whole log."""
    planned = [entry.what for entry in entries]
    keys = [what.key for what in planned if isinstance(what, CallPlanned)]
    messages = {what.key: what for what in planned if isinstance(what, MessagePlanned)}
    return Context(case, tz, shown, {key: n for n, key in enumerate(keys, 1)}, messages)


def stamp(at: datetime, tz: tzinfo) -> str:
    """Local time: ``05-01 금 14:30``."""
    local = at.astimezone(tz)
    return f"{local:%m-%d} {DAYS[local.weekday()]} {local:%H:%M}"


def sentence(what: What, of: Context) -> Words:
    """What happened."""
    match what:
        case Opened():
            return ("훈련 사례를 열었습니다", "a drill case was opened") if what.drill else (
                "사례를 열었습니다", "the case was opened")  # fmt: skip
        case AlertSeen():
            return _alert(what)
        case StepDone():
            return _step(what, of)
        case CallPlanned() | CallDone() | RangBack() | HelpAsked():
            return _resident(what, of)
        case MessagePlanned() | MessageDone() | Cancelled() | NotTold():
            return _message(what, of)
        case _:
            return _course(what, of)


def _alert(what: AlertSeen) -> Words:
    ko, en = level(what.level)
    kind_ko, kind_en = ALERTS.get(what.kind, (what.kind, what.kind))
    if what.change == "cleared":
        head = (f"경보가 끝났습니다 ({kind_ko})", f"the alert has ended ({kind_en})")
    elif what.change == "raised":
        head = (f"경보: {ko}, {kind_ko}", f"alert: {en}, {kind_en}")
    else:
        head = (f"경보 단계가 {ko}(으)로 바뀌었습니다", f"the alert is now {en}")
    return _more(head[0], what.text_ko), _more(head[1], what.text_en)


def _more(head: str, text: str) -> str:
    return f"{head}: {text}" if text else head


def _step(what: StepDone, of: Context) -> Words:
    ko, en = rung(of.case, what.step)
    if what.reached:
        return f"순서 {what.step}: {ko} 차례", f"step {what.step}: {en}"
    return f"순서 {what.step}: {ko} 차례, 받을 사람 없음", f"step {what.step}: {en}, nobody to be reached"


def rung(case: Case, name: str) -> Words:
    """Whose turn a step is, by its name in any ladder of the case."""
    steps = [step for ladder in (case.ladder, *case.ladders.values()) for step in ladder.steps if step.name == name]
    return whose(steps[0]) if steps else (name, name)


def whose(step: Step) -> Words:
    """Whose turn a step is: ``보호자·담당 공무원``."""
    return "·".join(role(r)[0] for r in step.to), " and ".join(role(r)[1] for r in step.to)


def _resident(what: CallPlanned | CallDone | RangBack | HelpAsked, of: Context) -> Words:
    match what:
        case CallPlanned():
            n = of.calls[what.key]
            return f"본인에게 {n}번째 자동 전화를 겁니다", f"automatic call no. {n} to the resident is placed"
        case CallDone():
            ko, en = OUTCOMES[what.outcome]
            key = f" ({what.pressed})" if what.pressed else ""
            n = of.calls.get(what.key, 0)
            more = f" [{what.detail}]" if what.detail else ""
            return f"{n}번째 자동 전화: {ko}{key}{more}", f"automatic call no. {n}: {en}{key}{more}"
        case RangBack():
            key = f" ({what.pressed})" if what.pressed else ""
            return f"본인이 전화를 걸어 왔습니다{key}", f"the resident rang back{key}"
        case HelpAsked():
            return "본인이 도움을 요청했습니다 (2번)", "the resident asked for help (key 2)"


def _message(what: MessagePlanned | MessageDone | Cancelled | NotTold, of: Context) -> Words:
    match what:
        case MessagePlanned():
            to, about, means = _to(what, of), _about(what.template), MEANS[what.means]
            return f"{to[0]}에게 {means[0]}: {about[0]}", f"{means[1]} to {to[1]}: {about[1]}"
        case MessageDone():
            planned = of.messages.get(what.key)
            to = _to(planned, of) if planned else ("", "")
            result, why = RESULTS[what.result], REASONS[what.reason] if what.reason else ("", "")
            by = f" ({what.channel})" if what.channel else ""
            more = f" [{what.detail}]" if what.detail else ""
            return (
                _more(f"{to[0]}에게 메시지{by} {result[0]}", why[0]) + more,
                _more(f"message to {to[1]}{by}: {result[1]}", why[1]) + more,
            )
        case Cancelled():
            n = len(what.keys)
            return f"기다리던 전화·메시지 {n}건을 취소했습니다", f"{n} waiting calls and messages were cancelled"
        case NotTold():
            ko, en = role(what.role)
            who = f" {of.shown(what.person_id)}" if what.person_id else ""
            why = REASONS[what.reason]
            return f"{ko}{who}에게 알리지 않음: {why[0]}", f"{en}{who} is not told: {why[1]}"


def _to(what: MessagePlanned, of: Context) -> Words:
    ko, en = role(what.role)
    who = "" if what.role == "resident" else f" {of.shown(what.person_id)}"
    return ko + who, en + who


def _about(template: str) -> Words:
    return TEMPLATES.get(template, (template, template))


def _course(
    what: Escalated | Acknowledged | DeadlinePassed | Calmed | Noted | Closed, of: Context
) -> Words:
    match what:
        case Escalated():
            if what.why == "help":
                return "심각으로 올랐습니다: 도움 요청", "the case became serious: help was asked for"
            return "심각으로 올랐습니다: 아무도 받지 않음", "the case became serious: nobody answered"
        case Acknowledged():
            until = stamp(what.until, of.tz)
            return f"사례를 맡았습니다, 기한 {until}", f"took the case, until {until}"
        case DeadlinePassed():
            who = of.shown(what.owner)
            return f"기한이 지나도록 결과가 없어 다시 열렸습니다 (맡은 사람 {who})", (
                f"no outcome by the deadline: the case is open again (owner {who})")  # fmt: skip
        case Calmed():
            ko, en = HOW[what.how]
            return f"안정되었습니다: {ko}", f"calm: {en}"
        case Noted():
            return "적어 두었습니다", "wrote a note"
        case Closed():
            return _closed(what, of)


def _closed(what: Closed, of: Context) -> Words:
    ko, en = CODES[what.code] if what.code is not None else HOW[what.how]
    until = f" (~{stamp(what.until, of.tz)})" if what.until is not None else ""
    return f"사례를 닫았습니다: {ko}{until}", f"the case was closed: {en}{until}"
