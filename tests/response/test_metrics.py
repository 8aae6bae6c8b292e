"""The response's metrics: what happened to a case is counted once, drills apart."""

from datetime import timedelta

from response.case import Case
from response.events import (
    Acknowledged,
    AlertSeen,
    CallDone,
    Calmed,
    Closed,
    Entry,
    Escalated,
    HelpAsked,
    NotTold,
    Opened,
    RangBack,
    Reopened,
    Undone,
)
from response.metrics import BUCKETS, DUTY, FOLLOWED, PARTS
from response.records import CallOutcome, NotSent
from stream.records import ALERTS, HOUSEHOLDS, OutcomeCode
from tests.response.casework import local
from tests.response.metered import fresh, times, value

START = local("04 10:00")
MINUTE = timedelta(minutes=1)


def an_open(**of: object) -> Case:
    return Case(7, "h1", opened_at=START, **of)  # type: ignore[arg-type]


def test_what_is_known_starts_at_zero() -> None:
    """rate() and increase() need a series before the first call has failed."""
    metrics = fresh()
    assert [value(metrics, "anbu_calls_total", outcome=o, drill="no") for o in CallOutcome] == [0.0] * len(CallOutcome)
    assert [value(metrics, "anbu_faults_total", part=p) for p in PARTS] == [0.0] * len(PARTS)
    reason = NotSent.nobody_on_duty.value
    assert [value(metrics, "anbu_not_told_total", role=r, reason=reason, drill="no") for r in DUTY] == [0.0] * len(DUTY)
    followed = [value(metrics, "anbu_records_followed_total", topic=ALERTS, outcome=o) for o in FOLLOWED]
    assert followed == [0.0] * len(FOLLOWED)


def test_a_key_reaches_once_however_the_case_goes_on() -> None:
    """Key 2 at two minutes; the officer who takes it at ten is a first acknowledgement, not a second reaching."""
    metrics = fresh()
    two, ten = START + 2 * MINUTE, START + 10 * MINUTE
    pressed = [
        Entry(3, two, "resident", CallDone("k", CallOutcome.answered_key, "2")), Entry(4, two, "resident", HelpAsked()),
    ]  # fmt: skip
    metrics.happened(an_open(help=True, calls={"k": CallOutcome.answered_key}), pressed)
    taken = [Entry(5, ten, "o1", Acknowledged(ten + 60 * MINUTE))]
    metrics.happened(an_open(help=True, calls={"k": CallOutcome.answered_key}, acknowledged_at=ten), taken)
    assert times(metrics, "reached") == (1.0, 120.0)
    assert times(metrics, "acknowledged") == (1.0, 600.0)
    assert value(metrics, "anbu_help_asked_total", drill="no") == 1.0


def test_help_asked_by_ringing_back_counts_as_reached_once() -> None:
    """The call-back reached the resident; who takes the case afterwards does not reach anybody first."""
    metrics = fresh()
    help_ = [Entry(0, START, "resident", RangBack("r1", "2")), Entry(1, START, "resident", HelpAsked())]
    metrics.happened(an_open(help=True), help_)
    later = START + MINUTE
    metrics.happened(an_open(help=True, acknowledged_at=later), [Entry(2, later, "o1", Acknowledged(later + MINUTE))])
    assert times(metrics, "reached") == (1.0, 0.0)


def test_second_owner_is_no_second_acknowledgement() -> None:
    """A case that is handed over was acknowledged long before."""
    metrics = fresh()
    first, second = START + MINUTE, START + 5 * MINUTE
    metrics.happened(an_open(acknowledged_at=first), [Entry(3, first, "o1", Acknowledged(second))])
    metrics.happened(an_open(acknowledged_at=first), [Entry(4, second, "d1", Acknowledged(second + MINUTE))])
    assert times(metrics, "acknowledged") == (1.0, 60.0)
    assert times(metrics, "reached") == (1.0, 60.0)


def test_late_result_of_a_case_that_was_over_reaches_nobody() -> None:
    """The call counts; the times of a closed case are told already."""
    metrics = fresh()
    over = an_open(closed=Closed(None, "life"), calls={"k": CallOutcome.answered_key})
    late = [Entry(9, START + MINUTE, "resident", CallDone("k", CallOutcome.answered_key, "1"))]
    metrics.happened(over, late)
    assert value(metrics, "anbu_calls_total", outcome="answered_key", drill="no") == 1.0
    assert times(metrics, "reached") == (0.0, 0.0)


