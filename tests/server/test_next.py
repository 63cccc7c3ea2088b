"""What an answer proposes next is a call that is not refused, and not the one just made."""

import ast
import re

import pytest
from mcp import Client

from bilancio.experiments import registry
from bilancio.jobs import JobStatus
from bilancio.jobs.manager import AsyncJobManager
from bilancio_mcp.calls import after_status
from bilancio_mcp.server import build_server
from tests.plugins import ThreadedFaulty
from tests.server.talk import completed, created, data, waited

FAILING = {"sweep_type": "reckless", "n": 10, "faults": {"3": "raise"}}
FRONTIER = {"sweep_type": "ring", "n_agents": 10, "frontier": True, "kappa_range": [0.2, 20]}
HYPERCUBE = {"sweep_type": "ring", "n_agents": 10, "lhs": 5, "kappa_range": [0.2, 5]}


@pytest.fixture(autouse=True)
def plugged_in(monkeypatch):
    monkeypatch.setenv("BILANCIO_PLUGINS", "tests.plugins:RECKLESS")
    registry._plugins.cache_clear()
    yield
    registry._plugins.cache_clear()


async def leased(client, manager, lease_s):
    job_id = await created(client)
    store = await manager.store()
    lease, _ = await store.claim(job_id, "a-worker", lease_s=lease_s, executor="local")
    return job_id, lease, store


async def pending(client, manager, monkeypatch):
    return await created(client)


async def running(client, manager, monkeypatch):
    return (await leased(client, manager, 3600))[0]


async def stalled(client, manager, monkeypatch):
    return (await leased(client, manager, -1))[0]


async def failed_as_a_whole(client, manager, monkeypatch):
    job_id, lease, store = await leased(client, manager, 3600)
    await store.end(lease, JobStatus.FAILED, error="the disk is full")
    return job_id


async def complete(client, manager, monkeypatch):
    return await completed(client)


async def complete_with_one_seed(client, manager, monkeypatch):
    return await completed(client, {"sweep_type": "ring", "n_agents": 5})


async def complete_with_one_seed_and_another_version(client, manager, monkeypatch):
    job_id = await complete_with_one_seed(client, manager, monkeypatch)
    monkeypatch.setattr(registry, "ENGINE_VERSION", "another-1")
    return job_id


async def complete_with_many_seeds(client, manager, monkeypatch):
    return await completed(client, {"sweep_type": "ring", "n_agents": 5, "n_replicates": 10})


async def complete_search(client, manager, monkeypatch):
    return await completed(client, FRONTIER)


async def complete_hypercube(client, manager, monkeypatch):
    return await completed(client, HYPERCUBE)


async def complete_without_its_runs(client, manager, monkeypatch):
    job_id = await completed(client, {"sweep_type": "ring", "n_agents": 5})
    folder = (await manager.exact(job_id)).folder
    manifest = (folder / "job_manifest.json").read_text()
    await manager.delete_job(job_id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "job_manifest.json").write_text(manifest)
    return job_id


async def failed_in_a_run(client, manager, monkeypatch):
    return await completed(client, FAILING)


async def cancelled(client, manager, monkeypatch):
    job_id = await created(client)
    await manager.cancel_job(job_id)
    return job_id


async def cancelled_with_results(client, manager, monkeypatch):
    job_id = await completed(client, FAILING)
    await manager.cancel_job(job_id)
    return job_id


async def failed_with_another_version(client, manager, monkeypatch):
    job_id = await completed(client, FAILING)
    monkeypatch.setattr(ThreadedFaulty, "version", "counting-2")
    return job_id


async def running_by_hand(client, manager, monkeypatch):
    job_id = await created(client)
    await manager.start_job(job_id)
    return job_id


async def running_by_hand_with_results(client, manager, monkeypatch):
    job_id = await running_by_hand(client, manager, monkeypatch)
    await manager.record_progress(job_id, "first", {"delta": 0.5})
    return job_id


async def completed_by_hand(client, manager, monkeypatch):
    job_id = await running_by_hand_with_results(client, manager, monkeypatch)
    await manager.complete_job(job_id, {"delta": 0.5})
    return job_id


async def failed_by_hand(client, manager, monkeypatch):
    job_id = await running_by_hand(client, manager, monkeypatch)
    await manager.fail_job(job_id, "the power went")
    return job_id


async def cancelled_by_hand(client, manager, monkeypatch):
    job_id = await running_by_hand_with_results(client, manager, monkeypatch)
    await manager.cancel_job(job_id)
    return job_id


STATES = [
    pending, running, stalled, failed_as_a_whole, complete, complete_search, complete_hypercube,
    complete_with_one_seed, complete_with_one_seed_and_another_version, complete_with_many_seeds,
    complete_without_its_runs, failed_in_a_run, cancelled, cancelled_with_results,
    failed_with_another_version,
    running_by_hand, running_by_hand_with_results, completed_by_hand, failed_by_hand,
    cancelled_by_hand,
]  # fmt: skip

QUESTIONS = {
    "job_status": [{}, {"wait_s": 1}],
    "job_results": [{}, {"limit": 1}, {"offset": 1000}, {"group_by": "seed"}],
    "list_jobs": [{}, {"offset": 1000}, {"text": "no such text"}, {"limit": 1}],
}


def proposed(said: str, tool: str, asked: dict):
    """Yield the calls that a sentence proposes."""
    for name, arguments in re.findall(r"(\w+)\(([^()]*)\)", said):
        call = ast.parse(f"{name}({arguments})", mode="eval").body
        assert isinstance(call, ast.Call)
        yield name, {word.arg: ast.literal_eval(word.value) for word in call.keywords}
    for offset in re.findall(r"The same call with offset=(\d+)", said):
        yield tool, {**asked, "offset": int(offset)}


