"""The week as a person looks at it."""

import numpy as np
from numpy.typing import NDArray

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


def home(days: int = 3, idle: int = 2) -> NDArray[np.void]:
    """A home with quiet nights, always idle in one bin and busy in another, lively from six to eight in the evening."""
    habit = np.zeros(1, HABIT)
    habit["nights"], habit["days"] = 60, days
    habit["bins"][0, [idle, 6]] = 32_000
    habit["active"][0, 9] = 255
    return habit


def test_the_band_lies_where_the_shares_are_and_is_unknown_before_three_days() -> None:
    """A block that is always active has the band of the busy bin, others that of the idle one; none in the first
    days, and none while no quiet night is known."""
    t = evidence.tables(home())
    band, edges = strip.usual_band(home(), t, 0), t.edges[:, 0]
    assert np.allclose(band[9], decode_energy(edges[5:7]) * 4 / 1000)
    assert np.allclose(band[8], decode_energy(edges[1:3]) * 4 / 1000)
    assert np.isnan(strip.usual_band(home(days=2), t, 0)).all()
    unknown = home()
    unknown["nights"] = 0
    assert np.isnan(strip.usual_band(unknown, evidence.tables(unknown), 0)).all()


def test_the_band_never_begins_at_zero_for_a_home_that_always_draws() -> None:
    """The lowest bin is told by the lowest of the quiet nights."""
    habit = home(idle=0)
    assert strip.usual_band(habit, evidence.tables(habit), 0)[8, 0] > 0.03