def test_what_was_taken_back_is_counted_by_what_it_was() -> None:
    """An undone closing can be told from one that stood."""
    metrics = fresh()
    acts = (Undone("take"), Undone("close"), Reopened(START, "sealed"))
    metrics.happened(an_open(), [Entry(n, START + MINUTE, "o1", what) for n, what in enumerate(acts, 3)])
    for act in ("take", "close", "reopen"):
        assert value(metrics, "anbu_cases_taken_back_total", kind=act, drill="no") == 1.0


def test_a_drill_is_counted_apart() -> None:
    """Figures of real homes are not moved by an exercise."""
    metrics = fresh()
    done = [Entry(3, START + MINUTE, "system", Closed(OutcomeCode.safe_answered, "key"))]
    metrics.happened(an_open(drill=True, closed=Closed(OutcomeCode.safe_answered, "key")), done)
    assert value(metrics, "anbu_cases_closed_total", code="safe_answered", how="key", drill="yes") == 1.0
    assert times(metrics, "closed") == (0.0, 0.0)
    assert times(metrics, "closed", drill="yes") == (1.0, 60.0)
    metrics.dialled(20.0, drill=True)
    assert times(metrics, "dialled") == (0.0, 0.0)


def test_who_is_not_told_is_counted_with_the_reason() -> None:
    """Nobody on duty, by role: what a rule pages on."""
    metrics = fresh()
    metrics.happened(an_open(), [Entry(3, START, "system", NotTold("centre", NotSent.nobody_on_duty))])
    counted = value(metrics, "anbu_not_told_total", role="centre", reason="nobody_on_duty", drill="no")
    assert counted == 1.0


def test_a_case_is_counted_by_the_level_of_its_alert() -> None:
    """Where nobody can be rung the ladder is climbed in the same moment; the alert was a caution all the same."""
    metrics = fresh()
    seen = AlertSeen("a", "raised", "silence", "caution", START, START)
    entries = [
        Entry(0, START, "system", Opened("h1", "d", "a", False, {})), Entry(1, START, "system", seen),
        Entry(2, START, "system", Escalated("unanswered")),
    ]  # fmt: skip
    metrics.happened(an_open(escalated=True), entries)
    assert value(metrics, "anbu_cases_opened_total", level="caution", drill="no") == 1.0
    assert value(metrics, "anbu_cases_opened_total", level="serious", drill="no") == 0.0
    metrics.happened(an_open(help=True), [Entry(0, START, "system", Opened("h2", "d", "a", False, {}))])
    assert value(metrics, "anbu_cases_opened_total", level="serious", drill="no") == 1.0


def test_case_that_ended_by_itself_has_no_code() -> None:
    """Life was seen: nobody gave an outcome."""
    metrics = fresh()
    ended = [Entry(3, START, "system", Calmed("life")), Entry(4, START, "system", Closed(None, "life"))]
    metrics.happened(an_open(closed=Closed(None, "life")), ended)
    assert value(metrics, "anbu_cases_closed_total", code="none", how="life", drill="no") == 1.0


def test_records_followed_show_at_the_scrape() -> None:
    """The follower counts in `taken`; dead ones of the alerts are what a rule pages on."""
    metrics = fresh()
    metrics.taken[ALERTS, "dead"] += 2
    metrics.taken[HOUSEHOLDS, "taken"] += 5
    assert value(metrics, "anbu_records_followed_total", topic=ALERTS, outcome="dead") == 2.0
    assert value(metrics, "anbu_records_followed_total", topic=HOUSEHOLDS, outcome="taken") == 5.0


def test_the_process_says_what_it_calls_with_and_whether_all_is_well() -> None:
    """A simulated gateway of drills is as it should be, and told apart."""
    metrics = fresh()
    metrics.gateway("sip", True, False)
    metrics.gateway("simulated", False, True)
    metrics.audited(True)
    metrics.fault("tick")
    assert value(metrics, "anbu_gateway_real", name="sip", drill="no") == 1.0
    assert value(metrics, "anbu_gateway_real", name="simulated", drill="yes") == 0.0
    assert value(metrics, "anbu_audit_ok") == 1.0
    assert value(metrics, "anbu_audited_timestamp_seconds") == 1_000.0
    assert value(metrics, "anbu_faults_total", part="tick") == 1.0


def test_the_target_is_a_bound_of_the_histogram() -> None:
    """Alert to dialled within 5 minutes can be read off exactly."""
    assert 300.0 in BUCKETS


def test_no_metric_has_a_label_for_a_household_or_a_person() -> None:
    """Metrics are kept for long and read by many."""
    allowed = {
        "level", "age", "drill", "kind", "event", "code", "how", "outcome", "channel", "result", "reason", "role",
        "part", "name", "topic", "listener",
    }  # fmt: skip
    assert {label for m in vars(fresh()).values() for label in getattr(m, "_labelnames", ())} == allowed
