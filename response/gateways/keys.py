"""Keys that were pressed in a call, and which of them counts."""

import re
import unicodedata

HELP, YES = "2", "1"
ANSWERS = HELP + YES
"""The keys that are asked for, in the order in which they count. Another one is only taken where neither comes."""
KEYS = re.compile(r"[0-9A-Da-d*#]+")


def pressed(keys: str) -> str | None:
    """Help where it was asked for at all, whatever else was pressed, then the yes, else the last other key; None where
    no key was pressed or these are none."""
    keys = re.sub(r"[\s,]", "", unicodedata.normalize("NFKC", keys))
    if not KEYS.fullmatch(keys):
        return None
    return next((key for key in ANSWERS if key in keys), keys[-1])
