"""Rate, time left and standstill of jobs, by a clock that the test turns."""

import numpy as np
import pytest

from bilancio import text
from bilancio.cli.render.progress import pace
from bilancio.errors import InvalidInput
from bilancio.executors.base import Outcome
from bilancio.jobs import JobConfig, JobStatus
from bilancio.jobs.store import FinishedBatch
from bilancio.jobs.worker.finishing import progress_details
from bilancio.web.words import told
from tests.jobs.conftest import Clock

pytestmark = pytest.mark.databases

HUNDRED = JobConfig(sweep_type="ring", n_agents=10, n_replicates=100)


class StoppedClock(Clock):
    """Stands still between the test's words."""

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return StoppedClock()


@pytest.fixture
async def name(manager):
    """A job that its caller carries out."""
    job = await manager.create_job("try", HUNDRED)
    await manager.start_job(job.job_id)
    return job.job_id


async def record(manager, name, clock, *, runs, every_s):
    recorded = (await manager.get_job(name)).completed_runs
    for number in range(recorded, recorded + runs):
        clock.forward(every_s)
        await manager.record_progress(name, f"r{number}", {"delta": 0.5})


async def test_rate_and_time_left_are_those_of_the_latest_runs(manager, name, clock):
    clock.forward(50)  # starting up is not computing
    await record(manager, name, clock, runs=21, every_s=2)
    seen = await manager.progress(name)
    assert (seen.done_runs, seen.rate, seen.eta_s) == (21, 0.5, 79 / 0.5)
    assert seen.elapsed_s == 92
    assert seen.idle_s is None
    await record(manager, name, clock, runs=1, every_s=2)
    clock.forward(1)
    assert (await manager.progress(name)).eta_s == 78 / 0.5 - 1


async def test_nothing_is_said_of_rate_and_time_left_before_it_is_known(manager, name, clock):
    seen = await manager.progress(name)
    assert (seen.rate, seen.eta_s, seen.idle_s) == (None, None, None)
    await record(manager, name, clock, runs=2, every_s=0.1)
    seen = await manager.progress(name)
    assert (seen.rate, seen.eta_s, seen.idle_s) == (None, None, None)


async def test_a_job_that_stands_still_says_since_when(manager, name, clock):
    await record(manager, name, clock, runs=10, every_s=1)
    clock.forward(59)
    assert (await manager.progress(name)).idle_s is None
    clock.forward(1)
    assert (await manager.progress(name)).idle_s == 60
    clock.forward(120)
    seen = await manager.progress(name)
    assert (seen.rate, seen.eta_s, seen.idle_s) == (None, None, 180)
    assert "No run has finished for 3 min." in text.progress(seen.job, seen.eta_s, seen.idle_s)
    await record(manager, name, clock, runs=1, every_s=1)
    assert (await manager.progress(name)).idle_s is None


async def test_a_job_whose_first_run_does_not_end_stands_still(manager, name, clock):
    clock.forward(240)
    assert (await manager.progress(name)).idle_s == 240


async def test_slow_runs_are_not_a_standstill(manager, name, clock):
    await record(manager, name, clock, runs=5, every_s=300)
    clock.forward(600)
    seen = await manager.progress(name)
    assert seen.idle_s is None
    assert seen.rate == pytest.approx(1 / 300)


async def test_only_a_running_job_has_a_rate(manager, name, clock):
    await record(manager, name, clock, runs=10, every_s=1)
    await manager.fail_job(name, "enough")
    clock.forward(1000)
    seen = await manager.progress(name)
    assert (seen.rate, seen.eta_s, seen.idle_s, seen.elapsed_s) == (None, None, None, 10)


async def test_a_stalled_job_has_no_rate_and_is_to_be_resumed(manager, clock):
    job = await manager.create_job("try", HUNDRED)
    store = await manager.store()
    await store.claim(job.job_id, "w", lease_s=60, executor="local")
    clock.forward(61)
    seen = await manager.progress(job.job_id)
    assert seen.job.state == "stalled"
    assert (seen.rate, seen.eta_s, seen.idle_s) == (None, None, None)
    assert text.next_steps(seen.job)[0] is text.NextStep.RESUME


def failing(*indices):
    """Return a batch whose runs failed."""
    details = {"completed": 0, "failed": len(indices)}
    return FinishedBatch(failures=dict.fromkeys(indices, "no"), details=details, compute_s=1)


