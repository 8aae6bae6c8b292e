"""Alerts that are no case: an area without power, a feed that stopped. Operators hear of them once."""

from datetime import datetime

from msgspec import Struct

from response.draft import Send
from response.records import Circle, NotSent
from stream.records import Alert

URGENCY = 5
TEMPLATES = {"area_outage": "area_outage", "feed_stalled": "feed_stalled"}


class Notice(Struct, frozen=True):
    """What is sent for an alert, or (``reason``) why nothing is."""

    sends: tuple[Send, ...]
    reason: NotSent | None = None


def notice(alert: Alert, circle: Circle, now: datetime) -> Notice | None:
    """Messages to the operators on duty; None for an alert that is none of theirs. The keys are of the alert alone."""
    template = TEMPLATES.get(alert.kind)
    if template is None or alert.to != "operator" or alert.event == "level_changed":
        return None
    values = {
        "area": alert.area, "dong": alert.dong, "level": alert.level,
        "reason_ko": alert.text_ko, "reason_en": alert.text_en, "change": alert.event, "at": now.isoformat(),
    }  # fmt: skip
    sends = tuple(
        Send(
            f"a{alert.alert_id}-{alert.event}-{operator.person_id}", "message",
            {"template": template, "means": "message", "values": values}, operator.person_id, "operator", URGENCY,
        )
        for operator in circle.of("operator")
    )  # fmt: skip
    return Notice(sends, None if sends else NotSent.nobody_on_duty)
