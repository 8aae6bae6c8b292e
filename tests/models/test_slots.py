"""Energy and phone codes of a slot."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.slots import ESTIMATED, MISSING, ZERO, code_of_watts, decode_energy, encode_energy

energy = st.floats(0, 7500, width=32)


@given(st.lists(energy, min_size=1, max_size=50))
def test_a_code_is_within_four_percent_and_half_a_watt_hour(wh: list[float]) -> None:
    """Coding and decoding keeps the energy to the width of a code."""
    given_wh = np.array(wh, np.float32)
    back = decode_energy(encode_energy(given_wh))
    assert (np.abs(back - given_wh) <= 0.021 * (given_wh + 1)).all()


@given(energy, energy)
def test_more_energy_is_never_a_smaller_code(a: float, b: float) -> None:
    """Codes keep the order of energies, so the larger of two codes is the larger reading."""
    low, high = encode_energy(np.array(sorted((a, b)), np.float32))
    assert low <= high


def test_nothing_measured_is_not_zero() -> None:
    """No reading and an estimate decode to no number; zero energy is a measured value above both."""
    assert np.isnan(decode_energy(np.array([MISSING, ESTIMATED], np.uint8))).all()
    assert decode_energy(np.array([ZERO], np.uint8))[0] == 0
    assert encode_energy(np.zeros(1, np.float32))[0] == ZERO > ESTIMATED > MISSING


def test_watts_are_energy_of_a_quarter_hour() -> None:
    """150 W over a slot is 37.5 Wh."""
    assert code_of_watts(150) == encode_energy(np.array([37.5], np.float32))[0]
