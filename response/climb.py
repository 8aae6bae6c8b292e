"""Climbing the ladder: which step is due when, and what taking it means. Pure."""

from datetime import datetime

from response.case import Case, minutes
from response.draft import Draft
from response.events import Closed, DeadlinePassed, Escalated, NobodyReached, StepDone
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
    if case.put_off is not None and case.level == "caution":
        moment = max(moment, case.put_off)
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
    keys = [key for role in roles for key in _tell(draft, role, step, circle)]
    draft.write(StepDone(step.name, bool(keys), tuple(keys)))
    if closed and step.off_hours is not None:
        return _take(draft, case.ladder.steps[case.ladder.index(step.off_hours)], circle, hours)
    return True


def unreached(draft: Draft, circle: Circle) -> bool:
    """Look at what has ended so far: operators hear of a role none of whose messages went out. Whether nothing of the
    last step did, so that the ladder must not wait."""
    case = draft.case
    if case.closed is not None or case.calmed is not None:
        return False
    told = [key for key in case.messages if key in case.rung]
    if case.owner is not None:
        told = [key for key, (person, _) in case.messages.items() if person == case.owner][-1:]
    roles: dict[Role, list[str]] = {}
    for key in told:
        roles.setdefault(case.messages[key][1], []).append(key)
    for role, keys in roles.items():
        if role in STAFF and all(map(case.in_vain, keys)):
            _missing(draft, role, NotSent.undelivered, "nobody_reached", circle)
    if case.owner is not None or not case.reached or not case.rung or not all(map(case.in_vain, case.rung)):
        return False
    draft.write(NobodyReached(case.ladder.steps[case.step].name))
    return True


def _tell(draft: Draft, role: Role, step: Step, circle: Circle) -> list[str]:
    """Tell everybody of a role by the step's means; the keys of the messages and calls to those who could act."""
    contacts = circle.of(role)
    if not contacts:
        if role in STAFF:
            _missing(draft, role, NotSent.nobody_on_duty, "nobody_on_duty", circle)
        elif role == "resident":
            draft.not_told(role, NotSent.no_address)
        return []
    keys: list[str] = []
    for contact in contacts:
        if not contact.consent:
            draft.not_told(role, NotSent.no_consent, contact)
            continue
        for means in step.by:
            if means == "call" and draft.case.calling:
                draft.not_told(role, NotSent.duplicate, contact)
                keys += [key for key, outcome in draft.case.calls.items() if outcome is None]
            elif means not in contact.means or (means == "call" and role != "resident"):  # a key would speak for them
                draft.not_told(role, NotSent.no_calls if means == "call" else NotSent.no_address, contact)
            elif means == "call":
                keys.append(draft.call(contact))
            else:
                rings = "1" if role == "resident" and _rings(step, contact) else ""
                keys.append(draft.message(contact, template_for(draft.case, role), means, rings=rings))
    return [] if role == "guardian" else keys  # a guardian does not end the search for somebody on duty


def _rings(step: Step, contact: Contact) -> bool:
    """Whether this step rings the contact as well."""
    return "call" in step.by and "call" in contact.means


def _missing(draft: Draft, role: Role, why: NotSent, template: str, circle: Circle) -> None:
    """Nobody of a role was told: an alert of its own, once a role and case."""
    known = role in draft.case.unmanned
    if not known or why is NotSent.nobody_on_duty:
        draft.not_told(role, why)
    if not known:
        for operator in circle.of("operator"):
            draft.message(operator, template, role=role)


def template_for(case: Case, role: Role) -> str:
    """What is said to a role when it is its turn."""
    if role == "resident":
        return "ask_resident"
    if role == "guardian":
        return "tell_guardian"
    return "look_officer" if case.kind == "data_gap" else "tell_officer"
