"""What ends or calms a case, path by path: an outgoing use of the own phone, evidence of load, a key pressed in a call
that was established, or a person's word. Nothing else, however near to it, does (docs/ladder.md)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from models.reasons import SENTENCES
from response import acts, decide
from response.case import PROVES, Case
from response.climb import due_at
from response.draft import Draft
from response.events import RESIDENT, CalmedBy, PutOff, RangBack, decode
from response.hours import Hours
from response.ladder import DEFAULT
from response.records import (
    CalledBack,
    CallOutcome,
    CallResult,
    Circle,
    Contact,
    Delivery,
    DeliveryResult,
    NotSent,
    Rang,
)
from stream.outcomes import MUST_END
from stream.records import OutcomeCode, ReasonCode
from tests.response.casework import CIRCLE, HOURS, LIMITS, SEOUL, alert

NOW = datetime(2026, 3, 3, 10, tzinfo=SEOUL).astimezone(UTC)
LEVELS = ("caution", "serious")
What = Callable[[Draft], None]


def asked(level: str) -> Draft:
    """A case whose resident is being rung: serious ones are known to guardian and officer too."""
    draft = Draft(Case(1), NOW)
    decide.open_case(draft, alert(NOW, level), DEFAULT, CIRCLE, HOURS)
    assert draft.case.calling
    return Draft(draft.case, NOW + timedelta(minutes=1))


def call(outcome: CallOutcome, pressed: str | None = None) -> What:
    """How the call to the resident ended."""
    return lambda d: decide.call_done(d, next(iter(d.case.calls)), CallResult(outcome, pressed), CIRCLE, HOURS)


def rang(call: CalledBack, shared: bool = False) -> What:
    """Somebody rings our number from the resident's."""
    back = RangBack("r1", call.key, call.how, shared)
    return lambda d: decide.rang_back(d, back, CIRCLE, HOURS, 10)


def rung(how: Rang) -> What:
    """A call to our number that was nothing, and yet has a key in the log."""
    return lambda d: decide.rang_back(d, RangBack("r1", "1", how), CIRCLE, HOURS, 10)


def message(result: DeliveryResult, reason: NotSent | None = None) -> What:
    """How the message to the resident ended."""
    return lambda d: decide.message_done(d, "c1-3", Delivery(result, "sms", reason), CIRCLE, HOURS)


def back(pressed: str | None = None, **of: bool) -> CalledBack:
    """A call to our number."""
    return CalledBack("01012345678", NOW, pressed, **of)


NOTHING: dict[str, What] = {
    **{f"our call: {outcome}": call(outcome) for outcome in CallOutcome},
    **{f"our call: {o}, but key {key}": call(o, key) for o in CallOutcome if o != "answered_key" for key in "12"},
    **{f"our call: key {key}": call(CallOutcome.answered_key, key) for key in "03456789*#"},
    "called back: we had no line": rang(back(refused=True)),
    "called back: we had no line, but key 1": rang(back("1", refused=True)),
    "called back: never established": rang(back()),
    "called back: never established, but key 1": rang(back("1")),
    "called back: never established, but key 1, heard": rang(back("1", heard=True)),
    "called back: cut short": rang(back(established=True)),
    "called back: no key": rang(back(established=True, heard=True)),
    **{f"called back: key {key}": rang(back(key, established=True, heard=True)) for key in "03456789*#"},
    **{f"called back: key 1, {how}": rung(how) for how in Rang if how is not Rang.key},
    "called back: key 1, shared number": rang(back("1", established=True, heard=True), shared=True),
    "called back: no key, shared number": rang(back(established=True, heard=True), shared=True),
    **{f"message: {result}": message(result) for result in DeliveryResult},
    **{f"message not sent: {reason}": message(DeliveryResult.not_sent, reason) for reason in NotSent},
    "a note": lambda d: acts.note(d, "o1", "nobody opens"),
    "taken": lambda d: acts.take(d, "o1", "", None, LIMITS),
    "an alert that grows": lambda d: decide.join(d, alert(d.now, "serious"), CIRCLE, HOURS),
    "time": lambda d: decide.due(Draft(d.case, d.now + timedelta(days=3)), CIRCLE, HOURS),
}
"""Happenings that prove nothing."""


def cleared(code: str, kind: str = "silence") -> What:
    """The stream ends the alert."""

    def does(draft: Draft) -> None:
        over = replace(alert(draft.now, kind=kind), event="cleared", reasons=(ReasonCode(code, {}),))
        decide.join(draft, over, CIRCLE, HOURS)

    return does


NOTHING |= {f"the alert was ended by {code or 'nothing'}": cleared(code) for code in ("late_data", "unheard_of", "")}


