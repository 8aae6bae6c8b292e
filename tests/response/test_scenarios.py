"""The ladder as timelines: what happens to a case from an alert to a person. Whatever nobody expected fails."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from response import ladder
from response.ladder import Ladder, Step
from response.log import NoCaseError
from response.records import CallOutcome, DeliveryResult
from tests.response.town import Town, at

pytestmark = pytest.mark.postgres
DAY = "2026-03-04 10:00"  # a Wednesday
NIGHT = "2026-03-04 23:00"
SATURDAY = "2026-03-07 10:00"
HOLIDAY = "2026-05-05 10:00"  # children's day, a Tuesday


@pytest.fixture
def town(database: Engine) -> Iterator[Town]:
    """A town on a working day at ten; in the end nobody may have been called or told unexpectedly."""
    made = Town(database, at(DAY))
    yield made
    made.nothing_else()


def unanswered(town: Town, times: int = 3) -> None:
    """The resident is asked ``times`` times from now and answers none."""
    town.asked().is_not_answered()
    for minutes in (10, 50)[: times - 1]:
        town.wait(minutes=minutes)
        town.call().is_not_answered()


# The resident answers.


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
    """Ringing back is an answer, with or without a key."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.wait(minutes=5)
    assert town.rings_back()
    town.record("safe_answered")
    town.wait(hours=24)


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
    town.alert("serious")
    town.asked().is_not_answered()
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.wait(minutes=5)
    town.rings_back("1")
    town.record("safe_answered")
    town.message("guardian", "calmed")
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
    town.closes("safe_visited")
    town.record("safe_visited")
    ringing.presses("2")
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    assert town.cases() == 2
    town.takes()


# Nobody answers.


def test_unanswered_reaches_guardian_and_officer(town: Town) -> None:
    """Five minutes after the third call guardian and officer are told: the case is serious now."""
    town.alert("caution")
    unanswered(town)
    town.wait(minutes=5)
    town.message("guardian", "tell_guardian")
    job = town.message("officer", "tell_officer")
    assert job.what["values"]["outcomes"] == "no_answer,no_answer,no_answer"
    assert town.case().level == "serious"
    town.takes()


def test_one_source_alone_waits_two_hours_for_the_officer(town: Town) -> None:
    """One silent signal reaches at most caution: the officer is told two hours after the last call."""
    town.alert("caution", one_source=True)
    unanswered(town)
    town.wait(minutes=119)
    town.nothing_else()
    town.wait(minutes=1)
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    assert town.case().level == "caution"
    town.takes()


def test_the_second_source_falling_silent_ends_that_wait(town: Town) -> None:
    """When the other signal falls silent too and it is serious, the officer is told at once."""
    town.alert("caution", one_source=True)
    unanswered(town)
    town.wait(minutes=30)
    town.alert("serious", change="level_changed")
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.takes()


def test_the_ladder_goes_up_and_never_ends(town: Town) -> None:
    """Officer, deputy after 15 minutes, centre after 30, and the centre again every 15 until somebody acknowledges."""
    town.alert("serious")
    town.asked().is_not_answered()
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.wait(minutes=15)
    town.message("deputy", "tell_officer")
    town.wait(minutes=15)
    town.message("centre", "tell_officer")
    for _ in range(40):
        town.wait(minutes=15)
        town.message("centre", "tell_officer")
    town.takes("cent", hours=1)
    town.wait(minutes=59)


def test_serious_tells_an_officer_at_once_and_rings_beside(town: Town) -> None:
    """Both signals silent beyond anything known: a person at once, the resident is rung at the same time."""
    town.alert("serious")
    town.message("officer", "tell_officer")
    town.message("guardian", "tell_guardian")
    town.asked().presses("1")
    town.record("safe_answered")
    town.message("guardian", "calmed")
    town.message("officer", "calmed")


