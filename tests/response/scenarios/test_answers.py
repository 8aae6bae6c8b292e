"""The resident answers: by a key, by ringing back, or by asking for help."""

import pytest

from response.records import CallOutcome, CallResult, Rang
from tests.response.people import add_person
from tests.response.scenarios.times import an_officer_is_told, unanswered
from tests.response.town import Town

pytestmark = pytest.mark.postgres


def test_key_1_ends_it_and_no_officer_ever_saw_it(town: Town) -> None:
    """A resident who presses 1 is well: the case closes, the stream learns, nobody else hears of it."""
    town.alert("caution")
    town.asked().presses("1")
    town.record("safe_answered")
    assert town.case().closed is not None
    town.wait(hours=72)


def test_key_1_at_the_second_call(town: Town) -> None:
    """The second attempt comes ten minutes after the first."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.wait(minutes=10)
    town.call().presses("1")
    town.record("safe_answered")
    town.wait(hours=24)


def test_key_1_at_the_third_call(town: Town) -> None:
    """The third attempt comes an hour after the first."""
    town.alert("caution")
    unanswered(town, 2)
    town.wait(minutes=49)
    town.nothing_else()
    town.wait(minutes=1)
    town.call().presses("1")
    town.record("safe_answered")


def test_key_2_reaches_an_officer_at_once(town: Town) -> None:
    """A resident who asks for help is not asked again: an officer is told, and the guardian."""
    town.alert("caution")
    town.asked().presses("2")
    town.message("guardian", "tell_guardian")
    assert town.message("officer", "tell_officer").what["values"]["help"] == "1"
    assert town.case().level == "serious"
    town.takes()


def test_life_does_not_end_a_call_for_help(town: Town) -> None:
    """Who pressed 2 and is then seen by the meter still needs a person."""
    town.alert("caution")
    town.asked().presses("2")
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.cleared()
    assert town.case().phase == "telling"
    town.takes()


def test_a_key_that_means_nothing_is_no_answer(town: Town) -> None:
    """Only 1 and 2 are answers."""
    town.alert("caution")
    town.asked().presses("7")
    town.wait(minutes=10)
    town.call().presses("1")
    town.record("safe_answered")


def test_an_answer_without_a_key_is_asked_again(town: Town) -> None:
    """A voice mail also answers: without a key the ladder goes on."""
    town.alert("caution")
    town.asked().ends(CallOutcome.answered_no_key)
    town.wait(minutes=10)
    town.call().presses("1")
    town.record("safe_answered")


@pytest.mark.parametrize("outcome", [CallOutcome.busy, CallOutcome.rejected, CallOutcome.failed, CallOutcome.unknown])
def test_every_failed_call_is_an_attempt(town: Town, outcome: CallOutcome) -> None:
    """Busy, rejected, failed or unknown: the next attempt comes at its time, none at once."""
    town.alert("caution")
    town.asked().ends(outcome)
    town.wait(minutes=9)
    town.nothing_else()
    town.wait(minutes=1)
    town.call().presses("1")
    town.record("safe_answered")


def test_a_call_back_between_attempts_ends_it(town: Town) -> None:
    """Ringing back and pressing 1 is an answer."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.wait(minutes=5)
    assert town.rings_back("1")
    town.record("safe_answered")
    town.wait(hours=24)


@pytest.mark.parametrize("how", [Rang.no_key, Rang.cut_short, Rang.not_established])
def test_a_call_back_without_a_key_puts_the_next_attempt_off_once(town: Town, how: Rang) -> None:
    """It proves nothing, and whoever rings without end does not keep the case where it is."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.wait(minutes=5)
    assert town.rings_back(how=how)
    town.wait(minutes=14)
    town.rings_back(how=how)
    town.nothing_else()
    town.wait(minutes=1)
    town.call().presses("1")
    town.record("safe_answered")


def test_a_call_back_without_a_key_leaves_a_serious_case_with_its_person(town: Town) -> None:
    """Nobody is told that it is over; the ladder goes on at its time."""
    town.alert("serious")
    town.asked().is_not_answered()
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.rings_back()
    assert town.case().phase == "telling"
    town.wait(minutes=15)
    town.message("deputy", "tell_officer")
    town.takes()
    town.rings_back(how=Rang.cut_short)
    assert town.case().owner == "offi"


def test_whom_we_had_no_line_for_is_rung_back(town: Town) -> None:
    """At once, beside the ladder."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.rings_back(how=Rang.no_line)
    town.call().presses("2")
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.takes()


