"""What a person does with a case: take it, ask for it, write a note, close it, undo that, open it again. Pure.

No outcome without having taken it, no taking over without having asked: every edge (page, command) comes through here.
What tells others of an act is held for as long as the act can be undone.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from response import decide
from response.case import Act, Case, minutes
from response.climb import climb, owner_of
from response.draft import UNDO_S, Draft, outcome_key
from response.events import Acknowledged, Closed, Noted, Reopened, TakeOverAsked, Undone
from response.hours import Hours
from response.ladder import MOST_HOURS
from response.records import Circle
from response.refusals import RefusedError, SureError, TakenError
from stream.enrolment import outcome_fault
from stream.outcomes import MUST_END, latest, most_days
from stream.records import Outcome, OutcomeCode

GRAVE = frozenset({OutcomeCode.deceased, OutcomeCode.moved, OutcomeCode.emergency_119})
"""Outcomes that end the watch, or are told on: asked once more."""
TWICE = timedelta(minutes=1)
"""The same within this is one press that came twice."""


def take(
    draft: Draft, by: str, comment: str, until: datetime | None, limits: Mapping[str, float], over: bool = False
) -> None:
    """A person takes the case, until ``until`` (default: ``limits``, minutes by level); whoever has it says so again to
    have more time. ``over``: also from somebody else, who was asked before; their deadline stays where none is given.
    Pressed twice it is taken once.

    Raises:
        RefusedError: it is closed, somebody else has it, or the deadline is over, or too far ahead.
    """
    case = _open(draft.case)
    if case.owner == by and over:
        return
    before = owner_of(case) if case.owner not in (None, by) else None
    if before is not None:
        if not over:
            raise TakenError(case.case_id, before.person_id)
        if by not in case.asked:
            raise RefusedError(
                "먼저 {who}에게 넘겨받고 싶다고 알려 주십시오",
                "ask {who} first: nothing is taken over without a word", before.person_id,
            )  # fmt: skip
        if until is None and case.owner_until is not None and case.owner_until > draft.now:
            until = case.owner_until
    until = _deadline(draft, until, limits)
    if case.owner == by and not comment and case.owner_until is not None and abs(until - case.owner_until) < TWICE:
        return
    draft.write(Acknowledged(until, comment, before.person_id if before is not None else ""), by)
    draft.stop_all()
    if before is not None:
        draft.message(before, "taken_over", held=True, who=by)


def ask(draft: Draft, by: str) -> None:
    """Tell whoever has the case that ``by`` would like to have it. Asking twice tells once.

    Raises:
        RefusedError: it is closed, or nobody else has it.
    """
    case = _open(draft.case)
    if case.owner in (None, by):
        raise RefusedError("다른 분이 맡고 있지 않습니다: 바로 맡으십시오", "nobody else has it: take it")
    if by not in case.asked:
        owner = owner_of(case)
        draft.write(TakeOverAsked(owner.person_id), by)
        draft.message(owner, "take_over_asked", who=by)


def note(draft: Draft, by: str, comment: str) -> None:
    """Write down what a person says; nothing follows from it."""
    draft.write(Noted(comment), by)


def close(
    draft: Draft, by: str, code: OutcomeCode, comment: str = "", from_: datetime | None = None,
    until: datetime | None = None, sure: bool = False,
) -> None:  # fmt: skip
    """Whoever has the case closes it with what it turned out to be; the stream learns of it. ``sure``: asked once more.
    Pressed twice it is closed once.

    Raises:
        RefusedError: it is closed, it is not theirs, an end is missing or too far ahead, or the stream refuses it.
        SureError: the outcome is grave and nobody was asked again.
    """
    done = draft.case.closed
    if done is not None and done.how == "person" and done.code is code and draft.case.owner == by:
        return
    case = _open(draft.case)
    if case.owner is None:
        raise RefusedError(
            "먼저 맡아 주십시오: 맡은 분만 결과를 넣을 수 있습니다",
            "take the case first: an outcome is given by whoever has it",
        )
    if case.owner != by:
        raise TakenError(case.case_id, case.owner)
    _ends(draft.now, code, from_, until)
    if code in GRAVE and not sure:
        raise SureError(code)
    draft.write(Closed(code, "person", comment, from_, until), by)
    draft.stop_all()
    draft.outcome(held=True)
    decide.tell_all(draft, "person", but=by, held=True)


def undo(draft: Draft, by: str, circle: Circle, hours: Hours, seq: int | None = None) -> None:
    """As if ``by`` had not taken, or closed, the case: within the minute, and nobody has been told. Whatever the act
    had stopped goes on; what was to be done meanwhile is done. ``seq``: the act that is meant, where that is known:
    pressed twice it is undone once, and no other act with it.

    Raises:
        RefusedError: there is nothing of theirs to undo, or it is too late.
    """
    act = draft.case.act
    if seq is not None and draft.case.undone == seq:
        return
    if act is None or act.by != by or seq not in (None, act.seq):
        raise RefusedError(
            "되돌릴 일이 없습니다: 마지막으로 맡거나 닫은 분이 아닙니다",
            "nothing to undo: the last to take or close this case was not you",
        )
    told = act.kind == "close" and outcome_key(draft.case) not in draft.untold
    if told or not undoable(act, draft.now):
        raise RefusedError(
            "1분이 지나 되돌릴 수 없습니다. 닫은 사례는 사유를 적어 다시 열 수 있습니다",
            "the minute is over, it cannot be undone; a closed case can be reopened with a reason",
        )
    draft.stop(act.held)
    if act.kind == "close":
        draft.cancelled |= {outcome_key(draft.case)}
    same = (draft.case.calmed, draft.case.help) == (act.before.calmed, act.before.help)
    restored = act.stopped if same else ()  # what calmed it, or asked for help, stopped them too
    owner = (act.before.owner or "") if act.kind == "take" else ""
    draft.write(Undone(act.kind, restored, owner), by)
    draft.restored |= set(restored)
    _go_on(draft, act.before, circle, hours)


def undoable(act: Act, now: datetime) -> bool:
    """Whether the minute is not over."""
    return now < act.at + timedelta(seconds=UNDO_S)


def reopen(
    draft: Draft, by: str, reason: str, until: datetime | None, limits: Mapping[str, float], circle: Circle
) -> None:
    """A closed case is open again and ``by`` has it. The stream forgets the outcome; who has not heard yet that it is
    over does not hear it. Pressed twice it is opened once.

    Raises:
        RefusedError: it is open, there is no reason, or consent has ended.
    """
    case = draft.case
    if case.closed is None and case.owner == by:
        return
    if case.closed is None:
        raise RefusedError("열려 있는 사례입니다", "the case is open: take it")
    if case.closed.how == "withdrawn" or circle.withdrawn:
        raise RefusedError("동의가 철회되어 다시 열 수 없습니다", "consent was withdrawn: it stays closed")
    if not reason:
        raise RefusedError("다시 여는 사유를 적어 주십시오", "say why it is reopened")
    until = _deadline(draft, until, limits)
    draft.stop_all()
    if case.closed.code is not None:
        draft.take_outcome_back()
    draft.write(Reopened(until, reason), by)


def _open(case: Case) -> Case:
    if case.closed is not None:
        raise RefusedError("이미 끝난 사례입니다", f"case {case.case_id} is closed already: it can be reopened")
    return case


def _deadline(draft: Draft, until: datetime | None, limits: Mapping[str, float]) -> datetime:
    until = until or draft.now + minutes(limits.get(draft.case.level, 120.0))
    if until <= draft.now:
        raise RefusedError(
            "기한이 이미 지났습니다: 더 늦은 때를 주십시오", "the deadline is over already: give a later one"
        )
    if until > draft.now + timedelta(hours=MOST_HOURS):
        raise RefusedError(
            f"기한은 길어도 {MOST_HOURS}시간입니다: 더 필요하면 그때 늘리십시오",
            f"a deadline is {MOST_HOURS} hours ahead at most: where that is not enough, set a new one then",
        )
    return until


def _ends(now: datetime, code: OutcomeCode, from_: datetime | None, until: datetime | None) -> None:
    """An outcome that explains a time says until when: that is to come, not for ever, and nothing that the stream would
    refuse is ever written down."""
    if (until is None and code in MUST_END) or (until is not None and until <= max(now, from_ or now)):
        raise RefusedError(
            "언제까지인지, 앞으로의 날짜를 적어 주십시오",
            f"the outcome {code} needs an end in the future: give until when it holds",
        )
    if until is not None and until > latest(code, now):
        days = most_days(code)
        raise RefusedError(
            f"이 결과는 길어도 {days}일입니다: 더 이른 날짜를 적고, 더 길어지면 그때 다시 알려 주십시오",
            f"{code} holds for {days} days at most: give an earlier day, and say it again where it lasts longer",
        )
    fault = outcome_fault("outcome", Outcome(now, code, from_, until), now.timestamp())
    if fault is not None:
        raise RefusedError("이 시각으로는 닫을 수 없습니다: 언제부터, 언제까지를 확인해 주십시오", fault[1])


def _go_on(draft: Draft, before: Case, circle: Circle, hours: Hours) -> None:
    """After an undoing: what came meanwhile was left to a person who does not have it any more, or to a closed case."""
    case = draft.case
    grew = case.level == "serious" and (before.level != "serious" or case.help != before.help)
    if before.alerts and not case.alerts and case.calmed is None and not case.doubt:
        decide.calm(draft, decide.calmed_by(case.latest))
    elif case.owner is None and case.calmed is not None:
        decide.over(draft, case.calmed)
    elif grew:
        decide.grown(draft, circle, hours)
    elif case.owner is not None or not decide.held(draft, circle):
        climb(draft, circle, hours)
        decide.go_on(draft, circle, hours)
