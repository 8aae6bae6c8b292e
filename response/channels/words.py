"""What messages say: which templates there are, the values they get, and how a message becomes words.

A template is one file a language, ``response/templates/<name>.<language>.txt``, of three blocks: ``subject`` (one
line), ``short`` (one paragraph, for SMS and 알림톡) and ``long`` (for everything else). A value that a template asks
for and does not get is an error, an empty one leaves its clause out; values that it does not ask for are passed over.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, UndefinedError
from msgspec import Struct

from response.channels.endings import outcome
from response.channels.guardian import for_guardian, why_ring
from response.records import CallOutcome, Message
from stream.plain import INSTEAD, SENTENCES, plain

Language = Literal["ko", "en"]

VALUES: dict[str, str] = {
    "office": "in whose name we speak (response.office_name)",
    "callback": "number to ring back (response.callback_number); may be empty",
    "level": "attention, caution or serious",
    "name": "the resident's name, masked; may be empty",
    "dong": "the dong of the home",
    "hours": "hours without a sign of life, of look_officer: without data; may be empty",
    "usual": "hours of the longest silence of a usual day; may be empty",
    "reason_ko": "the alert's sentences in Korean; may be empty",
    "reason_en": "the same in English; may be empty",
    "tried": "what was tried, in words of the message's language (`tried`); may be empty",
    "help": "1: the resident asked for help (key 2); else empty",
    "asked": "how far the resident was asked: help, no_data, unanswered, not_reached, ringing or not_called",
    "no_data": "1: the hours are hours without data, not without a sign of life; else empty",
    "as_of": "local time of the alert, where that is a while ago; may be empty",
    "rings": "1: an automatic call comes beside this message; else empty",
    "code": "the outcome that a person gave; may be empty",
    "link": "one-time link to acknowledge; may be empty",
    "address_at": "day on which the address was last checked; may be empty",
    "entry": "1: the resident agreed that the home may be entered; else empty",
    "how": "why it is over: key, call_back, life, absence, data, person or withdrawn",
    "who": "the colleague's name; may be empty",
    "role": "whose turn it was: a role of response.records",
    "area": "the area, or the feed, that it is about",
    "over": "1: it has ended; else empty",
    "at": "when it was known, local time",
    "since": "since when it was so, local time",
    "case": "the number of the case",
    "count": "how many households",
    "left": "hours until their data are deleted",
}
"""Every value a template may get, all of them strings."""

TEMPLATES: dict[str, tuple[str, ...]] = {
    # to the resident, before the automatic call
    "ask_resident": ("office", "callback", "rings"),
    # to officer, deputy and centre: look after this person now
    "tell_officer": (
        "level", "name", "dong", "hours", "usual", "no_data", "as_of", "reason_ko", "reason_en", "tried", "help",
        "link", "address_at", "entry",
    ),
    # to a guardian: please ring, and tell the office
    "tell_guardian": ("name", "office", "callback", "asked"),
    # to the officer: nothing is known of this home for a day
    "look_officer": ("name", "dong", "hours", "as_of", "reason_ko", "reason_en", "link"),
    # to staff who had been told: it is over, and why
    "calmed": ("name", "dong", "how", "code"),
    # to a guardian who had been told: the same, with less
    "calmed_guardian": ("name", "office", "callback", "how", "code"),
    # to whoever has a case in which life was seen: its outcome is still wanted
    "calmed_owner": ("name", "dong", "how", "link"),
    # to whoever has it: a colleague would like to have it
    "take_over_asked": ("name", "dong", "level", "who", "link"),
    # to whoever had it: a colleague has it now
    "taken_over": ("name", "dong", "level", "who", "link"),
    # to the owner: acknowledged, no outcome in time, the case is open again
    "deadline_passed": ("name", "dong", "level", "link"),
    # to operators: it was this role's turn and there is nobody
    "nobody_on_duty": ("dong", "role", "level"),
    # to operators: none of the messages to this role went out
    "nobody_reached": ("dong", "role", "level"),
    # to operators
    "area_outage": ("area", "reason_ko", "reason_en", "over", "at", "since"),
    "feed_stalled": ("area", "reason_ko", "reason_en", "over", "at", "since"),
    # to the owner: consent has ended, stop
    "withdrawn": ("case", "dong"),
    # to operators: who withdrew lately, all in one, and how to undo it
    "withdrawals": ("count", "left"),
}  # fmt: skip
"""Template -> the values it gets. Beside them every message may have ``simulated`` ("1": calls are only simulated)."""

SHORT = frozenset({"sms", "alimtalk"})
"""Channels that get the short form, without a subject."""

MARKS = {"drill": {"ko": "[훈련]", "en": "[DRILL]"}, "simulated": {"ko": "[모의]", "en": "[SIMULATED]"}}
"""What a message begins with."""

LEVELS = {"attention": "관심", "caution": "주의", "serious": "심각"}
ROLES = {
    "resident": ("대상자", "resident"),
    "guardian": ("보호자", "guardian"),
    "officer": ("담당 공무원", "officer"),
    "deputy": ("대리 담당", "deputy"),
    "centre": ("관제센터", "control centre"),
    "operator": ("운영자", "operator"),
}
HOW = {
    "key": ("본인이 자동 전화에 1번을 눌렀습니다", "the resident pressed 1 in the automatic call"),
    "call_back": ("본인이 전화를 걸어 와 1번을 눌렀습니다", "the resident rang back and pressed 1"),
    "life": ("생활 신호가 다시 확인되었습니다", "signs of life are seen again"),
    "absence": ("외출·입원 등 부재가 등록되어 있습니다", "an absence is registered"),
    "data": ("끊겼던 자료가 다시 들어옵니다", "data arrives again"),
    "person": ("담당자가 결과를 적고 마쳤습니다", "a person has given the outcome"),
    "withdrawn": ("동의가 철회되었습니다", "consent was withdrawn"),
}
OUTCOMES = {
    CallOutcome.answered_key: ("받고 번호 누름", "answered with a key"),
    CallOutcome.answered_no_key: ("받고 누르지 않음", "answered, no key"),
    CallOutcome.no_answer: ("안 받음", "no answer"),
    CallOutcome.busy: ("통화 중", "busy"),
    CallOutcome.rejected: ("거절", "declined"),
    CallOutcome.failed: ("연결 안 됨", "could not be placed"),
    CallOutcome.unknown: ("결과 모름", "end unknown"),
}


class Rendered(Struct, frozen=True):
    """A message in words. ``subject``: one line, empty where the channel has none."""

    subject: str
    text: str


class WordsError(Exception):
    """A message that cannot be put in words: which template, and what is missing (no values)."""


def render(message: Message) -> Rendered:
    """A message in the words of its language and channel; a drill's begins with its mark, whatever the template.

    Raises:
        WordsError: there is no such template, or a value is missing.
    """
    if message.template not in TEMPLATES:
        raise WordsError(f"no template {message.template!r}")
    template = _template(message.template, message.language)
    mark = _mark(message)
    try:
        if message.channel in SHORT:
            return Rendered("", mark + _line(_block(template, "short", message)))
        return Rendered(
            mark + _line(_block(template, "subject", message)),
            mark + _paragraphs(_block(template, "long", message)),
        )
    except UndefinedError as e:
        raise WordsError(f"template {message.template!r}: {e.message}") from None


def tried(outcomes: Sequence[CallOutcome], language: Language, real: bool = True, ringing: bool = False) -> str:
    """What was tried, e.g. ``자동 전화 3번: 안 받음 2, 통화 중 1``. ``real``: whether a telephone rang; ``ringing``:
    a call waits or is being made."""
    if ringing and not outcomes:
        kind = {"ko": "자동" if real else "모의", "en": "automatic" if real else "simulated"}[language]
        return f"{kind} 전화 거는 중" if language == "ko" else f"an {kind} call is being placed".replace("an s", "a s")
    if not outcomes:
        return "자동 전화 없었음" if language == "ko" else "no automatic call was made"
    n = len(outcomes)
    counts = Counter(outcomes)
    parts = [f"{_word(OUTCOMES[o], language)} {counts[o]}" for o in OUTCOMES if counts[o]]
    if language == "ko":
        return f"{'자동' if real else '모의'} 전화 {n}번: {', '.join(parts)}"
    return f"{n} {'automatic' if real else 'simulated'} call{'s' if n > 1 else ''}: {', '.join(parts)}"


def masked(name: str) -> str:
    """A name that tells who is meant to somebody who knows the person: 김철수 -> 김○수, John Smith -> J*** S***.

    Never holds the whole name: a word of one letter is masked whole.
    """
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", name))
    return " ".join(_masked_word(word) for word in words) or "○"


def _masked_word(word: str) -> str:
    if not any(_wide(letter) for letter in word):
        return (word[0] if len(word) > 1 else "") + "***"
    if len(word) < 3:
        return (word[0] if len(word) > 1 else "") + "○"
    return word[0] + "○" * (len(word) - 2) + word[-1]


def _wide(letter: str) -> bool:
    """Whether a letter is of a script whose names are a few letters long (Hangul, Han, Kana)."""
    return unicodedata.east_asian_width(letter) in "WF"


def _mark(message: Message) -> str:
    marks = [MARKS["drill"]] * message.drill + [MARKS["simulated"]] * (message.values.get("simulated") == "1")
    return "".join(mark[message.language] + " " for mark in marks)


def _word(pair: tuple[str, str], language: str) -> str:
    return pair[0] if language == "ko" else pair[1]


def _block(template: Template, name: str, message: Message) -> str:
    # A sign that no telephone has would hold an SMS up: a question mark stands for what is not seen.
    said = {value: plain(text, SENTENCES).replace(INSTEAD, "?") for value, text in message.values.items()}
    return "".join(template.blocks[name](template.new_context(said)))


def _line(text: str) -> str:
    return " ".join(text.split())


def _paragraphs(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text.strip())


@cache
def environment() -> Environment:
    """Where templates come from, with the words they may use: ``level | level_ko``, ``role | role_en`` ..."""
    # Plain text: nothing to escape. What goes out as HTML is escaped by the channel.
    env = Environment(
        loader=PackageLoader("response", "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["level_ko"] = lambda level: LEVELS.get(level, level)
    for at, language in enumerate(("ko", "en")):
        env.filters[f"role_{language}"] = lambda role, at=at: ROLES.get(role, (role, role))[at]
        env.filters[f"outcome_{language}"] = lambda code, at=at: outcome(code)[at]
        env.filters[f"why_ring_{language}"] = lambda asked, name, at=at: why_ring(asked, name)[at]
        env.filters[f"guardian_{language}"] = lambda how, code, at=at: for_guardian(how, code)[at]
        env.filters[f"how_{language}"] = lambda how, at=at: HOW.get(how, (how, how))[at]
    return env


@cache
def _template(name: str, language: Language) -> Template:
    return environment().get_template(f"{name}.{language}.txt")
