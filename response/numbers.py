"""Telephone numbers in one form, so that who rings back is found whoever wrote the number down, and however."""

import re
import unicodedata

_WRITTEN = re.compile(r"[\s\-().·/]+")
_KOREA = ("+82", "0082", "00182", "00282")
"""+82, and as it is dialled from Korea itself; 001 and 002 are the carriers that people know."""
_SERVICE = re.compile(r"1[3-9]\d{6}")
"""Nationwide numbers like 1588-1588: eight digits, no 0 before them."""


def normalise(number: str) -> str:
    """A number as it is kept and compared: ``01012345678`` for one of Korea, ``+4930123456`` for one abroad.

    ``010-1234-5678``, ``+82 (0)10 1234 5678``, ``82 10-1234-5678``, ``tel:+821012345678`` and full-width digits are
    all the first. Normalising twice changes nothing.

    Raises:
        ValueError: what is there is no telephone number. The line does not repeat it: numbers are personal data.
    """
    text = _WRITTEN.sub("", unicodedata.normalize("NFKC", number).removeprefix("tel:"))
    domestic = next((text.removeprefix(code) for code in _KOREA if text.startswith(code)), None)
    if domestic is None and text.startswith("82") and text.isdecimal() and len(text) >= 10:
        domestic = text.removeprefix("82")  # as some trunks give it: no number of Korea is so long without its 0
    if domestic is not None:
        text = domestic if domestic.startswith("0") or _SERVICE.fullmatch(domestic) else f"0{domestic}"
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal() and 3 <= len(digits) <= 15):
        raise ValueError("전화번호가 아닙니다 · no telephone number: 3 to 15 digits, a leading + allowed")
    return text
