"""Nobody answers: guardian, officer, deputy, centre; by day, at night, on weekends and holidays."""

import pytest

from tests.response.scenarios.times import HOLIDAY, NIGHT, SATURDAY, an_officer_is_told, unanswered
from tests.response.town import Town, at

pytestmark = pytest.mark.postgres


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
    an_officer_is_told(town)
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
    town.message("guardian", "calmed_guardian")
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
    an_officer_is_told(town)
    town.wait(minutes=15)
    town.message("centre", "tell_officer")
    town.takes("cent")
