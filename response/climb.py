"""Climbing the ladder: which step is due when, and what taking it means. Pure."""

from datetime import datetime

from response.case import Case, minutes
from response.draft import Draft
from response.events import Closed, DeadlinePassed, Escalated, StepDone
from response.hours import Hours
from response.ladder import Step
from response.records import Circle, Contact, NotSent, Role

STEPS_AT_ONCE = 20
"""More steps than any ladder has: where nobody is to be reached, one decision may go through all of them."""
WAIT_FOR_CALL_MINUTES = 30.0
"""So long the next call waits for the one before to end (a long queue); then the ladder goes on without it."""
LOOK_AGAIN_MINUTES = 1.0
STAFF: tuple[Role, ...] = ("officer", "deputy", "centre")


def due_at(case: Case, hours: Hours) -> datetime | None:
    """When the tick has to look at this case again; None where it is closed."""
    if case.closed is not None or case.step_at is None:
        return None
    if case.owner is not None:
        return case.owner_until
    step, wait = _next(case)
    moment = case.step_at + minutes(wait)
    return hours.next_open(step.hours, moment)


def climb(draft: Draft, circle: Circle, hours: Hours) -> None:
    """Do what is due at ``draft.now``: a step or several, a passed deadline, nothing."""
    case = draft.case
    if case.owner is not None:
        if case.owner_until is not None and case.owner_until <= draft.now:
            deadline(draft)
        else:
            return
    for _ in range(STEPS_AT_ONCE):
        due = due_at(draft.case, hours)
        if due is None or due > draft.now or not _take(draft, _next(draft.case)[0], circle, hours):
            return


def urgent(draft: Draft, circle: Circle, hours: Hours) -> None:
    """Jump to the step for what cannot wait; the resident is rung beside it where that was not done yet."""
    ladder = draft.case.ladder
    first = ladder.steps[0]
    if draft.case.step < 0 and not draft.case.help and first.to == ("resident",) and hours.open(first.hours, draft.now):
        _take(draft, first, circle, hours)
    _take(draft, ladder.steps[ladder.index(ladder.urgent)], circle, hours)
    climb(draft, circle, hours)


def deadline(draft: Draft) -> None:
    """The owner's time is over. A case that is calm by then is closed; any other is open again."""
    case = draft.case
    assert case.owner is not None
    owner = owner_of(case)
    if case.calmed is not None:
        draft.stop_all()
        draft.write(Closed(None, case.calmed))
        return
    draft.write(DeadlinePassed(case.owner))
    draft.message(owner, "deadline_passed")


def owner_of(case: Case) -> Contact:
    """Whoever has the case, to be written to. There must be somebody."""
    assert case.owner is not None
    return Contact(case.owner, case.told[case.owner])


def _next(case: Case) -> tuple[Step, float]:
    """The step after the last one taken, and the minutes to wait for it since then."""
    ladder = case.ladder
    if case.step + 1 >= len(ladder.steps):
        last = ladder.steps[-1]
        return last, last.repeat_minutes or 1
    step = ladder.steps[case.step + 1]
    if step.one_source_minutes is not None and case.one_source and not case.help and case.acknowledged_at is None:
        return step, step.one_source_minutes
    return step, step.wait_minutes if case.reached else 0.0


def _take(draft: Draft, step: Step, circle: Circle, hours: Hours) -> bool:
    """Take a step. False where it has to be put off: the call before is not over yet."""
    case = draft.case
    if "call" in step.by and case.calling:
        assert case.step_at is not None
        if draft.now < case.step_at + minutes(step.wait_minutes + WAIT_FOR_CALL_MINUTES):
            return False
    ladder = case.ladder
    if (
        ladder.index(step.name) >= ladder.index(ladder.urgent) and case.kind == "silence" and case.level != "serious"
        and not case.one_source
    ):  # fmt: skip
        draft.write(Escalated("unanswered"))
    closed = step.off_hours is not None and not hours.open("office", draft.now)
    roles = [role for role in step.to if not (closed and role in STAFF)]
    reached = [_tell(draft, role, step, circle) for role in roles]
    draft.write(StepDone(step.name, any(reached)))
    if closed and step.off_hours is not None:
        return _take(draft, case.ladder.steps[case.ladder.index(step.off_hours)], circle, hours)
    return True


def _tell(draft: Draft, role: Role, step: Step, circle: Circle) -> bool:
    """Tell everybody of a role by the step's means. False where that reaches nobody who could act."""
    contacts = circle.of(role)
    if not contacts:
        if role in STAFF:
            _unmanned(draft, role, circle)
        elif role == "resident":
            draft.not_told(role, NotSent.no_address)
        return False
    reached = False
    for contact in contacts:
        if not contact.consent:
            draft.not_told(role, NotSent.no_consent, contact)
            continue
        for means in step.by:
            if means == "call" and draft.case.calling:
                draft.not_told(role, NotSent.duplicate, contact)
            elif means not in contact.means:
                draft.not_told(role, NotSent.no_address, contact)
                continue
            elif means == "call":
                draft.call(contact)
            else:
                draft.message(contact, template_for(draft.case, role), means)
            reached = reached or role != "guardian"  # a guardian does not end the search for somebody on duty
    return reached


def _unmanned(draft: Draft, role: Role, circle: Circle) -> None:
    """Nobody on duty: an alert of its own, once a role and case."""
    known = role in draft.case.unmanned
    draft.not_told(role, NotSent.nobody_on_duty)
    if not known:
        for operator in circle.of("operator"):
            draft.message(operator, "nobody_on_duty", role=role)


def template_for(case: Case, role: Role) -> str:
    """What is said to a role when it is its turn."""
    if role == "resident":
        return "ask_resident"
    if role == "guardian":
        return "tell_guardian"
    return "look_officer" if case.kind == "data_gap" else "tell_officer"
