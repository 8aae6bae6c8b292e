"""What a caller hears, in Korean and English. No name of the resident: somebody else may answer."""

from typing import Literal

from response.records import Announcement

Language = Literal["ko", "en"]

CHECK: dict[Language, str] = {
    "ko": "안녕하세요. {office}입니다. 잘 지내시는지 안부 전화 드렸습니다. "
    "괜찮으시면 1번, 도움이 필요하시면 2번을 눌러 주세요.",
    "en": "Hello. This is {office}. We are calling to ask whether you are well. "
    "If you are all right, press 1. If you need help, press 2.",
}
"""Said when we call."""
CALLED_BACK: dict[Language, str] = {
    "ko": "전화 주셔서 감사합니다. {office}입니다. 안부를 여쭈려고 전화 드렸습니다. "
    "괜찮으시면 1번, 도움이 필요하시면 2번을 눌러 주세요.",
    "en": "Thank you for calling back. This is {office}. We wanted to ask whether you are well. "
    "If you are all right, press 1. If you need help, press 2.",
}
"""Said when somebody rings our number."""
AGAIN: dict[Language, str] = {"ko": "다시 말씀드립니다.", "en": "Once more."}


def check(office: str, language: Language = "ko") -> Announcement:
    """The announcement of a call; its recording is ``check_ko.wav`` or ``check_en.wav``."""
    return Announcement(twice(CHECK[language].format(office=office), language), f"check_{language}.wav")


def called_back(office: str, language: Language = "ko") -> Announcement:
    """The announcement of a call-back; its recording is ``called_back_ko.wav`` or ``called_back_en.wav``."""
    return Announcement(twice(CALLED_BACK[language].format(office=office), language), f"called_back_{language}.wav")


def twice(text: str, language: Language) -> str:
    """Said again: whoever has just picked up has often missed the beginning."""
    return f"{text} {AGAIN[language]} {text}"
