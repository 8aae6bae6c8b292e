"""Rows of ids."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from stream.directory import Directory, hash_ids

ids = st.lists(st.text("abcXYZ019._:-", min_size=1, max_size=64), unique=True, min_size=1, max_size=40)


@given(ids, st.integers(0, 39))
def test_every_id_finds_its_row_whatever_the_batch(names: list[str], at: int) -> None:
    """Alone, among others, sliced or as a dictionary: the same row; a stranger finds none."""
    directory = Directory()
    directory.add(pa.array(names[: at + 1]), np.arange(min(at + 1, len(names)), dtype=np.int32))
    known = np.where(np.arange(len(names)) <= at, np.arange(len(names)), -1)
    plain = pa.array(names)
    assert (directory.rows(plain) == known).all()
    assert (directory.rows(plain.dictionary_encode()) == known).all()
    assert (directory.rows(plain[len(names) // 2 :]) == known[len(names) // 2 :]).all()
    assert all(directory.rows(pa.array([n]))[0] == k for n, k in zip(names, known, strict=True))


@given(ids)
def test_different_ids_have_different_hashes(names: list[str]) -> None:
    """No two of a few dozen ids of any length meet."""
    assert len(set(hash_ids(pa.array(names)).tolist())) == len(names)


def test_who_left_is_not_found() -> None:
    """Removing a row forgets its id and no other."""
    directory = Directory()
    directory.add(pa.array(["a", "b", "c"]), np.arange(3, dtype=np.int32))
    directory.remove(1)
    assert directory.rows(pa.array(["a", "b", "c"])).tolist() == [0, -1, 2]
    assert len(directory) == 2


def test_nobody_and_nothing() -> None:
    """An empty directory knows nobody; an empty batch has no rows."""
    assert Directory().rows(pa.array(["a"])).tolist() == [-1]
    directory = Directory()
    directory.add(pa.array(["a"]), np.zeros(1, np.int32))
    assert directory.rows(pa.array([], pa.string())).tolist() == []


def test_two_ids_with_one_hash_are_two_homes() -> None:
    """A hash only says where to look: both are found, neither is taken for the other, and one may leave."""
    one, two = "zx5b4ctzAA4AA020", "ieqh524yjnXzmO9g"
    assert len(set(hash_ids(pa.array([one, two])).tolist())) == 1
    directory = Directory()
    directory.add(pa.array(["a", one]), np.array([0, 1], np.int32))
    assert directory.rows(pa.array([one, two, "a"])).tolist() == [1, -1, 0]
    directory.add(pa.array([two, "b" * 40]), np.array([2, 3], np.int32))
    assert directory.rows(pa.array([two, one, "b" * 40, "a"]).dictionary_encode()).tolist() == [2, 1, 3, 0]
    directory.remove(1)
    assert directory.rows(pa.array([one, two])).tolist() == [-1, 2]
