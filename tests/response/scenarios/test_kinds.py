"""Other alerts than silence, drills, and ladders of one's own."""

from datetime import UTC

import pytest

from response import ladder
from response.ladder import Ladder, Step
from tests.response.scenarios.times import NIGHT
from tests.response.town import Town, at

pytestmark = pytest.mark.postgres


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


def test_an_end_that_is_older_than_the_last_word_ends_nothing(town: Town) -> None:
    """The order of the stream was lost: neither a case nor an outage is over by what was said before it began."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.cleared(ago_h=1)
    assert town.case().phase == "asking"
    town.alert("serious", household="area-1", kind="area_outage", to="operator")
    town.message("operator", "area_outage")
    town.cleared(household="area-1", kind="area_outage", to="operator", ago_h=1)
    town.nothing_else()
    town.cleared()
    town.alert("serious", household="area-1", kind="area_outage", to="operator", change="cleared")
    town.message("operator", "area_outage")


def test_an_area_outage_is_one_message_to_operators(town: Town) -> None:
    """No household is called for a power cut; the operator hears of its beginning and its end, once each."""
    town.alert("serious", household="area-1", kind="area_outage", to="operator")
    town.alert("serious", household="area-1", kind="area_outage", to="operator")
    town.message("operator", "area_outage")
    town.alert("serious", household="area-1", kind="area_outage", to="operator", change="cleared", why="area_back")
    town.message("operator", "area_outage")
    assert town.cases("area-1") == 0


def test_operators_are_told_the_time_of_their_own_clock(town: Town) -> None:
    """A stopped feed's alert bears UTC: the message says what the clock on the wall shows."""
    town.now = at("2026-03-03 12:30").astimezone(UTC)
    told = town.alert("serious", household="", kind="feed_stalled", to="operator", onset_h=0.5)
    values = town.message("operator", "feed_stalled").what["values"]
    assert told.at.tzinfo is UTC
    assert (values["at"][11:], values["since"][11:]) == ("12:30", "12:00")


def test_a_stalled_feed_without_an_operator_is_said_to_be_unheard(town: Town) -> None:
    """Nobody on duty: the delivery log has it."""
    town.missing = {"operator"}
    town.alert("serious", household="", kind="feed_stalled", to="operator")
    assert town.not_told("operator") == ["nobody_on_duty"]


def test_a_drill_reaches_only_the_senders_of_drills(town: Town) -> None:
    """Every row of a drill's case is marked: a real sender never takes one."""
    town.drill = True
    town.alert("serious")
    assert town.came
    assert all(job.drill for job in town.came)
    town.asked().presses("1")
    assert town.record("safe_answered").drill
    town.message("guardian", "calmed_guardian")
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