async def test_runs_that_failed_count_as_finished(manager, clock):
    job = await manager.create_job("try", HUNDRED)
    store = await manager.store()
    lease, _ = await store.claim(job.job_id, "w", lease_s=6000, executor="local")
    for index in range(11):
        clock.forward(2)
        await store.record(lease, [failing(index)], lease_s=6000)
    seen = await manager.progress(job.job_id)
    assert (seen.done_runs, seen.rate, seen.eta_s) == (11, 0.5, 89 / 0.5)


async def test_a_job_whose_runs_have_all_finished_says_that_it_writes_the_results(manager, clock):
    job = await manager.create_job("try", HUNDRED)
    store = await manager.store()
    lease, _ = await store.claim(job.job_id, "w", lease_s=6000, executor="local")
    clock.forward(2)
    await store.record(lease, [failing(*range(99))], lease_s=6000)
    assert not (await manager.progress(job.job_id)).writing
    await store.record(lease, [failing(99)], lease_s=6000)
    clock.forward(600)  # which is no standstill
    seen = await manager.progress(job.job_id)
    assert (seen.writing, seen.eta_s, seen.idle_s) == (True, None, None)
    assert text.WRITING in text.progress(seen.job, writing=seen.writing)
    assert told(seen).texts["idle"] == text.WRITING
    assert pace(seen) == "writing the results"
    await store.end(lease, JobStatus.FAILED, error="enough")
    await store.claim(job.job_id, "w", lease_s=6000, executor="local")
    assert not (await manager.progress(job.job_id)).writing  # failed runs are tried again


async def test_a_job_that_needs_no_more_runs_says_that_it_writes_the_results(manager, clock):
    job = await manager.create_job("try", {"sweep_type": "ring", "precision": "0.5"})
    store = await manager.store()
    lease, _ = await store.claim(job.job_id, "w", lease_s=6000, executor="local")
    clock.forward(2)
    await store.record(lease, [failing(*range(20))], lease_s=6000)
    await store.note_writing(lease, 6000)
    clock.forward(600)
    seen = await manager.progress(job.job_id)
    assert (seen.done_runs, seen.writing, seen.idle_s) == (20, True, None)
    assert pace(seen) == "writing the results"
    await store.end(lease, JobStatus.FAILED, error="enough")
    await store.claim(job.job_id, "w", lease_s=6000, executor="local")
    assert not (await manager.progress(job.job_id)).writing


async def test_the_time_left_is_never_below_zero(manager, name, clock):
    await record(manager, name, clock, runs=99, every_s=1)
    clock.forward(30)
    assert (await manager.progress(name)).eta_s == 0


async def test_a_search_has_a_rate_and_no_time_left(manager, clock):
    """Results decide how many runs there will be."""
    search = JobConfig(sweep_type="ring", n_agents=10, frontier=True, kappa_range="0.2:4")
    job = await manager.create_job("try", search)
    await manager.start_job(job.job_id)
    await record(manager, job.job_id, clock, runs=3, every_s=2)
    seen = await manager.progress(job.job_id)
    assert (seen.rate, seen.eta_s) == (0.5, None)


async def test_runs_that_failed_before_a_resume_are_still_to_be_done(manager, clock):
    job = await manager.create_job("try", HUNDRED)
    store = await manager.store()
    lease, _ = await store.claim(job.job_id, "w", lease_s=6000, executor="local")
    await store.record(lease, [failing(*range(40, 60))], lease_s=60)
    await store.end(lease, JobStatus.FAILED, error="enough")
    lease, _ = await store.claim(job.job_id, "w", lease_s=6000, executor="local")
    for index in range(11):
        clock.forward(2)
        await store.record(lease, [failing(index)], lease_s=6000)
    seen = await manager.progress(job.job_id)
    assert (seen.done_runs, seen.rate, seen.eta_s) == (31, 0.5, 89 / 0.5)


BATCH = np.array(
    [(0.5, np.nan, 1), (1.0, np.nan, 2), (np.nan, np.nan, 3)],
    [("a", "f8"), ("b", "f8"), ("n", "i8")],
)


