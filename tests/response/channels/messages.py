"""Values and messages that the tests of the channels share."""

from typing import Any

from response.channels.words import TEMPLATES, VALUES
from response.records import Message

FULL = {
    "office": "행정복지센터 안부 담당",
    "callback": "02-123-4567",
    "level": "serious",
    "name": "김○수",
    "dong": "역삼1동",
    "hours": "15",
    "usual": "7",
    "reason_ko": "생활 신호가 15시간째 없습니다.",
    "reason_en": "No sign of life for 15 h.",
    "tried": "자동 전화 3번: 안 받음 3",
    "help": "1",
    "asked": "unanswered",
    "no_data": "",
    "as_of": "05-01 23:10",
    "rings": "1",
    "code": "safe_visited",
    "link": "https://anbu.example/a/Zx81",
    "address_at": "2026-03-01",
    "entry": "1",
    "how": "life",
    "role": "deputy",
    "who": "박지은",
    "area": "feeder-0412",
    "over": "1",
    "at": "2026-05-01 16:00",
    "since": "2026-05-01 14:15",
    "case": "12",
    "count": "3",
    "left": "23",
}
"""A value for every name of the table."""
MAY_BE_EMPTY = {name for name, meaning in VALUES.items() if "may be empty" in meaning or "else empty" in meaning}


def values(template: str) -> dict[str, str]:
    """Exactly the values that the table promises a template."""
    return {name: FULL[name] for name in TEMPLATES[template]}


def message(template: str = "tell_officer", **changes: Any) -> Message:
    """A message with all the values of its template."""
    given: dict[str, Any] = {
        "key": "c7-3", "person_id": "p1", "role": "officer", "channel": "sms", "address": "010-2345-6789",
        "template": template, "values": values(template),
    }  # fmt: skip
    return Message(**given | changes)
