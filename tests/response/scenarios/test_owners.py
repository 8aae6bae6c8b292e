"""A person has it: acknowledgement, deadline, hand-over, outcome."""

import pytest

from response.log import NoCaseError
from tests.response.scenarios.times import an_officer_is_told
from tests.response.town import Town

pytestmark = pytest.mark.postgres


def test_an_acknowledgement_stops_the_ladder(town: Town) -> None:
    """Whoever takes it has until the deadline; nobody else is told."""
    an_officer_is_told(town)
    town.takes(hours=2)
    assert town.case().owner == "offi"
    town.wait(minutes=119)
    town.nothing_else()
    town.closes("safe_visited")
    town.record("safe_visited")
    town.message("guardian", "calmed_guardian")
    town.wait(hours=48)


def test_a_deadline_without_an_outcome_opens_it_again(town: Town) -> None:
    """The owner is told that the time is over, and the ladder begins again with the officer."""
    an_officer_is_told(town)
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
    """A second person asks and takes it over with a deadline of their own: the first hears of both."""
    an_officer_is_told(town)
    town.takes(hours=1)
    town.wait(minutes=30)
    town.asks("depu")
    assert town.message("officer", "take_over_asked").what["values"]["who"] == "depu"
    town.takes("depu", hours=2, over=True)
    town.wait(minutes=1)
    assert town.message("officer", "taken_over").what["values"]["who"] == "depu"
    town.wait(minutes=118)
    assert town.case().owner == "depu"
    town.closes("hospital", by="depu", until_h=200)
    town.record("hospital")
    town.message("guardian", "calmed_guardian")
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
    town.takes()
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
    town.message("guardian", "calmed_guardian")
    town.message("officer", "calmed_owner")
    assert town.case().phase == "calm"
    town.closes("safe_answered")
    town.record("safe_answered")
    town.message("guardian", "calmed_guardian")


def test_a_calm_case_that_its_owner_forgets_closes_itself(town: Town) -> None:
    """Life was seen: a passed deadline wakes nobody."""
    an_officer_is_told(town)
    town.takes()
    town.cleared()
    town.message("guardian", "calmed_guardian")
    town.message("officer", "calmed_owner")
    town.wait(hours=3)
    assert town.case().phase == "closed"
