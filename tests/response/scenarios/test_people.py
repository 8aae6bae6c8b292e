"""Somebody is not there, or may not be told: absence, consent, leave, no telephone."""

import pytest

from tests.response.scenarios.times import an_officer_is_told
from tests.response.town import Town, at

pytestmark = pytest.mark.postgres


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
    an_officer_is_told(town)
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