async def test_a_batch_tells_its_ends_and_the_means_of_what_is_known(manager):
    job = await manager.create_job("try", HUNDRED)
    batch = Outcome(
        indices=np.array([5, 6, 7]), metrics=BATCH, compute_s=1.0, cold=False, failures={4: "no"}
    )
    assert progress_details(job, batch) == {
        "first": job.run_ids[4], "last": job.run_ids[7], "completed": 3, "failed": 1,
        "compute_s": 1.0, "means": {"a": 0.75},
    }  # fmt: skip


async def test_a_batch_of_one_run_tells_which_and_what_it_found(manager):
    job = await manager.create_job("try", HUNDRED)
    one = Outcome(indices=np.array([7]), metrics=BATCH[:1], compute_s=1.0, cold=False, failures={})
    told = progress_details(job, one)
    assert (told["run_id"], told["metrics"]) == (job.run_ids[7], {"a": 0.5})
    none = Outcome(
        indices=np.array([], int), metrics=BATCH[:0], compute_s=1.0, cold=False, failures={7: "no"}
    )
    told = progress_details(job, none)
    assert (told["run_id"], told.keys() & {"metrics", "means"}) == (job.run_ids[7], set())


async def test_waiting_ends_when_its_time_is_up_and_leaves_the_job_running(manager, name):
    assert (await manager.wait(name, 0)).state == "running"
    assert [step.job.state async for step in manager.watch(name, 0)] == ["running"]


async def test_a_watcher_asks_one_statement_at_a_time_until_something_changes(
    manager, name, monkeypatch
):
    database = (await manager.store()).database
    read, asked = database.read, []

    async def counted(statement, **params):
        asked.append(statement)
        return await read(statement, **params)

    monkeypatch.setattr(database, "read", counted)
    assert len([step async for step in manager.watch(name, 0.7)]) == 1
    assert asked.count("last_events") == asked.count("last_start") == 2
    *_, latest = (place for place, statement in enumerate(asked) if statement == "last_start")
    assert {*asked[latest + 1 :]} == {"pulse"}


async def test_a_watcher_tells_each_change_and_the_end(manager, name, clock):
    told = []
    async for step in manager.watch(name, 30):
        told.append((step.done_runs, step.job.state))
        if step.done_runs < 2:
            await record(manager, name, clock, runs=1, every_s=1)
        elif step.job.state == "running":
            await manager.complete_job(name)
    assert told == [(0, "running"), (1, "running"), (2, "running"), (2, "completed")]


async def test_a_question_loads_its_job_once(manager, monkeypatch):
    job = await manager.create_job("try", HUNDRED, job_id="bright-ocean-swift-tiger")
    store = await manager.store()
    load, loads = store.job, []

    async def counted(job_id):
        loads.append(job_id)
        return await load(job_id)

    monkeypatch.setattr(store, "job", counted)
    for ask in (manager.get_job, manager.progress, manager.results, manager.runs, manager.events):
        loads.clear()
        await ask(job.job_id)
        assert loads == [job.job_id], ask
        loads.clear()
        await ask("bright ocean swift tiger")
        assert loads == [job.job_id], ask


@pytest.mark.parametrize("which", [{"after": -1}, {"after": "2"}, {"limit": -2}, {"limit": 2**70}])
async def test_events_that_cannot_be_are_refused(manager, name, which):
    with pytest.raises(InvalidInput, match=rf"{next(iter(which))}: got .*; allowed: whole numbers"):
        await manager.events(name, **which)


async def test_how_the_name_was_read_comes_with_the_answer(manager):
    await manager.create_job("try", HUNDRED, job_id="bright-ocean-swift-tiger")
    for ask in (manager.progress, manager.results, manager.events, manager.runs):
        assert "brigt" in (await ask("brigt ocean swift tiger")).reading
        assert (await ask("Bright Ocean Swift Tiger")).reading == ""


async def test_a_resumed_job_took_as_long_as_it_was_computed_since(manager, clock):
    """Not the days between its cancellation and the resume."""
    job = await manager.create_job("try", HUNDRED)
    await manager.start_sweep(job.job_id)
    await manager.cancel_job(job.job_id)
    clock.forward(86_400)
    ended = await manager.run_job(job.job_id)
    assert ended.status is JobStatus.COMPLETED
    assert (await manager.progress(job.job_id)).elapsed_s < 3_600
