"""Things fail: messages, telephones, senders, vendors that say it twice."""

import pytest

from response.records import CallOutcome, DeliveryResult
from tests.response.town import Town

pytestmark = pytest.mark.postgres


def test_sms_down_does_not_stop_the_ladder(town: Town) -> None:
    """Delivery is not acknowledgement, and failure is no reason to wait: the next person is told at once."""
    town.alert("serious")
    town.message("resident", "ask_resident", DeliveryResult.failed)
    town.call().is_not_answered()
    town.message("guardian", "tell_guardian", DeliveryResult.failed)
    town.message("officer", "tell_officer", DeliveryResult.failed)
    town.message("operator", "nobody_reached")
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
