"""Comments are sealed for their case, refused clearly without keys, and never stop a case from being shown."""

import pytest

from response import comments
from response.vault import Vault, new_key


def test_comment_is_sealed_for_its_case_and_opened_again() -> None:
    """The log has no word of it; in another case's place it does not open, which is said."""
    vault = Vault([new_key()])
    sealed = comments.seal(vault, 7, " 김철수 님 입원 ")
    assert "김" not in sealed
    assert comments.opened(vault, 7, sealed) == "김철수 님 입원"
    assert comments.opened(vault, 8, sealed) == "(열 수 없음 · cannot be opened)"
    assert comments.opened(None, 7, sealed) == "(봉인됨 · sealed)"


def test_without_keys_a_comment_is_refused_and_none_is_none() -> None:
    """Nobody's words are kept in the open; an acknowledgement without a comment needs no key."""
    with pytest.raises(comments.CommentError, match="ANBU_RESPONSE__KEYS"):
        comments.seal(None, 7, "words")
    assert comments.seal(None, 7, "  ") == comments.opened(None, 7, "") == ""


def test_comment_has_a_longest_length() -> None:
    """One letter more is refused with the number."""
    vault = Vault([new_key()])
    assert comments.seal(vault, 7, "가" * comments.LONGEST)
    with pytest.raises(comments.CommentError, match="2001 letters"):
        comments.seal(vault, 7, "가" * (comments.LONGEST + 1))