def test_growing_serious_between_calls_jumps_to_the_officer(town: Town) -> None:
    """A caution that becomes serious does not wait for the third call."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.wait(minutes=5)
    town.alert("serious", change="level_changed")
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.takes()


def test_attention_is_for_the_dashboard_only(town: Town) -> None:
    """Nobody is called for what is merely unusual."""
    town.alert("attention")
    assert town.cases() == 0
    town.wait(hours=48)


def test_an_early_attention_that_grows_opens_a_case(town: Town) -> None:
    """The first event that is for somebody opens the case, whatever it is called."""
    town.alert("attention")
    town.alert("caution", change="level_changed")
    town.asked().presses("1")
    town.record("safe_answered")


# Nights, weekends, holidays.


def test_nobody_is_rung_at_night(town: Town) -> None:
    """A caution at 23:00 waits for 08:00."""
    town.now = at(NIGHT)
    town.alert("caution")
    town.nothing_else()
    town.wait_until("07:59")
    town.nothing_else()
    town.wait(minutes=1)
    town.asked().presses("1")
    town.record("safe_answered")


def test_serious_at_night_goes_to_the_centre(town: Town) -> None:
    """At night nobody of the office is told and the resident is not rung: guardian and centre at once."""
    town.now = at(NIGHT)
    town.alert("serious")
    town.message("guardian", "tell_guardian")
    town.message("centre", "tell_officer")
    town.wait(minutes=15)
    town.message("centre", "tell_officer")
    town.takes("cent")


@pytest.mark.parametrize("when", [SATURDAY, HOLIDAY])
def test_weekends_and_holidays_go_to_the_centre(town: Town, when: str) -> None:
    """The office is closed: the resident is rung, the centre told."""
    town.now = at(when)
    town.alert("serious")
    town.asked().is_not_answered()
    town.message("guardian", "tell_guardian")
    town.message("centre", "tell_officer")
    town.takes("cent")


def test_calls_that_would_fall_into_the_night_wait_for_the_morning(town: Town) -> None:
    """Asked at 20:55, the second call at 21:05 would be at night: it comes at 08:00, the third 50 minutes later."""
    town.now = at("2026-03-04 20:55")
    town.alert("caution")
    town.asked().is_not_answered()
    town.wait_until("08:00")
    town.call().is_not_answered()
    town.wait(minutes=50)
    town.call().presses("1")
    town.record("safe_answered")


def test_the_deputy_is_not_told_after_hours(town: Town) -> None:
    """Officer at 17:50, nobody acknowledges: at 18:05 the office is closed and the centre's turn has come."""
    town.now = at("2026-03-04 17:50")
    town.alert("serious")
    town.asked().is_not_answered()
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.wait(minutes=15)
    town.message("centre", "tell_officer")
    town.takes("cent")


# Acknowledgement, hand-over, re-opening, closing.


def test_an_acknowledgement_stops_the_ladder(town: Town) -> None:
    """Whoever takes it has until the deadline; nobody else is told."""
    town.alert("serious")
    town.asked().is_not_answered()
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.takes(hours=2)
    assert town.case().owner == "offi"
    town.wait(minutes=119)
    town.nothing_else()
    town.closes("safe_visited")
    town.record("safe_visited")
    town.message("guardian", "calmed")
    town.wait(hours=48)


def test_a_deadline_without_an_outcome_opens_it_again(town: Town) -> None:
    """The owner is told that the time is over, and the ladder begins again with the officer."""
    town.alert("serious")
    town.asked().is_not_answered()
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.takes()
    town.wait(hours=2)
    town.message("officer", "deadline_passed")
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    assert town.case().owner is None
    town.wait(minutes=15)
    town.message("deputy", "tell_officer")
    town.takes("depu")


def test_hand_over(town: Town) -> None:
    """A second person takes it over: the deadline is theirs."""
    town.alert("serious")
    town.asked().is_not_answered()
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.takes(hours=1)
    town.wait(minutes=30)
    town.takes("depu", hours=2)
    town.wait(minutes=119)
    town.nothing_else()
    assert town.case().owner == "depu"
    town.closes("hospital", by="depu", until_h=200)
    town.record("hospital")
    town.message("guardian", "calmed")
    town.message("officer", "calmed")


