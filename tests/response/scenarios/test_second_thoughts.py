"""What is asked before, and what can be taken back after: no outcome untaken, no silent take-over, undo, reopening."""

import threading
from datetime import timedelta

import pytest

from response import homes
from response.events import Undone
from response.refusals import RefusedError, SureError, TakenError
from stream.records import Household
from tests.response.scenarios.times import an_officer_is_told
from tests.response.town import Town

pytestmark = pytest.mark.postgres


def test_nobody_closes_what_nobody_has(town: Town) -> None:
    """One press ended a case, a death even: an outcome is given by whoever has the case, and the ladder goes on."""
    an_officer_is_told(town)
    for code in ("safe_visited", "deceased"):
        with pytest.raises(RefusedError, match="take the case first"):
            town.closes(code, sure=True)
    town.takes("depu")
    with pytest.raises(TakenError, match="depu has case"):
        town.closes("safe_visited", by="offi")
    assert town.case().closed is None


@pytest.mark.parametrize("code", ["deceased", "moved", "emergency_119"])
def test_a_grave_outcome_is_asked_once_more(town: Town, code: str) -> None:
    """The first press changes nothing."""
    an_officer_is_told(town)
    town.takes()
    before = town.case()
    with pytest.raises(SureError):
        town.closes(code)
    assert town.case() == before
    town.closes(code, sure=True)
    town.record(code)
    town.message("guardian", "calmed_guardian")


def test_an_undone_taking_lets_the_ladder_go_on_as_it_was(town: Town) -> None:
    """The call that waited is dialled, the deputy is told at the minute foreseen, as if nobody had pressed."""
    town.sending = False
    town.alert("serious")
    due = town.case().step_at
    town.takes()
    town.now += timedelta(seconds=59)
    town.undoes()
    town.sending = True
    town.gather()
    ringing = town.asked()
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    ringing.is_not_answered()
    case = town.case()
    assert (case.owner, case.acknowledged_at, case.step_at) == (None, None, due)
    town.wait(minutes=14)
    town.nothing_else()
    town.wait(minutes=1 / 60)
    town.message("deputy", "tell_officer")


def test_the_log_says_who_has_the_case_after_an_undoing(town: Town) -> None:
    """More time that was undone leaves it theirs, and no ladder goes on; so it is after an undone take-over."""
    an_officer_is_told(town)

    def undone() -> Undone:
        return next(e.what for e in reversed(town.entries()) if isinstance(e.what, Undone))

    town.takes()
    town.takes(hours=4)
    town.undoes()
    assert (undone(), town.case().owner) == (Undone("take", owner="offi"), "offi")
    town.asks("depu")
    town.message("officer", "take_over_asked")
    town.takes("depu", over=True)
    town.undoes("depu")
    assert (undone(), town.case().owner) == (Undone("take", owner="offi"), "offi")
    town.undoes()
    assert (undone(), town.case().owner) == (Undone("take"), None)


def test_a_step_that_was_due_meanwhile_is_taken_when_it_is_undone(town: Town) -> None:
    """Nobody waits for longer than without the mistake."""
    an_officer_is_told(town)
    town.wait(minutes=14.5)
    town.takes()
    town.wait(minutes=0.9)
    town.undoes()
    town.message("deputy", "tell_officer")


def test_an_undone_closing_is_heard_of_by_nobody(town: Town) -> None:
    """Neither guardian nor stream: within the minute nothing went out, and after it nothing comes either."""
    an_officer_is_told(town)
    town.takes()
    before = town.case()
    town.closes("deceased", sure=True, minutes=0.5)
    assert town.case().phase == "closed"
    town.undoes()
    assert (town.case().phase, town.case().owner) == ("acknowledged", "offi")
    assert town.case().owner_until == before.owner_until
    town.wait(minutes=60)
    town.closes("safe_visited")
    town.record("safe_visited")
    town.message("guardian", "calmed_guardian")


