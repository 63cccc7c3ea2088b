"""Jobs with `cloud: true`: on Modal, for which a server of our own stands in, or refused."""

import asyncio

import pytest

from bilancio.errors import InvalidInput, LibraryMissing, TokenMissing
from bilancio.executors import modal_account
from bilancio.jobs import AsyncJobManager
from bilancio.jobs.estimate import APP_STARTUP_S, CONTAINER_STARTUP_S, SHIPPED_SPEED
from bilancio.jobs.runners import RingSweepRunner
from bilancio.text import computing, money
from tests.jobs.test_worker import gated, until, until_gone, until_recorded, values

ON_MODAL = [
    pytest.mark.slow,
    pytest.mark.faults,
    pytest.mark.timeout(240),
    pytest.mark.usefixtures("modal_token", "plugins"),
]
RING = {"sweep_type": "ring", "n_agents": 10, "kappas": ["0.5"], "n_replicates": 4, "cloud": True}
LARGE = {"sweep_type": "balanced", "n_agents": 1000, "n_replicates": 1_000_000, "cloud": True}


def on_modal(test):
    for mark in ON_MODAL:
        test = mark(test)
    return test


@pytest.fixture
def gate(isolated):
    return isolated / "gate"


def in_cloud(gate, **more):
    return gated(gate, n=200, first=100, **more).model_copy(update={"cloud": True})


@on_modal
async def test_a_job_in_the_cloud_writes_the_tables_that_one_on_this_machine_writes(modal_server):
    config = {"sweep_type": "balanced", "n_agents": 10, "kappas": ["0.3", "1"], "seeds": [1, 2]}
    async with AsyncJobManager() as manager:
        there = await manager.create_job("there", config | {"cloud": True}, job_id="job-there")
        assert there.executor == "modal"
        await manager.start_sweep(there.job_id)
        there = await until(manager, there.job_id, "completed", "failed", "stalled")
        assert (there.state, there.error, there.executor) == ("completed", None, "modal")
        here = await manager.create_job("here", config, job_id="job-here")
        here = await manager.run_job(here.job_id)
    assert here.executor == "local"
    assert here.summary == there.summary
    for name in ("cells.csv", "summary.json"):
        assert _nameless(there.folder / name) == _nameless(here.folder / name)
    assert modal_server.apps == {}
    assert modal_server.ended_apps[-1] == "bilancio-job-there"


def _nameless(file):
    return file.read_text().replace("job-there", "").replace("job-here", "")


@on_modal
async def test_cancel_ends_the_app_and_the_job_is_resumed_on_this_machine(modal_server, gate):
    async with AsyncJobManager() as manager:
        job = await manager.create_job("try", in_cloud(gate))
        await manager.start_sweep(job.job_id)
        process = await until_recorded(manager, job.job_id, 1)
        assert [*modal_server.apps.values()] == [f"bilancio-{job.job_id}"]
        assert (await manager.cancel_job(job.job_id)).state == "cancelled"
        await until_gone(process)
        assert modal_server.apps == {}
        assert not any(each.containers_alive for each in modal_server.functions.values())
    gate.touch()
    async with AsyncJobManager(executor="local") as here:
        job = await here.run_job(job.job_id)
        assert (job.state, job.executor) == ("completed", "local")
        assert (await values(here, job))[0] == list(range(200))


@on_modal
async def test_a_container_that_dies_costs_nothing(modal_server, gate):
    async with AsyncJobManager() as manager:
        job = await manager.create_job("try", in_cloud(gate))
        await manager.start_sweep(job.job_id)
        await until_recorded(manager, job.job_id, 1)
        await asyncio.to_thread(modal_server.end_containers)
        gate.touch()
        job = await until(manager, job.job_id, "completed", "failed", "stalled")
        assert (job.error, job.attempts, job.failed_runs) == (None, 1, 0)
        assert (await values(manager, job))[0] == list(range(200))


@on_modal
@pytest.mark.nightly
async def test_a_killed_coordinator_is_resumed_to_the_same_results(modal_server, gate):
    async with AsyncJobManager() as manager:
        job = await manager.create_job("try", in_cloud(gate))
        await manager.start_sweep(job.job_id)
        process = await until_recorded(manager, job.job_id, 1)
        process.kill()
        await until_gone(process)
        gate.touch()
        assert (await manager.start_sweep(job.job_id)).action == "recovered"
        job = await until(manager, job.job_id, "completed", "failed", "stalled")
        assert (job.error, job.executor) == (None, "modal")
        assert await values(manager, job) == (list(range(200)), [2.0 * each for each in range(200)])


