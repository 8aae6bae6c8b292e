"""Who is watched when, and whose meter is due."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.watch import FREE, WHO, Terms, Watch

FIRST = 1_963_000


def who(n: int = 1, **fields: object) -> np.ndarray:  # type: ignore[type-arg]
    """Rows of n households with a meter and a phone."""
    rows = np.zeros(n, WHO)
    rows["meter_feed"], rows["phone_feed"], rows["step"] = 1, 2, 2
    for name, value in fields.items():
        rows[name] = value
    return rows


@given(st.sampled_from([1, 2, 4]), st.integers(0, 3), st.integers(0, 1000))
def test_an_interval_ends_with_the_slot_before_the_next_begins(step: int, phase: int, first: int) -> None:
    """Of every ``step`` slots one ends an interval, at the meter's own phase, however many are asked for at once."""
    watch = Watch(who(step=step, phase=phase % step), {})
    ends = watch.intervals_end(first, 8)[:, 0]
    assert ends.tolist() == [(first + i + 1) % step == phase % step for i in range(8)]
    assert [bool(watch.intervals_end(first + i, 1)[0, 0]) for i in range(8)] == ends.tolist()
    for i in range(8):
        last = first + i - int(watch.offset[(first + i) % 4, 0])
        assert (last + 1) % step == phase % step
        assert 0 <= first + i - last < step


def test_without_a_meter_nothing_is_ever_due() -> None:
    """A household watched by phone alone has no intervals."""
    watch = Watch(who(meter_feed=0), {})
    assert not watch.intervals_end(0, 8).any()
    assert (watch.width[0], watch.metered[0]) == (0, False)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=4), st.integers(0, 50), st.integers(1, 20))
def test_absences_hold_from_their_beginning_to_their_end(
    absences: list[tuple[int, int]], first: int, count: int
) -> None:
    """Asked for many slots at once or one by one: absent where any absence covers the slot, nobody else."""
    watch = Watch(who(3), {1: Terms(tuple(absences))})
    found = watch.absent(first, count)
    expected = [any(a <= slot < b for a, b in absences) for slot in range(first, first + count)]
    assert ([False] * count if found is None else found[:, 1].tolist()) == expected
    assert found is None or not found[:, [0, 2]].any()


def test_a_risk_group_holds_from_when_it_was_given() -> None:
    """Before ``risk_since`` the limits of the normal group count."""
    watch = Watch(who(3, risk=[2, 2, 0]), {0: Terms(risk_since=FIRST + 10)})
    assert watch.risks(FIRST).tolist() == [0, 2, 0]
    assert watch.risks(FIRST + 9).tolist() == [0, 2, 0]
    assert watch.risks(FIRST + 10).tolist() == [2, 2, 0]


def test_free_rows_are_never_enrolled() -> None:
    """A row without a household is not watched; one is from its first slot on."""
    watch = Watch(who(2, since=[FREE, FIRST + 2]), {})
    assert watch.enrolled(FIRST, 4).tolist() == [[False, False], [False, False], [False, True], [False, True]]
