"""What a happening means for a case: pure decisions (case, happening, circle, now) -> events and what is to be sent.

Whatever ends or calms a case stops every call and message that still waits. What is doubtful never does: only a key
pressed in a call that was established, what the stream says (an outgoing use of the own phone, evidence of load), or a
person's word. Everything else is at most a note.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from response.case import Case, minutes
from response.climb import climb, due_at, owner_of, unreached, urgent
from response.draft import Draft
from response.events import (
    RESIDENT,
    AlertSeen,
    CallDone,
    Calmed,
    CalmedBy,
    Closed,
    HelpAsked,
    MessageDone,
    Opened,
    PutOff,
    RangBack,
)
from response.hours import Hours
from response.ladder import Ladder
from response.records import CallOutcome, CallResult, Circle, Contact, Delivery, NotSent, Rang
from stream.outcomes import AWAY, GONE
from stream.records import Alert, Household, OutcomeCode

YES, HELP = "1", "2"
ABSENT, LEFT, WITHDRAWN = "absence", "left", "withdrawn"
"""Codes of the reasons with which the stream ends an alert without having seen life (models/reasons.py)."""
ONE_SOURCE = frozenset({"phone_none", "phone_unknown", "phone_out", "meter_gap"})
"""Codes of the reasons that say that one signal alone was judged."""
DATA_BACK = "data_back"
TOLD_LATE = timedelta(hours=2)
"""Key 1 that is told so long after its call is a note: the resident was well then. Key 2 counts whenever it comes."""
CLOCKS_APART = timedelta(minutes=10)
"""By so much may a call seem to end before it was asked for; by more it was another call, whose key 1 is a note too."""


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


def standing(alerts: Iterable[Alert]) -> dict[str, Alert]:
    """What stands in the end of some events, in their order: the last event by alert, by its time where one comes out
    of its order. An alert that was for the dashboard only from its beginning is none of the response's."""
    left: dict[str, Alert] = {}
    for alert in alerts:
        if alert.alert_id in left and alert.at < left[alert.alert_id].at:
            continue
        if alert.event == "cleared":
            left.pop(alert.alert_id, None)
        elif wanted(alert) or alert.alert_id in left:
            left[alert.alert_id] = alert
    return left


def news(case: Case, alerts: Iterable[Alert]) -> bool:
    """Whether somebody would be called or told because of some events of the past, if they are all."""
    left = standing(alerts)
    if case.calmed is not None:
        return bool(left)
    grown = case.level != "serious" and any(alert.level == "serious" for alert in left.values())
    return grown or not left.keys() <= case.alerts.keys()


def open_case(
    draft: Draft, alert: Alert, ladders: Mapping[str, Ladder], circle: Circle, hours: Hours,
    before: Sequence[Alert] = (),
) -> None:  # fmt: skip
    """A new case for an alert; its first steps."""
    draft.write(_opened(alert.household_id, alert.dong, alert.area, alert.drill, ladders))
    join(draft, alert, circle, hours, before)


def join(draft: Draft, alert: Alert, circle: Circle, hours: Hours, before: Sequence[Alert] = ()) -> None:
    """An alert's event reaches its household's case, with those of ``before`` that waited; what stands in the end is
    acted on. One that came and went before the case heard of it, or is for the dashboard only, is none of the case's.
    """
    serious_before = draft.case.version > 1 and draft.case.level == "serious"
    heard = hear(draft, (*before, alert))
    if not heard:
        return
    if not draft.case.alerts:
        if draft.case.calmed is None and not draft.case.doubt:
            calm(draft, calmed_by(draft.case.latest))
        return
    if all(event.event == "cleared" for event in heard):
        return
    if held(draft, circle):
        return
    if draft.case.level == "serious" and not serious_before:
        grown(draft, circle, hours)
    else:
        climb(draft, circle, hours)


def hear(draft: Draft, events: Sequence[Alert]) -> list[Alert]:
    """Write down those events that are the case's; nothing follows from it yet."""
    known, left = draft.case.alerts, standing(events)
    heard = [event for event in events if event.alert_id in known or event.alert_id in left]
    for event in heard:
        draft.write(seen(event))
    return heard


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


def call_done(
    draft: Draft, key: str, result: CallResult, circle: Circle, hours: Hours, shared: bool = False
) -> None:  # fmt: skip
    """A call is over. A result that comes twice changes nothing; one that was unknown may still turn out, and a key may
    come after a result without one (a vendor that tells it by itself). Help counts after any other key too. Where
    others have the number as well (``shared``) key 1 is nobody's answer, as in a call-back; told long after the call it
    says nothing of now."""
    asked_at = draft.case.call_at.get(key, draft.now)
    ended_at = result.ended_at or asked_at
    known, news = draft.case.calls.get(key), result.key == HELP and key not in draft.case.helped
    another = known is None and asked_at - ended_at > CLOCKS_APART
    late = result.key == YES and (another or draft.now - ended_at > TOLD_LATE)
    if (known is CallOutcome.answered_key and not news) or (
        known not in (None, CallOutcome.unknown) and result.outcome is not CallOutcome.answered_key
    ):
        return
    done = CallDone(key, result.outcome, result.key, result.detail, shared, late)
    draft.write(done, RESIDENT if result.key and not shared and not late else None)
    if draft.case.closed is None and not ((shared or late) and result.key == YES):
        _pressed(draft, result.key, "key", circle, hours, shared)
    go_on(draft, circle, hours)