def test_an_acknowledgement_stops_the_call_that_waits(town: Town) -> None:
    """A call that nobody has dialled yet is not dialled any more, and the log says so."""
    town.sending = False
    town.alert("caution")
    town.takes()
    town.sending = True
    town.gather()
    town.nothing_else()
    assert any(type(e.what).__name__ == "Cancelled" for e in town.entries())


def test_an_outcome_that_explains_a_time_needs_an_end(town: Town) -> None:
    """Away or in hospital for ever would switch the watch off."""
    town.alert("caution")
    town.asked().is_not_answered()
    with pytest.raises(ValueError, match="needs an end"):
        town.closes("away_registered")
    town.closes("away_registered", until_h=72)
    town.record("away_registered")


def test_a_closed_case_cannot_be_taken_or_closed(town: Town) -> None:
    """What is closed stays closed."""
    town.alert("caution")
    town.asked().presses("1")
    town.record("safe_answered")
    with pytest.raises(ValueError, match="closed"):
        town.takes()
    with pytest.raises(ValueError, match="closed"):
        town.closes("safe_visited")
    with pytest.raises(NoCaseError):
        town.takes(case=9999)


def test_key_1_while_an_officer_has_it_leaves_the_word_to_the_officer(town: Town) -> None:
    """An owned case is calm by a key press, and closed by its owner."""
    town.alert("serious")
    ringing = town.asked()
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.takes()
    ringing.presses("1")
    town.message("guardian", "calmed")
    town.message("officer", "calmed")
    assert town.case().phase == "calm"
    town.closes("safe_answered")
    town.record("safe_answered")
    town.message("guardian", "calmed")


def test_a_calm_case_that_its_owner_forgets_closes_itself(town: Town) -> None:
    """Life was seen: a passed deadline wakes nobody."""
    town.alert("serious")
    town.asked().is_not_answered()
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.takes()
    town.cleared()
    town.message("guardian", "calmed")
    town.message("officer", "calmed")
    town.wait(hours=3)
    assert town.case().phase == "closed"


# The stream goes on.


def test_life_between_calls_ends_it(town: Town) -> None:
    """The phone is used again: no further call, no outcome to be told."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.wait(minutes=5)
    town.cleared()
    assert town.case().closed is not None
    town.wait(hours=48)


def test_life_after_the_officer_was_told_calms_all(town: Town) -> None:
    """Everybody who was told hears that it is over."""
    town.alert("serious")
    town.asked().is_not_answered()
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.cleared("life_load")
    town.message("guardian", "calmed")
    town.message("officer", "calmed")
    town.wait(hours=48)


def test_a_message_nobody_got_needs_no_all_clear(town: Town) -> None:
    """Who was to be told but was not, as it ended before, is not told that it is over."""
    town.sending = False
    town.alert("serious")
    town.cleared()
    town.sending = True
    town.gather()
    town.nothing_else()


def test_what_is_for_the_dashboard_only_does_not_keep_a_case_open(town: Town) -> None:
    """A slow decline stands for a month: the silence it was raised beside ends all the same."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.alert("attention", kind="decline")
    town.cleared(kind="data_gap", alert_id="another")
    assert town.case().phase == "asking"
    town.cleared()
    assert town.case().closed is not None
    town.wait(hours=48)


def test_a_second_alert_joins_the_case(town: Town) -> None:
    """One open case a household: the second alert opens none, and the first's end does not end it."""
    town.alert("caution", alert_id="x")
    town.asked().is_not_answered()
    town.alert("caution", alert_id="y")
    town.cleared(alert_id="x")
    assert town.cases() == 1
    assert town.case().phase == "asking"
    town.cleared(alert_id="y")
    assert town.case().closed is not None


