"""Messages and calls that do not go out: nobody was told by them, and the ladder does not wait for their answer."""

from datetime import timedelta

import pytest

from response import audit, lists, log
from response.draft import Send
from response.events import NobodyReached
from response.ladder import SILENCE
from response.records import CallOutcome, Delivery, DeliveryResult, NotSent
from tests.response.metered import fresh, value
from tests.response.town import Town

pytestmark = pytest.mark.postgres
NOT_OUT = [DeliveryResult.failed, DeliveryResult.not_sent, DeliveryResult.unknown]


def problems(town: Town) -> list[str]:
    """What the auditor says; the first part of each sentence of messages."""
    with town.engine.connect() as conn:
        return [said.split(": see")[0] for said in audit.problems(conn, town.now, 60, parts=())]


def gauge(town: Town, name: str, **labels: str) -> float | None:
    """A gauge of the metrics now."""
    metrics = fresh()
    metrics.look(town.engine, town.now)
    return value(metrics, name, **labels)


def serious(town: Town) -> None:
    """A serious case by day: the resident is asked, guardian and officer are about to be told."""
    town.alert("serious")
    town.asked().is_not_answered()


@pytest.mark.parametrize("result", NOT_OUT)
def test_an_officer_whose_message_did_not_go_out_is_not_waited_for(town: Town, result: DeliveryResult) -> None:
    """The deputy is told in the same moment; operators hear that the officer was not, once."""
    serious(town)
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer", result)
    town.message("operator", "nobody_reached")
    town.message("deputy", "tell_officer")
    assert set(town.case().told) == {"guar-h1", "depu", "oper"}
    assert town.not_told("officer") == ["undelivered"]
    town.takes("depu")


def test_nobody_can_be_reached_the_ladder_is_at_its_end_at_once_and_does_not_race(town: Town) -> None:
    """With every number unusable all steps are gone through in one moment; then one round in 15 minutes, for ever."""
    serious(town)
    for role in ("guardian", "officer", "deputy", "centre"):
        template = "tell_guardian" if role == "guardian" else "tell_officer"
        town.message(role, template, DeliveryResult.not_sent)  # type: ignore[arg-type]
    for _ in range(3):
        town.message("operator", "nobody_reached", DeliveryResult.not_sent)
    for _ in range(3):
        town.nothing_else()
        town.wait(minutes=15)
        town.message("centre", "tell_officer", DeliveryResult.not_sent)
    assert town.case().told == {}
    with town.engine.connect() as conn:
        assert [row.untold for row in lists.cases(conn)] == [True]  # the list does not say "telling"
    assert [e.what.step for e in town.entries() if isinstance(e.what, NobodyReached)] == [
        "tell", "tell_deputy", *["tell_centre"] * 4,
    ]  # fmt: skip


def test_who_was_not_told_is_paged_and_the_switch_is_not_asked(town: Town) -> None:
    """Auditor and metrics say it round after round, until somebody has the case; an hour later all is well again."""
    assert problems(town) == []
    serious(town)
    town.message("guardian", "tell_guardian", DeliveryResult.failed)
    assert problems(town) == []  # guardians are no staff
    town.message("officer", "tell_officer", DeliveryResult.failed)
    town.message("operator", "nobody_reached")
    assert problems(town) == ["messages to staff did not go out within the hour (officer failed 1)"]
    town.message("deputy", "tell_officer", DeliveryResult.unknown)
    town.message("operator", "nobody_reached")
    town.message("centre", "tell_officer", DeliveryResult.not_sent)
    town.message("operator", "nobody_reached")
    for _ in range(5):
        assert len(problems(town)) == 2
        assert gauge(town, "anbu_cases_untold") == 1
        town.wait(minutes=15)
        town.message("centre", "tell_officer", DeliveryResult.not_sent)
    assert gauge(town, "anbu_staff_messages_not_out", role="centre", result="not_sent") == 4
    assert gauge(town, "anbu_staff_messages_not_out", role="officer", result="failed") == 0
    town.takes("cent")
    assert gauge(town, "anbu_cases_untold") == 0
    town.now += timedelta(hours=1)
    assert problems(town) == []


def test_a_role_that_nobody_has_at_the_end_of_the_ladder_is_paged_too(town: Town) -> None:
    """Not one person in the centre: the case is untold though the deputy heard of it before."""
    town.missing = {"centre", "operator"}
    serious(town)
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.wait(minutes=15)
    town.message("deputy", "tell_officer")
    assert problems(town) == []
    town.wait(minutes=15)
    assert [said.split(":")[0] for said in problems(town)] == [
        "1 open cases have reached nobody at the end of their ladder"
    ]
    town.takes("depu")
    assert problems(town) == []


def test_a_drill_pages_nobody(town: Town) -> None:
    """Without channels for drills nothing of one goes out: the drill shows it, the dead man's switch does not."""
    town.drill = True
    serious(town)
    town.message("guardian", "tell_guardian", DeliveryResult.not_sent)
    for role in ("officer", "deputy", "centre"):
        town.message(role, "tell_officer", DeliveryResult.not_sent)  # type: ignore[arg-type]
        town.message("operator", "nobody_reached", DeliveryResult.not_sent)
    assert town.case().untold
    assert problems(town) == []


