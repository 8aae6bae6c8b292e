"""Text that somebody else wrote, as what it seems to be: one line of letters that are seen, of a known length.

Line breaks, terminal escapes, marks that turn the direction of writing, characters without width and those that stand
for nothing make a log, a terminal, an SMS or the subject of a letter say what nobody wrote. Where such a text comes in
it is refused (`fault`); where it is shown whatever came in before, it is made harmless (`plain`).
"""

import re
import unicodedata
from typing import Any

NAME, OFFICE, ADDRESS, EMAIL, WHY, COMMENT, DETAIL, SENTENCES = 64, 64, 200, 254, 200, 2_000, 300, 2_000
"""Most characters: of a name (of a person, dong, area), our office's, a home's address, an e-mail address, a reason, a
comment, what a machine said, an alert's sentences."""

INSTEAD = "\N{REPLACEMENT CHARACTER}"
_BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
_UNSEEN = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks by their class, of which nothing is seen; not the two that choose how a sign is drawn (❤️)."""


def fault(text: str, most: int) -> tuple[str, str] | None:
    """What is wrong with a text as one line of at most ``most`` characters, in Korean and in English; or None. Never
    holds the text."""
    if len(text) > most:
        return f"너무 깁니다({len(text):,}자): {most:,}자까지입니다", f"has {len(text):,} characters: {most:,} at most"
    found = hidden(text)
    if found is not None:
        code = f"U+{ord(found):04X}"
        return (
            f"보이지 않거나 줄을 바꾸는 글자({code})가 있습니다: 빼고 적어 주십시오",
            f"holds a character that is not seen or breaks the line ({code}): leave it out",
        )
    return None


def name_fault(text: str) -> tuple[str, str] | None:
    """The same of a name by which areas and dongs are told apart: two that look the same are one, so a blank is a
    blank."""
    if fault(text, NAME) is None and not text.isprintable():
        return "빈칸은 보통 빈칸으로 적어 주십시오", "holds a blank of another kind: write an ordinary one"
    return fault(text, NAME)


def plain(text: str, most: int | None = None) -> str:
    """A text as one harmless line: breaks become a blank, what is not seen becomes ``�``, what is too long is cut."""
    if most is not None and len(text) > most:
        text = f"{text[: most - 1]}…"  # first: whoever sends a hundred megabytes is not read through
    if hidden(text) is not None:
        text = "".join(c if _seen(c) else INSTEAD for c in _UNSEEN.sub(INSTEAD, _BREAKS.sub(" ", text)))
    return text


def harmless(told: Any, most: int = SENTENCES) -> Any:
    """Plain values of JSON with every text in them, keys too, made harmless."""
    if isinstance(told, str):
        return plain(told, most)
    if isinstance(told, list):
        return [harmless(one, most) for one in told]
    if isinstance(told, dict):
        return {harmless(name, most): harmless(value, most) for name, value in told.items()}
    return told


def hidden(text: str) -> str | None:
    """The first character that must not be there."""
    unseen = _UNSEEN.search(text)
    if text.isprintable():
        return unseen[0] if unseen is not None else None
    return next((c for c in text if not _seen(c)), unseen[0] if unseen is not None else None)


def _seen(character: str) -> bool:
    """Whether something is seen of it, a blank of any width included."""
    return character.isprintable() or unicodedata.category(character) == "Zs"