def test_the_same_event_twice_changes_nothing_for_anybody(town: Town) -> None:
    """A repeated alert calls nobody twice."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.alert("caution")
    town.wait(minutes=10)
    town.call().presses("1")
    town.record("safe_answered")


def test_what_was_just_explained_is_not_asked_again(town: Town) -> None:
    """The stream's alert goes on until it hears of the outcome: its next event opens nothing."""
    town.alert("caution")
    town.asked().presses("1")
    town.record("safe_answered")
    town.wait(minutes=15)
    town.alert("caution", change="level_changed", onset_h=12.25)
    assert town.cases() == 1


def test_an_explained_alert_that_grows_is_asked_again(town: Town) -> None:
    """Rather twice than never: what becomes serious after the answer is a new case."""
    town.alert("caution")
    town.asked().presses("1")
    town.record("safe_answered")
    town.wait(hours=10)
    town.alert("serious", change="level_changed", onset_h=22)
    town.message("guardian", "tell_guardian")
    town.message("centre", "tell_officer")
    town.asked().is_not_answered()
    town.takes("cent")


def test_growing_silence_of_somebody_taken_to_hospital_is_not_asked_about(town: Town) -> None:
    """Nobody is at home after an emergency: what becomes serious then is no news."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.closes("emergency_119")
    town.record("emergency_119")
    town.wait(hours=10)
    town.alert("serious", change="level_changed", onset_h=22)
    assert town.cases() == 1


def test_a_new_silence_after_an_answer_is_a_new_case(town: Town) -> None:
    """An alert that began after the answer has nothing to do with it."""
    town.alert("caution")
    town.asked().presses("1")
    town.record("safe_answered")
    town.wait(hours=20)
    town.now = at("2026-03-05 14:00")
    town.alert("caution", alert_id="later", onset_h=10)
    town.asked().presses("1")
    town.record("safe_answered")
    assert town.cases() == 2


def test_two_households_do_not_wait_for_each_other(town: Town) -> None:
    """Cases are their own: one answers, the other goes on."""
    town.alert("caution", household="h1")
    town.alert("caution", household="h2")
    town.message("resident", "ask_resident", household="h2")
    second = town.call("h2")
    town.asked().presses("1")
    town.record("safe_answered")
    second.is_not_answered()
    town.wait(minutes=10)
    town.call("h2").presses("1")
    town.record("safe_answered", "h2")


# Absence, consent, missing people.


def test_a_registered_absence_is_not_asked(town: Town) -> None:
    """Nobody is called on a trip that is registered; the log says why."""
    town.absent_until = at("2026-03-09 10:00")
    town.alert("caution")
    assert town.not_told("resident") == ["absent"]
    town.wait(hours=24)


def test_an_absence_registered_between_calls_ends_it(town: Town) -> None:
    """The family tells of a trip: no further call."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.absent_until = at("2026-03-09 10:00")
    town.wait(minutes=10)
    assert town.case().phase == "closed"


def test_consent_withdrawn_mid_case_stops_everything(town: Town) -> None:
    """No further call, no message; who has the case is told to stop."""
    town.alert("serious")
    town.asked().is_not_answered()
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.takes()
    with town.desk.transaction() as conn:
        town.desk.withdraw(conn, "h1", town.now)
    town.gather()
    town.message("officer", "withdrawn")
    town.wait(hours=72)
    assert town.case().phase == "closed"


