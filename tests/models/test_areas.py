"""Areas that are out."""

import pytest

from models.areas import is_out


@pytest.mark.parametrize(
    ("silent", "members", "was_out", "out"),
    [(5, 10, False, True), (4, 10, False, False), (4, 10, True, True), (2, 10, True, True), (1, 10, True, False),
     (4, 4, False, False)],
)  # fmt: skip
def test_out_from_a_share_and_until_a_smaller_one_but_never_for_a_handful(
    silent: int, members: int, was_out: bool, out: bool
) -> None:
    """An outage begins at half of the homes, ends below a fifth, and needs at least five homes."""
    assert is_out(silent, members, was_out, 0.5, 0.2, 5) is out