def ended_out_of_order(draft: Draft) -> None:
    """An end of the same alert that is of an hour before its last word: the order of the stream was lost."""
    over = replace(alert(draft.now - timedelta(hours=1)), event="cleared", reasons=(ReasonCode("life_phone", {}),))
    decide.join(draft, over, CIRCLE, HOURS)


NOTHING["the alert was ended before it said its last word"] = ended_out_of_order


def ended(how: CalmedBy) -> Callable[[Draft], bool]:
    """Whether a case was ended by this."""
    return lambda d: d.case.calmed == how or (d.case.closed is not None and d.case.closed.how == how)


def word(code: OutcomeCode) -> What:
    """Whoever has taken the case says what it was."""

    def does(draft: Draft) -> None:
        acts.take(draft, "o1", "", None, LIMITS)
        until = draft.now + timedelta(days=1) if code in MUST_END else None
        acts.close(draft, "o1", code, until=until, sure=True)

    return does


PROOF: dict[str, tuple[CalmedBy, What]] = {
    "key 1 in our call": ("key", call(CallOutcome.answered_key, "1")),
    "key 1 in a call-back": ("call_back", rang(back("1", established=True))),
    "the phone was used": ("life", cleared("life_phone")),
    "load": ("life", cleared("life_load")),
    "the model sees life": ("life", cleared("life_again")),
    "late data shows life": ("life", cleared("late_life")),
    "somebody made sure": ("life", cleared("made_sure")),
    "an absence is registered": ("absence", cleared("absence")),
    "moved or died, as somebody registered": ("absence", cleared("left")),
    "consent is withdrawn": ("withdrawn", cleared("withdrawn")),
    **{
        f"a person's word: {code}": ("person", word(code)) for code in OutcomeCode
    },
}  # fmt: skip


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", NOTHING)
def test_what_is_no_proof_ends_and_calms_nothing(name: str, level: str) -> None:
    """The case is as open as before, nobody is told that it is over, the stream hears of no outcome."""
    draft = asked(level)
    NOTHING[name](draft)
    assert draft.case.calmed is None
    assert draft.case.closed is None
    assert not any(send.kind == "record" for send in draft.sends)
    assert not any(send.what.get("template") == "calmed" for send in draft.sends)
    assert due_at(draft.case, HOURS) is not None


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", PROOF)
def test_proof_ends_it_and_says_by_what(name: str, level: str) -> None:
    """A case that nobody has is over, by what it was."""
    how, what = PROOF[name]
    draft = asked(level)
    what(draft)
    assert ended(how)(draft)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("level", LEVELS)
def test_key_2_of_a_call_back_is_help_for_whoever_has_the_number(level: str, shared: bool) -> None:
    """Of a number of several people too: each of them is helped."""
    draft = asked(level)
    rang(back("2", established=True), shared)(draft)
    assert draft.case.help
    assert draft.case.level == "serious"


@pytest.mark.parametrize("call_back", [back(), back(refused=True), back(established=True, heard=True)])
def test_a_call_back_without_a_key_puts_a_caution_off_once_and_a_serious_case_never(call_back: CalledBack) -> None:
    """By the minutes of the setting; who rings again and again delays nothing more."""
    draft = asked("caution")
    before = due_at(draft.case, HOURS)
    assert before is not None
    rang(call_back)(draft)
    assert due_at(draft.case, HOURS) == before + timedelta(minutes=10)
    rang(call_back)(draft)
    assert due_at(draft.case, HOURS) == before + timedelta(minutes=10)
    serious = asked("serious")
    before = due_at(serious.case, HOURS)
    rang(call_back)(serious)
    assert due_at(serious.case, HOURS) == before
    decide.join(draft, alert(draft.now, "serious"), CIRCLE, HOURS)
    assert "o1" in {send.person_id for send in draft.sends}


def test_a_shared_number_and_a_setting_of_0_put_nothing_off() -> None:
    """Nobody knows who rang; or nobody wants it."""
    draft = asked("caution")
    rang(back(established=True), shared=True)(draft)
    decide.rang_back(draft, RangBack("r1", None, Rang.no_key), CIRCLE, HOURS, 0)
    assert not any(isinstance(entry.what, PutOff) for entry in draft.entries)


@pytest.mark.parametrize("level", LEVELS)
def test_whom_we_had_no_line_for_is_rung_back(level: str) -> None:
    """One call, and none beside one that rings already or to somebody who is never rung."""
    draft = asked(level)
    call(CallOutcome.no_answer)(draft)
    rang(back(refused=True))(draft)
    rang(back(refused=True))(draft)
    assert [(send.kind, send.person_id) for send in draft.sends] == [("call", "r1")]
    never = Circle((Contact("r1", "resident", frozenset({"sms"})),))
    draft = asked(level)
    call(CallOutcome.no_answer)(draft)
    decide.rang_back(draft, RangBack("r1", None, Rang.no_line), never, Hours(SEOUL), 10)
    assert draft.sends == []


