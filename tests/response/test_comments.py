"""Comments are sealed for their case, refused clearly without keys, and never stop a case from being shown."""

import pytest

from response import comments
from response.vault import Vault, new_key, place
from stream import plain
from tests.stream.test_plain import ATTACKS


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
    assert comments.seal(vault, 7, "가" * plain.COMMENT)
    with pytest.raises(comments.CommentError, match="2,001 characters"):
        comments.seal(vault, 7, "가" * (plain.COMMENT + 1))


@pytest.mark.parametrize("what", [w for w in ATTACKS if w not in ("a line break", "a carriage return", "a tabulator")])
def test_a_comment_is_one_line_that_only_says_what_is_seen(what: str) -> None:
    """It is read at a terminal and on a page; a field of several lines becomes one."""
    vault = Vault([new_key()])
    with pytest.raises(comments.CommentError, match=r"the comment .*U\+"):
        comments.seal(vault, 7, ATTACKS[what])
    kept = comments.seal(vault, 7, "문 앞에\r\n신문\n\n세 부\t있음")
    assert comments.opened(vault, 7, kept) == "문 앞에 신문 세 부 있음"
    old = vault.seal_text(ATTACKS[what].replace("\ud800", "\x1b"), place("case_events", "comment", 7))
    assert comments.opened(vault, 7, old).isprintable()
