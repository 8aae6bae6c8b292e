"""Workers killed, frozen and replaced: the state is exactly what it would have been, and has one writer at a time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.kafka.broker import LocalBroker
from simulators.replay import Delivery, Follower, ends
from stream import topics
from stream.records import METER
from stream.settings import Settings
from tests.broker.onbroker import (
    INPUTS,
    offsets_never_go_back,
    reaches,
    same_as_undisturbed,
    send,
    until_included,
)  # fmt: skip
from tests.broker.workers import Workers, until
from tests.histories import eventful

pytestmark = pytest.mark.broker

MANY_FRAMES = Delivery(hours=2, lateness_minutes=45, repeated=0.1, rows_per_frame=30)


@pytest.fixture
async def loaded(broker: LocalBroker, make_settings: Callable[..., Settings]) -> Settings:
    """Two partitions with a week of 64 homes waiting on the topics, to be taken a few frames at a time."""
    settings = make_settings(broker, partitions=2, session_timeout_seconds=3, batch_frames=4)
    topics.ensure(settings)
    await send(settings, eventful(64, 8), MANY_FRAMES)
    return settings


async def test_a_killed_worker_comes_back_to_exactly_its_state(loaded: Settings, tmp_path: Path) -> None:
    """Killed -9 twice between batches: the stored state is byte for byte that of a run without."""
    wanted = await ends(loaded, INPUTS)
    async with Workers(loaded, tmp_path) as workers, Follower(loaded) as follower:
        for share in (0.15, 0.5):
            await reaches(follower, wanted, share)
            before = len(workers.ended)
            workers[0].kill()
            await until(lambda n=before: len(workers.ended) > n, "the worker is gone")  # type: ignore[misc]
        await until_included(loaded)
        assert workers.ended == [(0, -9), (0, -9)]
        assert workers[0].total("anbu_recovered_rows_total") > 0
    await same_as_undisturbed(loaded)
    assert await offsets_never_go_back(loaded) > 20


async def test_another_worker_takes_over(loaded: Settings, tmp_path: Path) -> None:
    """One of two is killed and does not come back: the other judges its partitions from where it was."""
    wanted = await ends(loaded, INPUTS)
    async with Workers(loaded, tmp_path, 2, restart=False) as workers, Follower(loaded) as follower:
        await reaches(follower, wanted, 0.2)
        await until(workers.all_owned, "each has a partition")
        assert sum(follower.offsets[p].get(METER, 0) for p in follower.offsets) < sum(wanted[METER, p] for p in (0, 1))
        workers[0].kill()
        await until_included(loaded)
        assert workers[1].owns() == {0, 1}
        assert workers.ended == [(0, -9)]
    await same_as_undisturbed(loaded)
    assert await offsets_never_go_back(loaded) > 20


async def test_a_frozen_worker_cannot_write_when_it_wakes(loaded: Settings, tmp_path: Path) -> None:
    """Frozen past its session, replaced, woken: it ends by itself or gives up, and nothing of it is in the state."""
    wanted = await ends(loaded, INPUTS)
    async with Workers(loaded, tmp_path, 2) as workers, Follower(loaded) as follower:
        await until(workers.all_owned, "each has a partition", 30)
        await reaches(follower, wanted, 0.2)
        frozen = workers[0]
        frozen.freeze()
        await until(lambda: workers[1].owns() == {0, 1}, "the other has taken over")
        frozen.wake()
        await until(workers.all_owned, "each partition has one owner")
        await until_included(loaded)
        assert frozen.code in (None, 70)
        assert {code for _, code in workers.ended} <= {70}
        if frozen.code == 70:
            assert frozen.said("another worker has taken over: this one ends and starts anew")
    await same_as_undisturbed(loaded)
    assert await offsets_never_go_back(loaded) > 20


async def test_workers_that_come_and_go_never_own_a_partition_together(loaded: Settings, tmp_path: Path) -> None:
    """Two more workers join than there are partitions, two leave: one writer a partition, and exactly the state.

    Those without a partition are ready to take one over, and say that they have none.
    """
    async with Workers(loaded, tmp_path, 4, restart=False) as workers:
        four = [workers[i] for i in range(4)]
        await until(lambda: all(w.get("/readyz")[0] == 200 for w in four), "all four are ready")
        await until(workers.all_owned, "each partition has one owner")
        leaving = {owners[0] for owners in workers.owners().values()}
        assert len(leaving) == 2
        for index in leaving:
            workers[index].terminate()
        await until(lambda: sorted(workers.ended) == sorted((i, 0) for i in leaving), "the two have left")
        await until_included(loaded)
        owners = workers.owners()
        assert owners.keys() == {0, 1}
        assert not leaving & {o for found in owners.values() for o in found}
    await same_as_undisturbed(loaded)
    assert await offsets_never_go_back(loaded) > 20
