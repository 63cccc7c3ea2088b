import random
import shutil
from decimal import Decimal

import pytest

from bilancio.errors import (
    InvalidInput,
    JobExists,
    JobNotFound,
    JobStateError,
    RunAlreadyRecorded,
)
from bilancio.jobs import AsyncJobManager, JobConfig, JobManager, JobStatus, generate_job_id
from bilancio.jobs.job_id import words
from bilancio.jobs.models import EventType

pytestmark = pytest.mark.databases


async def kinds(manager, job_id):
    return [event.event_type.value for event in await manager.events(job_id)]


def test_the_example_of_the_promised_api_runs_as_it_stands():
    with JobManager() as manager:
        job = manager.create_job(
            description="a first try",
            config=JobConfig(
                sweep_type="balanced",
                n_agents=50,
                kappas=[Decimal("0.3"), Decimal("0.5")],
                concentrations=[Decimal(1)],
                mus=[Decimal(0)],
                cloud=False,
            ),
        )
        manager.start_job(job.job_id)
        manager.record_progress(job.job_id, "my-run", {"delta_total": 0.25})
        manager.complete_job(job.job_id, {"avg": 0.25})
        done = manager.get_job(job.job_id)
    assert done.status is JobStatus.COMPLETED
    assert list(done.run_ids) == ["my-run"]
    assert done.summary == {"avg": 0.25}
    assert done.config.kappas == (Decimal("0.3"), Decimal("0.5"))


async def test_a_new_job_is_pending_and_its_config_is_in_the_first_event(manager, small):
    job = await manager.create_job("try", small, notes="a note", tags=["a", "b"])
    assert (job.status, job.notes, job.tags) == (JobStatus.PENDING, "a note", ("a", "b"))
    (event,) = await manager.events(job.job_id)
    assert event.event_type is EventType.CREATED
    assert event.details["config"] == small.as_dict()


async def test_run_ids_are_the_same_each_time_and_say_where_their_run_is(manager, small):
    job = await manager.create_job("try", small, job_id="quiet-meadow-golden-hawk")
    assert len(job.run_ids) == job.total_runs == 16
    assert job.run_ids[0] == "balanced_passive_a01ba0000000"
    assert job.run_ids[-1] == "balanced_active_a01ba000000f"
    assert job.run_ids.find("balanced_active_a01ba000000f") == 15
    assert "balanced_passive_a01ba000000f" not in job.run_ids


