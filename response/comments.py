"""What people write about a case may hold personal data: it is sealed before it goes into the log."""

import re

from response.vault import Vault, VaultError, place
from stream import plain


class CommentError(Exception):
    """A comment cannot be kept: one line, what and what to do."""


def seal(vault: Vault | None, case_id: int, text: str) -> str:
    """A comment as the log has it; "" stays "", with or without keys.

    Raises:
        CommentError: there are no keys to seal it with, it is too long, or holds what is not seen.
    """
    text = line(text)
    if not text:
        return ""
    if vault is None:
        raise CommentError(
            "메모를 저장할 수 없습니다: 개인정보 키가 없습니다 · a comment cannot be kept, there is no key to seal "
            "it with: set ANBU_RESPONSE__KEYS (`anbu people key`), or leave the comment out"
        )
    if (wrong := plain.fault(text, plain.COMMENT)) is not None:
        raise CommentError(f"메모: {wrong[0]} · the comment {wrong[1]}")
    return vault.seal_text(text, place("case_events", "comment", case_id))


def line(text: str) -> str:
    """A comment as one line: a page's field has breaks."""
    return re.sub(r"[\r\n\t]+", " ", text.strip())


def opened(vault: Vault | None, case_id: int, sealed: str) -> str:
    """A sealed comment's text; where it cannot be opened, that is said in its place."""
    if not sealed:
        return ""
    if vault is None:
        return "(봉인됨 · sealed)"
    try:
        return plain.plain(vault.open_text(sealed, place("case_events", "comment", case_id)))
    except VaultError:
        return "(열 수 없음 · cannot be opened)"