def test_a_call_back_with_2_asks_for_help(town: Town) -> None:
    """Who rings back and presses 2 is helped as at the first call."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.rings_back("2")
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.takes()


def test_a_call_back_after_escalation_calms_everybody(town: Town) -> None:
    """Who rings back late ends it too, and all who were told hear that it is over."""
    an_officer_is_told(town)
    town.wait(minutes=5)
    town.rings_back("1")
    town.record("safe_answered")
    town.message("guardian", "calmed_guardian")
    town.message("officer", "calmed")
    town.wait(hours=24)


def test_a_call_back_without_a_case_is_nothing(town: Town) -> None:
    """Somebody who rings us on a good day is no case."""
    assert not town.rings_back("1")


def test_a_call_back_for_help_without_a_case_opens_one(town: Town) -> None:
    """Somebody who rings us on a good day and presses 2 is one."""
    assert town.rings_back("2")
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.takes()


def test_help_asked_in_a_call_that_outlived_its_case(town: Town) -> None:
    """A case was closed while the phone rang; the resident then presses 2: that is not lost."""
    town.alert("caution")
    ringing = town.asked()
    town.takes()
    town.closes("safe_visited")
    town.record("safe_visited")
    ringing.presses("2")
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    assert town.cases() == 2
    town.takes()


@pytest.mark.parametrize("before", ["1", "7"])
def test_help_that_is_asked_for_after_another_key_of_the_same_call(town: Town, before: str) -> None:
    """A vendor tells key by key: whoever corrects themselves is helped, and told again it is the same asking."""
    town.alert("caution")
    ringing = town.asked()
    ringing.presses(before)
    if before == "1":
        town.record("safe_answered")
    ringing.presses("2")
    town.message("guardian", "tell_guardian")
    assert town.message("officer", "tell_officer").what["values"]["help"] == "1"
    town.takes()
    town.closes("safe_visited")
    town.record("safe_visited")
    town.message("guardian", "calmed_guardian")
    ringing.presses("2")
    ringing.presses("1")
    assert town.case().closed is not None
    assert town.cases() == (2 if before == "1" else 1)


def test_a_key_that_is_told_of_a_message_is_nobodys_answer(town: Town) -> None:
    """A vendor that mixes up its ids, signed as it may be: only a call can be answered."""
    town.alert("caution")
    sent = next(job for job in town.came if job.kind == "message")
    town.desk.call_done(sent.key, CallResult(CallOutcome.answered_key, "1"), town.now)
    assert town.case().closed is None
    town.asked().presses("1")
    town.record("safe_answered")


@pytest.mark.parametrize("role", ["resident", "guardian", "officer"])
def test_key_1_in_our_call_to_a_number_of_several_people_ends_nothing(town: Town, role: str) -> None:
    """Whoever picked up may be the other one; key 2 is help all the same."""
    with town.engine.begin() as conn:
        add_person(conn, "resi-h1", "resident", household_id="h1", phone="+821012345678")
        add_person(conn, "other", role, household_id="h2" if role != "officer" else None, phone="+821012345678")
    town.alert("caution")
    town.asked().presses("1")
    case = town.case()
    assert (case.closed, case.calmed) == (None, None)
    town.wait(minutes=10)
    town.call().presses("2")
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.takes()


def test_key_1_in_our_call_to_a_number_of_ones_own_ends_it(town: Town) -> None:
    """Others with other numbers change nothing."""
    with town.engine.begin() as conn:
        add_person(conn, "resi-h1", "resident", household_id="h1", phone="+821012345678")
        add_person(conn, "other", "resident", household_id="h2", phone="+821012345679")
    town.alert("caution")
    town.asked().presses("1")
    town.record("safe_answered")