def test_a_key_that_comes_after_the_result_still_counts() -> None:
    """Some vendors tell "answered" first and the key later: help is not forgotten, and once is enough."""
    draft = asked("caution")
    call(CallOutcome.answered_no_key)(draft)
    call(CallOutcome.busy)(draft)
    call(CallOutcome.answered_key, "2")(draft)
    call(CallOutcome.answered_key, "1")(draft)
    assert draft.case.help
    assert list(draft.case.calls.values()) == [CallOutcome.answered_key]


@pytest.mark.parametrize("level", LEVELS)
def test_a_key_told_long_after_its_call_says_nothing_of_now(level: str) -> None:
    """A vendor tells of key 1 thirty hours later: a note, and the ladder goes on; help counts whenever it comes."""
    draft = asked(level)
    draft.now += timedelta(hours=30)
    call(CallOutcome.answered_key, "1")(draft)
    assert (draft.case.calmed, draft.case.closed) == (None, None)
    assert RESIDENT not in [entry.by for entry in draft.entries]
    call(CallOutcome.answered_key, "2")(draft)
    assert draft.case.help


def test_a_call_that_waited_hours_for_a_line_is_answered_when_it_is_made() -> None:
    """Its key is of the call, not of the hour in which the call was planned."""
    draft = asked("caution")
    draft.now += timedelta(hours=3)
    key = next(iter(draft.case.calls))
    decide.call_done(draft, key, CallResult(CallOutcome.answered_key, "1", ended_at=draft.now), CIRCLE, HOURS)
    assert draft.case.calmed == "key"


def test_a_key_of_a_time_before_the_call_is_of_another_one() -> None:
    """A webhook of old, sent again where its key stands for another call by now (a database restored): a note."""
    draft = asked("caution")
    key = next(iter(draft.case.calls))
    before = draft.now - timedelta(minutes=30)
    decide.call_done(draft, key, CallResult(CallOutcome.answered_key, "1", ended_at=before), CIRCLE, HOURS)
    assert (draft.case.calmed, draft.case.closed) == (None, None)
    assert RESIDENT not in [entry.by for entry in draft.entries]


def test_a_key_told_soon_after_the_call_was_given_up_is_of_that_call() -> None:
    """However long it had waited for a line."""
    draft = asked("caution")
    draft.now += timedelta(hours=3)
    call(CallOutcome.unknown)(draft)
    draft.now += timedelta(minutes=20)
    call(CallOutcome.answered_key, "1")(draft)
    assert draft.case.calmed == "key"


def test_data_that_come_back_do_not_end_a_silence_that_nothing_ended() -> None:
    """The alert on silence was judged anew and fell, then readings came: that the resident lives nobody has seen."""
    draft = asked("serious")
    gap = replace(alert(draft.now, kind="data_gap"), alert_id="gap")
    decide.join(draft, gap, CIRCLE, HOURS)
    cleared("late_data")(draft)
    decide.join(draft, replace(gap, event="cleared", reasons=(ReasonCode("data_back", {}),)), CIRCLE, HOURS)
    assert (draft.case.calmed, draft.case.closed) == (None, None)
    decide.join(draft, alert(draft.now, "serious"), CIRCLE, HOURS)
    cleared("life_load")(draft)
    assert draft.case.closed is not None


def test_a_log_of_before_is_read_as_it_was() -> None:
    """How a call-back went was not kept then: neither more nor less is said of it now."""
    old = decode({"event": "RangBack", "person_id": "r1", "pressed": None})
    assert isinstance(old, RangBack)
    assert (old.how, old.shared, old.answer) == (None, False, None)


def test_the_codes_that_prove_are_those_of_the_stream() -> None:
    """A code that nobody writes would prove nothing; each of the stream's words for an end is known here."""
    assert set(SENTENCES) >= PROVES
    assert {code for code in SENTENCES if code.startswith(("life_", "late_life"))} <= PROVES


def test_what_waits_out_of_its_order_is_read_by_its_time() -> None:
    """An alert raised after an end of the same alert stands, whichever of the two comes first."""
    raised = alert(NOW)
    before = replace(alert(NOW - timedelta(hours=1)), event="cleared")
    after = replace(alert(NOW + timedelta(hours=1)), event="cleared")
    assert decide.standing([raised, before]) == {raised.alert_id: raised}
    assert decide.standing([raised, after]) == {}
