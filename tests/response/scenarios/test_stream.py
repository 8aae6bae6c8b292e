"""The stream goes on: life again, a second alert, what was just explained."""

import pytest

from tests.response.scenarios.times import an_officer_is_told
from tests.response.town import Town, at

pytestmark = pytest.mark.postgres


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
    an_officer_is_told(town)
    town.cleared("life_load")
    town.message("guardian", "calmed_guardian")
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
    town.takes()
    town.closes("emergency_119", sure=True)
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