def test_a_notice_to_operators_that_did_not_go_out_is_paged(town: Town) -> None:
    """A message of no case, as for a feed that stands still, is one to staff as well."""
    with town.engine.begin() as conn:
        log.enqueue_once(conn, Send("a1-raised-oper", "message", {"template": "feed_stalled"}, "oper", "operator"),
                         False, town.now)  # fmt: skip
    town.gather()
    town.came.clear()
    town.desk.message_done("a1-raised-oper", Delivery(DeliveryResult.failed, "sms"), town.now)
    assert problems(town) == ["messages to staff did not go out within the hour (operator failed 1)"]


def test_operators_who_are_not_there_for_a_notice_are_paged(town: Town) -> None:
    """A feed stands still and no operator is on duty: there is no case that could say so."""
    with town.engine.begin() as conn:
        send = Send("a1-raised", "message", {"template": "feed_stalled"}, role="operator")
        log.not_sent(conn, send, None, False, NotSent.nobody_on_duty, town.now)
    assert problems(town) == ["messages to staff did not go out within the hour (operator not_sent 1)"]


def test_a_message_that_did_go_out_ends_the_hurry(town: Town) -> None:
    """Somebody can be reached again: that one is told, and has the usual time to take the case."""
    serious(town)
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer", DeliveryResult.not_sent)
    town.message("operator", "nobody_reached")
    town.message("deputy", "tell_officer")
    town.wait(minutes=14)
    town.wait(minutes=1)
    town.message("centre", "tell_officer")
    town.takes("cent")


def test_a_resident_who_can_be_reached_by_nothing_is_not_waited_for(town: Town) -> None:
    """SMS refused and the call not placed: the officer is told within the same moment, not after an hour."""
    town.alert("caution")
    town.message("resident", "ask_resident", DeliveryResult.not_sent)
    for _ in range(3):
        town.call().ends(CallOutcome.failed)
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
    town.takes()


@pytest.mark.parametrize("outcome", [o for o in CallOutcome if o not in (CallOutcome.failed, CallOutcome.answered_key)])
def test_a_telephone_that_rang_or_may_have_is_an_attempt(town: Town, outcome: CallOutcome) -> None:
    """Not answered, busy, declined, end unknown: the next step comes at its time."""
    town.alert("caution")
    town.message("resident", "ask_resident", DeliveryResult.not_sent)
    town.call().ends(outcome)
    town.wait(minutes=9)
    town.wait(minutes=1)
    town.call().is_not_answered()
    town.takes()


def test_an_sms_that_went_out_leaves_time_to_ring_back(town: Town) -> None:
    """The call was not placed, the SMS was sent: somebody was asked."""
    town.alert("caution")
    town.message("resident", "ask_resident")
    town.call().ends(CallOutcome.failed)
    town.wait(minutes=9)
    town.takes()


def test_a_message_that_waited_for_too_long_told_nobody(town: Town) -> None:
    """Six hours without a sender: the message is not sent any more, and the ladder goes on at that moment."""
    from response import outbox

    town.sending = False
    town.alert("serious", onset_h=12)
    later = town.now.replace(hour=town.now.hour + 7)
    outbox.outdated(town.desk, later, 6)
    town.sending = True
    town.now = later
    town.gather()
    town.message("deputy", "tell_officer")
    assert "offi" not in town.case().told
    town.came.clear()


def test_a_drill_climbs_like_any_other(town: Town) -> None:
    """What a drill shows is what would happen."""
    town.drill = True
    serious(town)
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer", DeliveryResult.not_sent)
    town.message("operator", "nobody_reached")
    town.message("deputy", "tell_officer")
    town.takes("depu")


def test_nobody_hears_that_it_is_over_who_never_heard_that_it_began(town: Town) -> None:
    """Of the end all hear who were told, or may have been; not those whose message surely did not go out."""
    serious(town)
    town.message("guardian", "tell_guardian", DeliveryResult.unknown)
    town.message("officer", "tell_officer", DeliveryResult.failed)
    town.message("operator", "nobody_reached")
    town.message("deputy", "tell_officer")
    town.cleared()
    town.message("guardian", "calmed_guardian")
    for role in ("operator", "deputy"):
        town.message(role, "calmed")  # type: ignore[arg-type]
    town.nothing_else()


def test_an_owner_who_did_not_hear_that_it_grew_serious_is_told_of_to_operators(town: Town) -> None:
    """The case stays theirs; the operators hear that they do not know."""
    town.alert("caution")
    town.asked().is_not_answered()
    town.takes(hours=24)
    town.alert("serious", change="level_changed")
    town.message("officer", "tell_officer", DeliveryResult.failed)
    town.message("operator", "nobody_reached")
    assert town.case().owner == "offi"


def test_messages_of_a_case_somebody_has_start_nothing(town: Town) -> None:
    """A late failure after an acknowledgement: nobody else is told."""
    serious(town)
    town.message("guardian", "tell_guardian")
    sending = town._take(lambda j: j.what.get("template") == "tell_officer", "tell_officer")
    town.takes("cent")
    town.desk.message_done(sending.key, Delivery(DeliveryResult.failed, "sms"), town.now)
    town.gather()
    town.nothing_else()
    assert SILENCE.steps[town.case().step].name == "tell"
