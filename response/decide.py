"""What a happening means for a case: pure decisions (case, happening, circle, now) -> events and what is to be sent.

Whatever ends or calms a case stops every call and message that still waits.
"""

from collections.abc import Mapping
from datetime import datetime

from response.case import Case, minutes
from response.climb import climb, owner_of, urgent
from response.draft import Draft
from response.events import (
    RESIDENT,
    Acknowledged,
    AlertSeen,
    CallDone,
    Calmed,
    CalmedBy,
    Closed,
    HelpAsked,
    MessageDone,
    Noted,
    Opened,
    RangBack,
)
from response.hours import Hours
from response.ladder import Ladder
from response.records import CallOutcome, CallResult, Circle, Contact, Delivery, NotSent
from stream.outcomes import AWAY, GONE, MUST_END
from stream.records import Alert, Household, Outcome, OutcomeCode

YES, HELP = "1", "2"
ABSENT, LEFT, WITHDRAWN = "absence", "left", "withdrawn"
"""Codes of the reasons with which the stream ends an alert without having seen life (models/reasons.py)."""
ONE_SOURCE = frozenset({"phone_none", "phone_unknown", "phone_out", "meter_gap"})
"""Codes of the reasons that say that one signal alone was judged."""
DATA_BACK = "data_back"


def wanted(alert: Alert) -> bool:
    """Whether an alert that no case is open for is one for the response: somebody is to be asked or told."""
    return alert.event != "cleared" and alert.to in ("resident", "person")


def explained(alert: Alert, last: Case, closed_at: datetime) -> bool:
    """Whether ``alert`` is what ``last``, the household's case before, was closed for: nobody is asked again.

    An alert that has grown since then is not, where the resident was said to be well: rather twice than never. Of a
    home that somebody was taken from, or that stays empty, growing silence is what is to be expected.
    """
    if last.closed is None or last.closed.code is None or last.latest is None:
        return False
    seen = last.latest.alert_id == alert.alert_id or alert.onset <= last.latest.onset
    grown = alert.level == "serious" and last.latest.level != "serious" and alert.at > closed_at
    return seen and (not grown or last.closed.code in AWAY | GONE)


def open_case(draft: Draft, alert: Alert, ladders: Mapping[str, Ladder], circle: Circle, hours: Hours) -> None:
    """A new case for an alert; its first steps."""
    draft.write(_opened(alert.household_id, alert.dong, alert.area, alert.drill, ladders))
    join(draft, alert, circle, hours)


def join(draft: Draft, alert: Alert, circle: Circle, hours: Hours) -> None:
    """An alert's event reaches its household's case. One that is for the dashboard only is none of the case's."""
    if alert.alert_id not in draft.case.alerts and not wanted(alert):
        return
    serious_before = draft.case.version > 1 and draft.case.level == "serious"
    draft.write(seen(alert))
    if alert.event == "cleared":
        if not draft.case.alerts and draft.case.calmed is None:
            calm(draft, _calmed_by(draft.case.latest))
        return
    if held(draft, circle):
        return
    if draft.case.level == "serious" and not serious_before:
        grown(draft, circle, hours)
    else:
        climb(draft, circle, hours)


def grown(draft: Draft, circle: Circle, hours: Hours) -> None:
    """The case is serious now. Whoever has it already is told; else the ladder jumps."""
    if draft.case.owner is None:
        urgent(draft, circle, hours)
    else:
        draft.message(owner_of(draft.case), "tell_officer")


def held(draft: Draft, circle: Circle) -> bool:
    """End a case that may not, or need not, go on: consent has ended, or an absence is registered."""
    if circle.withdrawn:
        withdraw(draft)
        return True
    if circle.absent_until is not None and circle.absent_until > draft.now and not draft.case.help:
        draft.not_told("resident", NotSent.absent)
        calm(draft, "absence")
        return True
    return False


def due(draft: Draft, circle: Circle, hours: Hours) -> None:
    """Its time has come."""
    if draft.case.closed is None and not held(draft, circle):
        climb(draft, circle, hours)


def call_done(draft: Draft, key: str, result: CallResult, circle: Circle, hours: Hours) -> None:
    """A call is over. A result that comes twice changes nothing, one that was unknown may still turn out."""
    if draft.case.calls.get(key) not in (None, CallOutcome.unknown):
        return
    draft.write(CallDone(key, result.outcome, result.pressed, result.detail), RESIDENT if result.pressed else None)
    if draft.case.closed is None and result.outcome is CallOutcome.answered_key:
        _pressed(draft, result.pressed, "key", circle, hours)


def rang_back(draft: Draft, person_id: str, pressed: str | None, circle: Circle, hours: Hours) -> None:
    """The resident rang back: an answer, whatever was pressed but for help."""
    if draft.case.closed is not None:
        return
    draft.write(RangBack(person_id, pressed), RESIDENT)
    _pressed(draft, HELP if pressed == HELP else YES, "call_back", circle, hours)


def open_for_help(
    draft: Draft, household: Household, person_id: str, ladders: Mapping[str, Ladder], circle: Circle, hours: Hours
) -> None:
    """A new case for a resident who rang, or answered a call of a case closed meanwhile, and asked for help."""
    draft.write(_opened(household.household_id, household.dong, household.area, household.drill, ladders))
    draft.write(RangBack(person_id, HELP), RESIDENT)
    draft.write(HelpAsked(), RESIDENT)
    urgent(draft, circle, hours)


