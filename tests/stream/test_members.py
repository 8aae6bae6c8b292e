"""Who is in a partition."""

from datetime import timedelta

import pyarrow as pa
import pytest

from stream.members import Members, Names
from stream.records import Absence, Feeds
from stream.strips import ROWS
from stream.watch import FREE
from tests.lives import SINCE, SLOT, T, household


def rows(members: Members, *ids: str) -> list[int]:
    """Rows of ids."""
    return members.locate(pa.array(list(ids))).tolist()


def test_rows_go_on_into_the_next_block() -> None:
    """The 1,025th household opens a second block."""
    members = Members()
    assert members.enrol([household(f"h{i}") for i in range(ROWS + 2)], 0) == list(range(ROWS + 2))
    assert [b.n for b in members.blocks] == [ROWS, 2]
    assert rows(members, "h0", f"h{ROWS + 1}", "stranger") == [0, ROWS + 1, -1]
    assert members.at(ROWS + 1)[0] is members.blocks[1]


def test_a_row_that_was_left_is_given_again() -> None:
    """The block does not grow by people who come and go."""
    members = Members()
    members.enrol([household("a"), household("b")], 0)
    members.leave(0)
    assert members.enrol([household("c")], 0) == [0]
    assert rows(members, "a", "b", "c") == [-1, 1, 0]


def test_a_changed_record_keeps_the_state_and_the_beginning() -> None:
    """Area, feeds, risk and absences are taken over; since when the household is watched is not."""
    members = Members()
    members.enrol([household("a")], 0)
    block, row = members.at(0)
    block.head["score"][row], block.who["step"][row], block.who["phase"][row] = 77, 4, 2
    away = Absence(SINCE + timedelta(days=1), SINCE + timedelta(days=2, minutes=7))
    members.change(0, household("a", area="west", risk="high", feeds=Feeds("meter", None), absences=(away,)))
    assert block.head["score"][row] == 77
    who = block.who[row]
    assert (who["since"], who["step"], who["phase"], who["risk"], who["phone_feed"]) == (T // SLOT, 4, 2, 2, 0)
    assert members.areas.names[who["area"]] == "west"
    assert block.terms[row].absences == ((T // SLOT + 96, T // SLOT + 193),)
    members.change(0, household("a"))
    assert block.terms == {}


def test_areas_are_counted_by_homes_with_a_meter() -> None:
    """Homes without a meter, without an area, or gone are not counted."""
    members = Members()
    members.enrol(
        [household("a"), household("b"), household("c", feeds=Feeds(None, "phone")), household("d", area="")], 0
    )
    assert members.per_area() == {"east": 2}
    members.leave(0)
    assert members.per_area() == {"east": 1}
    assert members.watching() == {"meter": {"meter"}, "phone": {"phone"}}


def test_an_empty_partition_has_nobody() -> None:
    """No feeds, no areas, no rows."""
    members = Members()
    assert (members.watching(), members.per_area()) == ({"meter": set(), "phone": set()}, {})
    assert members.enrol([], 0) == []


@pytest.mark.parametrize("most", [2, 3])
def test_names_past_the_most_are_as_no_name(most: int) -> None:
    """Their homes are watched all the same."""
    names = Names(most=most)
    assert [names.number(n) for n in ("", "a", "b", "a", "c")] == [0, 1, 2 if most > 2 else 0, 1, 0]


def test_a_dismissed_row_is_free() -> None:
    """It is not watched from any slot on."""
    members = Members()
    members.enrol([household("a", drill=True)], 0)
    members.leave(0)
    block, row = members.at(0)
    assert block.who["since"][row] == FREE
    assert block.drills == set()
