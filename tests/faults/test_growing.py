"""Kill -9 while a job grows: it has as many seeds as before, or the new number and is resumed."""

import pytest

from bilancio.jobs import JobStatus
from bilancio.jobs.store import integrity
from tests.faults.kit import KILLED, NAME, assert_sound, carried_on, finished, outcome, started
from tests.night import nightly

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(120)]

SMALL = {"sweep_type": "balanced", "n_agents": 10, "kappas": [0.5, 1], "n_replicates": 100}
LARGE = {**SMALL, "n_replicates": 300}
NOT_GROWN = {"before-claim", "in-claim"}
POINTS = ["before-claim", "in-claim", "in-record", "before-end"]
OTHERS = (
    "after-claim", "before-spawn", "worker-started", "lease-confirmed", "in-batch", "in-table",
    "in-manifest",
)  # fmt: skip


@pytest.mark.parametrize("point", [*POINTS, *nightly(*OTHERS)])
async def test_a_job_killed_while_it_grows_ends_as_if_it_had_started_at_that_size(
    point, manager, expected
):
    await manager.create_job("try", SMALL, job_id=NAME)
    await manager.run_job(NAME)
    before = await outcome(manager)
    starter, worker, complaint = finished(started(SMALL, 300, BILANCIO_CRASH_AT=point))
    assert KILLED in {starter, worker}, f"{point} was not reached: {complaint}"
    assert await integrity.contradictions(await manager.store()) == []
    job = await manager.exact(NAME)
    if point in NOT_GROWN:
        assert (job.status, job.config.n_seeds) == (JobStatus.COMPLETED, 100)
        assert await outcome(manager) == before
        await manager.start_sweep(NAME, n_replicates=300)
    else:
        assert (job.state, job.config.n_seeds) == ("stalled", 300)
    await carried_on(manager, LARGE)
    await assert_sound(manager)
    assert await outcome(manager) == await expected(LARGE)