def _opened(household_id: str, dong: str, area: str, drill: bool, ladders: Mapping[str, Ladder]) -> Opened:
    return Opened(household_id, dong, area, drill, {k: v.model_dump(mode="json") for k, v in ladders.items()})


def _pressed(draft: Draft, pressed: str | None, how: CalmedBy, circle: Circle, hours: Hours) -> None:
    if pressed == YES:
        calm(draft, how)
    elif pressed == HELP and not draft.case.help:
        draft.write(HelpAsked(), RESIDENT)
        draft.stop_all()
        grown(draft, circle, hours)


def message_done(draft: Draft, key: str, delivery: Delivery) -> None:
    """A message went out, or did not. Delivery is not acknowledgement: nothing follows from it."""
    draft.write(MessageDone(key, delivery.result, delivery.channel, delivery.reason, delivery.detail))


def calm(draft: Draft, how: CalmedBy) -> None:
    """Life was seen. With an owner the case waits for an outcome; else it is over. All who were told hear of it.

    Somebody who asked for help is not calmed by signs of life: a person has to look.
    """
    if draft.case.calmed is not None or (draft.case.help and how != "person"):
        return
    draft.stop_all()
    draft.write(Calmed(how))
    if draft.case.owner is None:
        code = OutcomeCode.safe_answered if how in ("key", "call_back", "person") else None
        draft.write(Closed(code, how))
        if code is not None:
            draft.outcome(Outcome(draft.now, code))
    _tell_all(draft, "calmed", how=how)


def acknowledge(
    draft: Draft, owner: str, comment: str, until: datetime | None, limits: Mapping[str, float]
) -> None:
    """A person takes the case, until ``until`` (default: ``limits``, minutes by level). A second person takes it over.

    Raises:
        ValueError: when the case is closed, or the deadline is not in the future.
    """
    if draft.case.closed is not None:
        raise ValueError(f"case {draft.case.case_id} is closed: nothing is left to acknowledge")
    until = until or draft.now + minutes(limits.get(draft.case.level, 120.0))
    if until <= draft.now:
        raise ValueError(f"the deadline {until:%Y-%m-%d %H:%M} is over already: give a later one")
    draft.stop_all()
    draft.write(Acknowledged(until, comment), owner)


def note(draft: Draft, by: str, comment: str) -> None:
    """Write down what a person says; nothing follows from it."""
    draft.write(Noted(comment), by)


def close(
    draft: Draft, by: str, code: OutcomeCode, comment: str = "", from_: datetime | None = None,
    until: datetime | None = None,
) -> None:  # fmt: skip
    """A person closes the case with what it turned out to be; the stream learns of it.

    Raises:
        ValueError: when it is closed already, or an outcome that explains a time has no end.
    """
    if draft.case.closed is not None:
        raise ValueError(f"case {draft.case.case_id} is closed already")
    if code in MUST_END and (until is None or until <= draft.now):
        raise ValueError(f"the outcome {code} needs an end in the future: give until when it holds")
    draft.stop_all()
    draft.write(Closed(code, "person", comment, from_, until), by)
    draft.outcome(Outcome(draft.now, code, from_, until))
    _tell_all(draft, "calmed", but=by, how="person")


def withdraw(draft: Draft) -> None:
    """Consent has ended: all processing stops at once. Whoever has the case is told to stop too."""
    if draft.case.closed is not None:
        return
    draft.stop_all()
    draft.write(Closed(None, "withdrawn"))
    if draft.case.owner is not None:
        draft.message(owner_of(draft.case), "withdrawn")


def seen(alert: Alert) -> AlertSeen:
    """What a case keeps of an alert's event."""
    codes = [reason.code for reason in alert.reasons]
    hours, usual = _silent(alert)
    return AlertSeen(
        alert.alert_id, alert.event, alert.kind, alert.level, alert.at, alert.onset, hours, usual,
        any(code in ONE_SOURCE for code in codes), codes[0] if codes and alert.event == "cleared" else "",
        alert.text_ko, alert.text_en,
    )  # fmt: skip


def _silent(alert: Alert) -> tuple[float | None, float | None]:
    """Hours silent and the longest silence of a usual day, as far as the alert says them."""
    for reason in alert.reasons:
        if reason.code in ("silent", "silent_new", "unlike", "no_data"):
            values = reason.values
            return _float(values.get("hours")), _float(values.get("usual_hours"))
    return None, None


def _float(value: float | str | None) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _calmed_by(cleared: AlertSeen | None) -> CalmedBy:
    why = cleared.why if cleared is not None else ""
    if why in (ABSENT, LEFT):
        return "absence"
    return "withdrawn" if why == WITHDRAWN else "data" if why == DATA_BACK else "life"


def _tell_all(draft: Draft, template: str, but: str = "", **values: str) -> None:
    """Everybody who was told hears how it went on."""
    for person_id, role in draft.case.told.items():
        if person_id != but:
            draft.message(Contact(person_id, role), template, "message", **values)