def test_consent_withdrawn_is_seen_at_the_next_step_at_the_latest(town: Town) -> None:
    """Even if nobody told the desk."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.withdrawn = True
    town.wait(hours=24)
    assert town.case().phase == "closed"


def test_a_guardian_without_consent_is_not_told(town: Town) -> None:
    """The resident did not agree: the officer alone is told, and the log says why."""
    town.no_consent = {"guardian"}
    town.alert("serious")
    town.asked().is_not_answered()
    town.message("officer", "tell_officer")
    assert town.not_told("guardian") == ["no_consent"]
    town.takes()


def test_officer_on_leave_the_deputy_is_told_at_once(town: Town) -> None:
    """Nobody on duty is an alert of its own, and nobody waits 15 minutes for somebody who is not there."""
    town.missing = {"officer"}
    town.alert("serious")
    town.asked().is_not_answered()
    town.message("guardian", "tell_guardian")
    town.message("operator", "nobody_on_duty")
    town.message("deputy", "tell_officer")
    assert town.not_told("officer") == ["nobody_on_duty"]
    town.takes("depu")


def test_nobody_on_duty_at_all_is_tried_for_ever(town: Town) -> None:
    """Operators hear once of each role; the ladder keeps asking for the centre."""
    town.missing = {"officer", "deputy", "centre", "guardian"}
    town.alert("serious")
    town.asked().is_not_answered()
    for _ in range(3):
        town.message("operator", "nobody_on_duty")
    town.wait(hours=1)
    town.missing = {"officer", "deputy", "guardian"}
    town.wait(minutes=15)
    town.message("centre", "tell_officer")
    town.takes("cent")


def test_a_resident_who_cannot_be_rung_is_a_matter_for_the_officer(town: Town) -> None:
    """Nobody to ask: the officer is told at once, no hour is lost."""
    town.missing = {"resident"}
    town.alert("caution")
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    assert set(town.not_told("resident")) == {"no_address"}
    town.takes()


def test_a_resident_without_a_telephone_for_calls_gets_the_sms(town: Town) -> None:
    """Deaf, or refuses calls: the SMS goes out, ten minutes are left to ring back, then the officer is told."""
    town.means["resident"] = frozenset({"sms", "message"})
    town.alert("caution")
    town.message("resident", "ask_resident")
    town.wait(minutes=10)
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.takes()


# Things fail.


def test_sms_down_does_not_stop_the_ladder(town: Town) -> None:
    """Delivery is not acknowledgement, failure is not either: the next person is told at the next step's time."""
    town.alert("serious")
    town.message("resident", "ask_resident", DeliveryResult.failed)
    town.call().is_not_answered()
    town.message("guardian", "tell_guardian", DeliveryResult.failed)
    town.message("officer", "tell_officer", DeliveryResult.failed)
    town.wait(minutes=15)
    town.message("deputy", "tell_officer", DeliveryResult.sent)
    town.takes("depu")


def test_a_long_queue_puts_the_next_call_off(town: Town) -> None:
    """The first call still waits when the second is due: there are never two, and the second is not lost."""
    town.sending = False
    town.alert("caution")
    town.wait(minutes=15)
    town.sending = True
    town.gather()
    town.asked().is_not_answered()
    town.wait(minutes=1)
    town.call().is_not_answered()
    town.wait(minutes=50)
    town.call().presses("1")
    town.record("safe_answered")


def test_a_telephone_that_is_down_for_hours_does_not_hold_the_officer_back(town: Town) -> None:
    """Calls that are never dialled: the ladder goes on after half an hour each, an officer is told."""
    town.sending = False
    town.alert("caution")
    town.wait(hours=3)
    town.sending = True
    town.gather()
    town.message("guardian", "tell_guardian")
    for role in ("officer", "deputy", "centre"):
        town.message(role, "tell_officer")  # type: ignore[arg-type]
    town.asked().presses("1")
    town.record("safe_answered")
    town.came.clear()


def test_the_result_of_a_call_twice_is_one_attempt(town: Town) -> None:
    """A vendor's webhook that comes again changes nothing."""
    town.alert("caution")
    ringing = town.asked()
    ringing.is_not_answered()
    ringing.is_not_answered()
    assert sum(type(e.what).__name__ == "CallDone" for e in town.entries()) == 1
    town.takes()


def test_a_key_that_comes_after_the_call_was_given_up_still_counts(town: Town) -> None:
    """The sender died, the call's end was unknown; then the vendor tells of key 1."""
    town.alert("caution")
    ringing = town.asked()
    ringing.ends(CallOutcome.unknown)
    ringing.presses("1")
    town.record("safe_answered")


# Other kinds of alerts.


def test_a_home_without_data_is_looked_after_in_office_hours(town: Town) -> None:
    """No data for a day: the officer looks, in the morning; nobody is rung at night."""
    town.now = at(NIGHT)
    town.alert("caution", kind="data_gap")
    town.wait_until("08:59")
    town.nothing_else()
    town.wait(minutes=1)
    town.message("officer", "look_officer")
    town.wait(hours=24)
    town.message("officer", "look_officer")
    town.cleared("data_back", kind="data_gap")
    town.message("officer", "calmed")