async def test_events_of_a_run_job_stand_in_the_order_of_its_life(manager, small):
    job = await manager.create_job("try", small)
    done = await manager.run_job(job.job_id)
    assert done.status is JobStatus.COMPLETED
    happened = await kinds(manager, job.job_id)
    assert happened[:2] == ["created", "started"]
    assert happened[-1] == "completed"
    assert set(happened[2:-1]) == {"progress"}
    events = await manager.events(job.job_id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert sum(event.details.get("completed", 0) for event in events) == done.completed_runs == 16


async def test_a_completed_job_is_not_started_again(manager, small):
    job = await manager.create_job("try", small)
    await manager.run_job(job.job_id)
    before = await kinds(manager, job.job_id)
    with pytest.raises(
        JobStateError, match=r"is completed and cannot be started.*results are stored"
    ):
        await manager.start_sweep(job.job_id)
    assert await kinds(manager, job.job_id) == before


async def test_a_running_job_returns_its_status_and_nothing_is_started(manager, small):
    job = await manager.create_job("try", small)
    store = await manager.store()
    await store.claim(job.job_id, "somebody", lease_s=30, executor="local")
    started = await manager.start_sweep(job.job_id)
    assert (started.action, started.job.status) == ("already running", JobStatus.RUNNING)
    assert await kinds(manager, job.job_id) == ["created", "started"]


async def test_a_cancelled_job_keeps_its_results_and_can_be_resumed(manager, small):
    job = await manager.create_job("try", small)
    cancelled = await manager.cancel_job(job.job_id, "changed my mind")
    assert cancelled.status is JobStatus.CANCELLED
    assert (await manager.cancel_job(job.job_id)).status is JobStatus.CANCELLED
    done = await manager.run_job(job.job_id)
    assert done.status is JobStatus.COMPLETED
    happened = await kinds(manager, job.job_id)
    assert happened[:3] == ["created", "cancelled", "resumed"]
    assert happened.count("cancelled") == 1
    with pytest.raises(JobStateError, match="completed and cannot be cancelled"):
        await manager.cancel_job(job.job_id)


async def test_a_job_whose_lease_ran_out_is_stalled_and_is_taken_over(manager, clock, small):
    job = await manager.create_job("try", small)
    store = await manager.store()
    await store.claim(job.job_id, "lost", lease_s=30, executor="local")
    assert (await manager.get_job(job.job_id)).state == "running"
    clock.forward(31)
    assert (await manager.get_job(job.job_id)).state == "stalled"
    done = await manager.run_job(job.job_id)
    assert (done.status, done.attempts) == (JobStatus.COMPLETED, 2)
    assert "recovered" in await kinds(manager, job.job_id)


async def test_a_manual_job_is_never_stalled_and_never_taken_over(manager, clock, small):
    job = await manager.create_job("by hand", small)
    await manager.start_job(job.job_id)
    clock.forward(10**6)
    assert (await manager.get_job(job.job_id)).state == "running"
    with pytest.raises(JobStateError, match=r"running and cannot be started\. It was started man"):
        await manager.start_sweep(job.job_id)
    await manager.fail_job(job.job_id, "the cluster burnt down")
    job = await manager.get_job(job.job_id)
    assert (job.status, job.error) == (JobStatus.FAILED, "the cluster burnt down")
    with pytest.raises(JobStateError, match=r"failed and cannot be started\. It was started man"):
        await manager.start_sweep(job.job_id)


async def test_a_run_recorded_twice_counts_once_and_other_metrics_are_refused(manager, small):
    job = await manager.create_job("by hand", small)
    await manager.start_job(job.job_id)
    await manager.record_progress(job.job_id, "r1", {"delta": 0.5})
    await manager.record_progress(job.job_id, "r1", {"delta": 0.5})
    with pytest.raises(RunAlreadyRecorded, match="'r1' already, with other metrics"):
        await manager.record_progress(job.job_id, "r1", {"delta": 0.75})
    assert (await manager.get_job(job.job_id)).completed_runs == 1
    assert (await kinds(manager, job.job_id)).count("progress") == 1
    assert (await manager.runs(job.job_id))[0]["delta"] == 0.5


async def test_only_a_manually_started_job_takes_recorded_runs(manager, small):
    job = await manager.create_job("try", small)
    with pytest.raises(JobStateError, match="pending and cannot be recorded to"):
        await manager.record_progress(job.job_id, "r1", {"delta": 0.5})
    with pytest.raises(InvalidInput, match=r"metrics\.delta: got 'half'; allowed: a number"):
        await manager.record_progress(job.job_id, "r1", {"delta": "half"})
    with pytest.raises(JobStateError, match="pending and cannot be marked completed"):
        await manager.complete_job(job.job_id, {})


async def test_a_name_that_exists_is_refused_with_what_it_names(manager, small):
    await manager.create_job("the first", small, job_id="my-own-name")
    with pytest.raises(JobExists, match=r"'my-own-name' names a job already .'the first'.*free"):
        await manager.create_job("the second", small, job_id="my-own-name")
    assert (await manager.list_jobs()).total == 1


async def test_a_name_is_found_as_people_write_it(manager, small):
    await manager.create_job("try", small, job_id="bright-ocean-swift-tiger")
    for spelling in ("Bright Ocean Swift Tiger", "bright_ocean_swift_tiger"):
        found = await manager.find_job(spelling)
        assert (found.job.job_id, found.reading) == ("bright-ocean-swift-tiger", "")
    found = await manager.find_job("brigt ocean swfit tiger")
    assert found.job.job_id == "bright-ocean-swift-tiger"
    assert "brigt" in found.reading
    assert (await manager.find_job("bright ocean")).job.job_id == "bright-ocean-swift-tiger"


async def test_changing_verbs_insist_on_the_exact_name_and_offer_it(manager, small):
    await manager.create_job("try", small, job_id="bright-ocean-swift-tiger")
    for change in (manager.cancel_job, manager.start_sweep, manager.start_job):
        with pytest.raises(JobNotFound, match="Did you mean bright-ocean-swift-tiger"):
            await change("brigt ocean swift tiger")
    assert (await manager.get_job("bright-ocean-swift-tiger")).status is JobStatus.PENDING


async def test_an_unknown_name_finds_nothing(manager):
    assert await manager.get_job("castle-river-mountain-forest") is None
    with pytest.raises(JobNotFound, match="and none with a name like it"):
        await manager.find_job("castle-river-mountain-forest")


async def test_the_same_request_repeated_gives_the_same_job(manager, small):
    first = await manager.create_job("try", small, request_key="call-1")
    again = await manager.create_job("try", small, request_key="call-1")
    other = await manager.create_job("try", small, request_key="call-2")
    assert first.job_id == again.job_id != other.job_id
    assert (await manager.list_jobs()).total == 2


async def test_jobs_are_listed_newest_first_by_status_tag_and_text(manager, small):
    await manager.create_job("stressed liquidity", small, job_id="first-job", tags=["paper"])
    await manager.create_job("plain", small, job_id="second-job", notes="Stressed, too")
    await manager.create_job("other", small, job_id="third-job")
    await manager.cancel_job("third-job")

    async def names(**which):
        return [job.job_id for job in (await manager.list_jobs(**which)).jobs]

    assert await names() == ["third-job", "second-job", "first-job"]
    assert await names(text="STRESSED") == ["second-job", "first-job"]
    assert await names(tag="paper") == ["first-job"]
    assert await names(status="cancelled") == ["third-job"]
    assert await names(limit=1, offset=1) == ["second-job"]
    with pytest.raises(InvalidInput, match="status: got 'done'; allowed: pending, running"):
        await names(status="done")


def test_a_thousand_names_drawn_plainly_are_unique_and_well_formed():
    names = {generate_job_id() for _ in range(1000)}
    assert len(names) == 1000
    for name in names:
        drawn = name.split("-")
        assert len(drawn) == len(set(drawn)) == 4
        assert set(drawn) <= set(words())


async def test_a_name_drawn_twice_is_drawn_again(manager, small):
    first = await manager.create_job("try", small, rng=random.Random(7))
    second = await manager.create_job("try", small, rng=random.Random(7))
    rng = random.Random(7)
    assert [first.job_id, second.job_id] == [generate_job_id(rng), generate_job_id(rng)]


@pytest.mark.slow
async def test_many_names_through_the_store_stay_unique(manager):
    """Every tenth draw repeats an earlier one, so that the redraw is at work all the time."""
    config = JobConfig(sweep_type="single")

    class Colliding(random.Random):
        def __init__(self):
            super().__init__(1)
            self.draws = []

        def sample(self, population, k, **_):
            if len(self.draws) % 10 == 9:
                self.draws.append(None)
                return list(super().choice([each for each in self.draws[-10:-1] if each]))
            drawn = super().sample(population, k)
            self.draws.append(tuple(drawn))
            return drawn

    rng = Colliding()
    for _ in range(200):
        await manager.create_job("try", config, rng=rng)
    repeated = sum(draw is None for draw in rng.draws)
    names = await (await manager.store()).job_ids()
    assert len(names) == len(set(names)) == 200
    assert repeated > 20


async def test_jobs_of_committed_manifests_are_listed_in_an_empty_store(manager, small, isolated):
    job = await manager.create_job("for the paper", small, job_id="bright-ocean-swift-tiger")
    await manager.run_job(job.job_id)
    async with AsyncJobManager(str(isolated / "empty.db")) as fresh:
        page = await fresh.list_jobs(text="paper")
        assert [job.job_id for job in page.jobs] == ["bright-ocean-swift-tiger"]
        assert (await fresh.list_jobs()).total == 1


async def test_results_are_answered_where_the_files_cannot_be_made_again(manager, small):
    job = await manager.create_job("try", small)
    job = await manager.run_job(job.job_id)
    shutil.rmtree(job.folder)
    job.folder.write_text("in the way of a folder")
    results = await manager.results(job.job_id)
    assert results.summary["completed_runs"] == 16
    assert results.files == {}


async def test_a_manual_job_that_is_taken_up_again_is_resumed_not_started(manager):
    job = await manager.create_job("by hand", {"sweep_type": "single"})
    await manager.start_job(job.job_id)
    await manager.fail_job(job.job_id, "power cut")
    await manager.start_job(job.job_id)
    events = await manager.events(job.job_id)
    assert [each.event_type for each in events] == ["created", "started", "failed", "resumed"]
