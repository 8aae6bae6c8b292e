"""The week as a person looks at it."""

import numpy as np

from models import evidence, strip
from models.slots import MISSING, OWN, decode_energy, encode_energy
from models.state import HABIT


def test_an_hour_with_a_slot_missing_has_no_value() -> None:
    """kWh of an hour is the sum of its four slots, and none where one is not measured."""
    codes = encode_energy(np.array([100, 100, 100, 100, 50, 50, 50, 50], np.float32))
    codes[5] = MISSING
    hours = strip.hourly_energy(codes)
    assert abs(hours[0] - 0.4) < 0.01
    assert np.isnan(hours[1])


def test_own_use_is_counted_by_slots() -> None:
    """Two slots with own use in an hour are two."""
    assert strip.hourly_own_use(np.array([OWN, 0, OWN, 1, 0, 0, 0, 2], np.uint8)).tolist() == [2, 0]


def test_the_band_lies_where_the_counts_are_and_is_unknown_before_three_days() -> None:
    """A block seen often has a band from the 10 % to the 90 % point; one seen less has none."""
    habit = np.zeros(1, HABIT)
    habit["nights"][0, :6] = 60
    habit["counts"][0, 8, 6] = 40
    habit["counts"][0, 9, 6] = 23
    t = evidence.tables(habit)
    band = strip.usual_band(habit, t, 0)
    edges = t.edges[:, 0]
    low, high = decode_energy(edges[5:7]) * 4 / 1000
    assert np.allclose(band[8], (low, high))
    assert np.isnan(band[9]).all()
    assert np.isnan(strip.usual_band(np.zeros(1, HABIT), evidence.tables(np.zeros(1, HABIT)), 0)).all()


def test_the_band_never_begins_at_zero_for_a_home_that_always_draws() -> None:
    """The lowest bin is told by the lowest of the quiet nights."""
    habit = np.zeros(1, HABIT)
    habit["nights"][0, :6] = 60
    habit["counts"][0, 8, 0] = 40
    assert strip.usual_band(habit, evidence.tables(habit), 0)[8, 0] > 0.03
