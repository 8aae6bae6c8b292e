"""History is no present alarm: a month fed in, or what came while we were away. What still stands is acted on."""

import pytest

from response.events import AlertSeen
from response.timeline import past
from tests.response.scenarios.times import DAY, an_officer_is_told
from tests.response.town import Town, at

pytestmark = pytest.mark.postgres


def test_what_came_and_went_in_the_past_opens_no_case(town: Town) -> None:
    """A month of readings with six alerts in it: recorded, and nobody is called, told or listed."""
    for n in range(6):
        town.alert("caution", alert_id=f"x{n}", ago_h=600 - 90 * n)
        town.alert("serious", change="level_changed", alert_id=f"x{n}", ago_h=590 - 90 * n)
        town.alert(change="cleared", alert_id=f"x{n}", ago_h=570 - 90 * n)
    town.wait(hours=48)
    assert town.cases() == 0
    assert town.not_told() == []


def test_a_past_alert_that_still_stands_is_acted_on_within_minutes(town: Town) -> None:
    """No newer event comes, and the stream never catches up: five minutes later it is asked about."""
    town.alert("caution", ago_h=20)
    town.wait(minutes=4)
    assert town.cases() == 0
    town.wait(minutes=1)
    town.asked().presses("1")
    town.record("safe_answered")


def test_the_most_urgent_of_the_past_go_first(town: Town) -> None:
    """Three homes stand: the serious one is called first, then the oldest."""
    town.alert("caution", household="h1", ago_h=5)
    town.alert("caution", household="h2", ago_h=30)
    town.alert("serious", household="h3", ago_h=3)
    town.missing = {"guardian", "officer", "deputy", "centre", "operator"}
    town.now += town.desk.past.settle
    town.desk.release(town.now)
    town.gather()
    assert [job.person_id for job in town.came if job.kind == "call"] == ["resi-h3", "resi-h2", "resi-h1"]
    town.came.clear()


def test_an_alert_of_now_brings_those_that_wait_with_it(town: Town) -> None:
    """The stream has caught up for this home: there is nothing to wait for, and the log has all of it."""
    town.alert("caution", ago_h=6)
    town.alert("serious", change="level_changed")
    town.asked().is_not_answered()
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    assert [e.what.level for e in town.entries() if isinstance(e.what, AlertSeen)] == ["caution", "serious"]


def test_life_of_now_ends_what_waits(town: Town) -> None:
    """Raised hours ago, over now: nobody hears of it."""
    town.alert("caution", ago_h=6)
    town.cleared()
    town.wait(hours=1)
    assert town.cases() == 0


def test_a_case_that_is_open_hears_at_once_of_life_in_the_past(town: Town) -> None:
    """We were away for a day; the home has been alive since: the case ends, with the time of the life in its log."""
    an_officer_is_told(town, ago_h=20)
    town.cleared(ago_h=3)
    town.message("guardian", "calmed_guardian")
    town.message("officer", "calmed")
    line = next(line for line in past(town.entries(), town.case(), town.desk.hours) if "끝났습니다" in line.text[0])
    assert (line.when, line.recorded) == ("03-04 수 07:05", "03-04 수 10:05")


def test_what_came_and_went_while_a_case_was_open_changes_nothing(town: Town) -> None:
    """A second alert of the past that is over: the ladder of the first goes on, nobody hears twice."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.alert("serious", alert_id="y", ago_h=8)
    town.alert(change="cleared", alert_id="y", ago_h=5)
    assert town.case().level == "caution"
    town.wait(minutes=10)
    town.call().presses("1")
    town.record("safe_answered")


def test_a_case_that_grew_in_the_past_becomes_serious_when_that_still_stands(town: Town) -> None:
    """Serious since three hours, heard now: the officer is told minutes later, not of what is over by then."""
    town.alert("caution", ago_h=20)
    town.wait(minutes=5)
    town.asked().is_not_answered()
    town.alert("serious", change="level_changed", ago_h=3)
    town.wait(minutes=5)
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.takes()


def test_a_calm_case_is_not_stirred_by_what_came_and_went(town: Town) -> None:
    """Its owner is to say what it was; a past alert that is over tells nobody anything."""
    an_officer_is_told(town)
    town.takes()
    town.cleared()
    town.message("guardian", "calmed_guardian")
    town.message("officer", "calmed_owner")
    town.alert("caution", alert_id="y", ago_h=9)
    town.alert(change="cleared", alert_id="y", ago_h=7)
    assert town.case().phase == "calm"
    town.nothing_else()


def test_consent_that_ends_forgets_what_waits(town: Town) -> None:
    """Nothing of a household that has withdrawn is acted on later."""
    town.alert("serious", ago_h=9)
    with town.desk.transaction() as conn:
        town.desk.withdraw(conn, "h1", town.now)
    town.wait(hours=2)
    assert town.cases() == 0


def test_a_line_says_when_it_was_and_when_it_was_written_down(town: Town) -> None:
    """Event time first; where both are the same minute, once."""
    town.now = at(DAY)
    town.alert("caution", ago_h=20)
    town.wait(minutes=5)
    town.asked().is_not_answered()
    lines = past(town.entries(), town.case(), town.desk.hours)
    seen = next(line for line in lines if "경보" in line.text[0])
    assert (seen.when, seen.recorded) == ("03-03 화 14:00", "03-04 수 10:05")
    assert all(line.recorded == "" for line in lines if line is not seen)


def test_an_outage_of_the_past_that_is_over_is_told_to_nobody(town: Town) -> None:
    """Two weeks ago, for an hour: recorded alone."""
    town.alert("caution", household="", alert_id="a", kind="area_outage", to="operator", ago_h=340)
    town.alert("caution", household="", alert_id="a", kind="area_outage", to="operator", change="cleared", ago_h=339)
    town.wait(hours=1)


def test_an_outage_of_the_past_that_stands_is_told_with_its_time(town: Town) -> None:
    """The mail says since when, and the mail of its end comes after it, to the same person."""
    town.alert("caution", household="", alert_id="a", kind="area_outage", to="operator", ago_h=5, onset_h=1)
    town.wait(minutes=5)
    job = town.message("operator", "area_outage")
    values = job.what["values"]
    assert (values["at"], values["since"], values["over"]) == ("2026-03-04 05:00", "2026-03-04 04:00", "")
    town.missing = {"operator"}  # his turn is over: he was told of the beginning, he hears of the end
    town.alert("caution", household="", alert_id="a", kind="area_outage", to="operator", change="cleared", ago_h=3)
    assert town.message("operator", "area_outage").what["values"]["over"] == "1"


def test_back_is_never_told_before_silent(town: Town) -> None:
    """While the first message is on its way the second waits; what was not sent when it ended is not sent at all."""
    town.alert("serious", household="", alert_id="f", kind="feed_stalled", to="operator")
    (first,) = town.came
    town.alert("serious", household="", alert_id="f", kind="feed_stalled", to="operator", change="cleared")
    assert town.came == [first]
    town.message("operator", "feed_stalled")
    town.gather()
    assert town.message("operator", "feed_stalled").what["values"]["over"] == "1"
    town.sending = False
    town.alert("serious", household="", alert_id="g", kind="feed_stalled", to="operator")
    town.alert("serious", household="", alert_id="g", kind="feed_stalled", to="operator", change="cleared")
    town.sending = True
    town.gather()
    town.nothing_else()