async def perform(client, manager, tool, arguments):
    """Perform a call that was proposed; leave no worker behind."""
    if arguments.get("wait_s"):
        arguments = {**arguments, "wait_s": 1}
    answer = data(await client.call_tool(tool, arguments))
    if tool == "start_sweep":
        await waited(client, arguments["job_id"])
    return answer


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
async def test_every_question_proposes_calls_that_are_answered_and_differ(state, monkeypatch):
    starts = {}
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job_id = await state(client, manager, monkeypatch)
        for tool, variants in QUESTIONS.items():
            for variant in variants:
                asked = variant if tool == "list_jobs" else {"job_id": job_id, **variant}
                result = await client.call_tool(tool, asked)
                if result.is_error:
                    assert "group_by" in variant or "offset" in variant
                    continue
                said = result.structured_content["next"]
                assert said, (tool, asked)
                assert "bilancio" not in said
                for name, arguments in proposed(said, tool, asked):
                    assert (name, arguments) != (tool, asked)
                    if name == "start_sweep":
                        starts = arguments
                    else:
                        await perform(client, manager, name, arguments)
        if starts:  # last, because it changes the state
            await perform(client, manager, "start_sweep", starts)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
@pytest.mark.parametrize("tool", ["start_sweep", "cancel_job"])
async def test_refusals_and_acts_propose_what_is_answered(tool, state, monkeypatch):
    if tool == "start_sweep" and state in {
        pending, stalled, failed_as_a_whole, failed_in_a_run, cancelled, cancelled_with_results,
    }:  # fmt: skip
        pytest.skip("these start, as another test shows")
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job_id = await state(client, manager, monkeypatch)
        result = await client.call_tool(tool, {"job_id": job_id})
        said = result.content[0].text if result.is_error else result.structured_content["next"]
        calls = [*proposed(said, tool, {"job_id": job_id})]
        assert calls or "create_job" in said
        for name, arguments in calls:
            assert (name, arguments) != (tool, {"job_id": job_id})
            if name != "start_sweep":
                await perform(client, manager, name, arguments)


async def test_groupings_are_proposed_until_nothing_is_left_to_group_by():
    seen = []
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        call = ("job_results", {"job_id": await completed(client)})
        while call:
            assert call not in seen
            seen.append(call)
            answer = await perform(client, manager, *call)
            calls = proposed(answer["next"], *call)
            call = next((each for each in calls if each[0] == "job_results"), None)
    assert [arguments.get("group_by") for _, arguments in seen] == [
        None, ["kappa"], ["kappa", "seed"],
    ]  # fmt: skip
    assert "runs.csv" in answer["next"]


async def test_a_sampled_parameter_is_proposed_in_bins_and_columns_left_out_are_counted():
    sampled = {**HYPERCUBE, "lhs": 60}
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job_id = await completed(client, sampled)
        answer = data(await client.call_tool("job_results", {"job_id": job_id}))
        call = ("job_results", {"job_id": job_id, "group_by": ["kappa"], "bins": 5})
        assert call in [*proposed(answer["next"], "job_results", {"job_id": job_id})]
        answer = await perform(client, manager, *call)
        assert answer["table"]["total_rows"] == 5
        asked = {"job_id": job_id, "pivot": "kappa"}
        answer = data(await client.call_tool("job_results", asked))
        assert len(answer["table"]["columns"]) == 40
        assert "20 more columns are not shown; where chooses among them." in answer["next"]
        assert answer["summary"].endswith(" The table shows delta_total by kappa.")


async def test_a_job_with_few_seeds_is_proposed_to_grow_and_one_with_many_is_not():
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        few = await complete_with_one_seed(client, manager, None)
        many = await complete_with_many_seeds(client, manager, None)
        for tool in ("job_status", "job_results"):
            answer = data(await client.call_tool(tool, {"job_id": few}))
            assert f"start_sweep(job_id='{few}', n_replicates=10)" in answer["next"]
            assert "Nothing is left" not in answer["next"]
            answer = data(await client.call_tool(tool, {"job_id": many}))
            assert "start_sweep" not in answer["next"]


@pytest.mark.parametrize(
    "state", [failed_in_a_run, cancelled_with_results], ids=lambda state: state.__name__
)
async def test_a_job_with_failed_runs_points_to_the_first_of_them(state, monkeypatch):
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job_id = await state(client, manager, monkeypatch)
        for tool in ("job_status", "job_results"):
            answer = data(await client.call_tool(tool, {"job_id": job_id}))
            assert f"show_run(job_id='{job_id}', run='failed')" in answer["next"]


async def test_a_wait_that_was_too_short_is_followed_by_another_one():
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job_id = await running(client, manager, None)
        answer = data(await client.call_tool("job_status", {"job_id": job_id}))
        assert f"job_status(job_id='{job_id}', wait_s=45)" in answer["next"]
    async with AsyncJobManager() as manager:
        job = await manager.exact(job_id)
    assert "wait_s=60" in after_status(job, waited_s=45)


async def test_job_that_came_without_its_runs_is_proposed_to_be_computed_again():
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job_id = await complete_without_its_runs(client, manager, None)
        answer = data(await client.call_tool("job_results", {"job_id": job_id}))
    assert f"start_sweep(job_id='{job_id}', recompute=True)" in answer["next"]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (complete_without_its_runs, "the results of the job's single runs are not here"),
        (completed_by_hand, "the runs of a manually started job have no parameters"),
        (pending, "before the first runs are recorded"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
async def test_grouping_where_there_is_no_table_is_refused_with_the_reason(state, reason):
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        asked = {"job_id": await state(client, manager, None), "group_by": ["kappa"]}
        result = await client.call_tool("job_results", asked)
    assert result.is_error
    assert reason in result.content[0].text