@pytest.mark.parametrize("code", ["deceased", "safe_visited"])
def test_what_the_stream_says_while_a_closing_may_be_undone_is_not_lost(town: Town, code: str) -> None:
    """It grew in that half minute: whoever has it again is told; it ended: whoever has it is asked for the outcome."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.takes()
    town.closes("deceased", sure=True, minutes=0)
    town.alert("serious", change="level_changed", onset_h=12)
    town.nothing_else()
    assert town.cases() == 1
    town.undoes()
    town.message("officer", "tell_officer")
    assert town.case().level == "serious"
    town.closes(code, sure=True, minutes=0)
    town.cleared()
    town.nothing_else()
    town.undoes()
    town.message("officer", "calmed_owner")
    assert (town.case().phase, town.case().owner) == ("calm", "offi")


def test_a_minute_later_nothing_is_undone(town: Town) -> None:
    """The guardian has been told by then: what is left is to reopen."""
    an_officer_is_told(town)
    town.takes()
    town.closes("safe_visited")
    town.record("safe_visited")
    town.message("guardian", "calmed_guardian")
    with pytest.raises(RefusedError, match="the minute is over"):
        town.undoes()
    assert town.case().closed is not None


def test_only_ones_own_act_is_undone(town: Town) -> None:
    """And a case that ended by itself by nobody."""
    town.alert("caution")
    ringing = town.asked()
    town.takes()
    with pytest.raises(RefusedError, match="nothing to undo"):
        town.undoes("depu")
    town.undoes()
    ringing.presses("1")
    town.record("safe_answered")
    with pytest.raises(RefusedError, match="nothing to undo"):
        town.undoes()


def test_key_1_before_the_undoing_ends_what_nobody_has_any_more(town: Town) -> None:
    """The resident answered while an officer had it for half a minute: no person is needed."""
    town.alert("caution")
    ringing = town.asked()
    town.takes()
    ringing.presses("1")
    town.message("officer", "calmed_owner")
    town.undoes()
    town.record("safe_answered")
    assert town.case().phase == "closed"


def test_help_asked_before_the_undoing_is_not_lost(town: Town) -> None:
    """It was the owner's to see to; without one the ladder jumps."""
    town.alert("caution")
    ringing = town.asked()
    town.takes()
    ringing.presses("2")
    town.message("officer", "tell_officer")
    town.undoes()
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    assert town.case().level == "serious"


def test_the_second_to_press_is_told_who_has_it(town: Town) -> None:
    """Nothing changes hands in silence, and not without having asked."""
    an_officer_is_told(town)
    town.takes(hours=1)
    until = town.case().owner_until
    for over in (False, True):
        with pytest.raises(RefusedError) as refused:
            town.takes("depu", over=over)
        assert "offi" in refused.value.words()[0]
    town.asks("depu")
    town.message("officer", "take_over_asked")
    town.asks("depu")
    town.nothing_else()
    town.takes("depu", over=True)
    assert (town.case().owner, town.case().owner_until) == ("depu", until)


def test_a_take_over_keeps_the_deadline_and_wakes_no_ladder(town: Town) -> None:
    """The case is open again at the first owner's time; it is the second who is asked for the outcome."""
    an_officer_is_told(town)
    town.takes(hours=1)
    town.wait(minutes=20)
    town.asks("depu")
    town.message("officer", "take_over_asked")
    town.takes("depu", over=True)
    town.wait(minutes=1)
    town.message("officer", "taken_over")
    town.wait(minutes=38)
    town.nothing_else()
    town.wait(minutes=1)
    town.message("deputy", "deadline_passed")
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")


def test_an_undone_take_over_leaves_it_to_the_first(town: Town) -> None:
    """Who is never told that it was gone."""
    an_officer_is_told(town)
    town.takes(hours=1)
    until = town.case().owner_until
    town.asks("depu")
    town.message("officer", "take_over_asked")
    town.takes("depu", over=True)
    town.undoes("depu")
    assert (town.case().owner, town.case().owner_until) == ("offi", until)
    town.wait(minutes=59)
    town.nothing_else()


