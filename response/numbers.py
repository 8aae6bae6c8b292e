"""Telephone numbers in one form, made once where they come in: E.164 (``+821012345678``). It is what is stored, indexed
and compared; how it is dialled is made from it."""

import re
import unicodedata
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

REGION = "KR"
Dialling = Literal["national", "e164"]
_WRITTEN = re.compile(r"[\s\-‐‑‒–—―−ー().·]+")
_SPREADSHEET = re.compile(r"'?(\+?\d+)(?:\.0)?")
"""What becomes of a number that a spreadsheet took for one: ``1012345678.0``, or ``'010...`` to keep it from that."""
_DIGITS = re.compile(r"\+?\d{3,20}", re.ASCII)
_TOO_SHORT = re.compile(r"\+8210\d{7}", re.ASCII)
"""Numbers of 010 have eight digits behind it; the library still knows shorter ones of old."""
_AT_HOME = re.compile(r"\+82(?:10\d{8}|(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4])\d{7,8})", re.ASCII)
"""Mobile, or of an area, whatever exchange: which of them are given out changes, and the library is behind."""
_NOBODYS = {PhoneNumberType.UAN, PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST}


def normal(written: str, region: str = REGION) -> str:
    """The one form of a number, however it is written: ``010-1234-5678``, ``+82 (0)10 1234 5678``, ``82 10-1234-5678``,
    ``0082 ...`` and ``00182 ...`` (dialled abroad), ``1012345678`` (a spreadsheet took the 0), ``tel:``, full-width
    digits. ``region``: country (ISO 3166) of numbers without a country code. Twice changes nothing.

    Raises:
        ValueError: what is there is no telephone number. The line does not repeat it: numbers are personal data.
    """
    digits = plain(written)
    code = str(phonenumbers.country_code_for_region(region))
    tries = [digits]
    if digits.startswith("00"):  # 00 as most of the world dials it; ours has a carrier's digit behind it
        tries = [f"+{digits[2:]}"] if digits.startswith(f"00{code}") else [digits, f"+{digits[2:]}"]
    for one in tries:
        found = _parsed(one, region)
        if found is not None:
            return found
    raise ValueError(_refusal(region))


def plain(written: str) -> str:
    """The digits of a number, a leading + kept, without what is written between them. Raises ValueError as `normal`."""
    text = "".join(c for c in unicodedata.normalize("NFKC", written) if unicodedata.category(c) != "Cf").strip()
    text = re.sub(r"^tel:", "", text, flags=re.IGNORECASE)
    whole = _SPREADSHEET.fullmatch(text)
    digits = whole[1] if whole is not None else _WRITTEN.sub("", text)
    if not _DIGITS.fullmatch(digits):
        raise ValueError(_refusal(REGION))
    return digits


def dialled(number: str, region: str = REGION, form: Dialling = "national") -> str:
    """A number as vendors and trunks take it: ``01012345678``, ``15881234`` at home and ``+4930123456`` abroad; with
    ``e164`` always the latter. Raises ValueError as `normal`."""
    e164 = normal(number, region)
    known = phonenumbers.parse(e164)
    if form == "e164" or known.country_code != phonenumbers.country_code_for_region(region):
        return e164
    return re.sub(r"\D", "", phonenumbers.format_number(known, PhoneNumberFormat.NATIONAL))


def shown(number: str, region: str = REGION) -> str:
    """A number as people write it: ``010-1234-5678``, abroad ``+49 30 123456``; what is none as it is."""
    try:
        known = phonenumbers.parse(normal(number, region))
    except ValueError:
        return number
    at_home = known.country_code == phonenumbers.country_code_for_region(region)
    form = PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL
    return str(phonenumbers.format_number(known, form))


def of_a_person(number: str) -> bool:
    """Whether a person may be behind a number in the one form; a service number (1588-0000, 080) is nobody's own."""
    return phonenumbers.number_type(phonenumbers.parse(number)) not in _NOBODYS


def _parsed(digits: str, region: str) -> str | None:
    try:
        found: PhoneNumber = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    e164 = str(phonenumbers.format_number(found, PhoneNumberFormat.E164))
    if _TOO_SHORT.fullmatch(e164):
        return None
    return e164 if phonenumbers.is_valid_number(found) or _AT_HOME.fullmatch(e164) else None


def _refusal(region: str) -> str:
    example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    foreign = shown(f"+{example.country_code}{example.national_number}", region) if example is not None else "+82 ..."
    like = "010-0000-0000" if region == REGION else foreign
    return (
        f"전화번호가 아닙니다: {like}처럼 · no telephone number: write it like {like}, one of abroad with + and its "
        "country code"
    )
