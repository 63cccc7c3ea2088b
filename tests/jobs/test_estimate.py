"""How long a sweep is said to take, in seconds."""

import pytest

from bilancio import machine
from bilancio.errors import StoreError
from bilancio.experiments import registry
from bilancio.experiments.protocol import preparation_s
from bilancio.jobs import AsyncJobManager, JobConfig
from bilancio.jobs.estimate import SHIPPED_SPEED, SHIPPED_STARTUP_S, WRITING_S
from bilancio.text import UNTIMED, computing
from tests.own_project import working_in, write

LARGE = JobConfig(
    sweep_type="balanced", n_agents=200, kappas=["0.25", "0.5", "1", "2"], n_replicates=8000
)


async def measured(manager, config, *, speed, startup_s):
    """Have a worker measure *speed* on this machine, by the store's own words."""
    job = await manager.create_job("measured", config)
    store = await manager.store()
    lease, _ = await store.claim(job.job_id, "w", lease_s=60, executor="local")
    await store.confirm(lease, pid=1, host=machine.host(), provenance={}, lease_s=60)
    await store.note_speed(lease, speed=speed, startup_s=startup_s)
    return job


@pytest.fixture
def two_workers(monkeypatch):
    monkeypatch.setenv("BILANCIO_WORKERS", "2")


async def test_without_a_measurement_the_shipped_figures_are_used_and_said_to_be_rough(two_workers):
    async with AsyncJobManager() as manager:
        expected = await manager.estimate(LARGE)
    compiling = preparation_s(registry.experiment("balanced"))
    assert LARGE.total_runs == 64_000
    assert expected.seconds == pytest.approx(
        SHIPPED_STARTUP_S + compiling + LARGE.cost * SHIPPED_SPEED / 2 + 64_000 * WRITING_S
    )
    assert (expected.runs, expected.workers, expected.rough) == (64_000, 2, True)


async def test_the_median_of_what_was_measured_here_is_used(manager, small):
    for speed, startup_s in ((1e-7, 1.0), (2e-7, None), (9e-7, 3.0)):
        await measured(manager, small, speed=speed, startup_s=startup_s)
    expected = await manager.estimate(small)
    compiling = preparation_s(registry.experiment("balanced"))
    workers = expected.workers
    assert expected.seconds == pytest.approx(
        2.0 + compiling + small.cost * 2e-7 / workers + 16 * WRITING_S
    )
    assert not expected.rough


async def test_after_jobs_too_small_to_tell_a_speed_their_start_up_is_used(two_workers, small):
    async with AsyncJobManager() as manager:
        for startup_s in (1.0, 3.0, 4.0):
            await measured(manager, small, speed=None, startup_s=startup_s)
        expected = await manager.estimate(LARGE)
    compiling = preparation_s(registry.experiment("balanced"))
    assert expected.seconds == pytest.approx(
        3.0 + compiling + LARGE.cost * SHIPPED_SPEED / 2 + 64_000 * WRITING_S
    )
    assert expected.rough


@pytest.mark.parametrize("workers", [1, 2, 8])
async def test_computing_is_shared_by_the_workers_and_the_start_is_not(monkeypatch, workers):
    monkeypatch.setenv("BILANCIO_WORKERS", str(workers))
    async with AsyncJobManager() as manager:
        await measured(manager, LARGE, speed=1e-6, startup_s=1.5)
        expected = await manager.estimate(LARGE)
    compiling = preparation_s(registry.experiment("balanced"))
    assert expected.seconds == pytest.approx(
        1.5 + compiling + LARGE.cost * 1e-6 / workers + 64_000 * WRITING_S
    )
    assert expected.workers == workers


async def test_what_a_cluster_computes_is_estimated_for_this_machines_cores_and_says_so():
    for executor, cores in {"local": " on 2 cores.", "dask": " on this machine's 2 cores."}.items():
        async with AsyncJobManager(executor=executor) as manager:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(machine, "cores", lambda: 2)
                expected = await manager.estimate(LARGE)
        assert computing("64,000 runs", expected).endswith(cores)


async def test_one_run_is_computed_by_one_worker(monkeypatch):
    monkeypatch.setenv("BILANCIO_WORKERS", "8")
    one = JobConfig(sweep_type="single")
    async with AsyncJobManager() as manager:
        await measured(manager, one, speed=0.5, startup_s=0.0)
        expected = await manager.estimate(one)
    compiling = preparation_s(registry.experiment("single"))
    assert expected.seconds == pytest.approx(compiling + one.cost * 0.5 + WRITING_S)


async def test_other_experiments_and_machines_say_nothing(manager, small, monkeypatch):
    await measured(manager, small, speed=1e-3, startup_s=60)
    assert (await manager.estimate(JobConfig(sweep_type="ring"))).rough
    monkeypatch.setattr(machine, "host", lambda: "elsewhere")
    assert (await manager.estimate(small)).rough