@on_modal
async def test_a_job_that_modal_refuses_fails_with_a_sentence(modal_server, monkeypatch):
    monkeypatch.setenv("MODAL_TOKEN_ID", "ak-other")
    async with AsyncJobManager() as manager:
        job = await manager.create_job("try", RING)
        job = await manager.run_job(job.job_id)
    assert job.state == "failed"
    assert (
        "The modal executor cannot compute: Modal starts no app (AuthError: Token ID" in job.error
    )


async def test_without_a_token_nothing_is_stored_and_it_is_said_how_to_get_one(manager):
    with pytest.raises(TokenMissing, match=r"MODAL_TOKEN_SECRET or ~/\.modal\.toml. `modal token"):
        await manager.create_job("try", RING)
    with pytest.raises(TokenMissing):
        RingSweepRunner(RING)
    assert (await manager.list_jobs()).total == 0


async def test_without_the_library_the_error_names_the_extra(manager, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(LibraryMissing, match=r"needs modal, .*(o\[|--extra )modal"):
        await manager.create_job("try", RING)
    assert (await manager.list_jobs()).total == 0


async def test_a_job_in_the_cloud_is_not_created_for_another_executor(small):
    async with AsyncJobManager(executor="local") as manager:
        with pytest.raises(InvalidInput, match="executor: got 'local'; allowed: modal, or nothing"):
            await manager.create_job("try", RING)
        assert (await manager.list_jobs()).total == 0


def test_the_token_is_looked_for_where_modals_client_does(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    (home / ".modal.toml").write_text(
        "[lab]\ntoken_id = 'ak-lab'\ntoken_secret = 'as-lab'\nactive = true\n"
        "[mine]\ntoken_id = 'ak-mine'\ntoken_secret = 'as-mine'\n[none]\n"
    )
    assert modal_account.token() == ("ak-lab", "as-lab")
    monkeypatch.setenv("MODAL_PROFILE", "mine")
    assert modal_account.token() == ("ak-mine", "as-mine")
    monkeypatch.setenv("MODAL_TOKEN_ID", "ak-variable")
    assert modal_account.token() == ("ak-variable", "as-mine")
    monkeypatch.setenv("MODAL_PROFILE", "none")
    assert modal_account.token() is None


async def test_the_estimate_needs_no_token_and_says_the_cost_and_the_day_of_the_prices(manager):
    preview = await manager.preview(LARGE)
    expected, prices = preview.estimate, modal_account.prices()
    core_s = preview.config.cost * SHIPPED_SPEED
    assert expected.workers == 32
    assert expected.seconds > APP_STARTUP_S + core_s / 32
    seconds = core_s + 32 * CONTAINER_STARTUP_S
    assert expected.dollars == pytest.approx(seconds * (prices.per_core_s + prices.per_gib_s))
    cost = f"about {money(expected.dollars)} at the prices of {prices.date}"
    assert computing("Runs", expected).endswith(f" in 32 containers of Modal, {cost}.")
    here = await manager.preview(LARGE | {"cloud": False})
    assert (here.estimate.dollars, here.estimate.prices_of) == (None, "")


async def test_a_small_sweep_takes_one_container(manager):
    expected = await manager.estimate(RING)
    assert (expected.workers, money(expected.dollars)) == (1, "less than $0.01")


async def test_a_sweep_above_the_money_limit_is_asked_about(modal_token, monkeypatch):
    for name in ("RUNS", "SECONDS"):
        monkeypatch.setenv(f"BILANCIO_CONFIRM_{name}", "0")
    for limit, said in (("0.01", " The limit is $0.01 (BILANCIO_CONFIRM_DOLLARS)."), ("0", "")):
        monkeypatch.setenv("BILANCIO_CONFIRM_DOLLARS", limit)
        async with AsyncJobManager() as manager:
            job = await manager.create_job("try", LARGE)
            question = await manager.question_before_start(job.job_id)
            assert question.endswith(said)
            assert bool(question) == bool(said)
