import pytest

from bilancio.errors import ExecutorUnavailable, InvalidInput, JobStateError
from bilancio.jobs import JobConfig, JobManager
from bilancio.jobs.runners import BalancedComparisonRunner, RingSweepRunner

RING = JobConfig(sweep_type="ring", n_agents=10, kappas=["0.5", "1"], seeds=[1, 2])


def test_a_runner_records_its_sweep_as_a_job(isolated):
    runner = RingSweepRunner(RING, isolated / "mine", "local")
    results = runner.run()
    assert results.summary["completed_runs"] == 4
    assert (isolated / "mine" / runner.job_id / "job_manifest.json").exists()
    with JobManager() as manager:
        assert manager.get_job(runner.job_id).status == "completed"


def test_a_runner_carries_out_the_job_that_is_named(isolated):
    config = JobConfig(sweep_type="balanced", n_agents=10)
    with JobManager() as manager:
        job = manager.create_job("by a runner", config, out_dir=isolated / "here")
    runner = BalancedComparisonRunner(
        config=config, out_dir=isolated / "here", executor="local", job_id=job.job_id
    )
    assert runner.run().job.job_id == job.job_id
    with pytest.raises(JobStateError, match="is completed"):
        runner.run()


def test_a_free_name_names_a_new_job():
    runner = RingSweepRunner(RING.as_dict(), job_id="my-own-name")
    assert runner.run().job.job_id == "my-own-name"


def test_a_job_with_another_configuration_or_folder_is_refused(isolated):
    with JobManager() as manager:
        manager.create_job("try", RING, job_id="my-own-name")
    other = JobConfig(sweep_type="ring", n_agents=11)
    with pytest.raises(InvalidInput, match=r"job_id: got 'my-own-name'; allowed: a job with the"):
        RingSweepRunner(other, job_id="my-own-name").run()
    with pytest.raises(InvalidInput, match=r"out_dir: got .*elsewhere.*where this job writes"):
        RingSweepRunner(RING, isolated / "elsewhere", job_id="my-own-name").run()


def test_what_a_runner_cannot_run_is_refused():
    with pytest.raises(InvalidInput, match=r"config.sweep_type: got 'ring'; allowed: balanced"):
        BalancedComparisonRunner(config=RING)
    with pytest.raises(ExecutorUnavailable, match="got 'ray'; allowed: local, dask"):
        RingSweepRunner(RING, executor="ray")