async def test_of_a_job_only_what_is_missing_counts(manager, small):
    job = await measured(manager, small, speed=1.0, startup_s=1.0)
    whole, config = await manager.estimate(job), await manager.estimate(small)
    assert whole == config
    done = await manager.get_job(job.job_id)
    half = done.model_copy(update={"completed_runs": 8})
    rest = await manager.estimate(half)
    compiling = preparation_s(registry.experiment("balanced"))
    assert rest.runs == 8
    beside = 1.0 + compiling + 16 * WRITING_S
    assert rest.seconds - beside == pytest.approx((whole.seconds - beside) / 2)
    none_left = done.model_copy(update={"completed_runs": 16})
    assert (await manager.estimate(none_left)).seconds == 0


async def test_a_small_hypercube_before_does_not_make_a_large_sweep_take_hours(manager):
    """What is loaded inside a first batch (scipy, compiled code) is no speed of runs."""
    before = await manager.estimate(LARGE)
    cube = JobConfig(sweep_type="balanced", lhs=20, kappa_range=["0.2", "5"], n_agents=20)
    job = await manager.create_job("a small hypercube", cube)
    await manager.run_job(job.job_id)
    after = await manager.estimate(LARGE)
    assert after.seconds < 60
    assert after.seconds < 10 * before.seconds


async def test_a_store_that_cannot_be_read_any_more_makes_the_estimate_rough(manager, small):
    """What was created is not reported as refused because its estimate could not be measured."""
    job = await measured(manager, small, speed=1.0, startup_s=1.0)
    assert not (await manager.estimate(job)).rough
    (await manager.store()).database.path.unlink()
    with pytest.raises(StoreError):
        await manager.get_job(job.job_id)
    assert (await manager.estimate(job)).rough


async def test_of_very_many_runs_only_the_tables_that_are_written_take_time():
    many = JobConfig(sweep_type="ring", kappas=["1"], n_replicates=2_000_000)
    async with AsyncJobManager() as manager:
        expected = await manager.estimate(many)
        less = await manager.estimate(many.model_copy(update={"n_replicates": 1_000_000}))
    computing = (many.cost / 2) * SHIPPED_SPEED / expected.workers
    assert expected.seconds - less.seconds == pytest.approx(computing)


SLEEPLESS = """
from bilancio import experiment

@experiment("sleepless")
def simulate(seed: int, rate: float = 0.5) -> dict[str, float]:
    return {"wait": seed * rate}
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A sweep of an experiment of one's own, which was never timed."""
    with working_in(tmp_path / "study", monkeypatch) as folder:
        write(folder, sleepless=SLEEPLESS)
        yield {"sweep_type": "sleepless", "n_replicates": 2000}


async def test_nothing_is_known_of_an_experiment_of_ones_own_until_runs_of_it_were_timed(
    manager, own
):
    before = await manager.estimate(own)
    assert (before.seconds, before.rough, before.runs, before.workers) == (None, False, 2000, 2)
    assert computing("2,000 runs", before) == f"2,000 runs, on 2 cores. {UNTIMED}"
    job = await manager.run_job((await manager.create_job("first", own)).job_id)
    assert (await manager.estimate(job)).seconds == 0
    after = await manager.estimate(own)
    assert after.seconds > 0
    assert not after.rough


async def test_a_time_that_is_unknown_is_asked_about_by_its_runs_alone(own, monkeypatch):
    monkeypatch.setenv("BILANCIO_CONFIRM_SECONDS", "1e-9")
    async with AsyncJobManager() as manager:
        job = await manager.create_job("first", own)
        assert await manager.question_before_start(job.job_id) == ""
    monkeypatch.setenv("BILANCIO_CONFIRM_RUNS", "1999")
    async with AsyncJobManager() as manager:
        question = await manager.question_before_start(job.job_id)
    assert question == (
        f"Starting {job.job_id} computes 2,000 runs, on 2 cores. {UNTIMED} "
        "The limit is 1,999 runs (BILANCIO_CONFIRM_RUNS)."
    )


async def test_a_cost_that_is_unknown_is_asked_about(own, modal_token):
    async with AsyncJobManager() as manager:
        job = await manager.create_job("first", {**own, "n_replicates": 3, "cloud": True})
        expected = await manager.estimate(job)
        question = await manager.question_before_start(job.job_id)
    assert (expected.seconds, expected.dollars, expected.workers) == (None, None, 3)
    assert question == (
        f"Starting {job.job_id} computes 3 runs, in up to 3 containers of Modal, at a cost that is "
        f"not known yet. {UNTIMED} The limit is $5.00 (BILANCIO_CONFIRM_DOLLARS)."
    )
