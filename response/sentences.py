"""One plain sentence for one event of a case's log, in Korean and English. No personal data: ids and roles."""

import re
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
    NobodyReached,
    Noted,
    NotTold,
    Opened,
    PutOff,
    RangBack,
    Reopened,
    StepDone,
    TakeOverAsked,
    Undone,
    What,
)
from response.ladder import Step
from response.names import (
    ALERTS,
    CODES,
    HOW,
    MEANS,
    OUTCOMES,
    RANG,
    RANG_FROM,
    REASONS,
    RESULTS,
    TEMPLATES,
    Words,
    channel,
    level,
    ro,
    role,
    to,
)
from response.records import NotSent, Rang

DAYS = "월화수목금토일"
_ENGLISH_DAYS = dict(zip(DAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
_STAMPED = re.compile(rf"(?<=\d\d )[{DAYS}](?= \d\d:\d\d)")
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


def english_days(text: str) -> str:
    """An English text with its stamps in English: ``05-01 Fri 14:30``."""
    return _STAMPED.sub(lambda day: _ENGLISH_DAYS[day[0]], text)


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
        case NobodyReached():
            ko, en = rung(of.case, what.step)
            return f"{ko} 차례: 아무에게도 전해지지 않았습니다", f"the turn of {en}: nothing of it reached anybody"
        case CallPlanned() | CallDone() | RangBack() | PutOff() | HelpAsked():
            return _resident(what, of)
        case MessagePlanned() | MessageDone() | Cancelled() | NotTold():
            return _message(what, of)
        case Acknowledged() | TakeOverAsked() | Noted() | Closed() | Undone() | Reopened():
            return _act(what, of)
        case _:
            return _course(what)


def detail(what: What) -> str:
    """What machines said of it, for whoever looks for a fault: no sentence for an officer."""
    return what.detail if isinstance(what, CallDone | MessageDone) else ""


def _alert(what: AlertSeen) -> Words:
    ko, en = level(what.level)
    kind_ko, kind_en = ALERTS.get(what.kind, (what.kind, what.kind))
    if what.change == "cleared":
        head = (f"경보가 끝났습니다 ({kind_ko})", f"the alert has ended ({kind_en})")
    elif what.change == "raised":
        head = (f"경보: {ko}, {kind_ko}", f"alert: {en}, {kind_en}")
    else:
        head = (f"경보 단계가 {ko}{ro(ko)} 바뀌었습니다", f"the alert is now {en}")
    return _more(head[0], what.text_ko), _more(head[1], what.text_en)


def _more(head: str, text: str) -> str:
    return f"{head}: {text}" if text else head


def _step(what: StepDone, of: Context) -> Words:
    ko, en = rung(of.case, what.step)
    if what.reached:
        return f"{ko} 차례", f"the turn of {en}"
    if ko == role("resident")[0]:
        return f"{ko} 차례, 물을 방법 없음", f"the turn of {en}, no way to ask"
    return f"{ko} 차례, 맡을 수 있는 사람에게 알리지 못함", f"the turn of {en}, nobody who could take it was told"


def rung(case: Case, name: str) -> Words:
    """Whose turn a step is, by its name in any ladder of the case."""
    steps = [step for ladder in (case.ladder, *case.ladders.values()) for step in ladder.steps if step.name == name]
    return whose(steps[0]) if steps else (name, name)


def whose(step: Step) -> Words:
    """Whose turn a step is: ``보호자·담당 공무원``."""
    return "·".join(role(r)[0] for r in step.to), " and ".join(role(r)[1] for r in step.to)


def _resident(what: CallPlanned | CallDone | RangBack | PutOff | HelpAsked, of: Context) -> Words:
    match what:
        case CallPlanned():
            n = of.calls[what.key]
            return f"본인에게 {n}번째 자동 전화를 겁니다", f"automatic call no. {n} to the resident is placed"
        case CallDone():
            ko, en = OUTCOMES[what.outcome]
            key = f" ({what.pressed})" if what.pressed else ""
            if what.shared and what.pressed == "1":
                ko, key = f"{ko}{key}. 여러 사람의 번호라 안부 확인으로 치지 않습니다", ""
                en = f"{en} (1); a number of several people, it proves nothing"
            if what.late:
                ko, key = f"{ko}{key}. 너무 늦게 전해져 안부 확인으로 치지 않습니다", ""
                en = f"{en} (1); told too late, it proves nothing"
            n = of.calls.get(what.key, 0)
            return f"{n}번째 자동 전화: {ko}{key}", f"automatic call no. {n}: {en}{key}"
        case RangBack():
            return _rang(what)
        case PutOff():
            until = stamp(what.until, of.tz)
            return f"다음 단계를 {until}까지 한 번만 미룹니다", f"the next step is put off until {until}, this once"
        case HelpAsked(shared=True):
            return "이 번호를 쓰는 사람 가운데 누군가 도움을 요청했습니다 (2번)", (
                "somebody who shares the number asked for help (key 2)")  # fmt: skip
        case HelpAsked():
            return "본인이 도움을 요청했습니다 (2번)", "the resident asked for help (key 2)"


def _rang(what: RangBack) -> Words:
    """Somebody rang our number: how it went, and that it is no answer where it is none."""
    if what.how is None:  # of a log of before that was kept
        key = f" ({what.pressed})" if what.pressed else ""
        return f"본인이 전화를 걸어 왔습니다{key}", f"the resident rang back{key}"
    who = RANG_FROM["shared" if what.shared else "resident" if what.how is Rang.key else "number"]
    ko, en = (f"{what.pressed}번을 눌렀습니다", f"key {what.pressed}") if what.pressed else RANG[what.how]
    if what.answer in ("1", "2"):
        return f"{who[0]}: {ko}", f"{who[1]}: {en}"
    return f"{who[0]}: {ko}. 안부 확인으로 치지 않습니다", f"{who[1]}: {en}; it proves nothing"


def _message(what: MessagePlanned | MessageDone | Cancelled | NotTold, of: Context) -> Words:
    match what:
        case MessagePlanned():
            whom, about, means = _to(what, of), _about(what.template), MEANS[what.means]
            ko, en = ("되돌리지 않으면 1분 뒤 ", "unless undone within the minute: ") if what.held else ("", "")
            return (
                f"{ko}{whom[0]} {means[0]}를 보냅니다: {about[0]}",
                f"{en}{means[1]} to {whom[1]} to be sent: {about[1]}",
            )
        case MessageDone():
            planned = of.messages.get(what.key)
            whom = _to(planned, of) if planned else ("", "")
            result, why = RESULTS[what.result], REASONS[what.reason] if what.reason else ("", "")
            by = [f" ({word})" if word else "" for word in channel(what.channel)]
            return (
                _more(f"{whom[0]} 메시지{by[0]} {result[0]}", why[0]),
                _more(f"message to {whom[1]}{by[1]}: {result[1]}", why[1]),
            )
        case Cancelled():
            n = len(what.keys)
            return f"기다리던 전화·메시지 {n}건을 취소했습니다", f"{n} waiting calls and messages were cancelled"
        case NotTold():
            ko, en = to(what.role, _named(what.person_id or "", what.role, of))
            why = REASONS[what.reason]
            if what.reason is NotSent.no_calls:
                return f"{ko} 자동 전화를 걸지 않음: {why[0]}", f"{en} is not rung: {why[1]}"
            return f"{ko} 알리지 않음: {why[0]}", f"{en} is not told: {why[1]}"


def _to(what: MessagePlanned, of: Context) -> Words:
    return to(what.role, _named(what.person_id, what.role, of))


def _named(person_id: str, role: str, of: Context) -> str:
    """A person's name behind their role; the resident, and who has no name, is told by the role alone."""
    name = of.shown(person_id) if person_id and role != "resident" else ""
    return f" {name}" if name else ""


def _about(template: str) -> Words:
    return TEMPLATES.get(template, (template, template))


def _course(what: Escalated | DeadlinePassed | Calmed) -> Words:
    match what:
        case Escalated():
            if what.why == "help":
                return "심각으로 올랐습니다: 도움 요청", "the case became serious: help was asked for"
            return "심각으로 올랐습니다: 본인의 답을 얻지 못함", "the case became serious: no word from the resident"
        case DeadlinePassed():
            return "기한이 지나도록 결과가 없어 맡은 사람이 없는 사례가 되었습니다. 다시 알립니다", (
                "no outcome by the deadline: nobody has the case, people are told again")  # fmt: skip
        case Calmed():
            ko, en = HOW[what.how]
            return f"안정되었습니다: {ko}", f"calm: {en}"


def _act(what: Acknowledged | TakeOverAsked | Noted | Closed | Undone | Reopened, of: Context) -> Words:
    match what:
        case Acknowledged():
            until = stamp(what.until, of.tz)
            if what.over:
                ko, en = colleague(of.shown(what.over))
                return f"{ko}에게서 넘겨받았습니다, 기한 {until}", f"took the case over from {en}, until {until}"
            return f"사례를 맡았습니다, 기한 {until}", f"took the case, until {until}"
        case TakeOverAsked():
            ko, en = colleague(of.shown(what.owner))
            return f"{ko}에게 넘겨받고 싶다고 알렸습니다", f"asked {en} to hand it over"
        case Noted():
            return "적어 두었습니다", "wrote a note"
        case Undone() if what.act == "close":
            return "닫은 것을 되돌렸습니다: 사례가 그대로 이어집니다", "undid the closing: the case goes on as it was"
        case Undone() if what.owner:
            ko, en = colleague(of.shown(what.owner))
            return f"마지막에 누른 것을 되돌렸습니다: {ko}이 그대로 맡고 있습니다", (
                f"undid the last press: {en} has the case as before")  # fmt: skip
        case Undone():
            return "맡은 것을 되돌렸습니다: 알림이 그대로 이어집니다", "undid the taking: the ladder goes on as it was"
        case Reopened():
            until = stamp(what.until, of.tz)
            return f"닫힌 사례를 다시 열고 맡았습니다, 기한 {until}", f"reopened the case and has it, until {until}"
        case Closed():
            return _closed(what, of)


def colleague(name: str) -> Words:
    """One of the staff, by name where there is one."""
    return (f"{name} 님", name) if name else ("다른 분", "a colleague")


def _closed(what: Closed, of: Context) -> Words:
    ko, en = CODES[what.code] if what.code is not None else HOW[what.how]
    until = f" (~{stamp(what.until, of.tz)})" if what.until is not None else ""
    return f"사례를 닫았습니다: {ko}{until}", f"the case was closed: {en}{until}"
