"""What a cell looks like, for who mends it, and never what it says: a name or a number may stand in any column."""

import re


def shape(text: str) -> str:
    """Its first characters, each letter as ``a`` or ``가``, each digit as ``9``: ``9999. 9. 9. 가가 9:99``."""
    return re.sub(r"[가-힣]", "가", re.sub(r"[^\W\d_가-힣]", "a", re.sub(r"\d", "9", text[:32])))
