"""An input that ends before what the state includes is read from its beginning, not waited for in silence."""

from stream.lane import short
from stream.records import HOUSEHOLDS, METER, PHONE


def test_inputs_that_end_before_their_offsets_are_said() -> None:
    """Emptied or made anew: by how much; one that is read to its end is none."""
    begin = {METER: 120, PHONE: 7, HOUSEHOLDS: 0}
    assert short(begin, {METER: 20, PHONE: 7, HOUSEHOLDS: 3}) == {METER: 100}