def test_a_home_without_data_that_falls_silent_gets_the_ladder_of_silence(town: Town) -> None:
    """The more urgent kind takes over, from its first step."""
    town.alert("caution", kind="data_gap")
    town.message("officer", "look_officer")
    town.wait(minutes=30)
    town.alert("caution", alert_id="s")
    town.asked().presses("1")
    town.record("safe_answered")
    town.message("officer", "calmed")


def test_an_area_outage_is_one_message_to_operators(town: Town) -> None:
    """No household is called for a power cut; the operator hears of its beginning and its end, once each."""
    town.alert("serious", household="area-1", kind="area_outage", to="operator")
    town.alert("serious", household="area-1", kind="area_outage", to="operator")
    town.message("operator", "area_outage")
    town.alert("serious", household="area-1", kind="area_outage", to="operator", change="cleared", why="area_back")
    town.message("operator", "area_outage")
    assert town.cases("area-1") == 0


def test_a_stalled_feed_without_an_operator_is_said_to_be_unheard(town: Town) -> None:
    """Nobody on duty: the delivery log has it."""
    town.missing = {"operator"}
    town.alert("serious", household="", kind="feed_stalled", to="operator")
    assert town.not_told("operator") == ["nobody_on_duty"]


# Drills, other ladders.


def test_a_drill_reaches_only_the_senders_of_drills(town: Town) -> None:
    """Every row of a drill's case is marked: a real sender never takes one."""
    town.drill = True
    town.alert("serious")
    assert town.came
    assert all(job.drill for job in town.came)
    town.asked().presses("1")
    assert town.record("safe_answered").drill
    town.message("guardian", "calmed")
    town.message("officer", "calmed")
    town.came = [job for job in town.came if job.what.get("template") not in ("tell_guardian", "tell_officer")]


def test_a_drill_and_a_real_case_of_one_home_are_two(town: Town) -> None:
    """A real alert during a drill is not swallowed by it."""
    town.drill = True
    town.alert("caution", alert_id="drill")
    town.asked().is_not_answered()
    town.drill = False
    town.alert("caution", alert_id="real")
    town.asked().presses("1")
    assert not town.record("safe_answered").drill
    assert town.cases() == 2
    town.came.clear()


def test_a_ladder_of_ones_own(town: Town) -> None:
    """Another city asks once and then tells the centre alone."""
    town.ladders["silence"] = Ladder(
        urgent="tell",
        steps=(
            Step(name="ask", to=("resident",), by=("call",), hours="calling"),
            Step(name="tell", to=("centre",), wait_minutes=3, repeat_minutes=60),
        ),
    )
    town.alert("caution")
    town.call().is_not_answered()
    town.wait(minutes=3)
    town.message("centre", "tell_officer")
    town.wait(minutes=60)
    town.message("centre", "tell_officer")
    town.takes("cent")


def test_a_changed_ladder_does_not_touch_an_open_case(town: Town) -> None:
    """The ladder is frozen into the case when it opens."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.ladders["silence"] = Ladder(
        urgent="tell", steps=(Step(name="tell", to=("centre",), repeat_minutes=60),)
    )
    town.desk = town.new_desk()
    town.wait(minutes=10)
    town.call().presses("1")
    town.record("safe_answered")


def test_the_default_ladder_is_the_one_of_the_guide() -> None:
    """Attempts at 0, 10 and 60 minutes; officer, deputy and centre 15 minutes apart."""
    steps = {step.name: step for step in ladder.SILENCE.steps}
    assert [steps[n].wait_minutes for n in ("ask", "ask_again", "ask_last")] == [0, 10, 50]
    assert [steps[n].wait_minutes for n in ("tell_deputy", "tell_centre")] == [15, 15]
    assert steps["tell"].one_source_minutes == 120
