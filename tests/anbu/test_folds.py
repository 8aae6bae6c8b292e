"""Which model of a fold a household is judged by, and what is said where there is none."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from anbu import folds
from anbu.errors import UserError
from anbu.folds import LeftOut
from anbu.history import History
from stream import frames
from stream.columns import MeterColumns, PhoneColumns
from stream.records import Household
from stream.settings import Settings

ONE = LeftOut(Path("1.npz"), frozenset({"a", "b-1"}), frozenset())
TWO = LeftOut(Path("2.npz"), frozenset({"b"}), frozenset())


def test_a_copy_is_judged_as_its_home() -> None:
    """By the longest name that a home has; what only begins alike is another home."""
    found = folds.which(["a", "a-full_stop-3", "b-1-away-0", "b-2", "ab", "c-a"], [ONE, TWO])
    assert found == {"a": ONE, "a-full_stop-3": ONE, "b-1-away-0": ONE, "b-2": TWO}


def test_a_home_that_every_model_saw_is_refused() -> None:
    """One line with how many there are, before anything is judged."""
    meter, phone = frames.empty("meter"), frames.empty("phone")
    assert isinstance(meter, MeterColumns)
    assert isinstance(phone, PhoneColumns)
    since = datetime(2026, 3, 2, tzinfo=UTC)
    past = History(meter, phone, [Household("a", since), Household("c", since)])
    with pytest.raises(UserError, match="without 1 of the households, c among them"):
        list(folds.backtest([ONE, TWO], past, Settings()))


def test_a_folder_without_models_is_one_line(tmp_path: Path) -> None:
    """What it is made by is said."""
    with pytest.raises(UserError, match="save-folds"):
        folds.read(tmp_path)
