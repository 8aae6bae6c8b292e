"""Words as people say them."""

import pytest

from response.channels.endings import CODES
from response.names import channel, ro


@pytest.mark.parametrize(
    ("word", "particle"),
    [("사망", "으로"), ("이사", "로"), ("서울", "로"), ("119 신고·이송", "으로"), ("전화 문제 (고장)", "으로")],
)
def test_a_particle_is_the_one_that_its_word_wants(word: str, particle: str) -> None:
    """Nobody says (으)로."""
    assert ro(word) == particle
    assert all(ro(ko) in ("로", "으로") for ko, _ in CODES.values())


def test_a_channel_is_told_in_one_language_with_what_stands_behind_it() -> None:
    """Also one that is simulated, and one of the settings' own."""
    assert channel("alimtalk") == ("알림톡", "AlimTalk")
    assert channel("sms (모의 · simulated)") == ("문자, 모의", "SMS, simulated")
    assert channel("pager") == ("pager", "pager")
