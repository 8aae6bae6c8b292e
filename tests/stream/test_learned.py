"""The learned detector on lives: its levels follow from the strips alone, whatever came in which batches, and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.features import NAMES, Moment
from models.forest import Scale
from models.judge import Model
from models.levels import return_period
from stream.calendar import Calendar
from stream.model import shipped
from stream.partition import Partition
from stream.records import Alert
from stream.rules import Rules
from stream.settings import Settings
from tests.learned import LINEAR, SCALE, Odds
from tests.lives import DAY, Lives, T, given, lives, of, where
from tests.stream.streaming import standing, state_of

MODELS: dict[str, Model] = {"shipped": shipped(), "all figures": LINEAR}


def partition(life: Lives, model: Model) -> Partition:
    """A partition judged by ``model``, with everyone enrolled."""
    made = Partition(0, replace(Rules.of(Settings()), model=model), Calendar("Asia/Seoul"))
    made.households(life.households)
    made.begin(T, 0)
    return made


@cache
def whole(name: str, minutes: int) -> tuple[Lives, list[Alert], dict[str, object]]:
    """Eleven days, quiet in one home for the last two: what it comes to by hours, on time."""
    life = lives(homes=4, days=11, minutes=minutes, seed=4, stop=9)
    made = partition(life, MODELS[name])
    alerts = list(given(made, life, life.end, step=4))
    return life, alerts, state_of(made)


@pytest.mark.parametrize("name", MODELS)
@for_all(seed=st.integers(0, 10**6), step=st.sampled_from([4, 8, 16]), minutes=st.sampled_from([15, 30, 60]))
@hypothesis(max_examples=5, deadline=None)
def test_the_same_levels_in_any_batches(name: str, seed: int, step: int, minutes: int) -> None:
    """Shuffled and repeated, by one to four hours: the same alerts, and the same bytes of heads, hours and habits."""
    life, expected, kept = whole(name, minutes)
    made = partition(life, MODELS[name])
    assert list(given(made, life, life.end, step=step, rng=np.random.default_rng(seed))) == expected
    assert [part for part, value in state_of(made).items() if value != kept[part]] == []
    assert any(a.kind == "silence" for a in expected)


@pytest.mark.parametrize("name", MODELS)
@for_all(seed=st.integers(0, 10**6), hours=st.integers(1, 5 * 24))
@hypothesis(max_examples=5, deadline=None)
def test_the_same_levels_in_the_end_however_late(name: str, seed: int, hours: int) -> None:
    """A fifth of a day's readings and calls up to six days late: what is kept and stands is as if they had not been."""
    life, expected, kept = whole(name, 30)
    rng, end = np.random.default_rng(seed), life.end - 7 * DAY
    rows = (life.meter.start >= end - DAY) & (life.meter.start < end) & (rng.random(len(life.meter)) < 0.2)
    calls = (life.phone.at >= end - DAY) & (life.phone.at < end) & (rng.random(len(life.phone)) < 0.2)
    made = partition(life, MODELS[name])
    late = [(end + hours * 3600, where(life, rows, calls))]
    found = list(given(made, where(life, ~rows, ~calls), life.end, step=4, rng=rng, late=late))
    assert [part for part, value in state_of(made).items() if value != kept[part]] == []
    assert standing(found) == standing(expected)


@dataclass
class Heard:
    """A model that keeps what it is told."""

    told: list[NDArray[np.float32]] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)

    @property
    def scale(self) -> Mapping[str, Scale]:
        """As any."""
        return SCALE

    def log_odds(self, x: NDArray[np.float32], rows: NDArray[np.intp], moment: Moment) -> Odds:
        """Nobody is missed."""
        self.told.append(x)
        self.slots.append(moment.number)
        return np.full(x.shape[1], -5, np.float32)


@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_the_model_is_asked_once_an_hour_with_numbers_only(minutes: int) -> None:
    """Of meters of all intervals, with half a day of readings missing: all figures, finite, once an hour a home."""
    life, model = lives(homes=2, days=4, minutes=minutes), Heard()
    gap = of(life.meter, "home-0") & (life.meter.start >= T + 2 * DAY) & (life.meter.start < T + 2.5 * DAY)
    list(given(partition(life, model), where(life, ~gap), life.end))
    x = np.concatenate(model.told, axis=1)
    assert len(x) == len(NAMES)
    assert np.isfinite(x).all()
    assert len(set(model.slots)) == len(model.slots)
    assert (np.array(model.slots) % 4 == 3).all()
    first, hours = min(model.slots), 1 + (life.end // 900 - 1 - min(model.slots)) // 4
    assert x.shape[1] == 2 * hours - 12, f"asked from slot {first} on"


def test_a_home_without_a_meter_is_given_the_return_period_of_the_evidence_that_judged_it() -> None:
    """The learned model's scale is of homes with one; who has none is judged by the plain evidence, and told by it."""
    life = lives(homes=4, days=11, minutes=30, seed=4, stop=9)
    made = partition(life, MODELS["shipped"])
    list(given(made, life, life.end, step=4))
    (block,) = made.members.blocks
    tables = block.today(made.life).tables
    assert tables.known[: block.n].all()
    by_model = [made.writer._return_period(block, row) for row in range(block.n)]
    tables.known[: block.n] = False
    plain = [made.writer._return_period(block, row) for row in range(block.n)]
    assert plain != by_model
    for row, period in enumerate(plain):
        days = return_period(int(block.head["score"][row]), float(block.habit["worst"][row]))
        told = min(days, 100_000)
        assert period == (told if told >= made.life.rules.thresholds.attention_days else None)
