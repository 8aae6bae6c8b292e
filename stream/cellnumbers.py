"""Texts of a column of numbers as numbers: thousands' and decimal commas where there is no doubt, full-width digits."""

import re
import unicodedata

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

NUMBER, EMPTY, NO_NUMBER, DOUBTFUL = range(4)
"""What a text is: a number, nothing, no number, or one whose comma may be of thousands or of decimals."""
NULLS = {"", "null", "none", "nan", "na", "n/a", "-"}
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+\.\d+|[+-]?[1-9]\d{0,2}(,\d{3}){2,}")
_EUROPEAN = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+,\d+")
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_DECIMAL = re.compile(r"[+-]?\d+,\d+")


def numbers(values: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Numbers (n,) of n texts, NaN where there is none, and what each text is (n,)."""
    try:
        found = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return found, np.zeros(len(found), np.uint8)
    except pa.ArrowInvalid:
        pass
    texts = [unicodedata.normalize("NFKC", text or "").strip().lower() for text in values.to_pylist()]
    comma = _comma_of(texts)
    pairs = [_number(text, comma) for text in texts]
    return np.array([n for n, _ in pairs], np.float64), np.array([kind for _, kind in pairs], np.uint8)


def _comma_of(texts: list[str]) -> str:
    """What a comma before three digits is in a column, "" where its other cells do not tell."""
    decimal = any(_decimal(text) for text in texts)
    thousands = any(_THOUSANDS.fullmatch(text) for text in texts)
    return "" if decimal == thousands else "." if decimal else ","


def _decimal(text: str) -> bool:
    """Whether its comma is certainly that of decimals."""
    return bool(_EUROPEAN.fullmatch(text) or (_DECIMAL.fullmatch(text) and not _EITHER.fullmatch(text)))


def _number(text: str, comma: str) -> tuple[float, int]:
    if text in NULLS:
        return np.nan, EMPTY
    if _EITHER.fullmatch(text):
        return (float(text.replace(",", comma.strip(","))), NUMBER) if comma else (np.nan, DOUBTFUL)
    if _decimal(text):
        text = text.replace(".", "").replace(",", ".")
    elif _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    try:
        return (np.nan, NO_NUMBER) if "_" in text else (float(text), NUMBER)
    except ValueError:
        return np.nan, NO_NUMBER
