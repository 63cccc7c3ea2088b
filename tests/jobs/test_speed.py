"""What a job's worker measures for later estimates."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bilancio import machine
from bilancio.executors.base import Outcome
from bilancio.experiments import registry
from bilancio.jobs import AsyncJobManager, JobConfig
from bilancio.jobs.store.rows import Speed
from bilancio.jobs.worker.speed import SpeedMeter

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
NO_ROWS = np.empty(0, np.void)


def batch(runs, seconds, *, cold=False, failed=0):
    failures = dict.fromkeys(range(10**6, 10**6 + failed), "error")
    return Outcome(
        indices=np.arange(runs), metrics=NO_ROWS, compute_s=seconds, cold=cold, failures=failures
    )


def measured(*batches, at=10.0, cost_per_run=2.0, **known):
    meter = SpeedMeter(cost_per_run, START, **known)
    noted = [meter.observe(each, START + timedelta(seconds=at)) for each in batches]
    return meter.speed, noted


def test_cold_batches_tell_the_start_up_and_warm_ones_the_speed():
    speed, _ = measured(batch(1, 9.0, cold=True), batch(10, 20.0), batch(10, 22.0), batch(10, 50.0))
    assert speed == Speed(speed=1.1, startup_s=10.0 - 1.1 * 2)


def test_without_a_warm_batch_nothing_is_measured():
    assert measured(batch(1, 9.0, cold=True), batch(1, 9.0, cold=True)) == (None, [False, False])


def test_cold_batches_so_long_that_loading_is_little_of_them_count_until_there_is_a_warm_one():
    cold = [batch(1, 60.0, cold=True), batch(1, 70.0, cold=True)]
    assert measured(*cold) == (Speed(speed=32.5, startup_s=0.0), [True, False])
    assert measured(*cold, batch(1, 50.0))[0].speed == 25.0


def test_where_a_speed_is_shipped_little_computing_and_what_also_loaded_tell_the_start_up_alone():
    assert measured(batch(1, 60.0, cold=True), shipped=True) == (Speed(None, 10.0), [False])
    assert measured(batch(10, 0.004), batch(10, 0.2), shipped=True)[0] == Speed(None, 9.996)
    assert measured(batch(10, 0.004), batch(10, 0.6), shipped=True)[0].speed == 0.03


def test_while_little_was_computed_the_least_counts_since_a_busy_machine_pauses():
    paused = [batch(10, 0.004), batch(10, 0.2), batch(10, 0.02)]
    assert measured(*paused)[0].speed == pytest.approx(0.003 / 20)
    assert measured(*paused, batch(10, 0.3), batch(10, 0.3))[0].speed == pytest.approx(0.25 / 20)


def test_of_short_batches_the_least_counts_and_none_once_there_is_a_long_one():
    short = [batch(10, 0.009), batch(10, 0.003), batch(10, 0.005)]
    assert measured(*short)[0].speed == pytest.approx(0.002 / 20)  # a call takes the rest
    assert measured(*short, batch(10, 2.0))[0].speed == 0.1


def test_failed_runs_count_for_the_time_they_took():
    assert measured(batch(5, 20.0, failed=5))[0].speed == 1.0


def test_where_it_is_unknown_when_a_start_was_announced_no_start_up_is_measured():
    meter = SpeedMeter(2.0, None)
    meter.observe(batch(10, 20.0), START)
    assert meter.speed == Speed(speed=1.0, startup_s=None)
    shipped = SpeedMeter(2.0, None, shipped=True)
    shipped.observe(batch(10, 0.1), START)
    assert shipped.speed is None


def test_a_batch_that_costs_nothing_says_nothing_of_the_speed():
    assert measured(batch(10, 1.0), cost_per_run=0.0) == (None, [False])


def test_the_start_up_is_never_negative():
    assert measured(batch(100, 100.0), at=1.0)[0].startup_s == 0.0


def test_measurements_are_noted_less_and_less_often():
    noted = measured(*[batch(1, 1.0)] * 70)[1]
    assert [number for number, each in enumerate(noted, 1) if each] == [1, 4, 16, 64]


@pytest.fixture
async def manager(plugins):
    async with AsyncJobManager() as manager:
        yield manager


async def speeds(manager, kind):
    store = await manager.store()
    return await store.speeds(kind, machine.host(), registry.experiment(kind).version)


@pytest.mark.parametrize("kind", ["trivial", "faulty"])
async def test_a_job_of_many_batches_stores_its_speed_and_its_start_up(manager, kind):
    job = await manager.create_job("try", JobConfig(sweep_type=kind, n=2_000))
    await manager.run_job(job.job_id)
    [found] = await speeds(manager, kind)
    assert 0 < found.speed < 1
    assert 0 < found.startup_s < 60


async def test_a_job_of_one_batch_stores_no_speed(manager):
    job = await manager.create_job("try", JobConfig(sweep_type="trivial", n=1))
    await manager.run_job(job.job_id)
    assert await speeds(manager, "trivial") == []