def test_two_who_press_at_once_are_one_owner_and_one_who_is_told(town: Town) -> None:
    """Two threads, two connections: one has it, the other hears who."""
    an_officer_is_told(town)
    case_id, now = town.case().case_id, town.now
    together = threading.Barrier(2)
    said: dict[str, str] = {}

    def press(who: str) -> None:
        desk = town.new_desk()
        together.wait(10)
        try:
            desk.acknowledge(case_id, who, now)
            said[who] = "has it"
        except TakenError as e:
            said[who] = e.person_id

    pressing = [threading.Thread(target=press, args=(who,)) for who in ("offi", "depu")]
    for thread in pressing:
        thread.start()
    for thread in pressing:
        thread.join(20)
    owner = town.case().owner
    assert owner is not None
    assert said == {owner: "has it", ({"offi", "depu"} - {owner}).pop(): owner}


def test_a_closed_case_is_reopened_with_a_reason_by_whoever_does(town: Town) -> None:
    """They have it with a deadline; the outcome that the stream was told is taken back."""
    an_officer_is_told(town)
    town.takes()
    town.closes("deceased", sure=True)
    town.record("deceased")
    town.message("guardian", "calmed_guardian")
    with pytest.raises(RefusedError, match="say why"):
        town.reopens("depu", reason="")
    town.reopens("depu")
    town.record("deceased", told="revoked")
    assert (town.case().owner, town.case().phase) == ("depu", "acknowledged")
    town.wait(hours=2)
    town.message("deputy", "deadline_passed")
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")


def test_reopened_within_the_minute_nobody_hears_that_it_was_over(town: Town) -> None:
    """What was held is never sent."""
    an_officer_is_told(town)
    town.takes()
    town.closes("moved", sure=True, minutes=0.5)
    town.reopens("depu")
    town.record("moved", told="revoked")
    town.wait(minutes=60)
    town.nothing_else()


def test_the_stream_is_told_of_a_household_without_the_outcome_taken_back(town: Town) -> None:
    """Also where its record on the topic has it already; other outcomes stay, a held one is not told by the way."""
    with town.engine.begin() as conn:
        homes.take(town.desk, conn, Household("h1", town.now - timedelta(days=60), "a1", "d1"), town.now)
    town.alert("caution")
    town.asked().is_not_answered()
    town.takes()
    town.closes("deceased", sure=True, minutes=0)

    def told() -> list[str]:
        with town.engine.begin() as conn:
            home = homes.with_outcomes(conn, "h1", town.now)
            assert home is not None
            homes.take(town.desk, conn, home, town.now)
        return [str(outcome.code) for outcome in home.outcomes]

    assert told() == []
    town.wait(minutes=1)
    town.record("deceased")
    assert told() == ["deceased"]
    town.reopens()
    assert told() == []
    town.record("deceased", told="revoked")
    town.closes("safe_visited")
    assert told() == ["safe_visited"]
    town.record("safe_visited")


def test_a_case_is_not_reopened_beside_a_newer_one(town: Town) -> None:
    """The household's open case is the one to work with; neither undo nor reopening makes a second."""
    town.alert("caution")
    ringing = town.asked()
    town.takes()
    town.closes("safe_visited", minutes=0)
    first = town.case().case_id
    ringing.presses("2")
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    for act in (
        lambda: town.desk.undo(first, "offi", town.now),
        lambda: town.desk.reopen(first, "offi", "sealed", town.now),
    ):
        with pytest.raises(RefusedError, match="a newer case"):
            act()


def test_what_consent_ended_stays_closed(town: Town) -> None:
    """Nobody reopens what may not be processed."""
    an_officer_is_told(town)
    town.takes()
    with town.desk.transaction() as conn:
        town.desk.withdraw(conn, "h1", town.now)
    town.gather()
    town.message("officer", "withdrawn")
    with pytest.raises(RefusedError, match="withdrawn"):
        town.reopens()
