"""Kill -9 while seeds are added for a precision: the sweep stops after the same seeds."""

import pytest

from tests.faults.kit import KILLED, assert_sound, carried_on, finished, outcome, started
from tests.night import nightly

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(120)]

CONFIG = {
    "sweep_type": "ring", "n_agents": 10, "kappas": [0.3, 1, 4], "precision": 0.03,
    "precision_by": ["kappa"],
}  # fmt: skip


@pytest.mark.parametrize(
    "point",
    ["in-record:3", "before-end", *nightly("in-batch:2", "before-record:2", "after-record:3")],
)
async def test_a_job_killed_between_its_looks_stops_after_the_same_seeds(point, manager, expected):
    starter, worker, complaint = finished(started(CONFIG, BILANCIO_CRASH_AT=point))
    assert KILLED in {starter, worker}, f"{point} was not reached: {complaint}"
    job = await carried_on(manager, CONFIG)
    assert job.summary["precision"]["reached"]
    await assert_sound(manager)
    assert await outcome(manager) == await expected(CONFIG)
