"""How batches are handed to an executor, and recorded."""

from collections import Counter
from concurrent.futures import Future

import pytest

from bilancio.executors.base import BATCH_S, Attempt, narrow_down
from bilancio.jobs.models import EventType
from bilancio.jobs.worker.dispatch import Dispatcher
from bilancio.jobs.worker.speed import SpeedMeter

pytestmark = [pytest.mark.databases, pytest.mark.usefixtures("plugins")]


class AtOnce:
    """An executor whose batches have ended as soon as they are submitted."""

    name, workers, waiting, batch_s = "at-once", 3, "", BATCH_S

    def submit(self, experiment, config, indices, *, isolated=False):
        future = Future()
        future.set_result(
            narrow_down(lambda some: Attempt(experiment.compute(config, some)), indices)
        )
        return future


async def test_batches_that_ended_together_share_one_transaction(manager):
    job = await manager.create_job("try", {"sweep_type": "trivial", "n": 1000})
    store = await manager.store()
    lease, _ = await store.claim(job.job_id, "w", lease_s=60, executor="local")
    meter = SpeedMeter(1.0, None)
    dispatcher = Dispatcher(store, lease, job, AtOnce(), meter, lease_s=60)
    await dispatcher.compute(job.config, [(0, 999)])
    events = [
        each for each in await store.events(job.job_id) if each.event_type is EventType.PROGRESS
    ]
    together = Counter(each.timestamp for each in events)
    assert next(iter(together.values())) == 6
    assert len(together) <= len(events) / 3
    assert sum(each.details["completed"] for each in events) == 1000
    ended = await manager.exact(job.job_id)
    assert (ended.completed_runs, ended.in_flight) == (1000, ())
