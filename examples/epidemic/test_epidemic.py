"""The function by itself, and a sweep of it."""

import pytest
from epidemic.experiments import simulate

from bilancio.errors import InvalidInput
from bilancio.jobs import JobManager


def test_where_all_are_vaccinated_one_is_infected():
    assert simulate(seed=1, arm="vaccination", coverage=1)["infected"] == 1 / 200


@pytest.fixture
def manager(tmp_path):
    """Jobs in a store and an output folder of this test's own."""
    with JobManager(tmp_path / "jobs.db", out_dir=tmp_path / "out") as manager:
        yield manager


def test_no_epidemic_is_larger_with_vaccination_under_the_same_seed(manager):
    job = manager.create_job("a test", {"sweep_type": "epidemic", "n_replicates": 20})
    done = manager.run_job(job.job_id)
    assert done.status == "completed"
    assert done.summary["higher"] == 0
    assert done.summary["lower"] > 10


def test_a_parameter_out_of_its_bounds_is_refused(manager):
    with pytest.raises(InvalidInput, match="beta: got 3; allowed: numbers above 0 and up to 2"):
        manager.create_job("a test", {"sweep_type": "epidemic", "beta": 3})