def rang_back(draft: Draft, rang: RangBack, circle: Circle, hours: Hours, put_off: float) -> None:
    """Somebody rang from the resident's number. Key 1 is the resident's answer where the number is nobody else's, key 2
    is help for everybody who has the number. Anything else proves nothing and is noted: it may put the next step of a
    caution off once, by ``put_off`` minutes, and whom we had no line for is rung back."""
    if draft.case.closed is not None:
        return
    draft.write(rang, RESIDENT if rang.answer else None)
    if rang.pressed == HELP or rang.answer == YES:
        _pressed(draft, rang.pressed, "call_back", circle, hours, rang.shared)
        return
    if rang.how is Rang.no_line and not draft.case.calling:
        for contact in circle.of("resident"):
            if contact.person_id == rang.person_id and "call" in contact.means:
                draft.call(contact)
    _put_off(draft, rang, hours, put_off)


def _put_off(draft: Draft, rang: RangBack, hours: Hours, by: float) -> None:
    case, due = draft.case, due_at(draft.case, hours)
    only_asked = case.level == "caution" and case.owner is None and case.put_off is None
    if by > 0 and only_asked and not rang.shared and due is not None:
        draft.write(PutOff(max(due, draft.now) + minutes(by)))


def open_for_help(
    draft: Draft, household: Household, rang: RangBack | None, ladders: Mapping[str, Ladder], circle: Circle,
    hours: Hours,
) -> None:  # fmt: skip
    """A new case for a resident who rang (``rang``), or answered a call of a case closed meanwhile, and asked for
    help."""
    draft.write(_opened(household.household_id, household.dong, household.area, household.drill, ladders))
    asked_for_help(draft, rang, circle, hours)


def asked_for_help(draft: Draft, rang: RangBack | None, circle: Circle, hours: Hours) -> None:
    """Help was asked for, by ringing us (``rang``) or in a call of a case that was over by then."""
    shared = rang is not None and rang.shared
    if rang is not None:
        draft.write(rang, None if shared else RESIDENT)
    _pressed(draft, HELP, "key", circle, hours, shared)


def _opened(household_id: str, dong: str, area: str, drill: bool, ladders: Mapping[str, Ladder]) -> Opened:
    return Opened(household_id, dong, area, drill, {k: v.model_dump(mode="json") for k, v in ladders.items()})


def _pressed(
    draft: Draft, pressed: str | None, how: CalmedBy, circle: Circle, hours: Hours, shared: bool = False
) -> None:
    if pressed == YES:
        calm(draft, how)
    elif pressed == HELP and not draft.case.help:
        draft.write(HelpAsked(shared), None if shared else RESIDENT)
        draft.stop_all()
        grown(draft, circle, hours)


def message_done(draft: Draft, key: str, delivery: Delivery, circle: Circle, hours: Hours) -> None:
    """A message went out, or did not. Delivery is not acknowledgement: what follows is of its failure."""
    draft.write(MessageDone(key, delivery.result, delivery.channel, delivery.reason, delivery.detail))
    go_on(draft, circle, hours)


def go_on(draft: Draft, circle: Circle, hours: Hours) -> None:
    """Do not wait for the answer to a step none of whose messages and calls went out."""
    if unreached(draft, circle) and not held(draft, circle):
        climb(draft, circle, hours)


def calm(draft: Draft, how: CalmedBy) -> None:
    """Life was seen. With an owner the case waits for an outcome; else it is over. All who were told hear of it.

    Somebody who asked for help is not calmed by signs of life: a person has to look.
    """
    if draft.case.calmed is not None or (draft.case.help and how != "person"):
        return
    draft.stop_all()
    draft.write(Calmed(how))
    if draft.case.owner is None:
        over(draft, how)
    tell_all(draft, how)


def over(draft: Draft, how: CalmedBy) -> None:
    """A calm case that nobody has needs nobody."""
    code = OutcomeCode.safe_answered if how in ("key", "call_back", "person") else None
    draft.write(Closed(code, how))
    if code is not None:
        draft.outcome()


def withdraw(draft: Draft) -> None:
    """Consent has ended: all processing stops at once. Whoever has the case is told to stop too."""
    if draft.case.closed is not None:
        return
    draft.stop_all()
    draft.write(Closed(None, "withdrawn"))
    if draft.case.owner is not None:
        draft.message(owner_of(draft.case), "withdrawn", bare=True, case=str(draft.case.case_id), dong=draft.case.dong)


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


def calmed_by(cleared: AlertSeen | None) -> CalmedBy:
    """What it was that ended the last alert."""
    why = cleared.why if cleared is not None else ""
    if why in (ABSENT, LEFT):
        return "absence"
    return "withdrawn" if why == WITHDRAWN else "data" if why == DATA_BACK else "life"


def tell_all(draft: Draft, how: CalmedBy, but: str = "", held: bool = False) -> None:
    """Everybody who was told, or may have been, hears how it went on. Whoever has an open case is asked for its
    outcome."""
    for person_id, role in draft.case.may_know.items():
        if person_id != but:
            mine = draft.case.closed is None and person_id == draft.case.owner
            template = "calmed_owner" if mine else "calmed_guardian" if role == "guardian" else "calmed"
            draft.message(Contact(person_id, role), template, held=held, how=how)
