"""What a home can tell at all: said in its alerts, counted by the metrics, the same of all rows and of one."""

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from models import judgeable, levels
from models.slots import SLOTS_PER_DAY
from stream import census, frames
from stream.metrics import Metrics
from stream.partition import Partition
from stream.records import Alert, Feeds
from stream.settings import Settings
from tests.lives import SINCE, Lives, household, lives, play

DAYS, STOP = 14, 10.4
LIFE = lives(days=DAYS, stop=STOP, seed=3)


def raised(life: Lives, settings: Settings = Settings()) -> list[Alert]:
    """Alerts on silence that stand, of the home that lies still."""
    return [a for a in play(life, settings)[0] if a.kind == "silence" and a.household_id == "home-0"]


def judged(partition: Partition) -> judgeable.Judgeable:
    """All rows of the only block."""
    block = partition.members.blocks[0]
    return block.judgeable(partition.life, slice(0, block.n))


def test_an_alert_says_after_how_many_hours_its_home_is_told() -> None:
    """A home with plain life is told within a day: the field and both languages have the hours."""
    alerts = [a for a in raised(LIFE) if a.event != "cleared"]
    assert alerts
    for alert in alerts:
        assert alert.expected_hours is not None
        assert 4 < alert.expected_hours < 24
        told = next(r.values["hours"] for r in alert.reasons if r.code == "told_in")
        assert told == alert.expected_hours
        assert f"{told:.0f}시간쯤" in alert.text_ko
        assert f"about {told:.0f} h" in alert.text_en


def test_a_home_in_its_first_days_is_said_to_have_the_fixed_limit() -> None:
    """What is still learned cannot be judged: no hours, and the limit that will speak, in both languages."""
    alerts = [a for a in raised(lives(days=6, stop=2.4, seed=3)) if a.event == "raised"]
    assert alerts
    for alert in alerts:
        assert alert.expected_hours is None
        assert next(r.values for r in alert.reasons if r.code == "told_by_limit") == {"limit_hours": 48}
        assert "told_in" not in {r.code for r in alert.reasons}
        assert "48시간" in alert.text_ko
        assert "fixed limit of 48 h" in alert.text_en


def test_an_alert_that_is_over_tells_nothing_of_it() -> None:
    """The sentences are for who has to act."""
    partition = play(LIFE, Settings())[1]
    partition.households([household("home-0", withdrawn=SINCE)])
    (cleared,) = [a for a in partition.advance(0.0).alerts if a.kind == "silence"]
    assert (cleared.event, cleared.expected_hours) == ("cleared", None)
    assert [r.code for r in cleared.reasons] == ["withdrawn"]


def test_a_home_is_told_the_same_alone_and_in_its_block() -> None:
    """One row is as it is among all."""
    partition = play(LIFE, Settings())[1]
    block, many = partition.members.blocks[0], judged(partition)
    for row in range(block.n):
        one = block.judgeable(partition.life, slice(row, row + 1))
        assert (one.hours[0], one.reason[0], one.able[0]) == (many.hours[row], many.reason[row], many.able[row])


def test_a_phone_that_is_not_listened_to_is_not_reckoned_with() -> None:
    """A home that loses its phone feed is told later, by its meter alone, from its next record on."""
    partition = play(LIFE, Settings())[1]
    before = judged(partition)
    partition.households([household("home-1", feeds=Feeds("meter", None))])
    after = judged(partition)
    block, row = partition.members.at(int(partition.members.locate(frames.pa.array(["home-1"]))[0]))
    assert after.hours[row] > before.hours[row]
    assert after.by_phone[row] == judgeable.CAP
    assert after.hours[row] == after.by_meter[row]
    others = np.arange(block.n) != row
    assert (after.hours[others] == before.hours[others]).all()


def counted(partition: Partition) -> dict[tuple[str, str], int]:
    """The census's counts that are not 0."""
    return {key: many for key, many in census.households(partition)[1].items() if many}


def test_every_enrolled_home_is_counted_once() -> None:
    """All homes, by what judges them and why; in their first days all by the limits, as they are learned."""
    partition = play(lives(days=4, seed=3), Settings())[1]
    assert counted(partition) == {("limits", "learning"): 5}
    partition = play(lives(days=12, seed=3), Settings())[1]
    found = counted(partition)
    assert sum(found.values()) == 5
    assert found["judged", "well"] >= 4


def test_who_cannot_be_judged_is_a_state_of_its_own() -> None:
    """Homes whose usual silence is longer than the limit are not counted as watched; each is counted in one state."""
    partition = play(lives(days=12, seed=3), Settings())[1]
    block = partition.members.blocks[0]
    assert census.households(partition)[0]["unjudgeable"] == 0
    block.habit["stretch"][:2] = 60 * 4
    block.look_again()
    states = census.households(partition)[0]
    assert states["unjudgeable"] == 0  # reckoned once a day
    clock = partition.marks.clock
    assert clock is not None
    partition.marks.clock = clock + SLOTS_PER_DAY
    states, told = census.households(partition)
    assert states["unjudgeable"] == 2
    assert told["limits", "quiet"] == 2
    assert sum(states.values()) == 5
    assert not (block.head["level"][:2] >= levels.CAUTION).any()


def test_a_withdrawn_home_is_not_counted() -> None:
    """Nothing of it is kept, nor counted."""
    partition = play(lives(days=4, seed=3), Settings())[1]
    partition.households([household("home-2", withdrawn=SINCE)])
    assert sum(counted(partition).values()) == 4


def test_the_metric_shows_counts_and_empties() -> None:
    """What is not named any more holds none."""
    metrics = Metrics(CollectorRegistry())
    metrics.set_judgeable({("judged", "well"): 3, ("limits", "quiet"): 1})
    metrics.set_judgeable({("judged", "well"): 4})
    shown = {
        (s.labels["state"], s.labels["reason"]): s.value
        for family in metrics.registry.collect() for s in family.samples if s.name == "anbu_households_judgeable"
    }  # fmt: skip
    assert shown.pop(("judged", "well")) == 4
    assert set(shown.values()) == {0}


@pytest.mark.parametrize("hours", [36.0, 20.0])
def test_the_limit_that_is_set_decides_who_can_be_judged(hours: float) -> None:
    """A city that sets another limit is told by it."""
    settings = Settings(limits={"normal_hours": hours, "elevated_hours": 12, "high_hours": 10})
    partition = play(lives(days=12, seed=3), settings)[1]
    told = judged(partition)
    assert (told.able == (told.hours < hours)).all()
