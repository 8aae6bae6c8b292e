"""Consent withdrawn: at once nothing is watched; for the time of grace it can be undone; then nothing is left."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from stream.changelog import Restore, changed_rows
from stream.leavers import key_of
from stream.partition import Partition
from stream.records import Alert, Kind, Reason
from stream.settings import Settings
from tests.lives import DAY, SHORT, T, given, household, lives, partition_of, where, with_event
from tests.stream.streaming import state_of

HOUR = 3600
GRACE = 24 * HOUR
FAR_PAST = datetime(2001, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """A moment, in seconds of the story."""
    return datetime.fromtimestamp(seconds, UTC)


def leaves(partition: Partition, now: float, withdrawn: datetime | None = None) -> list[Alert]:
    """home-0 withdraws."""
    assert partition.households([household("home-0", withdrawn=withdrawn or at(now))], now) == []
    return partition.advance(0.0).alerts


def returns(partition: Partition, now: float) -> list[Alert]:
    """It is undone."""
    assert partition.households([replace_since(now)], now) == []
    return partition.advance(0.0).alerts


def replace_since(seconds: float):  # type: ignore[no-untyped-def]
    """home-0's record with consent from a moment on."""
    fresh = household("home-0")
    return type(fresh)("home-0", at(seconds), area=fresh.area, feeds=fresh.feeds)


def here(partition: Partition) -> bool:
    """Whether home-0 is watched."""
    return int(partition.members.locate(pa.array(["home-0"]))[0]) >= 0


def silent(partition: Partition) -> int:
    """Slots for which home-0 is known to be silent."""
    block, row = partition.members.at(int(partition.members.locate(pa.array(["home-0"]))[0]))
    return int(block.head["silent"][row])


def stored(partition: Partition) -> Partition:
    """The partition as its changelog has it."""
    fresh = Partition(0, partition.rules, partition.calendar)
    restore = Restore(fresh)
    restore.add(changed_rows(partition, {}))
    restore.finish()
    return fresh


def of_home(alerts: Iterator[Alert] | list[Alert]) -> list[tuple[str, str]]:
    """Events on home-0: (kind, event)."""
    return [(a.kind, a.event) for a in alerts if a.household_id == "home-0"]


def test_one_message_deletes_nobody_and_what_it_stopped_goes_on() -> None:
    """Withdrawn by a forged record and undone before the clock has moved: the same alerts and figures as without."""
    life = lives(days=6, stop=3)
    untouched, attacked = partition_of(life), partition_of(life)
    for partition in (untouched, attacked):
        list(given(partition, life, T + 3 * DAY))
    leaves(attacked, T + 3 * DAY, FAR_PAST)
    assert not here(attacked)
    returns(attacked, T + 3 * DAY)
    alerts = [list(given(p, life, life.end, begin=T + 3 * DAY)) for p in (untouched, attacked)]
    assert alerts[0] == alerts[1]
    assert len(of_home(alerts[0])) > 0
    mine, theirs = (dict(state_of(p)) for p in (untouched, attacked))
    assert [k for k in mine if mine[k] != theirs[k]] == ["left"]  # that it was, and when


def test_from_the_moment_it_is_seen_nothing_is_watched_or_kept_in_sight() -> None:
    """The standing alert ends, readings are dropped and counted, no further alert comes; the id is nowhere."""
    life = lives(days=5, stop=1.5)
    partition = partition_of(life)
    list(given(partition, life, T + 3 * DAY))
    (cleared,) = leaves(partition, T + 3 * DAY)
    assert (cleared.event, cleared.reasons[0].code) == ("cleared", "withdrawn")
    assert of_home(given(partition, life, life.end, begin=T + 3 * DAY)) == []
    block = partition.members.blocks[0]
    assert not block.strips.meter[:, 0].any()
    assert b"home-0" not in b"".join(value for _, value in changed_rows(partition, {}))


