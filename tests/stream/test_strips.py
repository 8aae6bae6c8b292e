"""The ring of slots."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.strips import SLOTS, Strips

ROWS = 7
writes = st.lists(
    st.tuples(st.integers(0, ROWS - 1), st.integers(1_960_000, 1_960_000 + 40), st.integers(0, 255)), max_size=60
)


def written(signal: str, rows: list[tuple[int, int, int]], batches: int = 1) -> tuple[Strips, int]:
    """Strips with these (row, slot, code), and how many writes were news."""
    strips, news = Strips(ROWS), 0
    for part in np.array_split(np.array(rows, np.int64).reshape(-1, 3), batches):
        row, slot, code = part.T
        if signal == "meter":
            news += int(strips.write_meter(row, slot, code.astype(np.uint8)).sum())
        else:
            news += int(strips.write_phone(row, slot, (code % 4).astype(np.uint8)).sum())
    return strips, news


@pytest.mark.parametrize("signal", ["meter", "phone"])
@given(rows=writes, order=st.randoms(use_true_random=False), batches=st.integers(1, 5))
def test_order_repetition_and_batches_do_not_matter(
    signal: str, rows: list[tuple[int, int, int]], order: object, batches: int
) -> None:
    """The same writes in any order, some of them twice, in any pieces: the same bytes."""
    again = rows + rows[: len(rows) // 2]
    order.shuffle(again)  # type: ignore[attr-defined]
    (a, _), (b, _) = written(signal, rows), written(signal, again, batches)
    assert a.meter.tobytes() == b.meter.tobytes()
    assert a.phone.tobytes() == b.phone.tobytes()


@pytest.mark.parametrize("signal", ["meter", "phone"])
@given(rows=writes)
def test_what_is_read_is_the_largest_that_was_written(signal: str, rows: list[tuple[int, int, int]]) -> None:
    """Every slot of every row: the largest code, nothing where nothing was written."""
    strips, _ = written(signal, rows)
    expected = np.zeros((50, ROWS), np.uint8)
    for row, slot, code in rows:
        at = slot - 1_960_000 + 3, row
        expected[at] = max(expected[at], code if signal == "meter" else code % 4)
    found = strips.read(1_959_997, 50, slice(0, ROWS))[0 if signal == "meter" else 1]
    assert (found == expected).all()
    some = np.array([3, 1])
    assert (strips.read(1_959_997, 50, some)[0 if signal == "meter" else 1] == expected[:, some]).all()
    for i in (0, 5, 49):
        assert (strips.slot(1_959_997 + i, ROWS)[0 if signal == "meter" else 1] == expected[i]).all()


@pytest.mark.parametrize("signal", ["meter", "phone"])
@given(rows=writes)
def test_a_repetition_is_no_news(signal: str, rows: list[tuple[int, int, int]]) -> None:
    """What was written before changes nothing and is not told as a change."""
    strips, news = written(signal, rows)
    row, slot, code = np.array(rows, np.int64).reshape(-1, 3).T
    dirty = set(strips.dirty_meter), set(strips.dirty_phone)
    strips.dirty_meter.clear()
    strips.dirty_phone.clear()
    write = strips.write_meter if signal == "meter" else strips.write_phone
    assert not write(row, slot, (code if signal == "meter" else code % 4).astype(np.uint8)).any()
    assert not strips.dirty_meter | strips.dirty_phone
    assert (news > 0) == bool(dirty[0] | dirty[1])


def test_reading_across_the_ends_of_the_ring() -> None:
    """Slots that wrap around the arrays come out in order."""
    first = SLOTS * 2500 - 10
    slots = np.arange(first, first + 20)
    strips = Strips(ROWS)
    strips.write_meter(np.zeros(20, np.int64), slots, np.arange(2, 22, dtype=np.uint8))
    strips.write_phone(np.zeros(20, np.int64), slots, (slots % 4).astype(np.uint8))
    for rows in (slice(0, 2), np.array([0, 1])):
        meter, phone = strips.read(first, 20, rows)
        assert meter[:, 0].tolist() == list(range(2, 22))
        assert phone[:, 0].tolist() == (slots % 4).tolist()


def test_what_leaves_the_ring_and_what_is_erased_is_gone() -> None:
    """A cleared day and an erased row hold nothing."""
    strips, _ = written("meter", [(1, 1_960_000, 9), (2, 1_960_100, 9)])
    strips.write_phone(np.array([1, 2]), np.array([1_960_000, 1_960_100]), np.array([3, 3], np.uint8))
    strips.clear(1_960_000, 96)
    assert not strips.meter[:, 1].any()
    assert not strips.phone[:, 1].any()
    strips.erase(2)
    assert not strips.meter.any()
    assert not strips.phone.any()
