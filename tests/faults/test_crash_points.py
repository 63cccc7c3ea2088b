"""Kill -9 at every named point: nothing is lost, nothing doubled."""

import pytest

from bilancio.failpoints import POINTS
from tests.faults.kit import KILLED, assert_sound, carried_on, finished, outcome, started
from tests.night import nightly

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(120)]

PLUGGED_IN = {"sweep_type": "trivial", "n": 2_000}
REAL_ENGINE = {"sweep_type": "balanced", "n_agents": 10, "n_replicates": 400}
FILLS_THE_LOG = {"sweep_type": "trivial", "n": 250_000}
# Where runs are read from a folder, and where a notice of the end is sent.
WITHOUT_A_WORKER = ("in-import", "after-notice")
OF_A_SERVER = ("migration", "in-claim", "in-record", "after-record")
REACHED_OFTEN = ["in-record", *nightly("in-batch", "before-record", "after-record", "in-manifest")]


def sweep_that_reaches(point):
    return FILLS_THE_LOG if point.endswith("checkpoint") else PLUGGED_IN


async def killed_at(point, config, manager, expected):
    starter, worker, complaint = finished(started(config, BILANCIO_CRASH_AT=point))
    assert KILLED in {starter, worker}, f"{point} was not reached: {starter}, {worker}, {complaint}"
    await carried_on(manager, config)
    await assert_sound(manager)
    assert await outcome(manager) == await expected(config)


@pytest.mark.parametrize("point", [each for each in POINTS if each not in WITHOUT_A_WORKER])
async def test_a_job_killed_at_any_point_ends_as_if_undisturbed(point, manager, expected):
    await killed_at(point, sweep_that_reaches(point), manager, expected)


@pytest.mark.parametrize("point", ["in-record", *nightly("in-batch", "in-table")])
async def test_a_killed_comparison_of_the_real_engine_ends_as_if_undisturbed(
    point, manager, expected
):
    await killed_at(point, REAL_ENGINE, manager, expected)


@pytest.mark.parametrize("point", REACHED_OFTEN)
async def test_a_job_killed_in_its_midst_ends_as_if_undisturbed(point, manager, expected):
    await killed_at(f"{point}:2", PLUGGED_IN, manager, expected)


@pytest.fixture
def on_a_server(empty_database, isolated, monkeypatch):
    """All settings point to a database without a store, in which leases are short."""
    runtime = isolated / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("BILANCIO_DATABASE_URL", empty_database)
    monkeypatch.setenv("BILANCIO_LEASE_S", "1")


@pytest.mark.parametrize("point", OF_A_SERVER)
async def test_a_job_on_a_server_killed_at_any_point_ends_as_if_undisturbed(
    point, on_a_server, manager, expected
):
    await killed_at(point, PLUGGED_IN, manager, expected)