@pytest.mark.parametrize("days", [0.25, 0.75, 2.5, 9])
@pytest.mark.parametrize("crash", [False, True])
def test_the_hours_between_are_hours_without_data(days: float, crash: bool) -> None:
    """Undone after a while, in which days may have left the ring: silence is as long as it was, no longer and no
    shorter, what stood stands again, and nothing is said of missing data."""
    life = lives(days=14, stop=1.5)
    partition = partition_of(life, Settings(**{**SHORT.model_dump(), "withdrawal_hours": 120}))
    begin, end = T + 3 * DAY, int(T + (3 + days) * DAY)
    list(given(partition, life, begin))
    before = silent(partition)
    assert before > 100
    leaves(partition, begin)
    others = replace(life, households=life.households[1:])
    list(given(partition, others, end, begin=begin))
    partition = stored(partition) if crash else partition
    assert partition.leavers.forget(begin + 120 * HOUR - 1) == 0
    undone = returns(partition, begin + HOUR)
    assert of_home(undone) == [("silence", "raised")]
    assert silent(partition) == before
    assert of_home(given(partition, life, end + DAY // 4, begin=end)) == []
    assert silent(partition) > before


def test_an_undoing_of_everybody_raises_no_storm() -> None:
    """All homes withdrawn by forged records and undone after most of a day: nobody is said to be silent or without
    data for that."""
    life = lives(days=6, homes=5)
    partition = partition_of(life, Settings())
    begin, end = T + 4 * DAY, int(T + 4.8 * DAY)
    list(given(partition, life, begin))
    names = [h.household_id for h in life.households]
    partition.households([household(n, withdrawn=at(begin)) for n in names], begin)
    assert list(given(partition, life, end, begin=begin)) == []
    back = [type(h)(h.household_id, at(end), area=h.area, feeds=h.feeds) for h in life.households]
    partition.households(back, begin + HOUR)
    assert partition.advance(0.0).alerts == []
    assert list(given(partition, life, life.end, begin=end)) == []
    assert all(partition.members.locate(pa.array(names)) >= 0)


def test_readings_of_the_time_without_consent_are_not_taken_afterwards() -> None:
    """They are dropped and counted, and a call in that time is no proof of life."""
    life = lives(days=5, stop=1.5)
    partition = partition_of(life)
    begin, end = T + 3 * DAY, int(T + 3.5 * DAY)
    list(given(partition, life, begin))
    leaves(partition, begin)
    list(given(partition, replace(life, households=life.households[1:]), end, begin=begin))
    returns(partition, end)
    before = silent(partition)
    late = with_event(life, begin + HOUR, Kind.call_out)
    partition.counts.clear()
    partition.meter(where(late, late.meter.start >= begin).meter)
    partition.phone(where(late, phone=late.phone.at == begin + HOUR).phone)
    partition.advance(0.0)
    assert silent(partition) == before
    assert partition.counts[Reason.before_enrolment] == 24 + 1


def test_to_and_fro_for_ever_grows_nothing() -> None:
    """Whoever withdraws and undoes it a hundred times leaves as many bytes as once."""
    life = lives(days=2)
    partition = partition_of(life)
    list(given(partition, life, T + DAY))
    for n in range(100):
        leaves(partition, T + DAY + 2 * n)
        returns(partition, T + DAY + 2 * n + 1)
    assert len(partition.leavers.left) == 1
    block, row = partition.members.at(int(partition.members.locate(pa.array(["home-0"]))[0]))
    assert len(block.terms[row].without_consent) < 3
    assert len(partition.members.blocks) == 1


def test_when_its_time_is_over_nothing_is_left_but_that_it_was() -> None:
    """Deleted to the last byte; who comes afterwards begins as a stranger."""
    life = lives(days=5, stop=1.5)
    partition = partition_of(life)
    list(given(partition, life, T + 3 * DAY))
    leaves(partition, 0.0)
    log = dict(changed_rows(partition, {}))
    key = b"left/" + key_of("home-0")
    assert len(log[key]) > 1000
    assert partition.leavers.forget(GRACE - 1) == 0
    assert partition.leavers.forget(GRACE) == 1
    log |= dict(changed_rows(partition, {}))
    assert len(log[key]) <= 30
    assert partition.households([replace_since(T + 3 * DAY)], GRACE + 1) == []
    assert here(partition)
    assert silent(partition) == 0


def test_repeating_it_neither_lengthens_nor_shortens_the_time() -> None:
    """Nor does a withdrawal of long ago delete at once: the time counts from when it was heard."""
    partition = partition_of(lives(days=2))
    leaves(partition, 1000.0, FAR_PAST)
    for now in (2000.0, 9000.0):
        leaves(partition, now)
    (left,) = partition.leavers.left.values()
    assert left.until == 1000 + GRACE


def test_who_has_no_grace_deletes_at_once() -> None:
    """`withdrawal_hours` 0, and history judged offline."""
    life = lives(days=3)
    for settings, now in ((Settings(withdrawal_hours=0), T + DAY), (Settings(), np.inf)):
        partition = partition_of(life, settings)
        list(given(partition, life, T + DAY))
        partition.households([household("home-0", withdrawn=at(T + DAY))], now)
        assert partition.leavers.left[key_of("home-0")].aside is None
